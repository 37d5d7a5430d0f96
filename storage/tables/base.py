"""What every table is made with: the naming of constraints, ids, references, blind indexes."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, String

from storage.types import ID

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Partial indexes, so that what is over costs the queues nothing.
STILL_OPEN = sa.text("closed_at IS NULL")
STILL_LIVE = sa.text("ended_at IS NULL")
STILL_UNSENT = sa.text("sent_at IS NULL")
PAUSED_ONCE = sa.text("paused_until IS NOT NULL")
UNTIMED = sa.text("next_attempt_at IS NULL")
OF_CAMPAIGN = sa.text("campaign_id IS NOT NULL")
# What retention has not erased yet.
RECORDING_KEPT = sa.text("recording IS NOT NULL AND recording_erased_at IS NULL")
TEXTS_KEPT = sa.text("texts_erased_at IS NULL")
RECORD_KEPT = sa.text("erased_at IS NULL")
NOTE_KEPT = sa.text("closed_at IS NOT NULL AND note_erased_at IS NULL")


def row_id() -> Column[int]:
    return Column("id", ID, primary_key=True)


def ref(name: str, target: str, nullable: bool = True) -> Column[int]:
    return Column(name, ID, ForeignKey(f"{target}.id"), nullable=nullable)


def blind_index(name: str) -> Column[str]:
    """Hex HMAC-SHA256: 64 characters."""
    return Column(name, String(64))
