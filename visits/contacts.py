"""Telling the contacts (紧急联系人) of a case: in the ledger's order, and only with consent.

Two consents are needed: the elder's to tell his family at all (FAMILY_NOTICE), and for this very
contact (`may_be_told`). Whoever is not told leaves a line in the audit that says why.

The notices of all contacts are written with the case, each for its own time; when that time comes
the sender asks here once more: whoever comes later in the order is not told any more when somebody
has taken the case, or a contact has answered for the elder. Danger is told to all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from storage.model import Case, Contact, Elder, Notice
from visits.life import UNACCEPTED
from visits.people import title
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import CaseKind, ConsentPurpose, Priority

if TYPE_CHECKING:
    from storage import Work

ACTOR = "system"
ANSWERED = "contact.answered"
NOT_SENT = "no_notice_sent"
TARGET = "contact"
MOST_CONTACTS = 8  # who comes after that is told together with the last

NOT_AGREED = "the elder has not agreed that his family is told"
NOT_THIS_ONE = "the elder has not agreed that this contact is told"
TAKEN = "somebody has taken the case"
SPOKEN_FOR = "another contact has answered"
TOLD_ANEW = "the contact was told anew"

# What a contact can help with. The operator's own troubles, and the elder's will, are not told around.
CONCERNS_CONTACTS = frozenset(
    {
        CaseKind.DISTRESS,
        CaseKind.CONCERN,
        CaseKind.MISSED_CALL,
        CaseKind.NUMBER_PROBLEM,
        CaseKind.UNCLEAR,
        CaseKind.OTHER_PERSON,
        CaseKind.REQUEST,
    }
)
_WHAT = {
    CaseKind.DISTRESS: "电话巡访中有情况需要马上核实，村（社区）已安排人员。请您立即联系老人",
    CaseKind.MISSED_CALL: "多次电话巡访没有接通。请您联系老人或上门看看",
    CaseKind.NUMBER_PROBLEM: "登记的电话打不通。请您联系老人或上门看看，并告知新的号码",
}
_OTHERWISE = "电话巡访后有情况需要核实。请您联系老人或上门看看"


def tell(
    work: Work, kind: str, case: Case, elder: Elder, times: Sequence[datetime], forced: bool, now: datetime
) -> list[str]:
    """Write the notices; returns whom. `times`: when the first, the second … is told, the last repeats;
    none: all now. `forced`: whatever the priority (a ladder that ends with the contacts)."""
    if case.kind not in CONCERNS_CONTACTS or not (forced or case.priority is not Priority.NORMAL):
        return []
    contacts = work.contacts.of(elder.id)
    if not contacts:
        return []
    if work.consents.current(elder.id, ConsentPurpose.FAMILY_NOTICE) is not True:
        _not_told(work, case, TARGET, NOT_AGREED, now)
        return []
    visitor = None if case.visitor_id is None else work.visitors.get(case.visitor_id)
    told: list[str] = []
    for contact in contacts:
        if not contact.may_be_told:
            _not_told(work, case, _target(contact), NOT_THIS_ONE, now)
        elif visitor is None or contact.phone != visitor.phone:  # the visitor is told as visitor
            at = times[min(len(told), len(times) - 1)] if times else now
            _write(work, kind, case, elder, contact, at, now)
            told.append(_target(contact))
    return told


def not_needed(work: Work, notice: Notice) -> str:
    """Why this notice to a contact need not go out any more; empty: it must."""
    case = None if notice.case_id is None else work.cases.get(notice.case_id)
    if case is None or notice.to.partition(":")[0] != TARGET:
        return ""
    if any(each.to == notice.to and each.id > notice.id for each in work.notices.of_case(case.id)):
        return TOLD_ANEW
    if case.kind is CaseKind.DISTRESS and case.closed_at is None:
        return ""
    if case.status not in UNACCEPTED:
        return TAKEN
    since = notice.created_at or case.opened_at
    answered = [each for each in work.audit.of(f"case:{case.id}") if each.kind == ANSWERED]
    return SPOKEN_FOR if any(each.at >= since for each in answered) else ""


def answered(work: Work, case_id: int, contact_id: int, actor: str, now: datetime) -> None:
    """A contact has told how the elder is: the next ones need not be told. The case stays open, a
    human still closes it. NotFound or BadInput."""
    case = work.cases.get(case_id)
    if case is None:
        raise NotFound(f"no case {case_id}; `xunfang cases` lists the open ones")
    known = [each.id for each in work.contacts.of(case.elder_id)]
    if contact_id not in known:
        listed = "、".join(map(str, known)) or "无"
        raise BadInput(f"案件{case_id}的老人没有编号为{contact_id}的联系人；现有：{listed}")
    work.audit.write(now, actor, ANSWERED, f"case:{case_id}", {"contact_id": contact_id})


def _write(
    work: Work, kind: str, case: Case, elder: Elder, contact: Contact, at: datetime, now: datetime
) -> None:
    area = work.areas.get(elder.area_id) if elder.area_id is not None else None
    place = "" if area is None else f"{area.name} "
    who = title(elder.name, elder.sex) or "老人"
    work.notices.add(
        kind=kind,
        to=_target(contact),
        title=f"【老年人巡访】请联系{who}",
        body=f"{place}{who}：{_WHAT.get(case.kind, _OTHERWISE)}，并把情况告诉村（社区）。",
        case_id=case.id,
        created_at=now,
        next_at=max(at, now),
    )


def _target(contact: Contact) -> str:
    return f"{TARGET}:{contact.id}"


def _not_told(work: Work, case: Case, to: str, because: str, now: datetime) -> None:
    work.audit.write(now, ACTOR, NOT_SENT, f"case:{case.id}", {"to": to, "because": because})
