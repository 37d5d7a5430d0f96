"""待复核: calls a supervisor has to look at, and what the desk asks of the diallers.

One `review` row per flagged call, so that the queue is read from an index in its own order and never
from all calls. `area_id` is the elder's, kept beside it for the same reason (Reviews.moved).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table

from storage.tables.base import metadata, ref, row_id
from storage.types import ID, Encrypted, PriorityRank, UtcDateTime, Word
from xunfang.vocabulary import Alert, CallDisposition, CommandKind, CommandResult, ReviewOutcome, Risk

TO_REVIEW = sa.text("done_at IS NULL")
UNTAKEN = sa.text("taken_at IS NULL")

review = Table(
    "review",
    metadata,
    Column("call_id", ID, ForeignKey("call.id"), primary_key=True, autoincrement=False),
    ref("elder_id", "elder", nullable=False),
    ref("area_id", "area"),
    Column("priority", PriorityRank, nullable=False),
    Column("alert", Word(Alert), nullable=False),
    Column("risk", Word(Risk)),
    Column("disposition", Word(CallDisposition)),
    Column("dialplan", String(64), nullable=False),
    Column("called_at", UtcDateTime, nullable=False),
    Column("flagged_at", UtcDateTime, nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("claimed_by", String(32)),  # login
    Column("claimed_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    Column("done_by", String(64)),  # as the audit names people
    Column("outcome", Word(ReviewOutcome)),
    Index(
        "ix_review_queue",
        "priority",
        "deadline",
        "call_id",
        sqlite_where=TO_REVIEW,
        postgresql_where=TO_REVIEW,
    ),
    Index(
        "ix_review_area",
        "area_id",
        "priority",
        "deadline",
        "call_id",
        sqlite_where=TO_REVIEW,
        postgresql_where=TO_REVIEW,
    ),
    Index(
        "ix_review_claimed",
        "claimed_by",
        "priority",
        "deadline",
        "call_id",
        sqlite_where=TO_REVIEW,
        postgresql_where=TO_REVIEW,
    ),
    Index("ix_review_deadline", "deadline", sqlite_where=TO_REVIEW, postgresql_where=TO_REVIEW),
    Index(None, "elder_id"),
)


call_command = Table(
    "call_command",
    metadata,
    row_id(),
    Column("kind", Word(CommandKind), nullable=False),
    ref("call_id", "call"),  # of call_now: the call whose page it was asked on; none on the elder's page
    ref("elder_id", "elder", nullable=False),
    Column("number", Encrypted),  # of take_over: whose telephone rings
    Column("anyway", Boolean, nullable=False),  # of call_now: outside the hours and beyond the caps too
    Column("by", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime),
    Column("result", Word(CommandResult)),
    ref("new_call_id", "call"),
    Index("ix_call_command_untaken", "at", sqlite_where=UNTAKEN, postgresql_where=UNTAKEN),
    Index(None, "call_id", "id"),
    Index(None, "elder_id", "id"),
)
