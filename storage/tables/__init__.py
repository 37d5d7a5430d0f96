"""The tables, one module per subject. Rows leave the room only as the dataclasses of `storage.model`.

Column names are the field names of those dataclasses; what has no field (blind indexes,
`lot`, `claimed_at`) never leaves. Every list the program reads has an index in its order.
"""

from __future__ import annotations

from storage.tables.accounts import account, sign_in_failure, web_session
from storage.tables.base import STILL_LIVE, STILL_OPEN, STILL_UNSENT, metadata
from storage.tables.cases import case
from storage.tables.contact_calls import contact_call
from storage.tables.doorstep import door_entry, door_form, door_photo, elder_place, point
from storage.tables.fleet import channel_lease, dialler, recurring
from storage.tables.incoming import incoming
from storage.tables.keeper import keeper
from storage.tables.ledger import area, consent, contact, elder, elder_note, visitor
from storage.tables.outbox import audit, notice
from storage.tables.planning import campaign
from storage.tables.plates import plate
from storage.tables.reports import subsidy
from storage.tables.review import call_command, review
from storage.tables.rights import legal_hold
from storage.tables.times import elder_hour, hour_rate
from storage.tables.verdicts import correction, verdict
from storage.tables.visits import answer, call, turn, visit_plan, visit_record
from storage.tables.webhooks import api_request, api_token, webhook

__all__ = [
    "STILL_LIVE",
    "STILL_OPEN",
    "STILL_UNSENT",
    "account",
    "answer",
    "api_request",
    "api_token",
    "area",
    "audit",
    "call",
    "call_command",
    "campaign",
    "case",
    "channel_lease",
    "consent",
    "contact",
    "contact_call",
    "correction",
    "dialler",
    "door_entry",
    "door_form",
    "door_photo",
    "elder",
    "elder_hour",
    "elder_note",
    "elder_place",
    "hour_rate",
    "incoming",
    "keeper",
    "legal_hold",
    "metadata",
    "notice",
    "plate",
    "point",
    "recurring",
    "review",
    "sign_in_failure",
    "subsidy",
    "turn",
    "verdict",
    "visit_plan",
    "visit_record",
    "visitor",
    "web_session",
    "webhook",
]
