"""补贴线索: what an elder may be entitled to, one row per elder and benefit."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, String, Table, Text

from storage.tables.base import metadata, ref, row_id
from storage.types import Encrypted, JsonTuple, UtcDateTime, Word
from xunfang.vocabulary import Subsidy, SubsidyStatus

subsidy = Table(
    "subsidy",
    metadata,
    row_id(),
    ref("elder_id", "elder", nullable=False),
    Column("benefit", Word(Subsidy), nullable=False),
    Column("status", Word(SubsidyStatus), nullable=False),
    Column("why", Text, nullable=False),  # words of the rule, nothing that was said
    Column("evidence", JsonTuple, nullable=False),  # where it was said; the words stay in the answer
    ref("call_id", "call"),  # the latest that speaks for it
    Column("found_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("decided_by", String(64), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("note", Encrypted, nullable=False),
    sa.UniqueConstraint("elder_id", "benefit"),
    Index(None, "status", "id"),
    Index(None, "call_id"),
)
