"""Notices and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Notice:
    """A row of the outbox: written with the fact it tells of, sent afterwards."""

    id: int
    kind: str  # case.opened | case.merged | case.reminded | visit.recorded | breaker.opened | …
    to: str = field(repr=False)  # duty | visitor:ID | contact:ID | area:ID | webhook | webhook:ID
    title: str = field(repr=False, default="")
    body: str = field(repr=False, default="")
    case_id: int | None = None
    created_at: datetime | None = None
    sent_at: datetime | None = None
    attempts: int = 0
    next_at: datetime | None = None
    last_error: str = ""
    data: dict[str, Any] | None = None  # for machines: ids and words, nothing personal


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened and what did not (kinds such as no_notice_sent, duplicate_suppressed)."""

    id: int
    at: datetime
    actor: str  # system | user:ID | elder:ID
    kind: str
    subject: str  # e.g. case:12, call:7, elder:3
    detail: dict[str, Any] = field(default_factory=dict, repr=False)
