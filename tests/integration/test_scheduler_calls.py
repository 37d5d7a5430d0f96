"""Plan → dispatch → journal → settle on a real database; only the telephones are scripted."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from scheduler_kit import WELL, House, answers, distress, ends, opts_out

from ivr.dialogue.model import Because
from ivr.session.model import AlertRaised, CallEnded, CallEvent, Remembered, TurnHeard
from scheduler.dispatch import DispatchConfig
from scheduler.order import OrderConfig
from scheduler.policy import Policy
from storage import Store
from storage.model import Notice
from xunfang.errors import BadInput
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDisposition,
    CaseKind,
    Category,
    ConsentPurpose,
    PlanStatus,
    Priority,
    Risk,
    Speaker,
    VisitMode,
)

pytestmark = pytest.mark.integration

PHONE = "13812340001"
OTHER_PHONE = "13812340002"


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    config = DispatchConfig(policy=Policy(), order=OrderConfig(recordings=tmp_path, duty_number="12345"))
    return House(sqlite_store, tmp_path, config)


def notices_of(house: House, case_id: int) -> list[Notice]:
    with house.store.read() as work:
        return work.notices.of_case(case_id)


def test_a_well_elder_is_heard_recorded_and_makes_no_case(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    assert house.step() == 1
    assert house.plan_of(elder).status is PlanStatus.DONE
    assert house.cases() == []
    with house.store.read() as work:
        call = work.calls.of_elder(elder.id)[0]
        record = work.records.of_call(call.id)
    assert record is not None
    assert record.risk is Risk.NORMAL
    assert call.risk is Risk.NORMAL
    assert call.disposition is CallDisposition.COMPLETED
    assert record.fields["personal_hygiene"] == "未现场核实"
    assert record.fields["gas"] == "安全"


def test_busy_is_tried_again_and_then_completed(house: House) -> None:
    elder = house.elder(PHONE, ends(CallDisposition.BUSY), answers(WELL))
    house.plan()
    house.step()
    assert house.plan_of(elder).status is PlanStatus.WAITING
    house.run(hours=0.5)
    assert house.dispositions(elder) == [CallDisposition.BUSY, CallDisposition.COMPLETED]
    assert house.fleet.dialled_at[1] - house.fleet.dialled_at[0] >= timedelta(minutes=20)
    plan = house.plan_of(elder)
    assert (plan.status, plan.attempts) == (PlanStatus.DONE, 2)
    assert house.cases() == []


def test_no_answer_climbs_the_ladder_to_a_missed_call_case_with_a_visitor(house: House) -> None:
    alone = frozenset({Category.LIVING_ALONE, Category.ADVANCED_AGE})
    elder = house.elder(PHONE, ends(CallDisposition.NO_ANSWER), categories=alone)
    with house.store.begin() as work:
        work.contacts.add(
            elder_id=elder.id,
            position=1,
            name="王小明",
            relation="child",
            phone="13700000001",
            same_place=True,
            may_be_told=True,
        )
    house.run(hours=48)
    assert house.dispositions(elder) == [CallDisposition.NO_ANSWER] * 3
    times = [each + timedelta(hours=8) for each in house.fleet.dialled_at]  # China
    assert [(each.day, each.hour) for each in times] == [(23, 9), (23, 14), (24, 8)]
    assert house.plan_of(elder).status is PlanStatus.ESCALATED
    (case,) = house.cases()
    assert (case.kind, case.priority) == (CaseKind.MISSED_CALL, Priority.HIGH)
    assert "无人接听3次" in case.summary
    assert "独居、高龄" in case.summary
    assert "第一巡访员" in case.visitor_why
    with house.store.read() as work:
        visitor = work.visitors.get(case.visitor_id or 0)
    assert visitor is not None
    assert (visitor.kind, visitor.phone, visitor.elder_id) == ("child", "13700000001", elder.id)
    assert {each.to for each in notices_of(house, case.id)} == {"duty", "webhook", f"visitor:{visitor.id}"}


def test_a_dead_trunk_opens_the_breaker_and_makes_no_case_of_any_elder(house: House) -> None:
    phones = [f"1381234{number:04d}" for number in range(30)]
    elders = [house.elder(phone, ends(CallDisposition.TRUNK_FAILURE)) for phone in phones]
    house.plan()
    for _ in range(120):
        house.step(timedelta(seconds=10))
    # 20 minutes: what was live when the breaker opened, then single probes at 2, 6 and 14 minutes.
    assert house.dispatcher.breaker_state() == "open"
    assert 6 <= len(house.fleet.orders) <= 6 + 4 + 4
    assert house.cases() == []
    assert {house.plan_of(each).status for each in elders} <= {PlanStatus.DUE, PlanStatus.WAITING}
    assert {house.plan_of(each).attempts for each in elders} == {0}
    with house.store.read() as work:
        told = [each for each in work.notices.pending(house.clock.now()) if each.kind == "breaker.opened"]
    assert {each.to for each in told} == {"duty", "webhook"}
    for phone in phones:
        house.fleet.scripts[phone] = [answers(WELL)]
    house.run(hours=7)
    assert {house.plan_of(each).status for each in elders} == {PlanStatus.DONE}
    assert house.cases() == []


def test_a_suspended_number_is_a_case_the_same_day_after_one_call(house: House) -> None:
    elder = house.elder(PHONE, ends(CallDisposition.SUSPENDED))
    house.run(hours=24)
    assert house.dispositions(elder) == [CallDisposition.SUSPENDED]
    (case,) = house.cases()
    assert case.kind is CaseKind.NUMBER_PROBLEM
    assert (case.deadline + timedelta(hours=8)).date() == (case.opened_at + timedelta(hours=8)).date()
    assert "停机" in case.summary


def test_distress_is_a_case_before_the_call_ends_and_is_not_doubled_at_its_end(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    house.dispatcher.tick()
    (order,) = house.fleet.orders
    *during, end = distress()(order.call_id, house.clock.now())
    for event in during:
        house.journal.handle(event)
    (case,) = house.cases()
    assert (case.kind, case.priority) == (CaseKind.DISTRESS, Priority.URGENT)
    assert case.deadline - case.opened_at == timedelta(minutes=30)
    (evidence,) = case.evidence
    assert (evidence["text"], evidence["start_s"], evidence["end_s"]) == ("我摔了起不来", 5.0, 7.5)
    told = len(notices_of(house, case.id))
    with house.store.read() as work:
        assert [each.id for each in work.calls.open()] == [order.call_id]
    house.fleet.waiting.clear()
    house.journal.handle(end)
    house.journal.handle(end)
    (after,) = house.cases()
    assert len(after.evidence) == 1
    assert after.deadline == case.deadline
    assert len(notices_of(house, case.id)) == told
    with house.store.read() as work:
        kinds = [each.kind for each in work.audit.of(f"case:{case.id}")]
        call = work.calls.get(order.call_id)
    assert kinds == ["case.opened", "duplicate_suppressed"]
    assert call is not None
    assert (call.alert, call.risk) == (Alert.URGENT, Risk.URGENT)
    assert house.plan_of(elder).status is PlanStatus.DONE


def test_distress_in_a_call_that_breaks_off_is_not_called_again_by_the_machine(house: House) -> None:
    elder = house.elder(PHONE, distress(ending=CallDisposition.HUNG_UP_EARLY))
    house.run(hours=14)  # the day is over; tomorrow there is a follow-up (test_planning_special)
    assert house.dispositions(elder) == [CallDisposition.HUNG_UP_EARLY]
    assert house.plan_of(elder).status is PlanStatus.ESCALATED
    assert [each.kind for each in house.cases()] == [CaseKind.DISTRESS]


def test_who_asks_not_to_be_called_is_never_called_again(house: House) -> None:
    elder = house.elder(PHONE, opts_out)
    house.run(hours=1)
    (case,) = house.cases()
    assert case.kind is CaseKind.REFUSAL
    assert house.plan_of(elder).status is PlanStatus.ESCALATED
    with house.store.read() as work:
        assert work.consents.current(elder.id, ConsentPurpose.PHONE_VISIT) is False
    house.clock.move(timedelta(days=7))
    house.run(hours=24)
    assert len(house.fleet.orders) == 1
    with pytest.raises(BadInput, match="not agreed"):
        house.dispatcher.call_now(elder.id, anyway=True)


def test_an_opt_out_outlives_a_crash_before_the_call_ended(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    house.dispatcher.tick()
    house.journal.handle(Remembered(house.fleet.orders[0].call_id, house.clock.now(), "opt_out"))
    house.fleet.die()
    house.start()
    house.dispatcher.recover()
    assert house.plan_of(elder).status is PlanStatus.ESCALATED
    assert [each.kind for each in house.cases()] == [CaseKind.REFUSAL]


def test_a_crash_between_intent_and_dial_is_interrupted_and_dialled_again(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()

    def dies(order: object) -> None:
        raise KeyboardInterrupt  # the process is killed after the commit, before the INVITE

    real, house.fleet.dial = house.fleet.dial, dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        house.dispatcher.tick()
    house.fleet.dial = real  # type: ignore[method-assign]
    assert house.plan_of(elder).status is PlanStatus.DIALLING
    house.start()
    assert house.dispatcher.recover() == 1
    assert house.dispatcher.recover() == 0
    house.run(hours=1)
    assert house.dispositions(elder) == [CallDisposition.INTERRUPTED, CallDisposition.COMPLETED]
    plan = house.plan_of(elder)
    assert (plan.status, plan.attempts) == (PlanStatus.DONE, 1)
    with house.store.read() as work:
        assert len(work.records.of_elder(elder.id)) == 1


def test_answers_heard_before_a_crash_are_kept_and_not_asked_again(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    house.dispatcher.tick()
    first = house.fleet.orders[0]
    for event in answers({"identity": "self", "health": "good", "mood": "unclear"})(
        first.call_id, house.clock.now()
    )[:-1]:
        house.journal.handle(event)
    house.fleet.die()
    house.start()
    house.dispatcher.recover()
    house.fleet.scripts[PHONE] = [answers({topic: WELL[topic] for topic in WELL if topic != "health"})]
    house.run(hours=1)
    assert house.fleet.orders[1].callee.answered == ("health",)
    with house.store.read() as work:
        newest = work.records.latest(elder.id)
    assert newest is not None
    assert newest.fields["illness"] == "首次记录"  # from the first call's 身体挺好
    assert newest.fields["mood"] == "首次记录"
    assert house.cases() == []


def test_a_call_whose_end_was_lost_on_the_way_is_taken_back(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    house.dispatcher.tick()
    house.fleet.die()
    house.step(timedelta(seconds=20))
    assert house.plan_of(elder).status is PlanStatus.DIALLING  # its end may still be under way
    house.step(timedelta(seconds=20))
    house.run(hours=1)
    assert house.dispositions(elder) == [CallDisposition.INTERRUPTED, CallDisposition.COMPLETED]


def test_the_late_end_of_a_call_taken_back_changes_nothing(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    house.dispatcher.tick()
    call_id = house.fleet.orders[0].call_id
    house.fleet.die()
    house.start()
    house.dispatcher.recover()
    house.journal.handle(CallEnded(call_id, house.clock.now(), CallDisposition.NO_ANSWER))
    assert house.dispositions(elder) == [CallDisposition.INTERRUPTED]
    assert house.plan_of(elder).attempts == 0


def test_a_fleet_that_refuses_leaves_no_call_hanging(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    house.fleet.refuses = True
    assert house.dispatcher.tick() == 0
    assert house.dispositions(elder) == [CallDisposition.NOT_DIALLED]
    assert house.plan_of(elder).status is PlanStatus.WAITING
    house.fleet.refuses = False
    house.run(hours=1)
    assert house.plan_of(elder).status is PlanStatus.DONE


def test_nobody_is_called_outside_of_his_hours(house: House) -> None:
    house.elder(PHONE, windows=("15:00-16:00",))
    house.elder(OTHER_PHONE)
    house.clock.move(timedelta(hours=3))  # 12:00 in China: the county rests
    house.run(hours=12)
    times = [(each + timedelta(hours=8)).strftime("%H:%M") for each in house.fleet.dialled_at]
    assert times == ["14:30", "15:00"]


def test_two_elders_of_one_telephone_are_called_one_after_the_other(house: House) -> None:
    one = house.elder(PHONE)
    other = house.elder(PHONE)
    house.plan()
    assert house.dispatcher.tick() == 1
    assert house.dispatcher.tick() == 0
    house.fleet.play()
    house.run(hours=1, by=timedelta(minutes=1))
    assert house.fleet.dialled_at[1] - house.fleet.dialled_at[0] >= timedelta(minutes=10)
    assert {house.plan_of(each).status for each in (one, other)} == {PlanStatus.DONE}


def test_one_number_is_rung_at_most_three_times_a_day(house: House) -> None:
    elder = house.elder(PHONE, ends(CallDisposition.BUSY), ends(CallDisposition.ASKED_LATER))
    house.run(hours=24)
    days = [(each + timedelta(hours=8)).date() for each in house.fleet.dialled_at]
    assert len(days) > 3
    assert max(days.count(day) for day in days) == 3
    house.run(hours=24 * 3)
    assert house.plan_of(elder).status is PlanStatus.ESCALATED


def test_recording_needs_consent(house: House) -> None:
    both = (ConsentPurpose.PHONE_VISIT, ConsentPurpose.RECORDING)
    house.elder(PHONE, consents=both)
    house.elder(OTHER_PHONE)
    house.plan()
    house.step()
    by_number = {each.number: each for each in house.fleet.orders}
    assert by_number[OTHER_PHONE].recording is None
    recorded = by_number[PHONE].recording
    assert recorded is not None
    assert recorded.startswith(str(house.folder))
    assert PHONE not in recorded
    assert by_number[PHONE].callee.title == "王奶奶"
    assert by_number[PHONE].duty_number == "12345"


def test_a_relative_answering_is_recorded_as_such_and_the_elder_is_called_again(house: House) -> None:
    relative = answers(
        {"health": "worse"}, CallDisposition.OTHER_PERSON, Because.OTHER_PERSON, AnswerSource.RELATIVE
    )
    elder = house.elder(PHONE, relative, answers(WELL))
    house.plan()
    house.step()
    assert house.plan_of(elder).status is PlanStatus.WAITING
    (case,) = house.cases()
    assert case.kind is CaseKind.CONCERN
    assert "家属代述" in case.summary
    house.run(hours=10)
    assert house.plan_of(elder).status is PlanStatus.DONE
    with house.store.read() as work:
        first, second = reversed(work.records.of_elder(elder.id))
    assert any("家属代述" in each for each in first.reasons)
    assert any("家属代述" in each for each in second.reasons)
    assert len(house.cases()) == 1


def test_a_relative_who_says_never_again_pauses_and_a_human_asks_the_elder(house: House) -> None:
    relative = answers(
        {"opt_out": "opt_out"}, CallDisposition.OTHER_PERSON, Because.OTHER_PERSON, AnswerSource.RELATIVE
    )
    elder = house.elder(PHONE, relative, answers(WELL))
    house.run(hours=10)
    assert house.plan_of(elder).status is PlanStatus.PAUSED
    (case,) = house.cases()
    assert case.kind is CaseKind.CONSENT
    assert "家属要求不再来电" in case.summary
    assert "暂停到12月7日" in case.summary
    assert case.evidence[0]["by"] == "家属代述"
    with house.store.read() as work:
        paused = work.elders.get(elder.id)
        assert paused is not None
        assert str(paused.paused_until) == "2026-12-07"
        assert work.consents.current(elder.id, ConsentPurpose.PHONE_VISIT) is True
        assert [each.kind for each in work.audit.of(f"elder:{elder.id}")].count("elder.paused") == 1
    assert len(house.fleet.orders) == 1  # nobody rings meanwhile
    house.clock.move(timedelta(days=15))
    house.run(hours=24)
    assert len(house.fleet.orders) == 2  # the consent stands: visits go on when nobody has said otherwise


def test_unclear_answers_end_the_visit_with_a_case_for_a_human(house: House) -> None:
    elder = house.elder(PHONE, answers(WELL | {"gas": "unclear"}))
    house.run(hours=1)
    assert house.plan_of(elder).status is PlanStatus.DONE
    (case,) = house.cases()
    assert case.kind is CaseKind.UNCLEAR
    assert "燃气安全" in case.summary


def test_a_wish_for_meals_is_a_request_case(house: House) -> None:
    house.elder(PHONE, answers(WELL | {"needs": "yes"}, details={"needs": ("meals",)}))
    house.run(hours=1)
    (case,) = house.cases()
    assert (case.kind, case.priority) == (CaseKind.REQUEST, Priority.NORMAL)
    assert "助餐" in case.summary


def doubtful(call_id: int, at: datetime, raised: bool) -> list[CallEvent]:
    """摔没摔？ in the opening: a danger word that waits for its confirming question."""
    text = "摔没摔呀"
    judged: dict[str, object] = {"answer": "other", "judgements": [{"event": "fall"}]}
    turn = TurnHeard(call_id, at, 99, Speaker.ELDER, text, "any", 3.0, 5.0, 0.9, Alert.REVIEW, judged)
    alert = AlertRaised(call_id, at, Alert.REVIEW, "any", text, event="fall", start_s=9.0, end_s=9.0)
    return [turn, alert] if raised else [turn]


def test_what_a_confirming_question_cleared_sends_nobody(house: House) -> None:
    elder = house.elder(PHONE, lambda call, at: doubtful(call, at, raised=False) + answers(WELL)(call, at))
    house.run(hours=1)
    assert house.plan_of(elder).status is PlanStatus.DONE
    assert house.cases() == []


def test_what_was_not_cleared_is_a_concern(house: House) -> None:
    house.elder(PHONE, lambda call, at: doubtful(call, at, raised=True) + answers(WELL)(call, at))
    house.run(hours=1)
    (case,) = house.cases()
    assert case.kind is CaseKind.CONCERN
    assert [each["text"] for each in case.evidence] == ["摔没摔呀"]


def test_what_still_waited_for_its_question_when_we_crashed_is_a_concern(house: House) -> None:
    house.elder(PHONE)
    house.plan()
    house.dispatcher.tick()
    for event in doubtful(house.fleet.orders[0].call_id, house.clock.now(), raised=False):
        house.journal.handle(event)
    house.fleet.die()
    house.start()
    house.dispatcher.recover()
    assert [each.kind for each in house.cases()] == [CaseKind.CONCERN]


def test_who_does_not_want_to_talk_is_asked_by_a_human_and_keeps_his_consent(house: House) -> None:
    elder = house.elder(PHONE, ends(CallDisposition.COMPLETED, Because.REFUSED))
    house.run(hours=24)
    assert [each.kind for each in house.cases()] == [CaseKind.REFUSAL]
    assert house.plan_of(elder).status is PlanStatus.ESCALATED
    with house.store.read() as work:
        assert work.consents.current(elder.id, ConsentPurpose.PHONE_VISIT) is True
    assert len(house.fleet.orders) == 1


def test_who_wants_to_be_called_by_a_human_is_a_request(house: House) -> None:
    house.elder(PHONE, answers(WELL | {"callback": "yes"}))
    house.run(hours=1)
    (case,) = house.cases()
    assert case.kind is CaseKind.REQUEST
    assert "要求工作人员联系" in case.summary


def test_hard_of_hearing_is_remembered_for_the_next_call(house: House) -> None:
    def cannot_hear(call_id: int, at: object) -> list[object]:
        return [
            Remembered(call_id, house.clock.now(), "hard_of_hearing"),
            CallEnded(call_id, house.clock.now(), CallDisposition.HUNG_UP_EARLY, Because.HUNG_UP),
        ]

    elder = house.elder(PHONE, cannot_hear, answers(WELL))  # type: ignore[arg-type]
    house.run(hours=2)
    assert [each.callee.slow for each in house.fleet.orders] == [False, True]
    assert house.plan_of(elder).status is PlanStatus.DONE


def test_who_may_not_be_phoned_is_planned_on_site_or_asked(house: House) -> None:
    on_site = (ConsentPurpose.PHONE_VISIT, ConsentPurpose.ON_SITE_VISIT)
    frail = house.elder(PHONE, self_caring=False, consents=on_site)
    unasked = house.elder(OTHER_PHONE, consents=())
    house.run(hours=3)
    assert house.fleet.orders == []
    assert (house.plan_of(frail).status, house.plan_of(frail).mode) == (
        PlanStatus.ON_SITE,
        VisitMode.ON_SITE,
    )
    assert house.plan_of(unasked).status is PlanStatus.ESCALATED
    assert [(each.elder_id, each.kind) for each in house.cases()] == [(unasked.id, CaseKind.CONSENT)]


def test_what_was_never_dialled_in_its_period_is_the_operators_case(house: House) -> None:
    elder = house.elder(PHONE, ends(CallDisposition.TRUNK_FAILURE))
    house.plan()
    house.step()
    house.clock.move(timedelta(days=7))
    house.plan()
    assert house.plan_of(elder).status is PlanStatus.ESCALATED
    (case,) = house.cases()
    assert case.kind is CaseKind.NOT_DIALLED
    assert "并非老人未接" in case.summary


def test_a_pause_holds_the_plan_and_its_end_resumes_it(house: House) -> None:
    last_day = (house.clock.now() + timedelta(days=1)).date()
    elder = house.elder(PHONE, paused_until=last_day, pause_reason="住院")
    house.run(hours=24)
    assert house.plan_of(elder).status is PlanStatus.PAUSED
    house.run(hours=36)
    assert house.plan_of(elder).status is PlanStatus.DONE
    assert (house.fleet.dialled_at[0] + timedelta(hours=8)).date() > last_day


def test_one_call_now_uses_the_open_plan(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    call_id = house.dispatcher.call_now(elder.id)
    with pytest.raises(BadInput, match="on the telephone"):
        house.dispatcher.call_now(elder.id, anyway=True)
    house.fleet.play()
    with house.store.read() as work:
        call = work.calls.get(call_id)
    assert call is not None
    assert call.plan_id == house.plan_of(elder).id
    assert house.plan_of(elder).status is PlanStatus.DONE
    with pytest.raises(BadInput, match="hours"):
        house.dispatcher.call_now(elder.id)
    again = house.dispatcher.call_now(elder.id, anyway=True)
    house.fleet.play()
    with house.store.read() as work:
        second = work.calls.get(again)
    assert second is not None
    assert second.plan_id is None
    assert second.disposition is CallDisposition.COMPLETED


def test_planning_twice_changes_nothing(house: House) -> None:
    elder = house.elder(PHONE)
    house.elder(OTHER_PHONE, consents=())
    house.plan()
    before = (house.plan_of(elder), house.cases())
    house.plan()
    assert (house.plan_of(elder), house.cases()) == before
