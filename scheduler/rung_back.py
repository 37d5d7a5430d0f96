"""Who rings back (回电): which visit he is asked, why we had called, and when his missed-call case closes.

Facts in, decisions out; inbound.py and settle.py do what is decided here in their own transactions.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ivr.dialogue.model import Because
from ivr.understanding.model import Question
from records.service import tells_something
from scheduler.planning import Way, consents_of, eligible, is_paused
from scheduler.policy import Policy
from storage.model import Call, Case, Elder, VisitPlan
from visits.handling import close_by_callback
from xunfang.errors import Conflict
from xunfang.vocabulary import Alert, CallDirection, CallDisposition, CaseKind, PlanStatus, VisitMode

if TYPE_CHECKING:
    from storage import Work

DIALPLAN = "callback"  # for an elder of whom nothing is open
NOON = 12
LOOKED_AT = 10  # latest calls and plans of an elder that are looked at
NOT_CLOSED = "case.not_closed_by_callback"
ACTOR = "system"

# Cases that say "we did not reach him": his call may still be the visit. Not after danger or a refusal.
UNREACHED = frozenset(
    {
        CaseKind.MISSED_CALL,
        CaseKind.NUMBER_PROBLEM,
        CaseKind.UNCLEAR,
        CaseKind.OTHER_PERSON,
        CaseKind.NOT_DIALLED,
    }
)
# He rang, and no word of his reached us.
_WORDLESS = frozenset(
    {
        CallDisposition.ANSWERED_SILENT,
        CallDisposition.HUNG_UP_EARLY,
        CallDisposition.INTERRUPTED,
        CallDisposition.NOT_DIALLED,
    }
)
_CUT_OFF = frozenset({CallDisposition.HUNG_UP_EARLY, CallDisposition.INTERRUPTED})
# Somebody has tried and not reached him; then what was given up; then what nobody has begun.
_FIRST = (PlanStatus.WAITING, PlanStatus.ESCALATED, PlanStatus.DUE)


def may_be_asked(work: Work, elder: Elder, now: datetime, policy: Policy) -> bool:
    """The same rules as for being called: health, consent, no pause."""
    way = eligible(elder, *consents_of(work, elder.id))
    return elder.active and way is Way.PHONE and not is_paused(elder, now, policy)


def open_plan(work: Work, elder: Elder, case: Case | None, now: datetime) -> VisitPlan | None:
    """The visit that his call can be, or None."""
    unreached = case is not None and case.kind in UNREACHED
    plans = [
        each
        for each in work.plans.of_elder(elder.id, LOOKED_AT)
        if each.mode is VisitMode.PHONE
        and each.due_from <= now < each.due_until
        and each.status in _FIRST
        and (unreached or each.status is not PlanStatus.ESCALATED)
    ]
    return min(plans, key=lambda each: _FIRST.index(each.status), default=None)


def why(work: Work, elder: Elder, asked: bool, now: datetime, timezone: str) -> str:
    """Key of the dialplan's `callback.why`. `asked`: he is asked the questions of a visit."""
    if not asked:
        return "none"
    ours = [
        each
        for each in work.calls.of_elder(elder.id, limit=LOOKED_AT)
        if each.direction is CallDirection.OUTBOUND
        and each.disposition is not None
        and each.contact_id is None
    ]
    if not ours or ours[0].disposition is CallDisposition.COMPLETED:
        return "due"
    last = ours[0]
    if last.answered_at is not None and last.disposition in _CUT_OFF:
        return "unfinished"
    zone = ZoneInfo(timezone)
    rang, today = last.intended_at.astimezone(zone), now.astimezone(zone).date()
    if rang.date() == today:
        return "morning" if rang.hour < NOON else "afternoon"
    return "yesterday" if rang.date() == today - timedelta(days=1) else "before"


def redial(work: Work, elder: Elder, now: datetime, policy: Policy) -> bool:
    """He rang and nobody could answer: his visit is due now. False when none is open."""
    if not may_be_asked(work, elder, now, policy):
        return False
    plan = open_plan(work, elder, work.cases.open_for(elder.id), now)
    if plan is None:
        return False
    return work.plans.set_status(plan.id, PlanStatus.WAITING, next_attempt_at=now, expected=plan.status)


def unheard(work: Work, call: Call) -> bool:
    """An elder rang us, no visit of his is open that would be called again, and he was not heard: whoever
    rings and cannot speak may be lying on the floor. A human looks, and rings back."""
    wordless = (
        call.direction is CallDirection.INBOUND and call.plan_id is None and call.disposition in _WORDLESS
    )
    return wordless and not tells_something(work.answers.of(call.id))


def close_missed(work: Work, call: Call, because: str, done: bool, now: datetime, policy: Policy) -> bool:
    """For settling: whether the elder's missed-call case closed by this call.

    Only when he himself was heard to the end and nothing grave was said; what else the case rests on
    keeps it open (visits.handling). `done`: the visit came to its end and no question stays open.
    """
    if call.direction is not CallDirection.INBOUND or call.dialplan == DIALPLAN or not done:
        return False
    case = work.cases.open_for(call.elder_id)
    if case is None or case.kind is not CaseKind.MISSED_CALL:
        return False
    reason = _why_not(work, call.id, because)
    if not reason:
        try:
            close_by_callback(work, case.id, call.id, now, policy.deadlines)
            return True
        except Conflict as error:
            reason = str(error)
    work.audit.write(now, ACTOR, NOT_CLOSED, f"case:{case.id}", {"call_id": call.id, "because": reason})
    return False


def _why_not(work: Work, call_id: int, because: str) -> str:
    answers = work.answers.of(call_id)
    fresh = work.calls.get(call_id)
    if because != Because.FINISHED:
        return "the call did not come to its end"
    if fresh is None or fresh.alert is Alert.URGENT:
        return "danger was heard in the call"
    if not any(each.topic == Question.IDENTITY and each.answer == "self" for each in answers):
        return "who called was not confirmed"
    return "" if tells_something(answers) else "no question was answered"
