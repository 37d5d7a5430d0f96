"""台账: areas, elders, their contacts and consents, visitors."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table

from storage.tables.base import PAUSED_ONCE, blind_index, metadata, ref, row_id
from storage.types import ID, CategorySet, Encrypted, JsonTuple, UtcDateTime, Word
from xunfang.vocabulary import Cadence, ConsentPurpose, VisitMode

area = Table(
    "area",
    metadata,
    row_id(),
    Column("code", String(12), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("level", String(16), nullable=False),
    ref("parent_id", "area"),
    Column("phone", Encrypted),
    Index(None, "parent_id"),
)


elder = Table(
    "elder",
    metadata,
    row_id(),
    Column("name", Encrypted, nullable=False),
    Column("sex", String(1), nullable=False),
    Column("birth_date", Date),
    Column("phone", Encrypted, nullable=False),
    blind_index("phone_index"),
    Column("other_phone", Encrypted),
    blind_index("other_phone_index"),
    Column("id_card", Encrypted),
    blind_index("id_card_index"),
    ref("area_id", "area"),
    Column("address", Encrypted, nullable=False),
    Column("categories", CategorySet, nullable=False),
    Column("self_caring", Boolean, nullable=False),
    Column("good_health", Boolean, nullable=False),
    Column("mode", Word(VisitMode), nullable=False),
    Column("cadence", Word(Cadence), nullable=False),
    Column("dialplan", String(64), nullable=False),
    Column("windows", JsonTuple, nullable=False),
    Column("tail_ms", Integer),
    Column("hard_of_hearing", Boolean, nullable=False),
    Column("paused_until", Date),
    Column("pause_reason", String(200)),
    Column("active", Boolean, nullable=False),
    Column("first_visit_by", UtcDateTime),  # set when the planner first sees the elder
    Column("pause_told", Date),  # the `paused_until` whose end was told of
    Index(
        "ix_elder_paused_until",
        "paused_until",
        "id",
        sqlite_where=PAUSED_ONCE,
        postgresql_where=PAUSED_ONCE,
    ),
    Index(None, "phone_index"),
    Index(None, "other_phone_index"),
    Index("uq_elder_id_card_index", "id_card_index", unique=True),
    Index(None, "area_id", "id"),
)


# 备注 of the ledger. Beside the elder, because only the ledger reads it.
elder_note = Table(
    "elder_note",
    metadata,
    Column("elder_id", ID, ForeignKey("elder.id"), primary_key=True, autoincrement=False),
    Column("text", Encrypted, nullable=False),
)


contact = Table(
    "contact",
    metadata,
    row_id(),
    ref("elder_id", "elder", nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Encrypted, nullable=False),
    Column("relation", String(32), nullable=False),
    Column("phone", Encrypted, nullable=False),
    blind_index("phone_index"),
    Column("same_place", Boolean, nullable=False),
    Column("may_be_told", Boolean, nullable=False),
    Index(None, "elder_id", "position"),
    Index(None, "phone_index"),
)


consent = Table(
    "consent",
    metadata,
    row_id(),
    ref("elder_id", "elder", nullable=False),
    Column("purpose", Word(ConsentPurpose), nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("source", String(64), nullable=False),
    Index(None, "elder_id", "purpose", "at"),
)


visitor = Table(
    "visitor",
    metadata,
    row_id(),
    Column("name", Encrypted, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("phone", Encrypted, nullable=False),
    blind_index("phone_index"),
    ref("area_id", "area"),
    ref("elder_id", "elder"),
    Column("active", Boolean, nullable=False),
    Index(None, "area_id"),
    Index(None, "elder_id"),
    Index(None, "phone_index"),
)
