"""Write the record of one call: read the facts, let the rules judge, store the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ivr.understanding.model import Question
from records.model import AlertFact
from records.rules import assess, fill_form, next_baseline
from storage.model import Answer, Call, Turn, VisitRecord
from xunfang.vocabulary import Alert, CallDisposition, Speaker, VisitMode

if TYPE_CHECKING:
    from storage import Work

CALLS_OF_ONE_VISIT = 20  # more than any ladder allows
ALERT_RAISED = "alert.raised"
ACTOR = "system"
_NO_VISIT = frozenset({Question.IDENTITY, Question.CALLBACK, Question.ANY})
BASELINE = "baseline"  # key in VisitRecord.fields beside the form's own keys


def keep_alert(work: Work, call_id: int, fact: AlertFact, at: datetime) -> None:
    """An alert that the dialogue raised, with its evidence, as part of the audit: what a turn sounds
    like is not yet an alert, a confirming question may have cleared it."""
    work.calls.raise_alert(call_id, fact.alert)
    detail = {
        "alert": fact.alert.value,
        "text": fact.text,
        "question": fact.question,
        "reasons": list(fact.reasons),
        "event": fact.event,
        "relative": fact.relative,
        "start_s": fact.start_s,
        "end_s": fact.end_s,
    }
    work.audit.write(at, ACTOR, ALERT_RAISED, f"call:{call_id}", detail)


def alert_facts(work: Work, call: Call) -> tuple[AlertFact, ...]:
    """What a human must hear of from this call.

    The raised alerts; urgent turns, even if a crash came before their alert; and of an interrupted
    call also the turns that were still waiting for their confirming question.
    """
    turns = work.turns.of(call.id)
    raised = [
        _raised(each.detail, turns) for each in work.audit.of(f"call:{call.id}") if each.kind == ALERT_RAISED
    ]
    waiting = {Alert.URGENT}
    if call.disposition is CallDisposition.INTERRUPTED:
        waiting.add(Alert.REVIEW)
    return (
        *raised,
        *(
            _heard(turn)
            for turn in turns
            if turn.alert in waiting and not any(_told(turn, each) for each in raised)
        ),
    )


def worst_alert(facts: Sequence[AlertFact]) -> Alert:
    if any(each.alert is Alert.URGENT for each in facts):
        return Alert.URGENT
    return Alert.REVIEW if facts else Alert.NONE


def write_record(
    work: Work, call: Call, answers: Sequence[Answer], alerts: Sequence[AlertFact], now: datetime
) -> VisitRecord | None:
    """The record of this call. `answers`: `heard_so_far`, with what earlier, cut-off calls of the same
    plan had heard; `alerts`: `alert_facts`.

    None when nobody was heard: an unanswered call is not a visit. Repeating it changes nothing
    (records are unique per call).
    """
    if not alerts and not (answers and tells_something(work.answers.of(call.id))):
        return None
    baseline = _baseline(work, call)
    filled = fill_form(answers, baseline, VisitMode.PHONE)
    assessed = assess(answers, alerts, filled)
    fields: dict[str, Any] = {**filled, BASELINE: next_baseline(answers, baseline)}
    return work.records.put(
        elder_id=call.elder_id,
        plan_id=call.plan_id,
        call_id=call.id,
        mode=VisitMode.PHONE,
        visited_at=now,
        fields=fields,
        risk=assessed.risk,
        reasons=assessed.reasons,
    )


def heard_so_far(work: Work, plan_id: int | None, call_id: int) -> tuple[Answer, ...]:
    """Answers of the whole plan (a cut-off call goes on in the next one), or of the single call."""
    if plan_id is None:
        return tuple(work.answers.of(call_id))
    return tuple(work.answers.of_plan(plan_id))


def _baseline(work: Work, call: Call) -> dict[str, str]:
    """Of the last visit that is not this one: the first half of a cut-off visit is no earlier visit."""
    for record in work.records.of_elder(call.elder_id, limit=CALLS_OF_ONE_VISIT, before=call.intended_at):
        if record.plan_id is None or record.plan_id != call.plan_id:
            return dict(record.fields.get(BASELINE, {}))
    return {}


def tells_something(answers: Sequence[Answer]) -> bool:
    """Somebody said who he is, and nothing else: that is not yet a visit."""
    return any(each.topic not in _NO_VISIT for each in answers)


def _raised(detail: Mapping[str, Any], turns: Sequence[Turn]) -> AlertFact:
    text = str(detail.get("text", ""))
    turn = next((each for each in turns if each.text == text and each.judgement), None)
    return AlertFact(
        alert=Alert(detail["alert"]),
        text=text,
        question=str(detail.get("question", "")),
        answer="" if turn is None else str(turn.judgement.get("answer", "")),
        reasons=tuple(detail.get("reasons") or ()),
        event=detail.get("event"),
        relative=bool(detail.get("relative")),
        start_s=detail.get("start_s"),
        end_s=detail.get("end_s"),
    )


def _heard(turn: Turn) -> AlertFact:
    judged = turn.judgement
    events = judged.get("judgements") or [{}]
    return AlertFact(
        alert=turn.alert,
        text=turn.text,
        question=turn.question,
        answer=str(judged.get("answer", "")),
        reasons=tuple(str(each) for each in judged.get("reasons") or ()),
        event=events[0].get("event"),
        relative=turn.speaker is Speaker.RELATIVE,
        start_s=turn.start_s,
        end_s=turn.end_s,
    )


def _told(turn: Turn, fact: AlertFact) -> bool:
    """The turn is already an alert, at least as urgent: the same words, or the same seconds."""
    if turn.alert is Alert.URGENT and fact.alert is not Alert.URGENT:
        return False
    if turn.text == fact.text:
        return True
    if turn.start_s is None or turn.end_s is None or fact.start_s is None or fact.end_s is None:
        return False
    return turn.start_s < fact.end_s and fact.start_s < turn.end_s
