"""门牌: the signed QR at an elder's door. A revoked one stays, so that it is known for what it was."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, String, Table

from storage.tables.base import metadata, ref, row_id
from storage.types import Encrypted, UtcDateTime

_VALID = sa.text("revoked_at IS NULL")

plate = Table(
    "plate",
    metadata,
    row_id(),
    ref("elder_id", "elder", nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("by", String(64), nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("revoked_by", String(64), nullable=False),
    Column("why", String(200), nullable=False),  # it was revoked
    # As printed: a plate hangs for years, and the key it was signed with may be gone by then.
    Column("signature", Encrypted, nullable=False),
    Index(None, "elder_id", "id"),
    Index("uq_plate_valid", "elder_id", unique=True, sqlite_where=_VALID, postgresql_where=_VALID),
)
