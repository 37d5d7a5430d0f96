"""Which hour works for whom (接听时段): counted from the calls once a day, in sets.

Two small tables instead of a column of every call: the county's answers by hour of the day, and for
every elder who was reached often enough the hour at which that went best.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, SmallInteger, Table

from storage.tables.base import metadata
from storage.types import ID, UtcDateTime

hour_rate = Table(
    "hour_rate",
    metadata,
    Column("hour", SmallInteger, primary_key=True, autoincrement=False),  # local, 0–23
    Column("answered", ID, nullable=False),
    Column("tried", ID, nullable=False),
    Column("counted_at", UtcDateTime, nullable=False),
)


elder_hour = Table(
    "elder_hour",
    metadata,
    Column("elder_id", ID, ForeignKey("elder.id"), primary_key=True, autoincrement=False),
    Column("hour", SmallInteger, nullable=False),
    Column("chance", Float, nullable=False),  # smoothed: storage.repository_times
    Column("counted_at", UtcDateTime, nullable=False),
    Index(None, "hour", "elder_id"),
)
