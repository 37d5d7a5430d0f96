"""Each ending of a call on its whole way: dispatch → journal → settle → retries → case. Real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from scheduler_kit import WELL, House, Script, answers, ends

from ivr.dialogue.model import Because
from storage import Store
from storage.model import Case, Elder, Notice
from visits import contacts, handling
from visits.channels import NoticeConfig
from visits.life import Actor, Order, Role
from visits.notices import Sender
from xunfang.errors import BadInput
from xunfang.vocabulary import (
    CallDisposition,
    CaseKind,
    CaseStep,
    Category,
    ConsentPurpose,
    PlanStatus,
    Priority,
    Risk,
)

pytestmark = pytest.mark.integration

D = CallDisposition
PHONE = "13812340001"
OTHER_PHONE = "13812340009"
MOST_CALLS = 12


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    return House(sqlite_store, tmp_path)


def climb(house: House, elder: Elder) -> list[str]:
    """Plan, then call whenever the plan says so, until it has ended. When was rung, in China."""
    house.plan()
    for _ in range(MOST_CALLS):
        house.step(by=timedelta())
        plan = house.plan_of(elder)
        if plan.status not in (PlanStatus.DUE, PlanStatus.WAITING):
            break
        assert plan.next_attempt_at is not None
        house.clock.move(max(plan.next_attempt_at - house.clock.now(), timedelta()))
    return [f"{at + timedelta(hours=8):%a %H:%M}" for at in house.fleet.dialled_at]


ENDS_AS = {
    D.BUSY: (["Mon 09:00", "Mon 09:20", "Mon 09:40", "Tue 08:30"], CaseKind.MISSED_CALL),  # 3 calls a day
    D.NO_ANSWER: (["Mon 09:00", "Mon 14:30", "Tue 08:30"], CaseKind.MISSED_CALL),
    D.POWERED_OFF: (["Mon 09:00", "Mon 14:30", "Tue 08:30"], CaseKind.MISSED_CALL),
    D.UNREACHABLE: (["Mon 09:00", "Mon 09:30", "Mon 14:30", "Tue 08:30"], CaseKind.MISSED_CALL),
    D.REJECTED: (["Mon 09:00", "Mon 14:30"], CaseKind.MISSED_CALL),
    D.SUSPENDED: (["Mon 09:00"], CaseKind.NUMBER_PROBLEM),
    D.INVALID_NUMBER: (["Mon 09:00"], CaseKind.NUMBER_PROBLEM),
    D.VOICEMAIL: (["Mon 09:00", "Mon 14:30", "Tue 08:30"], CaseKind.MISSED_CALL),
    D.ANSWERED_SILENT: (["Mon 09:00", "Mon 09:20", "Mon 14:30"], CaseKind.MISSED_CALL),
    D.OTHER_PERSON: (["Mon 09:00", "Mon 14:30", "Tue 08:30"], CaseKind.OTHER_PERSON),
    D.ASKED_LATER: (["Mon 09:00", "Mon 11:00", "Mon 14:30", "Tue 08:30"], CaseKind.MISSED_CALL),
    D.HUNG_UP_EARLY: (["Mon 09:00", "Mon 09:20", "Mon 14:30"], CaseKind.UNCLEAR),
}
OUR_FAULT = (D.TRUNK_FAILURE, D.INTERRUPTED)


def test_every_ending_is_looked_at_here() -> None:
    assert {*ENDS_AS, *OUR_FAULT, D.COMPLETED, D.NOT_DIALLED} == set(D)


@pytest.mark.parametrize("ending", ENDS_AS)
def test_an_ending_that_repeats_climbs_its_ladder_to_its_case(house: House, ending: CallDisposition) -> None:
    elder = house.elder(PHONE, ends(ending))
    rung_at, kind = ENDS_AS[ending]
    assert climb(house, elder) == rung_at
    assert house.dispositions(elder) == [ending] * len(rung_at)
    plan = house.plan_of(elder)
    assert (plan.status, plan.attempts) == (PlanStatus.ESCALATED, len(rung_at))
    (case,) = house.cases()
    assert case.kind is kind
    with house.store.read() as work:
        assert work.records.of_elder(elder.id) == []  # nobody was heard: voicemail and silence are no visit


def test_who_completes_is_done(house: House) -> None:
    elder = house.elder(PHONE)
    assert climb(house, elder) == ["Mon 09:00"]
    assert house.plan_of(elder).status is PlanStatus.DONE
    assert house.cases() == []


@pytest.mark.parametrize("ending", OUR_FAULT)
def test_our_own_failures_use_up_no_attempt(house: House, ending: CallDisposition) -> None:
    elder = house.elder(PHONE, *[ends(ending)] * 4, answers(WELL))
    climb(house, elder)
    assert house.dispositions(elder) == [ending] * 4 + [D.COMPLETED]
    plan = house.plan_of(elder)
    assert (plan.status, plan.attempts) == (PlanStatus.DONE, 1)
    assert house.cases() == []


def test_a_call_no_line_took_is_made_again_and_is_no_missed_call(house: House) -> None:
    elder = house.elder(PHONE)
    house.fleet.refuses = True
    house.plan()
    house.step(by=timedelta(minutes=5))
    assert house.dispositions(elder) == [D.NOT_DIALLED]
    house.fleet.refuses = False
    climb(house, elder)
    plan = house.plan_of(elder)
    assert (plan.status, plan.attempts) == (PlanStatus.DONE, 1)
    assert house.cases() == []


@pytest.mark.parametrize("ending", [D.SUSPENDED, D.INVALID_NUMBER])
def test_a_dead_number_is_a_case_of_the_same_day(house: House, ending: CallDisposition) -> None:
    climb(house, house.elder(PHONE, ends(ending)))
    (case,) = house.cases()
    assert case.deadline == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # 20:00 in China


def test_a_call_that_was_cut_off_goes_on_where_it_stopped(house: House) -> None:
    half: Script = answers({"health": "good", "mood": "good"}, D.HUNG_UP_EARLY, Because.HUNG_UP)
    rest = answers({key: WELL[key] for key in ("gas", "electricity", "family", "needs")})
    elder = house.elder(PHONE, half, rest)
    assert climb(house, elder) == ["Mon 09:00", "Mon 09:21"]  # 20 minutes after its end
    assert [each.callee.answered for each in house.fleet.orders] == [(), ("health", "mood")]
    assert house.plan_of(elder).status is PlanStatus.DONE
    assert house.cases() == []
    with house.store.read() as work:
        record = work.records.latest(elder.id)
    assert record is not None
    assert record.fields["gas"] == "安全"
    assert record.fields["baseline"]["health"]


def test_the_other_number_is_tried_before_anybody_goes(house: House) -> None:
    elder = house.elder(PHONE, ends(D.NO_ANSWER), other_phone=OTHER_PHONE)
    house.fleet.scripts[OTHER_PHONE] = [answers(WELL)]
    climb(house, elder)
    assert [each.number for each in house.fleet.orders] == [PHONE, PHONE, OTHER_PHONE]
    assert house.plan_of(elder).status is PlanStatus.DONE
    assert house.cases() == []


# ---- the case, and who is told ---------------------------------------------------------------------


def with_contacts(house: House, *may_be_told: bool, agreed: bool = True, **fields: Any) -> Elder:
    elder = house.elder(PHONE, ends(D.NO_ANSWER), **fields)
    with house.store.begin() as work:
        for position, told in enumerate(may_be_told, start=1):
            phone = f"1370000000{position}"
            work.contacts.add(elder_id=elder.id, position=position, phone=phone, may_be_told=told)
        if agreed:
            work.consents.add(elder.id, ConsentPurpose.FAMILY_NOTICE, True, house.clock.now(), "paper")
    return elder


def told(house: House, case: Case) -> list[tuple[str, timedelta]]:
    """Contacts in the order of their time, and how long after the case."""
    with house.store.read() as work:
        notices = [each for each in work.notices.of_case(case.id) if each.to.startswith("contact:")]
        place = {each.id: each.position for each in work.contacts.of(case.elder_id)}
    found = []
    for each in sorted(notices, key=lambda each: (each.next_at, each.id)):
        assert each.next_at is not None
        position = place[int(each.to.partition(":")[2])]
        found.append((f"contact {position}", each.next_at - case.opened_at))
    return found


def not_told(house: House, case: Case) -> list[str]:
    with house.store.read() as work:
        audit = work.audit.of(f"case:{case.id}")
    return [str(each.detail["because"]) for each in audit if each.kind == "no_notice_sent"]


def test_a_missed_call_says_why_it_is_urgent(house: House) -> None:
    born = datetime(1942, 3, 1).date()  # noqa: DTZ001  # a date
    elder = house.elder(PHONE, ends(D.NO_ANSWER), categories={Category.LIVING_ALONE}, birth_date=born)
    with house.store.begin() as work:
        at = house.clock.now() - timedelta(days=12)
        call = work.calls.begin(
            plan_id=None, elder_id=elder.id, attempt=1, dialplan="d", dialplan_hash="h", intended_at=at
        )
        work.calls.finish(call.id, ended_at=at, disposition=D.COMPLETED)
        work.records.put(
            elder_id=elder.id,
            plan_id=None,
            call_id=call.id,
            mode=elder.mode,
            visited_at=at,
            fields={},
            risk=Risk.NORMAL,
            reasons=(),
        )
    climb(house, elder)
    (case,) = house.cases()
    assert "独居、84岁、12天没有消息" in case.summary
    assert case.priority is Priority.HIGH


def test_contacts_are_told_one_after_another_and_only_with_consent(house: House) -> None:
    climb(house, with_contacts(house, True, False, True, categories={Category.LIVING_ALONE}))
    (case,) = house.cases()
    assert told(house, case) == [("contact 1", timedelta()), ("contact 3", timedelta(minutes=30))]
    assert not_told(house, case) == [contacts.NOT_THIS_ONE]


def test_without_the_elders_consent_no_contact_is_told_and_the_audit_says_so(house: House) -> None:
    climb(house, with_contacts(house, True, True, agreed=False))
    (case,) = house.cases()
    assert told(house, case) == []
    assert not_told(house, case) == [contacts.NOT_AGREED]


def test_our_own_failure_is_told_to_no_contact(house: House) -> None:
    elder = with_contacts(house, True)
    house.fleet.scripts[PHONE] = [ends(D.TRUNK_FAILURE)]
    house.plan()
    house.step()
    house.clock.move(house.plan_of(elder).due_until - house.clock.now())
    house.plan()
    (case,) = house.cases()
    assert (case.kind, told(house, case), not_told(house, case)) == (CaseKind.NOT_DIALLED, [], [])


class Post:
    """Stands for the message service: keeps whom it carried something to."""

    def __init__(self) -> None:
        self.phones: list[str] = []

    def send(self, notice: Notice, phone: str, now: datetime) -> None:
        self.phones.append(phone)


@pytest.mark.parametrize("who", ["visitor", "contact", "nobody"])
def test_the_next_contact_is_left_in_peace_once_somebody_has_taken_it(house: House, who: str) -> None:
    climb(house, with_contacts(house, True, True))
    (case,) = house.cases()
    post = Post()
    config = NoticeConfig(person_urls=("json://127.0.0.1",))
    sender = Sender(house.store, house.clock, config, desk=post, webhook=post, person=post)
    sender.tick()
    assert "13700000001" in post.phones
    with house.store.begin() as work:
        visitor_id = work.cases.get(case.id).visitor_id  # type: ignore[union-attr]
        first = work.contacts.of(case.elder_id)[0]
        if who == "visitor":
            order = Order(CaseStep.ACCEPT, Actor(Role.VISITOR, str(visitor_id)))
            handling.handle(work, case.id, order, house.clock.now(), house.policy.deadlines)
        elif who == "contact":
            contacts.answered(work, case.id, first.id, "user:zhang", house.clock.now())
            with pytest.raises(BadInput, match="没有编号"):
                contacts.answered(work, case.id, first.id + 99, "user:zhang", house.clock.now())
    house.clock.move(timedelta(hours=6))
    sender.tick()
    assert ("13700000002" in post.phones) is (who == "nobody")
    because = {"visitor": [contacts.TAKEN], "contact": [contacts.SPOKEN_FOR], "nobody": []}
    assert not_told(house, case) == because[who]
    with house.store.read() as work:
        assert work.cases.open_for(case.elder_id) is not None  # an answer closes nothing
