"""联系人电话: after a ladder that nobody answered, a contact is asked; the case neither waits nor closes."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from scheduler_kit import House, Script, ends

from ivr.dialogue.model import Because
from ivr.session.model import AlertRaised, Answered, AnswerGiven, CallEnded, CallEvent, Remembered, TurnHeard
from scheduler import hours
from storage import Store
from storage.model import Case, Elder
from visits.service import show
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDisposition,
    CaseKind,
    ConsentPurpose,
    PlanStatus,
    Priority,
    Speaker,
)

pytestmark = pytest.mark.integration

D = CallDisposition
AGREED = (ConsentPurpose.PHONE_VISIT, ConsentPurpose.FAMILY_NOTICE)
SLOWLY = timedelta(minutes=30)
OWN, SON, NEIGHBOUR = "13800000001", "13700000001", "13700000002"


def says(answer: str, words: str, ending: CallDisposition = D.COMPLETED) -> Script:
    def play(call_id: int, at: datetime) -> list[CallEvent]:
        return [
            Answered(call_id, at),
            TurnHeard(call_id, at, 1, Speaker.RELATIVE, words, "reach", 3.0, 5.0, 0.9),
            AnswerGiven(call_id, at, "reach", "any", answer, text=words, source=AnswerSource.RELATIVE),
            CallEnded(call_id, at, ending, Because.FINISHED),
        ]

    return play


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    return House(sqlite_store, tmp_path)


@pytest.fixture
def on_both(store: Store, tmp_path: Path) -> House:
    return House(store, tmp_path)


def family(house: House, elder: Elder, *phones: str, may_be_told: bool = True) -> list[int]:
    with house.store.begin() as work:
        return [
            work.contacts.add(
                elder_id=elder.id,
                position=place,
                name="家人",
                relation="child",
                phone=phone,
                may_be_told=may_be_told,
            ).id
            for place, phone in enumerate(phones, start=1)
        ]


def silent(house: House, *phones: str, **fields: object) -> Elder:
    elder = house.elder(OWN, ends(D.NO_ANSWER), consents=AGREED, **fields)
    family(house, elder, *phones)
    return elder


def case_of(house: House) -> Case:
    (case,) = house.cases()
    return case


def dialled(house: House, number: str) -> int:
    return sum(each.number == number for each in house.fleet.orders)


def history(house: House) -> str:
    with house.store.read() as work:
        id = work.cases.queue(10)[0].id
    return "\n".join(each["text"] for each in show(house.store, id)["history"])


def test_the_first_contact_is_called_when_nobody_answered_three_times(on_both: House) -> None:
    house = on_both
    elder = silent(house, SON, NEIGHBOUR)
    house.fleet.scripts[SON] = [says("yes", "我能联系上")]
    house.run(29, SLOWLY)
    assert house.dispositions(elder).count(D.NO_ANSWER) == 3
    assert dialled(house, SON) == 1
    assert dialled(house, NEIGHBOUR) == 0
    order = next(each for each in house.fleet.orders if each.number == SON)
    assert order.dialplan == "ask_contact"
    assert order.recording is None
    assert order.callee.contact
    assert order.callee.about == "王奶奶"
    assert order.callee.title == ""
    case = case_of(house)
    assert case.opened_at < house.fleet.dialled_at[house.fleet.orders.index(order)]


def test_what_a_contact_says_is_no_visit_and_lowers_nothing(house: House) -> None:
    elder = silent(house, SON)
    house.fleet.scripts[SON] = [says("yes", "他好着呢，在我家")]
    house.run(29, SLOWLY)
    case = case_of(house)
    with house.store.read() as work:
        assert work.records.of_elder(elder.id) == []
    assert case.kind is CaseKind.MISSED_CALL
    assert case.closed_at is None
    assert house.plan_of(elder).status is PlanStatus.ESCALATED
    said = [each for each in case.evidence if each.get("by") == "家属代述"]
    assert [each["text"] for each in said] == ["他好着呢，在我家"]
    assert "照常核实" in case.summary
    assert "说能联系上老人" in history(house)


def test_a_contact_who_cannot_reach_him_either_makes_the_case_more_urgent(house: House) -> None:
    silent(house, SON)
    house.fleet.scripts[SON] = [says("yes", "能联系上")]
    house.run(29, SLOWLY)
    before = case_of(house)
    assert before.priority is Priority.NORMAL

    other = house.elder("13800000002", ends(D.NO_ANSWER), consents=AGREED)
    family(house, other, NEIGHBOUR)
    house.fleet.scripts[NEIGHBOUR] = [says("no", "我也打不通")]
    house.run(49, SLOWLY)
    (raised,) = [each for each in house.cases() if each.elder_id == other.id]
    assert raised.priority is Priority.HIGH
    assert raised.deadline <= before.deadline + timedelta(days=3)
    assert "联系不上老人" in raised.summary


def test_who_does_not_answer_is_passed_over_and_the_next_one_is_called(on_both: House) -> None:
    house = on_both
    silent(house, SON, NEIGHBOUR)
    house.fleet.scripts[SON] = [ends(D.NO_ANSWER)]
    house.fleet.scripts[NEIGHBOUR] = [says("unclear", "啥")]
    house.run(29, SLOWLY)
    assert dialled(house, SON) == 1
    assert dialled(house, NEIGHBOUR) == 1
    assert case_of(house).priority is Priority.NORMAL


def test_when_no_contact_answers_the_case_says_so(house: House) -> None:
    silent(house, SON, NEIGHBOUR)
    house.fleet.scripts |= {SON: [ends(D.POWERED_OFF)], NEIGHBOUR: [ends(D.NO_ANSWER)]}
    house.run(29, SLOWLY)
    assert dialled(house, SON) == dialled(house, NEIGHBOUR) == 1
    assert "紧急联系人都没有联系上" in case_of(house).summary


@pytest.mark.parametrize("disposition", [D.SUSPENDED, D.INVALID_NUMBER])
def test_a_dead_number_asks_the_contact_the_same_day(house: House, disposition: CallDisposition) -> None:
    elder = house.elder(OWN, ends(disposition), consents=AGREED)
    family(house, elder, SON)
    house.fleet.scripts[SON] = [says("yes", "能")]
    house.run(4, SLOWLY)
    assert dialled(house, SON) == 1
    assert case_of(house).kind is CaseKind.NUMBER_PROBLEM


def test_without_his_consent_nobody_of_his_family_is_called(house: House) -> None:
    elder = house.elder(OWN, ends(D.NO_ANSWER))
    family(house, elder, SON)
    house.run(29, SLOWLY)
    assert dialled(house, SON) == 0
    assert "没有拨打紧急联系人：老人没有同意通知家属" in history(house)


def test_contacts_without_consent_or_number_are_passed_over_with_the_reason(house: House) -> None:
    elder = house.elder(OWN, ends(D.NO_ANSWER), consents=AGREED)
    family(house, elder, "13700000009", may_be_told=False)
    family(house, elder, "", OWN, SON)
    house.fleet.scripts[SON] = [ends(D.TRUNK_FAILURE), says("yes", "能")]
    house.run(29, SLOWLY)
    assert dialled(house, "13700000009") == 0
    assert dialled(house, SON) == 2
    assert dialled(house, OWN) == 3
    told = [line for line in history(house).splitlines() if line.startswith("没有拨打紧急联系人")]
    for reason in ("老人没有同意告知此人", "没有登记号码", "登记的是老人自己的号码"):
        assert sum(reason in line for line in told) == 1, "once, however often he is dialled"


def test_danger_that_a_contact_tells_of_is_an_emergency_while_he_speaks(house: House) -> None:
    elder = silent(house, SON)

    def alarm(call_id: int, at: datetime) -> list[CallEvent]:
        words = "她摔倒了起不来"
        return [
            Answered(call_id, at),
            TurnHeard(call_id, at, 1, Speaker.RELATIVE, words, "reach", 3.0, 5.0, 0.9, Alert.URGENT),
            AlertRaised(call_id, at, Alert.URGENT, "reach", words, event="fall", relative=True),
            CallEnded(call_id, at, D.COMPLETED, Because.URGENT),
        ]

    house.fleet.scripts[SON] = [alarm]
    house.run(29, SLOWLY)
    case = case_of(house)
    assert case.kind is CaseKind.DISTRESS
    assert case.priority is Priority.URGENT
    assert "家属代述“她摔倒了起不来”" in case.summary
    with house.store.read() as work:
        assert work.records.of_elder(elder.id) == []
        (flagged,) = [each for each in work.calls.of_elder(elder.id) if each.alert is Alert.URGENT]
        assert work.reviews.get(flagged.id) is not None


def test_a_contact_cannot_withdraw_the_elders_consent_nor_be_called_again(house: House) -> None:
    elder = silent(house, SON)

    def stop(call_id: int, at: datetime) -> list[CallEvent]:
        said = AnswerGiven(
            call_id, at, "opt_out", "any", "opt_out", text="别再打了", source=AnswerSource.RELATIVE
        )
        heard = Remembered(call_id, at, "hard_of_hearing")
        ended = CallEnded(call_id, at, D.OTHER_PERSON, Because.OTHER_PERSON)
        return [Answered(call_id, at), said, heard, ended]

    house.fleet.scripts[SON] = [stop]
    house.run(13 * 24, timedelta(hours=2))
    assert dialled(house, SON) == 1, "the next week's ladder does not call him again"
    with house.store.read() as work:
        assert work.consents.current(elder.id, ConsentPurpose.PHONE_VISIT) is True
        kept = work.elders.get(elder.id)
    assert kept is not None
    assert not kept.hard_of_hearing
    assert kept.paused_until is None
    assert "此人要求不再接到自动电话" in history(house)


def test_a_trunk_failure_on_the_way_to_a_contact_does_not_count(house: House) -> None:
    silent(house, SON)
    house.fleet.scripts[SON] = [ends(D.TRUNK_FAILURE), ends(D.INTERRUPTED), says("yes", "能联系上")]
    house.run(29, SLOWLY)
    assert dialled(house, SON) == 3
    assert "说能联系上老人" in history(house)


def test_a_dialler_that_dies_while_a_contact_speaks_loses_nothing(on_both: House) -> None:
    house = on_both
    silent(house, SON)
    house.fleet.scripts[SON] = [says("yes", "能联系上")]
    house.plan()
    while not dialled(house, SON):
        house.dispatcher.tick()
        if not dialled(house, SON):
            house.fleet.play()
            house.clock.move(timedelta(minutes=10))
    house.fleet.die()
    house.start()
    house.clock.move(timedelta(minutes=5))
    assert house.dispatcher.recover() == 1
    house.run(2, SLOWLY)
    assert dialled(house, SON) == 2
    assert "说能联系上老人" in history(house)


def test_contacts_are_called_inside_the_hours_and_caps_only(house: House) -> None:
    """Several elders name the same neighbour: his telephone rings three times a day at most."""
    for number in range(5):
        elder = house.elder(f"1380000001{number}", ends(D.SUSPENDED), consents=AGREED)
        family(house, elder, NEIGHBOUR)
    house.fleet.scripts[NEIGHBOUR] = [says("yes", "能")]
    house.run(30, SLOWLY)
    at = [
        when
        for when, order in zip(house.fleet.dialled_at, house.fleet.orders, strict=True)
        if order.number == NEIGHBOUR
    ]
    today = [
        each
        for each in at
        if hours.local_date(each, house.policy.hours) == hours.local_date(at[0], house.policy.hours)
    ]
    assert len(today) == 3
    assert len(at) > 3
    assert all(hours.is_open(each, house.policy.hours) for each in at)
    assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(at))


def test_nobody_asks_the_family_once_somebody_was_at_the_door(house: House) -> None:
    silent(house, SON)
    house.plan()
    while not house.cases():
        house.dispatcher.tick()
        house.fleet.play()
        house.clock.move(timedelta(seconds=20))
    with house.store.begin() as work:
        work.cases.close(case_of(house).id, "已看望", house.clock.now())
    house.run(5, SLOWLY)
    assert dialled(house, SON) == 0


def test_a_live_call_to_a_contact_is_no_call_with_the_elder(house: House) -> None:
    elder = silent(house, SON)
    house.plan()
    while not dialled(house, SON):
        house.dispatcher.tick()
        if not dialled(house, SON):
            house.fleet.play()
            house.clock.move(timedelta(minutes=10))
    with house.store.read() as work:
        assert not work.times.is_on_the_line(elder.id)
        assert work.times.is_live(SON)


def test_what_contacts_do_says_nothing_about_the_elders_habits(house: House) -> None:
    elder = silent(house, SON)
    house.fleet.scripts[SON] = [says("yes", "能")]
    house.run(29, SLOWLY)
    with house.store.read() as work:
        past = work.times.past(elder.id, house.clock.now() - timedelta(days=30), 50)
    assert [each.disposition for each in past] == [D.NO_ANSWER] * 3
