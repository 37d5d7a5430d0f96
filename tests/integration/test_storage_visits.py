"""Plans, calls, turns, answers, records on both engines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from storage_cast import DAY, MINUTE, NOW, PHONE, a_call, a_plan, a_row, an_elder

from storage import Store, Work
from storage.model import Answer, Call, Turn
from xunfang.errors import StorageError
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDisposition,
    PlanStatus,
    Risk,
    Speaker,
    VisitMode,
)

pytestmark = pytest.mark.integration


def finished(work: Work, call: Call, disposition: CallDisposition = CallDisposition.BUSY) -> bool:
    return work.calls.finish(call.id, ended_at=NOW + MINUTE, disposition=disposition)


def test_planning_twice_changes_nothing(store: Store) -> None:
    with store.begin() as work:
        rows = [a_row(an_elder(work, name=f"老人{n}", phone="")) for n in range(3)]
        assert work.plans.ensure(rows[:2]) == 2
        first = work.plans.of_period(rows[0]["elder_id"], "2026-W48")
        assert first is not None
        assert work.plans.claim(first.id, NOW)
        assert work.plans.ensure(rows) == 1
        kept = work.plans.get(first.id)
        assert kept == replace(first, status=PlanStatus.DIALLING)
        assert work.plans.ensure([]) == 0


def test_a_plan_made_from_an_object_is_the_plan(store: Store) -> None:
    with store.begin() as work:
        plan = a_plan(work, an_elder(work), status=PlanStatus.ON_SITE, mode=VisitMode.ON_SITE)
        assert work.plans.ensure([replace(plan, id=0, period="2026-W49")]) == 1
        other = work.plans.of_period(plan.elder_id, "2026-W49")
        assert other is not None
        assert other == replace(plan, id=other.id, period="2026-W49")
        assert work.plans.of_period(plan.elder_id, "2026-W50") is None
        assert work.plans.get(999) is None


def test_more_rows_than_a_chunk_are_counted_exactly(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        assert work.plans.ensure(a_row(elder, f"campaign:{n}") for n in range(500, 2100)) == 1600
        assert work.plans.ensure(a_row(elder, f"campaign:{n}") for n in range(2500)) == 900


def test_a_misspelt_plan_field_is_refused(store: Store) -> None:
    with store.begin() as work, pytest.raises(TypeError, match="periode"):
        work.plans.ensure([{**a_row(an_elder(work)), "periode": "2026-W48"}])


def test_the_plan_of_nobody_is_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="refuses the row"), store.begin() as work:
        work.plans.ensure([a_row(replace(an_elder(work), id=999))])


def test_retries_stand_before_fresh_plans_and_what_ends_sooner_before_the_rest(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        later = a_plan(work, elder, "later")
        soon = a_plan(work, elder, "soon", due_until=NOW + DAY)
        retry = a_plan(work, elder, "retry", due_until=NOW + 9 * DAY)
        older = a_plan(work, elder, "older retry")
        work.plans.set_status(retry.id, PlanStatus.WAITING, next_attempt_at=NOW, attempts=1)
        work.plans.set_status(older.id, PlanStatus.WAITING, next_attempt_at=NOW - MINUTE, attempts=2)
        due = work.plans.due(NOW, 10)
        assert [plan.period for plan in due] == ["older retry", "retry", "soon", "later"]
        assert due[0].attempts == 2
        assert due[0].next_attempt_at == NOW - MINUTE
        assert [plan.id for plan in work.plans.due(NOW, 1)] == [older.id]
        assert [plan.id for plan in work.plans.due(NOW, 3)] == [older.id, retry.id, soon.id]
        assert later.id not in [plan.id for plan in work.plans.due(NOW, 3)]


def test_what_is_not_yet_or_no_longer_due_is_not_dialled(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        a_plan(work, elder, "early", due_from=NOW + MINUTE)
        a_plan(work, elder, "over", due_until=NOW)
        a_plan(work, elder, "deferred", next_attempt_at=NOW + MINUTE)
        a_plan(work, elder, "at the door", status=PlanStatus.ON_SITE)
        waiting = a_plan(work, elder, "waiting")
        work.plans.set_status(waiting.id, PlanStatus.WAITING, next_attempt_at=NOW + MINUTE)
        assert work.plans.due(NOW, 10) == []
        assert {plan.period for plan in work.plans.due(NOW + MINUTE, 10)} == {"early", "deferred", "waiting"}


def test_villages_share_the_first_calls_of_a_period(store: Store) -> None:
    with store.begin() as work:
        elders = [an_elder(work, name=f"老人{n}", phone="") for n in range(60)]
        work.plans.ensure(a_row(elder) for elder in elders)
        first = [plan.elder_id for plan in work.plans.due(NOW, 30)]
    in_first_half_of_ledger = sum(1 for elder in elders[:30] if elder.id in first)
    assert 8 <= in_first_half_of_ledger <= 22


def test_a_plan_is_claimed_once(store: Store) -> None:
    with store.begin() as work:
        plan = a_plan(work, an_elder(work))
        assert work.plans.claim(plan.id, NOW)
        assert not work.plans.claim(plan.id, NOW)
        assert not work.plans.claim(999, NOW)
        assert [found.id for found in work.plans.in_flight()] == [plan.id]
        assert work.plans.in_flight(claimed_before=NOW) == []
        assert [found.id for found in work.plans.in_flight(claimed_before=NOW + MINUTE)] == [plan.id]


def test_a_status_changes_only_from_the_expected_one(store: Store) -> None:
    with store.begin() as work:
        plan = a_plan(work, an_elder(work))
        assert not work.plans.set_status(plan.id, PlanStatus.DONE, expected=PlanStatus.DIALLING)
        assert work.plans.claim(plan.id, NOW)
        assert work.plans.set_status(
            plan.id,
            PlanStatus.WAITING,
            next_attempt_at=NOW + MINUTE,
            attempts=1,
            expected=PlanStatus.DIALLING,
        )
        assert work.plans.claim(plan.id, NOW + MINUTE)
        claimed = work.plans.get(plan.id)
        assert claimed is not None
        assert (claimed.attempts, claimed.next_attempt_at) == (1, None)
        assert work.plans.set_status(plan.id, PlanStatus.DONE)
        assert not work.plans.set_status(999, PlanStatus.DONE)
        assert work.plans.in_flight() == []


def test_whoever_was_not_heard_by_the_end_of_the_period_is_overdue(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        due = a_plan(work, elder, "due")
        waiting = a_plan(work, elder, "waiting", status=PlanStatus.WAITING)
        a_plan(work, elder, "done", status=PlanStatus.DONE)
        end = NOW + 6 * DAY
        assert work.plans.overdue(end - MINUTE) == []
        assert work.plans.overdue(end) == [due, waiting]
        assert work.plans.overdue(end, limit=1) == [due]


def test_a_call_is_an_intent_then_answered_then_finished_once(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        plan = a_plan(work, elder)
        call = a_call(work, elder, plan, recording="2026/1.wav", line="line-1")
        assert (call.disposition, call.ended_at, call.alert, call.number_hint) == (
            None, None, Alert.NONE, "138****0001",
        )  # fmt: skip
        assert work.calls.open() == [call]
        assert work.calls.answered(call.id, NOW + MINUTE)
        assert not work.calls.answered(call.id, NOW + 2 * MINUTE)
        assert work.calls.finish(
            call.id,
            ended_at=NOW + 3 * MINUTE,
            disposition=CallDisposition.HUNG_UP_EARLY,
            because="hung_up",
            sip_code=200,
            q850=16,
            hung_up_by="them",
        )
        assert not finished(work, call, CallDisposition.INTERRUPTED)
        work.calls.set_risk(call.id, Risk.ATTENTION)
        done = work.calls.get(call.id)
    assert done == replace(
        call,
        answered_at=NOW + MINUTE,
        ended_at=NOW + 3 * MINUTE,
        disposition=CallDisposition.HUNG_UP_EARLY,
        because="hung_up",
        sip_code=200,
        q850=16,
        hung_up_by="them",
        risk=Risk.ATTENTION,
    )
    with store.read() as work:
        assert work.calls.open() == []
        assert work.calls.get(999) is None


def test_no_plan_is_on_two_lines_at_once(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        plan = a_plan(work, elder)
        first = a_call(work, elder, plan)
        with pytest.raises(StorageError, match="live call"):
            a_call(work, elder, plan)
        assert finished(work, first)
        second = a_call(work, elder, plan, attempt=2)
        assert work.calls.of_plan(plan.id) == [work.calls.get(first.id), second]


def test_calls_back_have_no_plan_and_do_not_hinder_each_other(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        assert a_call(work, elder).id != a_call(work, elder).id
        assert len(work.calls.open()) == 2


def test_an_alert_only_rises(store: Store) -> None:
    with store.begin() as work:
        call = a_call(work, an_elder(work))
        assert work.calls.raise_alert(call.id, Alert.REVIEW)
        assert work.calls.raise_alert(call.id, Alert.URGENT)
        assert not work.calls.raise_alert(call.id, Alert.REVIEW)
        assert not work.calls.raise_alert(call.id, Alert.NONE)
        assert not work.calls.raise_alert(call.id, Alert.URGENT)
        found = work.calls.get(call.id)
    assert found is not None
    assert found.alert is Alert.URGENT


def test_the_line_and_a_lost_recording_are_noted(store: Store) -> None:
    with store.begin() as work:
        call = a_call(work, an_elder(work), recording="1.wav")
        work.calls.set_line(call.id, "line-2")
        work.calls.forget_recording(call.id)
        assert work.calls.get(call.id) == replace(call, line="line-2", recording=None)


def test_calls_to_one_number_are_counted_across_elders_and_spellings(store: Store) -> None:
    with store.begin() as work:
        her, him = an_elder(work), an_elder(work, name="王大山")
        a_call(work, her, intended_at=NOW - DAY)
        a_call(work, her, intended_at=NOW - 20 * MINUTE)
        a_call(work, him, intended_at=NOW - 5 * MINUTE, number="+86 138 1234 0001")
        a_call(work, him, number="13900001111")
        assert work.calls.to_number_since(PHONE, NOW - 60 * MINUTE) == (2, NOW - 5 * MINUTE)
        assert work.calls.to_number_since(PHONE, NOW - 20 * MINUTE) == (2, NOW - 5 * MINUTE)
        assert work.calls.to_number_since(PHONE, NOW) == (0, None)
        assert work.calls.to_number_since("", NOW - DAY) == (0, None)


def test_calls_are_paged_and_an_elders_newest_come_first(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        calls = [a_call(work, elder) for _ in range(4)]
        assert work.calls.page(limit=2) == calls[:2]
        assert work.calls.page(after_id=calls[1].id) == calls[2:]
        assert work.calls.of_elder(elder.id, limit=2) == [calls[3], calls[2]]
        assert work.calls.of_elder(elder.id, before_id=calls[2].id) == [calls[1], calls[0]]


def test_a_turn_told_twice_is_stored_once(store: Store) -> None:
    with store.begin() as work:
        call = a_call(work, an_elder(work))
        first = Turn(
            call_id=call.id,
            seq=2,
            speaker=Speaker.ELDER,
            text="没摔着，就是胸口疼",
            question="event",
            confidence=0.8,
            start_s=3.25,
            end_s=5.5,
            alert=Alert.URGENT,
            judgement={"events": [{"event": "chest_pain", "span": [5, 9]}]},
        )
        earlier = Turn(call_id=call.id, seq=1, speaker=Speaker.SYSTEM, text="您好")
        assert work.turns.add(first)
        assert work.turns.add(earlier)
        assert not work.turns.add(replace(first, text="另一句"))
        assert work.turns.of(call.id) == [earlier, first]
        assert work.turns.of(999) == []


def test_the_last_answer_to_a_question_counts(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        plan = a_plan(work, elder)
        call = a_call(work, elder, plan)
        health = Answer(call.id, "health", "health", "good", at=NOW)
        gas = Answer(call.id, "gas", "gas", "safe", at=NOW + MINUTE)
        work.answers.put(health)
        work.answers.put(gas)
        assert work.answers.of(call.id) == [health, gas]
        worse = replace(
            health, answer="worse", details=("高血压",), text="血压高", confidence=0.7,
            source=AnswerSource.RELATIVE, at=NOW + 2 * MINUTE,
        )  # fmt: skip
        work.answers.put(worse)
        assert work.answers.of(call.id) == [gas, worse]
        finished(work, call)
        again = a_call(work, elder, plan, attempt=2)
        better = replace(worse, call_id=again.id, answer="good", at=NOW + DAY)
        work.answers.put(better)
        assert work.answers.of_plan(plan.id) == [gas, worse, better]
        assert work.answers.of_plan(999) == []


def test_a_call_has_one_record_however_often_it_is_settled(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        plan = a_plan(work, elder)
        call = a_call(work, elder, plan)
        given = {"elder_id": elder.id, "plan_id": plan.id, "call_id": call.id, "mode": VisitMode.PHONE}
        first = work.records.put(**given, visited_at=NOW, fields={"身体状况": "无变化"})
        again = work.records.put(
            **given, visited_at=NOW, fields={"身体状况": "较差"}, risk=Risk.ATTENTION, reasons=["身体较差"]
        )
        assert again.id == first.id
        assert (again.fields, again.risk, again.reasons) == (
            {"身体状况": "较差"},
            Risk.ATTENTION,
            ("身体较差",),
        )
        assert work.records.get(first.id) == again
        assert work.records.of_call(call.id) == again
        assert work.records.of_elder(elder.id) == [again]
        assert work.records.get(999) is None


def test_the_baseline_is_the_newest_record_before_this_visit(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)

        def visited(at: object) -> int:
            return work.records.put(
                elder_id=elder.id,
                plan_id=None,
                call_id=None,
                mode=VisitMode.ON_SITE,
                visited_at=at,
                fields={},
            ).id  # type: ignore[arg-type]

        new, old = visited(NOW), visited(NOW - DAY)
        assert work.records.latest(elder.id).id == new  # type: ignore[union-attr]
        assert work.records.latest(elder.id, before=NOW).id == old  # type: ignore[union-attr]
        assert work.records.latest(elder.id, before=NOW - DAY) is None
        assert [record.id for record in work.records.of_elder(elder.id, limit=5)] == [new, old]
