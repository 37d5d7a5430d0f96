"""Facts as other rooms see them: frozen dataclasses, one per table that leaves the room.

No session and no SQLAlchemy object is ever handed out. Times are timezone-aware UTC.
Phone and ID-card numbers are plain here (the caller needs them to dial) and encrypted
in the tables, with a blind index for look-up; `repr` never shows them.
"""

from __future__ import annotations

from storage.model.accounts import User, WebSession
from storage.model.cases import Case
from storage.model.contact_calls import ContactCall
from storage.model.doorstep import DoorCase, DoorEntry, DoorForm, DoorPhoto, DoorRow, Point, PointSum
from storage.model.fleet import Dialler, Recurring
from storage.model.incoming import Incoming
from storage.model.ledger import Area, Consent, Contact, Elder, Visitor
from storage.model.outbox import AuditEntry, Notice
from storage.model.planning import CadenceRule, Campaign, Chunk, Occurrence, Period, Terms
from storage.model.plates import Plate
from storage.model.reports import SubsidyClue
from storage.model.review import CallCommand, Review, ReviewFilter, ReviewRow, Tab
from storage.model.rights import HeldTable, LegalHold
from storage.model.times import BestHour, HourRate, HourTerms, PastCall
from storage.model.verdicts import Correction, EntryCount, Verdict
from storage.model.visits import Answer, Call, Turn, VisitPlan, VisitRecord
from storage.model.webhooks import ApiToken, KeptAnswer, Webhook

__all__ = [
    "Answer",
    "ApiToken",
    "Area",
    "AuditEntry",
    "BestHour",
    "CadenceRule",
    "Call",
    "CallCommand",
    "Campaign",
    "Case",
    "Chunk",
    "Consent",
    "Contact",
    "ContactCall",
    "Correction",
    "Dialler",
    "DoorCase",
    "DoorEntry",
    "DoorForm",
    "DoorPhoto",
    "DoorRow",
    "Elder",
    "EntryCount",
    "HeldTable",
    "HourRate",
    "HourTerms",
    "Incoming",
    "KeptAnswer",
    "LegalHold",
    "Notice",
    "Occurrence",
    "PastCall",
    "Period",
    "Plate",
    "Point",
    "PointSum",
    "Recurring",
    "Review",
    "ReviewFilter",
    "ReviewRow",
    "SubsidyClue",
    "Tab",
    "Terms",
    "Turn",
    "User",
    "Verdict",
    "VisitPlan",
    "VisitRecord",
    "Visitor",
    "WebSession",
    "Webhook",
]
