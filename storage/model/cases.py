"""An entry of the visit queue 上门队列."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from xunfang.vocabulary import CaseKind, CaseLevel, CaseStatus, Priority, ReferTo, ReportCategory


@dataclass(frozen=True, slots=True)
class Case:
    """An entry of the on-site visit queue 上门队列."""

    id: int
    elder_id: int
    kind: CaseKind
    priority: Priority
    status: CaseStatus
    opened_at: datetime
    deadline: datetime
    summary: str = field(default="", repr=False)  # Chinese, for the visitor
    evidence: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    call_id: int | None = None
    visitor_id: int | None = None
    visitor_why: str = ""
    merged: int = 0  # how many later reasons were merged into this case
    disposition_note: str = ""  # 处置情况, mandatory to close
    closed_at: datetime | None = None
    since: datetime | None = None  # of the present status; None: since it was opened
    level: CaseLevel | None = None  # the highest rung during this status; None: only the visitor
    level_since: datetime | None = None
    reminded_at: datetime | None = None  # last, during this status
    asked: tuple[int, ...] = ()  # visitors who refused or stayed silent: not proposed again
    visited_at: datetime | None = None
    referred_to: ReferTo | None = None  # the last referral; all of them are in the audit
    report_category: ReportCategory | None = None
