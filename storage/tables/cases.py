"""上门队列: the queue of open cases."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, String, Table, Text

from storage.tables.base import NOTE_KEPT, STILL_OPEN, metadata, ref, row_id
from storage.types import Encrypted, JsonTuple, PriorityRank, UtcDateTime, Word
from xunfang.vocabulary import CaseKind, CaseLevel, CaseStatus, ReferTo, ReportCategory

case = Table(
    "case",
    metadata,
    row_id(),
    ref("elder_id", "elder", nullable=False),
    Column("kind", Word(CaseKind), nullable=False),
    Column("priority", PriorityRank, nullable=False),
    Column("status", Word(CaseStatus), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("summary", Encrypted, nullable=False),
    Column("evidence", JsonTuple, nullable=False),
    ref("call_id", "call"),
    ref("visitor_id", "visitor"),
    Column("visitor_why", String(200), nullable=False),
    Column("merged", Integer, nullable=False),
    Column("disposition_note", Text, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("since", UtcDateTime),
    Column("level", Word(CaseLevel)),
    Column("level_since", UtcDateTime),
    Column("reminded_at", UtcDateTime),
    Column("asked", JsonTuple),
    Column("visited_at", UtcDateTime),
    Column("referred_to", Word(ReferTo)),
    Column("report_category", Word(ReportCategory)),
    Column("next_look_at", UtcDateTime),  # when reminders must be thought of again
    Column("texts_erased_at", UtcDateTime),  # summary and evidence
    Column("note_erased_at", UtcDateTime),
    sa.CheckConstraint("closed_at IS NULL OR disposition_note <> ''", name="closed_with_note"),
    # 上门队列: also what keeps a second open case of one elder from being born in a race.
    Index(
        "uq_case_open_elder",
        "elder_id",
        unique=True,
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
    Index(
        "ix_case_queue",
        "priority",
        "deadline",
        "id",
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
    Index(
        "ix_case_look",
        "next_look_at",
        "id",
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
    Index("ix_case_note_kept", "closed_at", sqlite_where=NOTE_KEPT, postgresql_where=NOTE_KEPT),
    Index(None, "elder_id", "id"),
    Index(None, "visitor_id"),
    Index(None, "call_id"),
)
