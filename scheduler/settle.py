"""After a call (结算): its end, its record, the next attempt or the case, all in one transaction.

Every function takes the caller's unit of work, so that outcome, case and notices are committed
together. Settling twice changes nothing: the call is finished by a conditional update, and who
comes second does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ivr.dialogue.model import Because
from records.model import AlertFact
from records.rules import open_topics
from records.service import alert_facts, heard_so_far, tells_something, worst_alert, write_record
from scheduler import contact_calls, hours
from scheduler.followup import after_visit
from scheduler.habits import NO_HABITS
from scheduler.learning import habits_now
from scheduler.policy import Policy
from scheduler.rung_back import close_missed, unheard
from scheduler.verdict import Ended, Verdict, judge
from storage.model import Answer, Call, Elder, VisitPlan
from visits.model import ElderFacts, Outcome, Tried
from visits.reviewing import flag
from visits.rules import case_for
from visits.service import elder_facts, open_case
from xunfang.errors import NotFound
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDisposition,
    CaseKind,
    ConsentPurpose,
    PlanStatus,
    Risk,
)

if TYPE_CHECKING:
    from storage import Work

ACTOR = "system"
RELATIVE_PAUSE = timedelta(days=14)  # time for a human to ask the elder himself
RELATIVE_REASON = "家属要求暂不来电，待征求老人本人意愿"
OPT_OUT = "opt_out"  # id of the answer that the dialogue stores for such a wish
VOICE = "voice:call:"  # + call id: the source of a consent that was withdrawn by voice
NO_PERIOD = timedelta(days=1)  # a call without a plan has no period; it is never dialled again


@dataclass(frozen=True, slots=True)
class Settled:
    """What settling did; for logs and for `xunfang call`."""

    call_id: int
    disposition: CallDisposition
    status: PlanStatus | None
    risk: Risk | None
    case_id: int | None
    next_attempt_at: datetime | None


def settle_call(
    work: Work,
    call_id: int,
    now: datetime,
    policy: Policy,
    *,
    disposition: CallDisposition,
    because: str = "",
    sip_code: int | None = None,
    q850: int | None = None,
    hung_up_by: str = "",
) -> Settled | None:
    """None when the call was settled before. NotFound for an unknown call."""
    call = work.calls.get(call_id)
    if call is None:
        raise NotFound(f"no call {call_id}")
    first = work.calls.finish(
        call_id,
        ended_at=now,
        disposition=disposition,
        because=because,
        sip_code=sip_code,
        q850=q850,
        hung_up_by=hung_up_by,
    )
    if not first:
        return None
    call = replace(call, disposition=disposition)
    if call.contact_id is not None:
        case_id, at = contact_calls.settle(work, call, now, policy)
        return Settled(call_id, disposition, None, None, case_id, at)
    elder = _elder(work, call.elder_id)
    facts = elder_facts(work, elder, now)  # before this call's own record is written
    alerts = alert_facts(work, call)
    answers = heard_so_far(work, call.plan_id, call_id)
    record = write_record(work, call, answers, alerts, now)
    if record is not None:
        work.calls.set_risk(call_id, record.risk)
    if because == Because.OPT_OUT:
        withdraw_phone_visits(work, elder.id, call_id, now)
    plan = None if call.plan_id is None else work.plans.get(call.plan_id)
    calls = [call] if call.plan_id is None else work.calls.of_plan(call.plan_id)
    ended = _ended(work, call, calls, answers, worst_alert(alerts), because)
    worst = Alert.REVIEW if ended.alert is Alert.NONE and unheard(work, call) else ended.alert
    if worst is not Alert.NONE:
        work.calls.raise_alert(call_id, worst)
    flag(work, call_id, now, policy.deadlines)
    period_end = plan.due_until if plan else now + NO_PERIOD
    habits = (
        NO_HABITS
        if disposition is CallDisposition.COMPLETED
        else habits_now(work, elder.id, now, policy.hours.timezone)
    )
    verdict = judge(ended, now, period_end, policy, hours.usable(elder.windows), habits)
    # Answers wait for the visit's end (the next call goes on with it); alerts never wait.
    told = () if verdict.status is PlanStatus.WAITING else answers
    said = None if ended.withdrawn else _relative_says_stop(call, answers)
    stop = None if said is None else (said, pause_for_relative(work, elder, call_id, now, policy))
    case_id = _case(work, call, calls, told, alerts, facts, stop, verdict, policy, now)
    if plan is not None:
        work.plans.set_status(
            plan.id,
            verdict.status,
            next_attempt_at=verdict.next_attempt_at,
            attempts=policy.ladder.attempts(ended.calls),
        )
    if plan is not None and case_id is not None and verdict.escalate is not None:
        contact_calls.arrange(work, plan, case_id, ended.calls, verdict.escalate, policy, now)
    after_visit(work, elder, plan, None if plan is None else verdict.status, record, now, policy)
    heard_all = verdict.status is PlanStatus.DONE and verdict.escalate is None
    close_missed(work, call, because, heard_all, now, policy)
    return Settled(
        call_id=call_id,
        disposition=disposition,
        status=None if plan is None else verdict.status,
        risk=None if record is None else record.risk,
        case_id=case_id,
        next_attempt_at=None if plan is None else verdict.next_attempt_at,
    )


def escalate_plan(work: Work, plan: VisitPlan, kind: CaseKind, policy: Policy, now: datetime) -> int:
    """End a plan with a case without a further call. Returns the case's id."""
    elder = _elder(work, plan.elder_id)
    calls = tried(work.calls.of_plan(plan.id))
    outcome = Outcome(
        elder_id=elder.id,
        escalate=kind,
        tried=calls,
        period=plan.period,
        tell_contacts=policy.ladder.tells_contacts(kind),
    )
    draft = case_for(outcome, elder_facts(work, elder, now), policy.deadlines, now)
    assert draft is not None, "an outcome with `escalate` always makes a case"
    case = open_case(work, draft, now)
    work.plans.set_status(plan.id, PlanStatus.ESCALATED)
    ended = [each.disposition for each in calls]
    contact_calls.arrange(work, plan, case.id, ended, kind, policy, now)
    return case.id


