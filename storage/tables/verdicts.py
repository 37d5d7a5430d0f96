"""What supervisors say of a call after listening (复核): verdicts on alerts, corrected answers.

Only ever added to: the last row of a turn, or of a question, counts.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, String, Table

from storage.tables.base import blind_index, metadata, ref, row_id
from storage.tables.visits import turn
from storage.types import Encrypted, JsonTuple, UtcDateTime, Word
from xunfang.vocabulary import Alert, ReviewVerdict

ALERTED = sa.text("alert <> 'none'")

verdict = Table(
    "verdict",
    metadata,
    row_id(),
    ref("call_id", "call", nullable=False),
    Column("turn_seq", Integer, nullable=False),
    Column("alert", Word(Alert), nullable=False),  # the machine's, when the verdict was given
    Column("verdict", Word(ReviewVerdict), nullable=False),
    Column("reason", Encrypted, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("entries", JsonTuple, nullable=False),  # of the lexicon, on which the alert rested then
    blind_index("text_hash"),  # the words themselves stay in the turn, and go with it
    Index(None, "call_id", "turn_seq", "id"),
    Index(None, "verdict", "at"),
)


correction = Table(
    "correction",
    metadata,
    row_id(),
    ref("call_id", "call", nullable=False),
    Column("question", String(64), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("answer", String(64), nullable=False),
    Column("details", JsonTuple, nullable=False),
    Column("why", Encrypted, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "call_id", "question", "id"),
)

# Few turns raise an alert: the precision of entries reads these and passes over the rest.
Index("ix_turn_alerted", turn.c.call_id, turn.c.seq, sqlite_where=ALERTED, postgresql_where=ALERTED)
