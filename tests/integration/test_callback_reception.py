"""Who rings us: who it is, what he is told, which visit he is asked, and when his case closes.

The telephone is scripted; database, dispatch and settlement are real.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from scheduler_kit import WELL, House, Script, answers, distress, ends

from ivr.dialogue import dialplan
from ivr.dialogue.model import Because
from ivr.session.model import AlertRaised, CallEnded, CallOrder
from ivr.session.protocol import Caller, Refuse
from scheduler.dispatch import DispatchConfig
from scheduler.inbound import Reception
from scheduler.ladder import DEFAULT_FILE as LADDER_FILE
from scheduler.ladder import load_ladder
from scheduler.policy import Policy
from storage import Store
from storage.model import AuditEntry, Case, Elder, Incoming, Notice
from xunfang.errors import StorageError
from xunfang.vocabulary import (
    Alert,
    CallDirection,
    CallDisposition,
    CallerKind,
    CaseKind,
    CaseStatus,
    ConsentPurpose,
    PlanStatus,
)

pytestmark = pytest.mark.integration

PHONE, MOBILE_OF_DAUGHTER, UNKNOWN = "13812340001", "13812340077", "13700000000"
SHARED = "0431-81230001"
IN_WINDOWS = timedelta(minutes=20)
SELF = {"identity": "self"} | WELL
LOAD = cache(dialplan.load)
WORDS = LOAD("callback").callback
assert WORDS is not None


class Desk(House):
    """The house with somebody who picks up."""

    def start(self) -> None:
        super().start()
        self.reception = Reception(
            self.store,
            self.clock,
            self.config,
            plan_of=LOAD,
            can_offer=lambda text: True,
            owner=lambda: self.dispatcher.dialler_id,
            wait=lambda seconds: None,
        )
        self.rung = 0
        self.dispatcher.beat()

    def rings(self, number: str, **how: object) -> CallOrder | Refuse | None:
        self.rung += 1
        return self.reception.caller(Caller(f"ring-{self.rung}", number, **how))  # type: ignore[arg-type]

    def picks_up(self, number: str, **how: object) -> CallOrder:
        order = self.rings(number, **how)
        assert isinstance(order, CallOrder)
        return order

    def says(self, order: CallOrder, script: Script) -> None:
        for event in script(order.call_id, self.clock.now()):
            if not self.reception.heard(event):
                self.journal.handle(event)

    def missed(self, elder: Elder) -> Case:
        """The one call of this ladder, and nobody there."""
        self.fleet.scripts[elder.phone] = [ends(CallDisposition.NO_ANSWER)]
        self.plan()
        self.step(timedelta(minutes=30))
        (case,) = [each for each in self.cases() if each.elder_id == elder.id]
        assert case.kind is CaseKind.MISSED_CALL
        assert self.plan_of(elder).status is PlanStatus.ESCALATED
        return case

    def case(self, id: int) -> Case:
        with self.store.read() as work:
            found = work.cases.get(id)
        assert found is not None
        return found

    def audit(self, subject: str) -> list[AuditEntry]:
        with self.store.read() as work:
            return work.audit.of(subject)

    def incoming(self) -> list[Incoming]:
        with self.store.read() as work:
            return work.incoming.page()

    def notices(self, kind: str) -> list[Notice]:
        with self.store.read() as work:
            return [each for each in work.notices.pending(self.clock.now()) if each.kind == kind]


def a_desk(store: Store, folder: Path) -> Desk:
    shipped = LADDER_FILE.read_text("utf-8")
    once = re.sub(r"no_answer: .*", "no_answer: {retry: [], escalate: missed_call}", shipped)
    (folder / "ladder.yaml").write_text(once, "utf-8")
    return Desk(store, folder, DispatchConfig(policy=Policy(ladder=load_ladder(folder / "ladder.yaml"))))


@pytest.fixture
def desk(sqlite_store: Store, tmp_path: Path) -> Desk:
    return a_desk(sqlite_store, tmp_path)


def told(order: CallOrder) -> str:
    return "".join(order.callee.announce)


# ---- the elder -----------------------------------------------------------------------------------


def test_who_rings_back_after_the_last_missed_call_is_visited_and_his_case_closes(
    store: Store, tmp_path: Path
) -> None:
    desk = a_desk(store, tmp_path)
    elder = desk.elder(PHONE)
    missed = desk.missed(elder)
    order = desk.picks_up("+86 13812340001".replace(" ", ""))
    plan = desk.plan_of(elder)
    assert plan.status is PlanStatus.DIALLING, "claimed like any other call"
    assert (order.ring, order.dialplan, order.callee.rang_us) == ("ring-1", "weekly_short", True)
    assert order.callee.why == WORDS.why["morning"]
    with desk.store.read() as work:
        call = work.calls.get(order.call_id)
    assert call is not None
    assert (call.plan_id, call.direction, call.ended_at) == (plan.id, CallDirection.INBOUND, None)
    assert call.dialler_id is not None, "when this process dies another one ends the call"
    desk.says(order, answers(SELF))
    assert desk.plan_of(elder).status is PlanStatus.DONE
    case = desk.case(missed.id)
    assert case.status is CaseStatus.CLOSED
    assert str(order.call_id) in case.disposition_note
    assert [each.actor for each in desk.audit(f"case:{case.id}") if each.kind == "case.close"] == [
        f"elder:{elder.id}"
    ]
    with desk.store.read() as work:
        assert len(work.records.of_elder(elder.id)) == 1


def test_nobody_dials_who_is_on_the_line_and_he_is_not_dialled_again(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    desk.plan()
    order = desk.picks_up(PHONE)
    desk.clock.move(timedelta(minutes=5))
    assert desk.dispatcher.tick() == 0
    desk.says(order, answers(SELF))
    desk.run(hours=3, by=IN_WINDOWS)
    assert desk.fleet.orders == []
    assert desk.plan_of(elder).status is PlanStatus.DONE
    assert order.callee.why == WORDS.why["due"]


def test_whoever_rings_while_we_ring_him_is_asked_to_hang_up_and_called_once(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    desk.plan()
    assert desk.dispatcher.tick() == 1
    order = desk.picks_up(PHONE)
    assert WORDS.on_line in told(order)
    assert desk.dispositions(elder) == [None], "one live call to one number"


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (distress(), CaseKind.DISTRESS),
        (answers(WELL), CaseKind.MISSED_CALL),
        (answers({"identity": "self"}), CaseKind.MISSED_CALL),
        (
            answers(SELF, CallDisposition.OTHER_PERSON, Because.OTHER_PERSON),
            CaseKind.MISSED_CALL,
        ),
        (answers(SELF, CallDisposition.HUNG_UP_EARLY, Because.HUNG_UP), CaseKind.MISSED_CALL),
        (answers(SELF | {"health": "worse"}), CaseKind.CONCERN),
        (answers(SELF | {"needs": "yes"}), CaseKind.MISSED_CALL),
    ],
    ids=["danger", "not confirmed who", "nothing answered", "another", "hung up", "worse", "a wish"],
)
def test_the_case_stays_open_when_ringing_back_leaves_a_doubt(
    desk: Desk, script: Script, kind: CaseKind
) -> None:
    elder = desk.elder(PHONE)
    missed = desk.missed(elder)
    desk.says(desk.picks_up(PHONE), script)
    case = desk.case(missed.id)
    assert (case.status is CaseStatus.CLOSED, case.kind) == (False, kind)
    assert elder.id == case.elder_id


def test_a_line_that_dies_leaves_the_elder_to_be_dialled_again(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    missed = desk.missed(elder)
    order = desk.picks_up(PHONE)
    desk.says(order, ends(CallDisposition.INTERRUPTED, Because.OUR_FAULT))
    plan = desk.plan_of(elder)
    assert plan.status is PlanStatus.WAITING
    assert plan.next_attempt_at is not None
    assert plan.next_attempt_at - desk.clock.now() <= timedelta(minutes=2)
    assert desk.case(missed.id).status is not CaseStatus.CLOSED
    desk.clock.move(timedelta(minutes=2))
    assert desk.dispatcher.tick() == 1, "his own call is none of the three a day, nor ten minutes apart"


def test_a_killed_service_ends_what_it_carried_and_the_elder_is_dialled_again(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    desk.plan()
    order = desk.picks_up(PHONE)
    desk.fleet.die()
    desk.start()
    desk.dispatcher.recover()
    assert desk.dispositions(elder) == [CallDisposition.INTERRUPTED]
    assert desk.plan_of(elder).status is PlanStatus.WAITING
    assert not desk.reception.heard(CallEnded(order.call_id, desk.clock.now(), CallDisposition.COMPLETED))


def test_an_elder_of_whom_nothing_is_open_is_thanked_and_asked_whether_help_is_needed(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    order = desk.picks_up(PHONE)
    assert order.dialplan == "callback"
    assert order.callee.why == WORDS.why["none"]
    desk.says(order, answers({"identity": "self", "event": "no", "needs": "no"}))
    assert desk.dispositions(elder) == [CallDisposition.COMPLETED]
    assert desk.cases() == []


def test_whoever_withdrew_is_not_asked_the_visit_but_may_ask_for_help(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    desk.plan()
    with desk.store.begin() as work:
        work.consents.add(elder.id, ConsentPurpose.PHONE_VISIT, False, desk.clock.now(), "paper")
    order = desk.picks_up(PHONE)
    assert order.dialplan == "callback"
    assert desk.plan_of(elder).status is PlanStatus.DUE
    desk.says(order, answers({"identity": "self", "needs": "yes"}))
    assert [each.kind for each in desk.cases()] == [CaseKind.REQUEST]


def test_what_an_earlier_call_had_answered_is_not_asked_again(desk: Desk) -> None:
    half = answers({"identity": "self", "health": "good"}, CallDisposition.HUNG_UP_EARLY, Because.HUNG_UP)
    desk.elder(PHONE, half)
    desk.plan()
    desk.step()
    order = desk.picks_up(PHONE)
    assert order.callee.answered == ("health",)
    assert order.callee.why == WORDS.why["unfinished"]


# ---- all lines busy --------------------------------------------------------------------------------


def test_an_elder_whom_no_line_could_answer_is_dialled_at_once(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    desk.missed(elder)
    desk.fleet.scripts[PHONE] = [answers(SELF)]
    before = len(desk.fleet.orders)
    assert desk.rings(PHONE, missed=True) is None
    (row,) = desk.incoming()
    assert (row.missed, row.elder_id, row.call_id) == (True, elder.id, None)
    desk.step()
    assert len(desk.fleet.orders) == before + 1
    assert desk.plan_of(elder).status is PlanStatus.DONE


def test_a_missed_elder_of_whom_nothing_is_open_is_rung_back_by_a_human(desk: Desk) -> None:
    desk.elder(PHONE)
    desk.rings(PHONE, missed=True)
    desk.rings(UNKNOWN, missed=True)
    assert [each.to for each in desk.notices("incoming.missed")] == ["duty", "webhook"]
    assert [each.kind for each in desk.incoming()] == [CallerKind.STRANGER, CallerKind.ELDER]


# ---- a shared telephone ----------------------------------------------------------------------------


def test_who_of_a_shared_telephone_calls_is_asked_and_his_visit_follows(desk: Desk) -> None:
    wang = desk.elder(SHARED)
    zhang = desk.elder(SHARED, name="张德福", sex="M")
    desk.plan()
    asked = desk.picks_up("043181230001")
    assert asked.callee.choices == ("王奶奶", "张爷爷")
    assert asked.call_id < 0
    order = desk.picks_up("043181230001", choice=2, call_id=asked.call_id)
    assert order.callee.title == "张爷爷"
    desk.says(asked, ends(CallDisposition.COMPLETED, Because.FINISHED))
    desk.says(order, answers(SELF))
    assert [desk.plan_of(each).status for each in (wang, zhang)] == [PlanStatus.DUE, PlanStatus.DONE]
    assert desk.notices("incoming.unresolved") == []
    (row,) = desk.incoming()
    assert (row.kind, row.elder_id, row.call_id) == (CallerKind.HOUSEHOLD, zhang.id, order.call_id)


@pytest.mark.parametrize("second", [{"name": "王桂英"}, {"name": "张德福", "sex": "M"}])
def test_who_stays_unknown_hears_the_number_of_the_village_and_a_human_hears_of_it(
    desk: Desk, second: dict[str, str]
) -> None:
    desk.elder(SHARED)
    desk.elder(SHARED, **second)
    with desk.store.begin() as work:
        village = work.areas.get(desk.village)
        assert village is not None
        assert village.parent_id is not None
    asked = desk.picks_up("043181230001")
    assert asked.callee.choices == () or second["name"] == "张德福", "two 王奶奶 cannot be told apart"
    assert WORDS.no_number in told(asked)
    desk.says(asked, ends(CallDisposition.COMPLETED, Because.FINISHED))
    assert [each.to for each in desk.notices("incoming.unresolved")] == ["duty", "webhook"]


# ---- others ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agreed", "may", "hears"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_daughter_hears_that_we_tried_only_when_the_elder_agreed(
    desk: Desk, agreed: bool, may: bool, hears: bool
) -> None:
    elder = desk.elder(PHONE)
    with desk.store.begin() as work:
        work.consents.add(elder.id, ConsentPurpose.FAMILY_NOTICE, agreed, desk.clock.now(), "paper")
        work.contacts.add(
            elder_id=elder.id, position=1, relation="child", phone=MOBILE_OF_DAUGHTER, may_be_told=may
        )
    order = desk.picks_up(MOBILE_OF_DAUGHTER)
    assert (WORDS.tried in told(order)) is hears
    assert order.callee.title == ""
    desk.says(order, lambda id, at: [alert(id, at), CallEnded(id, at, CallDisposition.COMPLETED)])
    (case,) = desk.cases()
    assert (case.elder_id, case.kind) == (elder.id, CaseKind.DISTRESS)
    assert desk.dispositions(elder) == [], "it was no call with the elder"


def test_a_stranger_hears_the_county_s_number_and_nothing_else(store: Store, tmp_path: Path) -> None:
    desk = a_desk(store, tmp_path)
    with desk.store.begin() as work:
        work.areas.add(code="220112000000", name="有电话的县", level="county", phone="0431-8121")
    for number in (UNKNOWN, ""):
        order = desk.picks_up(number)
        digits = "零。四。三。幺。八。幺。二。幺。"
        assert told(order) == f"{WORDS.number}{digits}{WORDS.again}{digits}{WORDS.danger}"
        desk.says(order, ends(CallDisposition.COMPLETED, Because.FINISHED))
    withheld, unknown = desk.incoming()
    assert (withheld.phone, unknown.phone) == ("", UNKNOWN)
    assert desk.cases() == []


def test_a_stranger_in_danger_is_a_human_s_business_at_once(desk: Desk) -> None:
    order = desk.picks_up(UNKNOWN)
    desk.says(order, lambda id, at: [alert(id, at)])
    assert [each.to for each in desk.notices("incoming.urgent")] == ["duty", "webhook"]
    (row,) = desk.incoming()
    assert row.alert is Alert.URGENT
    (entry,) = desk.audit(f"incoming:{row.id}")
    assert UNKNOWN not in str(entry.detail) + desk.notices("incoming.urgent")[0].body


def alert(call_id: int, at: datetime) -> AlertRaised:
    return AlertRaised(call_id, at, Alert.URGENT, "announced", "救命", ("救命",), ("呼救",), None, 3.0, 4.0)


# ---- when something fails ---------------------------------------------------------------------------


def test_a_broken_dialplan_of_one_elder_still_tells_him_whom_to_ring(desk: Desk) -> None:
    desk.elder(PHONE, dialplan="gone")
    desk.plan()
    order = desk.picks_up(PHONE)
    assert WORDS.no_number in told(order)


def test_without_a_committed_intent_nobody_is_answered(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin() -> object:
        raise StorageError("the disk is full")

    monkeypatch.setattr(desk.store, "begin", begin)
    with pytest.raises(StorageError):
        desk.rings(PHONE)


def test_a_process_without_a_lease_answers_nobody_and_leaves_the_elder_to_who_has_one(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    desk.missed(elder)
    desk.dispatcher._lease.leave()
    assert isinstance(desk.rings(PHONE), Refuse)
    assert desk.plan_of(elder).status is PlanStatus.WAITING


# ---- who says nothing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disposition", "because"),
    [
        (CallDisposition.ANSWERED_SILENT, Because.SILENT),
        (CallDisposition.HUNG_UP_EARLY, None),
        (CallDisposition.INTERRUPTED, None),
    ],
)
def test_an_elder_who_rings_and_is_not_heard_is_looked_at_by_a_human(
    desk: Desk, disposition: CallDisposition, because: Because | None
) -> None:
    """He may not be able to speak. No visit of his is open, so nobody would call him."""
    elder = desk.elder(PHONE)
    order = desk.picks_up(PHONE)
    desk.says(order, ends(disposition, because))
    with desk.store.read() as work:
        review = work.reviews.get(order.call_id)
        call = work.calls.get(order.call_id)
    assert review is not None
    assert review.done_at is None
    assert call is not None
    assert (call.elder_id, call.alert) == (elder.id, Alert.REVIEW)


def test_an_elder_who_rings_in_silence_while_his_visit_is_open_is_called_again(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    desk.plan()
    order = desk.picks_up(PHONE)
    desk.says(order, ends(CallDisposition.ANSWERED_SILENT, Because.SILENT))
    assert desk.plan_of(elder).status is PlanStatus.WAITING
    with desk.store.read() as work:
        assert work.reviews.get(order.call_id) is None


def test_an_elder_who_rang_and_was_heard_is_nobody_s_worry(desk: Desk) -> None:
    desk.elder(PHONE)
    order = desk.picks_up(PHONE)
    desk.says(order, answers({"identity": "self", "event": "no", "needs": "no"}))
    with desk.store.read() as work:
        assert work.reviews.get(order.call_id) is None


def test_an_elder_who_rings_while_his_contact_is_being_asked_is_asked_his_visit(desk: Desk) -> None:
    elder = desk.elder(PHONE)
    with desk.store.begin() as work:
        contact = work.contacts.add(elder_id=elder.id, position=1, phone=MOBILE_OF_DAUGHTER, may_be_told=True)
        work.calls.begin(
            plan_id=None,
            elder_id=elder.id,
            attempt=1,
            dialplan="ask_contact",
            dialplan_hash="h",
            intended_at=desk.clock.now(),
            number=MOBILE_OF_DAUGHTER,
            contact_id=contact.id,
        )
    desk.plan()
    order = desk.picks_up(PHONE)
    assert order.call_id > 0
    assert WORDS.on_line not in told(order)
