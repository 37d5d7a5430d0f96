"""What happened to one elder, of all kinds, in one order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from storage.model.cases import Case
from storage.model.ledger import Consent
from storage.model.outbox import AuditEntry
from storage.model.verdicts import Verdict
from storage.model.visits import Call, VisitRecord

TimelineKey = tuple[datetime, int, int]  # when, kind, id: newest first


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    what: Call | VisitRecord | Case | Verdict | Consent | AuditEntry = field(repr=False)
    key: TimelineKey
