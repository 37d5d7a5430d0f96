"""What a contact said on the telephone (联系人电话), put to the elder's case.

A relative's word stands below the elder's own: "he is well" lowers nothing and closes nothing, the case
stays as it was with one more line for the supervisor. "I cannot reach him either" makes it more
urgent. Danger goes the way of every alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from records.model import AlertFact
from storage.model import Call, Case, Contact
from visits.deadlines import Deadlines
from visits.life import SEEN_TO
from visits.model import CaseDraft, ElderFacts, Outcome
from visits.rules import ASKS_FOR_A_HUMAN, case_for, contact_times, more_urgent
from visits.service import open_case
from xunfang.vocabulary import RELATION_ZH, AnswerSource, CaseStatus, Priority, zh

if TYPE_CHECKING:
    from storage import Work

ACTOR = "system"
CALLED = "contact.called"
NOT_CALLED = "contact.not_called"

YES, NO, UNCLEAR, STOP, NOBODY = "yes", "no", "unclear", "stop", "nobody"
_SAID = {
    YES: "说今天能联系上老人。这是家属代述，老人本人仍未听到，请照常核实",
    NO: "说联系不上老人，请尽快上门",
    UNCLEAR: "接了电话，没有说清能否联系上老人",
    STOP: "要求不再接到自动电话，以后不再拨打此人",
}
_NOBODY = "紧急联系人都没有联系上，没有人能说明老人的情况。"


def put_to_case(
    work: Work,
    case_id: int,
    contact: Contact,
    call_id: int,
    outcome: str,
    words: str,
    alerts: Sequence[AlertFact],
    rules: Deadlines,
    now: datetime,
) -> None:
    """`words`: as they were heard. In the transaction that ends the call."""
    detail = {"contact_id": contact.id, "call_id": call_id, "outcome": outcome}
    work.audit.write(now, ACTOR, CALLED, f"case:{case_id}", detail)
    human = any(each.answer == ASKS_FOR_A_HUMAN for each in alerts)
    grave = [each for each in alerts if each.answer != ASKS_FOR_A_HUMAN]
    _alarm(work, contact.elder_id, call_id, grave, rules, now)
    who = f"联系人（{RELATION_ZH.get(contact.relation, '关系未登记')}）"
    line = f"{who}{_SAID[outcome]}{'；并要求工作人员联系' if human else ''}。"
    priority = Priority.HIGH if outcome == NO else Priority.NORMAL
    by = zh(AnswerSource.RELATIVE) if words else None
    _add(work, case_id, line, words or line, call_id, by, priority, rules, now)


def not_reached(work: Work, case_id: int, call: Call, now: datetime) -> None:
    detail = {"contact_id": call.contact_id, "call_id": call.id, "outcome": str(call.disposition)}
    work.audit.write(now, ACTOR, CALLED, f"case:{case_id}", detail)


def nobody_reached(work: Work, case_id: int, rules: Deadlines, now: datetime) -> None:
    """The supervisor sees that the family is silent too."""
    _add(work, case_id, _NOBODY, _NOBODY, None, None, Priority.NORMAL, rules, now)


def not_called(work: Work, case_id: int, contact_id: int | None, because: str, now: datetime) -> None:
    detail = {"because": because} | ({} if contact_id is None else {"contact_id": contact_id})
    work.audit.write(now, ACTOR, NOT_CALLED, f"case:{case_id}", detail)


def needs_no_contact(case: Case | None) -> bool:
    """Somebody has seen the elder, or the case is closed: his family need not be asked any more."""
    return case is None or case.status is CaseStatus.CLOSED or case.status in SEEN_TO


def _alarm(
    work: Work, elder_id: int, call_id: int, alerts: Sequence[AlertFact], rules: Deadlines, now: datetime
) -> None:
    told = tuple(replace(each, relative=True) for each in alerts)
    outcome = Outcome(elder_id=elder_id, call_id=call_id, alerts=told)
    draft = case_for(outcome, ElderFacts(), rules, now)
    if draft is not None:
        open_case(work, draft, now)


def _add(
    work: Work,
    case_id: int,
    line: str,
    words: str,
    call_id: int | None,
    by: str | None,
    least: Priority,
    rules: Deadlines,
    now: datetime,
) -> None:
    """One more piece of evidence; `least`: the case becomes at least as urgent. Nothing is opened anew."""
    case = work.cases.get(case_id)
    if case is None or needs_no_contact(case):
        return
    priority = more_urgent(case.priority, least)
    raised = priority is not case.priority
    draft = CaseDraft(
        elder_id=case.elder_id,
        kind=case.kind,
        priority=priority,
        deadline=rules.deadline(case.kind, priority, now) if raised else case.deadline,
        summary=line,
        evidence=({"kind": case.kind.value, "call_id": call_id, "text": words, "by": by},),
        call_id=call_id,
        timezone=rules.timezone,
        contact_times=contact_times(case.kind, priority, rules, now),
    )
    open_case(work, draft, now)