def forget_missing_recording(work: Work, call: Call, recordings: Path | None) -> None:
    """A path to nothing is no evidence: most unanswered calls leave no file, a full disk neither."""
    if call.recording is not None and recordings is not None and not (recordings / call.recording).exists():
        work.calls.forget_recording(call.id)


def withdraw_phone_visits(work: Work, elder_id: int, call_id: int, now: datetime) -> None:
    """自愿: said by voice, it counts at once and until a visitor hears otherwise."""
    if work.consents.current(elder_id, ConsentPurpose.PHONE_VISIT) is False:
        return
    work.consents.add(elder_id, ConsentPurpose.PHONE_VISIT, False, now, f"{VOICE}{call_id}")
    detail = {"purpose": ConsentPurpose.PHONE_VISIT.value, "call_id": call_id}
    work.audit.write(now, f"elder:{elder_id}", "consent.withdrawn", f"elder:{elder_id}", detail)


def tried(calls: list[Call]) -> tuple[Tried, ...]:
    return tuple(Tried(each.intended_at, each.disposition) for each in calls if each.disposition is not None)


def _ended(
    work: Work, call: Call, calls: Sequence[Call], answers: Sequence[Answer], alert: Alert, because: str
) -> Ended:
    """`calls` of the plan, `call` among them with its end."""
    assert call.disposition is not None, "it has ended"
    before = [each.disposition for each in calls if each.disposition is not None and each.id != call.id]
    source = f"{VOICE}{call.id}"
    return Ended(
        calls=(*before, call.disposition),
        because=because,
        alert=alert,
        told=tells_something(answers),
        unclear=bool(open_topics(answers)),
        withdrawn=any(each.source == source for each in work.consents.of(call.elder_id)),
        relative_says_stop=_relative_says_stop(call, answers) is not None,
    )


def _relative_says_stop(call: Call, answers: Sequence[Answer]) -> Answer | None:
    """Said in this call by somebody who is not the elder."""
    return next(
        (
            each
            for each in answers
            if each.call_id == call.id and each.question == OPT_OUT and each.source is AnswerSource.RELATIVE
        ),
        None,
    )


def pause_for_relative(work: Work, elder: Elder, call_id: int, now: datetime, policy: Policy) -> date:
    """No telephone visits until a human has asked the elder himself, or RELATIVE_PAUSE is over: then they
    begin again, with a case that says so. A longer pause stands."""
    until = hours.local_date(now, policy.hours) + RELATIVE_PAUSE
    if elder.paused_until is not None and elder.paused_until >= until:
        return elder.paused_until
    work.elders.update(elder.id, paused_until=until, pause_reason=RELATIVE_REASON)
    detail = {"until": until.isoformat(), "reason": RELATIVE_REASON, "call_id": call_id}
    work.audit.write(now, ACTOR, "elder.paused", f"elder:{elder.id}", detail)
    return until


def _case(
    work: Work,
    call: Call,
    calls: list[Call],
    answers: tuple[Answer, ...],
    alerts: tuple[AlertFact, ...],
    facts: ElderFacts,
    stop: tuple[Answer, date] | None,
    verdict: Verdict,
    policy: Policy,
    now: datetime,
) -> int | None:
    outcome = Outcome(
        elder_id=call.elder_id,
        call_id=call.id,
        answers=answers,
        alerts=alerts,
        escalate=verdict.escalate,
        tried=tried(calls) if verdict.escalate is not None and call.plan_id is not None else (),
        opt_out=verdict.opt_out,
        relative_says_stop=None if stop is None else stop[0].text,
        paused_until=None if stop is None else stop[1],
        tell_contacts=verdict.escalate is not None and policy.ladder.tells_contacts(verdict.escalate),
    )
    draft = case_for(outcome, facts, policy.deadlines, now)
    return None if draft is None else open_case(work, draft, now).id


def _elder(work: Work, elder_id: int) -> Elder:
    elder = work.elders.get(elder_id)
    if elder is None:
        raise NotFound(f"no elder {elder_id}")
    return elder
