"""Open cases, and read the queue as plain dicts for the terminal and for JSON."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from storage.model import AuditEntry, Case, Elder, Visitor
from visits import contacts, history, life, merging, rules, telling
from visits.evidence import sentence as evidence_sentence
from visits.model import CaseDraft, ElderFacts, Proposal
from xunfang.clock import age
from xunfang.errors import NotFound, StorageError
from xunfang.log import mask
from xunfang.vocabulary import Category, zh

if TYPE_CHECKING:
    from storage import Store, Work

ACTOR = "system"
ADVANCED_AGE_YEARS = 80  # 高龄
QUEUE_PAGE = 100


def open_case(work: Work, draft: CaseDraft, now: datetime) -> Case:
    """Open the case, or merge it into the elder's open one: never two open cases of one elder.

    Merging raises priority, tightens the deadline and never loosens either. What happened is
    audited: case.opened, case.merged, or duplicate_suppressed when nothing was new. Notices are
    written in the caller's transaction, so case and notice exist together or not at all.
    """
    existing = work.cases.open_for(draft.elder_id)
    return _open(work, draft, now) if existing is None else _merge(work, existing, draft, now)


def elder_facts(work: Work, elder: Elder, now: datetime) -> ElderFacts:
    """What weighs in a missed call's priority."""
    last = work.records.latest(elder.id)
    years = age(elder.birth_date, now.date())
    return ElderFacts(
        living_alone=Category.LIVING_ALONE in elder.categories,
        advanced_age=Category.ADVANCED_AGE in elder.categories or (years or 0) >= ADVANCED_AGE_YEARS,
        last_risk=None if last is None else last.risk,
        days_since_heard=rules.days_between(None if last is None else last.visited_at, now),
        age=years,
    )


def propose(work: Work, elder: Elder, without: Collection[int] = ()) -> Proposal:
    """Who should go, `without` those who refused or stayed silent. A child in the same place who is
    only a contact becomes first visitor (Jilin 2020, 四(二)4: 在同一居住地居住的，将其列为第一巡访员)."""
    contacts = work.contacts.of(elder.id)
    own, around = work.visitors.for_elder(elder.id), near(work, elder)
    proposal = rules.propose_visitor(elder, own, around, contacts, without)
    if proposal.contact_id is None:
        return proposal
    contact = next(each for each in contacts if each.id == proposal.contact_id)
    visitor = work.visitors.add(
        name=contact.name, kind="child", phone=contact.phone, area_id=elder.area_id, elder_id=elder.id
    )
    return replace(proposal, visitor_id=visitor.id)


def _open(work: Work, draft: CaseDraft, now: datetime) -> Case:
    elder = _elder(work, draft.elder_id)
    proposal = propose(work, elder)
    case = work.cases.open(
        elder_id=draft.elder_id,
        kind=draft.kind,
        priority=draft.priority,
        opened_at=now,
        deadline=draft.deadline,
        summary=draft.summary,
        evidence=draft.evidence,
        call_id=draft.call_id,
        visitor_id=proposal.visitor_id,
        visitor_why=proposal.why,
    )
    detail = {
        "kind": draft.kind.value,
        "priority": draft.priority.value,
        "call_id": draft.call_id,
        "visitor_id": proposal.visitor_id,
    }
    work.audit.write(now, ACTOR, "case.opened", f"case:{case.id}", detail)
    _tell_opened(work, "case.opened", case, elder, draft, now)
    return case


def _merge(work: Work, case: Case, draft: CaseDraft, now: datetime) -> Case:
    added = merging.new_evidence(case, draft)
    priority = rules.more_urgent(case.priority, draft.priority)
    deadline = min(case.deadline, draft.deadline)
    detail: dict[str, Any] = {"kind": draft.kind.value, "call_id": draft.call_id}
    if not added and priority is case.priority:
        work.audit.write(now, ACTOR, "duplicate_suppressed", f"case:{case.id}", detail)
        return case
    kind = rules.graver(case.kind, draft.kind)
    merged = work.cases.merge(
        case.id,
        kind=kind,
        priority=priority,
        deadline=deadline,
        evidence=added,
        summary=merging.new_lines(case, draft),
    )
    detail |= {"from": case.priority.value, "to": priority.value, "deadline": deadline.isoformat()}
    work.audit.write(now, ACTOR, "case.merged", f"case:{case.id}", detail)
    merged = _opened_again(work, case, merged, added, now)
    if kind is not case.kind or priority is not case.priority or merged.status is not case.status:
        _tell_opened(work, "case.merged", merged, _elder(work, case.elder_id), draft, now)
    else:
        because = {"because": "merged into a case that is already as grave and as urgent"}
        work.audit.write(now, ACTOR, "no_notice_sent", f"case:{case.id}", because)
    return merged


def _opened_again(
    work: Work, before: Case, case: Case, added: tuple[dict[str, Any], ...], now: datetime
) -> Case:
    """Somebody was there, or somebody else was told, before the elder spoke again: go once more."""
    known = {each.get("call_id") for each in before.evidence}
    if case.status not in life.SEEN_TO or all(each.get("call_id") in known for each in added):
        return case
    becomes = life.opened_again(case, now)
    if not work.cases.advance(case, becomes, look_at=now):
        raise StorageError(f"case {case.id} changed while it was merged: try again")
    detail = {"from": case.status.value, "to": becomes.status.value, "visitor_id": becomes.visitor_id}
    work.audit.write(now, ACTOR, "case.reopened", f"case:{case.id}", detail)
    return becomes


