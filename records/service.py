"""Write the record of one call: read the facts, let the rules judge, store the result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ivr.understanding.model import Question
from records.model import AlertFact
from records.rules import assess, fill_form, next_baseline
from storage.model import Answer, Call, Turn, VisitRecord
from xunfang.errors import NotFound
from xunfang.vocabulary import Alert, Speaker, VisitMode

if TYPE_CHECKING:
    from storage import Work

CALLS_OF_ONE_VISIT = 20  # more than any ladder allows
BASELINE = "baseline"  # key in VisitRecord.fields beside the form's own keys


def alert_facts(turns: Sequence[Turn], floor: Alert = Alert.NONE) -> tuple[AlertFact, ...]:
    """The alarming turns. `floor`: the alert kept on the call itself; when no turn carries it (a crash
    came between), it still counts, without a quote."""
    facts = tuple(_fact(each) for each in turns if each.alert is not Alert.NONE)
    if floor is not Alert.NONE and not any(each.alert is floor for each in facts):
        if floor is Alert.REVIEW and facts:
            return facts  # already outdone by an urgent turn
        return (*facts, AlertFact(floor))
    return facts


def write_record(work: Work, call_id: int, now: datetime) -> VisitRecord | None:
    """The record of this call, with what earlier, cut-off calls of the same plan had already heard.

    None when nobody was heard: an unanswered call is not a visit. Repeating it changes nothing
    (records are unique per call). NotFound when there is no such call.
    """
    call = work.calls.get(call_id)
    if call is None:
        raise NotFound(f"no call {call_id}")
    answers = heard_so_far(work, call.plan_id, call_id)
    alerts = alert_facts(work.turns.of(call_id), call.alert)
    if not tells_something(work.answers.of(call_id)) and not alerts:
        return None
    baseline = _baseline(work, call)
    filled = fill_form(answers, baseline, VisitMode.PHONE)
    assessed = assess(answers, alerts, filled)
    fields: dict[str, Any] = {**filled, BASELINE: next_baseline(answers, baseline)}
    return work.records.put(
        elder_id=call.elder_id,
        plan_id=call.plan_id,
        call_id=call_id,
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
    return any(each.topic not in (Question.IDENTITY, Question.CALLBACK, Question.ANY) for each in answers)


def _fact(turn: Turn) -> AlertFact:
    judged = turn.judgement
    events = judged.get("judgements") or []
    event = events[0].get("event") if events and isinstance(events[0], dict) else None
    return AlertFact(
        alert=turn.alert,
        text=turn.text,
        question=turn.question,
        answer=str(judged.get("answer", "")),
        reasons=tuple(str(each) for each in judged.get("reasons") or ()),
        event=event,
        relative=turn.speaker is Speaker.RELATIVE,
        start_s=turn.start_s,
        end_s=turn.end_s,
    )
