"""暂停删除: what must be kept beyond its period, because of a dispute, an inquiry, an accident."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, String, Table

from storage.tables.base import metadata, ref, row_id
from storage.types import Encrypted, UtcDateTime

HOLDS = sa.text("released_at IS NULL")

legal_hold = Table(
    "legal_hold",
    metadata,
    row_id(),
    ref("elder_id", "elder", nullable=False),
    ref("case_id", "case"),  # only what lies in the time of this case; None: everything of the elder
    Column("covers_from", UtcDateTime),
    Column("covers_until", UtcDateTime),
    Column("why", Encrypted, nullable=False),
    Column("by", String(64), nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("released_at", UtcDateTime),
    Column("released_by", String(64), nullable=False),
    Index("ix_legal_hold_held", "elder_id", sqlite_where=HOLDS, postgresql_where=HOLDS),
)
