"""What is told and what is remembered: the outbox of notices, the audit trail."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from storage.tables.base import STILL_UNSENT, metadata, ref, row_id
from storage.types import JSON, Encrypted, UtcDateTime

notice = Table(
    "notice",
    metadata,
    row_id(),
    Column("kind", String(64), nullable=False),
    Column("to", String(200), nullable=False),
    Column("title", Encrypted, nullable=False),
    Column("body", Encrypted, nullable=False),
    ref("case_id", "case"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("last_error", String(500), nullable=False),
    Column("data", JSON),  # for machines: ids and words, nothing personal
    Index(
        "ix_notice_pending",
        "next_at",
        "id",
        sqlite_where=STILL_UNSENT,
        postgresql_where=STILL_UNSENT,
    ),
    Index(None, "case_id"),
)


audit = Table(
    "audit",
    metadata,
    row_id(),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "subject", "id"),
)
