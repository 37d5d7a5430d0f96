"""专项巡访: surge campaigns beside the ordinary cadence."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Date, Index, Integer, String, Table

from storage.tables.base import metadata, row_id
from storage.types import CategorySet, JsonTuple, UtcDateTime, Word
from xunfang.vocabulary import CampaignKind

campaign = Table(
    "campaign",
    metadata,
    row_id(),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("kind", Word(CampaignKind), nullable=False),
    Column("areas", JsonTuple, nullable=False),  # ids of areas, each with everything below it
    Column("categories", CategorySet, nullable=False),
    Column("dialplan", String(64), nullable=False),
    Column("starts", Date, nullable=False),
    Column("ends", Date, nullable=False),
    Column("every_days", Integer),
    Column("created_by", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),  # before its last day, by a person
    sa.CheckConstraint("ends >= starts", name="ends_after_start"),
    Index(None, "ends"),
)
