"""值班: the duty person's screen rings for an urgent case until somebody says that he has heard it (接警).

Hearing it is not going there. The case keeps its clock: a visitor must still accept it, and when he does
not, the next level is rung as ever (visits.watch). Each such step up, and each new danger, rings again.

    case.opened, reopened, escalated, merged with something grave ──► rings ── duty.accepted ──► silent
    accepted by a visitor, on the way, visited, referred, closed ──► silent anyway

What rings follows from the audit alone, so that all screens, and a restarted server, agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from storage.model import AuditEntry, Case
from visits.life import UNACCEPTED, Actor
from xunfang.errors import NotFound
from xunfang.vocabulary import CaseKind, Priority

if TYPE_CHECKING:
    from storage import Work

ACCEPTED = "duty.accepted"
MERGED = "case.merged"
_RINGS = frozenset({"case.opened", "case.reopened", "case.escalated"})
KINDS = _RINGS | {MERGED, ACCEPTED}


@dataclass(frozen=True, slots=True)
class Heard:
    """`won`: by this order. Else `first` says who heard it before; None: it does not ring any more,
    because a visitor took it or it is over."""

    won: bool
    case: Case
    first: AuditEntry | None = None


def heard_by(entries: Iterable[AuditEntry]) -> AuditEntry | None:
    """Who has heard the last alarm of a case (entries of KINDS, oldest first); None: it still rings."""
    heard: AuditEntry | None = None
    for each in entries:
        if each.kind == ACCEPTED:
            heard = heard or each
        elif _rings(each):
            heard = None
    return heard


def may_ring(case: Case) -> bool:
    return case.priority is Priority.URGENT and case.status in UNACCEPTED


def accept(work: Work, case_id: int, actor: Actor, now: datetime) -> Heard:
    """接警. Of two who do it at once one wins, and the other is told who. Raises NotFound."""
    case = work.wall.hold_case(case_id)
    if case is None:
        raise NotFound("没有这个案件")
    if not may_ring(case):
        return Heard(False, case)
    first = heard_by(work.wall.told_of([case_id], KINDS)[case_id])
    if first is not None:
        return Heard(False, case, first)
    entry = work.audit.write(now, str(actor), ACCEPTED, f"case:{case_id}", {"status": case.status.value})
    return Heard(True, case, entry)


def _rings(entry: AuditEntry) -> bool:
    if entry.kind != MERGED:
        return entry.kind in _RINGS
    graver = entry.detail.get("from") != entry.detail.get("to")
    return graver or entry.detail.get("kind") == CaseKind.DISTRESS.value