def _tell_opened(work: Work, kind: str, case: Case, elder: Elder, draft: CaseDraft, now: datetime) -> None:
    """Duty desk and webhook always; the proposed visitor; and the contacts (visits.contacts)."""
    to = [telling.DUTY, telling.WEBHOOK]
    if case.visitor_id is not None:
        to.append(telling.visitor(case.visitor_id))
    by = telling.at(case.deadline, draft.timezone)
    telling.tell(work, kind, case, elder, to, f"请在{by}前处理", now)
    contacts.tell(work, kind, case, elder, draft.contact_times, draft.tell_contacts, now)


def near(work: Work, elder: Elder) -> list[Visitor]:
    """Visitors of the elder's own area first, then of the areas above it."""
    if elder.area_id is None:
        return []
    found: dict[int, Visitor] = {}
    for area in reversed(work.areas.path(elder.area_id)):
        for visitor in work.visitors.for_area(area.id):
            found.setdefault(visitor.id, visitor)
    return list(found.values())


def candidates(work: Work, elder: Elder) -> list[Visitor]:
    """The visitors of this elder, then of his village, township and county."""
    return [*work.visitors.for_elder(elder.id), *near(work, elder)]


def _elder(work: Work, elder_id: int) -> Elder:
    elder = work.elders.get(elder_id)
    if elder is None:
        raise NotFound(f"no elder {elder_id}")
    return elder


# ---- reading -----------------------------------------------------------------------------------


def queue(store: Store, limit: int = QUEUE_PAGE, now: datetime | None = None) -> list[dict[str, Any]]:
    """上门队列: open cases, worst first, as dicts of JSON values. `now` adds `overdue`."""
    with store.read() as work:
        return [_line(work, case, now) for case in work.cases.queue(limit)]


def show(
    store: Store, case_id: int, now: datetime | None = None, timezone: str = "Asia/Shanghai"
) -> dict[str, Any]:
    """One case with its evidence and history. Numbers are masked. NotFound when there is none.

    `text` of an entry of the history, and `evidence_zh`, are sentences for people; the rest is for
    machines. `timezone` is only for the sentences.
    """
    with store.read() as work:
        case = work.cases.get(case_id)
        if case is None:
            raise NotFound(f"no case {case_id}; `xunfang cases` lists the open ones")
        elder = _elder(work, case.elder_id)
        area = work.areas.get(elder.area_id) if elder.area_id is not None else None
        evidence = [_with_recording(work, dict(each)) for each in case.evidence]
        return _line(work, case, now) | {
            "address": elder.address,
            "area": "" if area is None else area.name,
            "phone": mask(elder.phone),
            "summary": case.summary,
            "evidence": evidence,
            "evidence_zh": [evidence_sentence(each, timezone) for each in evidence],
            "candidates": [
                {"id": each.id, "name": each.name, "kind": each.kind, "asked": each.id in case.asked}
                for each in candidates(work, elder)
            ],
            "merged": case.merged,
            "visited_at": _iso(case.visited_at),
            "referred_to": case.referred_to,
            "report_category": case.report_category,
            "disposition_note": case.disposition_note,
            "closed_at": _iso(case.closed_at),
            "history": _history(work, case, timezone),
        }


def _history(work: Work, case: Case, timezone: str) -> list[dict[str, Any]]:
    names: dict[int, str] = {}

    def name_of(visitor_id: int) -> str:
        if visitor_id not in names:
            visitor = work.visitors.get(visitor_id)
            names[visitor_id] = "" if visitor is None else visitor.name
        return names[visitor_id]

    entries, after = [], 0
    while page := work.audit.of(f"case:{case.id}", after_id=after):
        entries += page
        after = page[-1].id
    return [
        {
            "at": each.at.isoformat(),
            "actor": each.actor,
            "actor_zh": history.actor(each.actor, name_of),
            "kind": each.kind,
            "detail": dict(each.detail),
            "text": history.sentence(each.kind, _with_reason(work, each), name_of, timezone, each.actor),
        }
        for each in entries
    ]


def _with_reason(work: Work, entry: AuditEntry) -> dict[str, Any]:
    """Why a supervisor judged so is personal data: it is encrypted at the verdict, not in the audit."""
    id = entry.detail.get("verdict_id")
    verdict = work.verdicts.get(id) if isinstance(id, int) else None
    return dict(entry.detail) | ({"note": verdict.reason} if verdict is not None else {})


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _line(work: Work, case: Case, now: datetime | None) -> dict[str, Any]:
    elder = _elder(work, case.elder_id)
    visitor = None if case.visitor_id is None else work.visitors.get(case.visitor_id)
    line: dict[str, Any] = {
        "id": case.id,
        "kind": case.kind.value,
        "kind_zh": zh(case.kind),
        "priority": case.priority.value,
        "priority_zh": zh(case.priority),
        "status": case.status.value,
        "status_zh": zh(case.status),
        "level": None if case.level is None else case.level.value,  # the highest that was rung
        "elder_id": case.elder_id,
        "elder": elder.name,
        "opened_at": case.opened_at.isoformat(),
        "deadline": case.deadline.isoformat(),
        "visitor": None if visitor is None else visitor.name,
        "visitor_id": case.visitor_id,
        "visitor_why": case.visitor_why,
        "summary": case.summary,
        "call_id": case.call_id,
    }
    if now is not None:
        line["overdue"] = case.deadline < now
    return line


def _with_recording(work: Work, evidence: dict[str, Any]) -> dict[str, Any]:
    call_id = evidence.get("call_id")
    call = work.calls.get(call_id) if isinstance(call_id, int) else None
    return evidence | {"recording": None if call is None else call.recording}
