"""联系人电话: after a ladder that nobody answered, a contact is asked whether he reaches the elder.

    WAITING ─► DIALLING ─► DONE (yes | no | unclear | stop)
       ▲           │
       └───────────┘ not reached: the next contact; failed by our own fault: the same one again

In parallel with the case, never instead of it. Who is called, is decided when he is called: in the
ledger's order, only with both consents, never at the elder's own number; whoever is passed over leaves
a line in the history of the case that says why. Nothing that a contact says is a visit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ivr.dialogue.contacting import NO, REACH, YES
from records.service import alert_facts, worst_alert
from scheduler import hours
from scheduler.due import is_paused
from scheduler.policy import Policy
from storage.model import Call, Contact, ContactCall, Elder, VisitPlan
from storage.vault import normalise_phone
from visits import contact_calls as cases
from visits.contacts import NOT_AGREED, NOT_THIS_ONE
from visits.reviewing import flag
from xunfang.vocabulary import Alert, CallDisposition, CaseKind, ConsentPurpose, PlanStatus

if TYPE_CHECKING:
    from storage import Work

DIALPLAN = "ask_contact"
WITHIN = timedelta(days=2)  # of service; after that the case itself has gone further
OPT_OUT = "opt_out"  # id of the answer that the dialogue stores for such a wish

NOT_NEEDED, TOO_LATE, GONE = "not_needed", "too_late", "gone"
NO_NUMBER = "the contact has no telephone number"
OWN_NUMBER = "the contact has the elder's own number"
ASKED_TO_BE_LEFT = "the contact asked not to be called by a machine"
NOBODY_LEFT = "no contact is left to be called"
SEEN_TO = "the case has been seen to"
PAUSED = "the elder is known to be away"
OVERDUE = "no contact could be called in time"
OFF_THE_LEDGER = "the elder is not in the ledger any more"


def arrange(
    work: Work,
    plan: VisitPlan,
    case_id: int,
    calls: Sequence[CallDisposition],
    kind: CaseKind,
    policy: Policy,
    now: datetime,
) -> None:
    """For settling: the ladder of this plan ended with a case. Once for each plan and step."""
    waits = policy.ladder.contact_waits(calls, kind)
    at, until = now, hours.add_service_time(now, WITHIN, policy.hours) if waits else now
    for step, wait in enumerate(waits, start=1):
        at = policy.ladder.moment(wait, at, until, policy.hours)
        row = ContactCall(0, plan.elder_id, plan.id, case_id, step, PlanStatus.WAITING, now, until, at)
        work.contact_calls.add(row)


# ---- who is called -----------------------------------------------------------------------------


def choose(work: Work, row: ContactCall, elder: Elder, policy: Policy, now: datetime) -> Contact | None:
    """The next contact in order; None: there is none, and the row is done."""
    over = _over(work, row, elder, policy, now)
    if over is not None:
        _done(work, row, *over, now)
        return None
    contacts = work.contacts.of(elder.id)
    left_alone = work.contact_calls.ended_so([each.id for each in contacts], cases.STOP)
    taken = _taken(work.contact_calls.of_plan(row.plan_id))
    passed = list(row.passed)
    for contact in contacts:
        if contact.id in taken:
            continue
        because = _why_not(contact, elder, left_alone)
        if not because:
            work.contact_calls.change(row, passed=tuple(passed))
            return contact
        passed.append(contact.id)
        cases.not_called(work, row.case_id, contact.id, because, now)
    if row.call_id is not None:
        cases.nobody_reached(work, row.case_id, policy.deadlines, now)
    _done(work, replace(row, passed=tuple(passed)), cases.NOBODY, NOBODY_LEFT, now)
    return None


def _over(
    work: Work, row: ContactCall, elder: Elder, policy: Policy, now: datetime
) -> tuple[str, str] | None:
    """(outcome, why) when nobody is called any more."""
    if not elder.active:
        return GONE, OFF_THE_LEDGER
    if cases.needs_no_contact(work.cases.get(row.case_id)):
        return NOT_NEEDED, SEEN_TO
    if is_paused(elder, now, policy):
        return NOT_NEEDED, PAUSED
    if now >= row.until:
        return TOO_LATE, OVERDUE
    if work.consents.current(elder.id, ConsentPurpose.FAMILY_NOTICE) is not True:
        return cases.NOBODY, NOT_AGREED
    return None


def _taken(rows: Sequence[ContactCall]) -> set[int]:
    """Passed over, called, or being called, in whichever step of this visit. A call that failed by our own
    fault has told nobody anything: its contact is not taken."""
    passed = {id for row in rows for id in row.passed}
    asked = [row.contact_id for row in rows if row.status is not PlanStatus.WAITING]
    return passed | {id for id in asked if id is not None}


def _why_not(contact: Contact, elder: Elder, left_alone: set[int]) -> str:
    if not contact.may_be_told:
        return NOT_THIS_ONE
    number = normalise_phone(contact.phone)
    if not number:
        return NO_NUMBER
    if number in (normalise_phone(elder.phone), normalise_phone(elder.other_phone or "")):
        return OWN_NUMBER
    return ASKED_TO_BE_LEFT if contact.id in left_alone else ""


def _done(work: Work, row: ContactCall, outcome: str, because: str, now: datetime) -> None:
    values = {"outcome": outcome, "passed": row.passed}
    work.contact_calls.change(row, status=PlanStatus.DONE, next_attempt_at=None, **values)
    cases.not_called(work, row.case_id, None, because, now)


# ---- after the call ------------------------------------------------------------------------------


def settle(work: Work, call: Call, now: datetime, policy: Policy) -> tuple[int | None, datetime | None]:
    """`call` has ended, with its disposition. Returns (case, when a contact is called next).

    No record, no answer of the elder, no attempt of his plan: the elder was not heard.
    """
    assert call.disposition is not None, "it has ended"
    alerts = tuple(alert_facts(work, call))
    worst = worst_alert(alerts)
    if worst is not Alert.NONE:
        work.calls.raise_alert(call.id, worst)
    flag(work, call.id, now, policy.deadlines)
    row = work.contact_calls.of_call(call.id)
    if row is None or row.status is not PlanStatus.DIALLING:
        return None, None
    contact = None if call.contact_id is None else work.contacts.get(call.contact_id)
    if not policy.ladder.counts(call.disposition):
        return row.case_id, _again(work, row, call.disposition, now, policy)
    outcome, words = _said(work, call)
    if contact is not None and (outcome or alerts):
        outcome = outcome or cases.UNCLEAR
        work.contact_calls.change(row, status=PlanStatus.DONE, outcome=outcome)
        cases.put_to_case(work, row.case_id, contact, call.id, outcome, words, alerts, policy.deadlines, now)
        return row.case_id, None
    passed = row.passed if call.contact_id is None else (*row.passed, call.contact_id)
    work.contact_calls.change(row, status=PlanStatus.WAITING, next_attempt_at=now, passed=passed)
    cases.not_reached(work, row.case_id, call, now)
    return row.case_id, now


def _again(
    work: Work, row: ContactCall, disposition: CallDisposition, now: datetime, policy: Policy
) -> datetime:
    failures = row.failures + 1
    at = policy.ladder.failed_wait(disposition, failures, now, policy.hours)
    work.contact_calls.change(row, status=PlanStatus.WAITING, next_attempt_at=at, failures=failures)
    return at


def _said(work: Work, call: Call) -> tuple[str, str]:
    """("", "") when nobody spoke with us."""
    answers = {each.question: each for each in work.answers.of(call.id)}
    if OPT_OUT in answers:
        return cases.STOP, answers[OPT_OUT].text
    answer = answers.get(REACH)
    if answer is None:
        return "", ""
    said = answer.answer if answer.answer in (YES, NO) else cases.UNCLEAR
    return said, answer.text
