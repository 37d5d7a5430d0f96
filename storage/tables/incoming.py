"""来电: everybody who rang us, whether or not it became a call with an elder."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table

from storage.tables.base import blind_index, metadata, ref, row_id
from storage.types import Encrypted, UtcDateTime, Word
from xunfang.vocabulary import Alert, CallerKind

incoming = Table(
    "incoming",
    metadata,
    row_id(),
    Column("rang_at", UtcDateTime, nullable=False),
    Column("kind", Word(CallerKind), nullable=False),
    Column("phone", Encrypted, nullable=False),
    blind_index("phone_index"),
    ref("elder_id", "elder"),
    ref("call_id", "call"),
    Column("line", String(64), nullable=False),
    Column("missed", Boolean, nullable=False),
    Column("alert", Word(Alert), nullable=False),
    Column("because", String(64), nullable=False),
    Column("ended_at", UtcDateTime),
    Index(None, "elder_id", "id"),
    Index(None, "rang_at"),
)
