"""联系人电话: which contact is still to be called because an elder did not answer."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, String, Table

from storage.tables.base import metadata, ref, row_id
from storage.types import ID, JsonTuple, UtcDateTime, Word
from xunfang.vocabulary import PlanStatus

contact_call = Table(
    "contact_call",
    metadata,
    row_id(),
    ref("elder_id", "elder", nullable=False),
    ref("plan_id", "visit_plan", nullable=False),
    ref("case_id", "case", nullable=False),
    Column("step", Integer, nullable=False),
    Column("status", Word(PlanStatus), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    Column("passed", JsonTuple, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("contact_id", ID),  # no foreign key: an import may replace the contacts of an elder
    ref("call_id", "call"),
    Column("outcome", String(32), nullable=False),
    sa.UniqueConstraint("plan_id", "step"),
    Index(None, "status", "next_attempt_at"),
    Index(None, "elder_id"),
    Index(None, "call_id"),
    Index(None, "contact_id"),
)
