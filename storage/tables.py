"""The tables. Rows leave the room only as the dataclasses of `storage.model`.

Column names are the field names of those dataclasses; what has no field (blind indexes,
`lot`, `claimed_at`) never leaves. Every list the program reads has an index in its order.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Date, Float, ForeignKey, Index, Integer, String, Table, Text

from storage.types import ID, JSON, CategorySet, Encrypted, JsonTuple, PriorityRank, UtcDateTime, Word
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    Cadence,
    CallDisposition,
    CaseKind,
    CaseLevel,
    CaseStatus,
    ConsentPurpose,
    PlanStatus,
    ReferTo,
    ReportCategory,
    Risk,
    Speaker,
    VisitMode,
)

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


def _id() -> Column[int]:
    return Column("id", ID, primary_key=True)


def _ref(name: str, target: str, nullable: bool = True) -> Column[int]:
    return Column(name, ID, ForeignKey(f"{target}.id"), nullable=nullable)


def _index_of(name: str) -> Column[str]:
    """Hex HMAC-SHA256: 64 characters."""
    return Column(name, String(64))


# One row proves at start that the secret key is the right one.
keeper = Table(
    "keeper",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Encrypted, nullable=False),
)

area = Table(
    "area",
    metadata,
    _id(),
    Column("code", String(12), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("level", String(16), nullable=False),
    _ref("parent_id", "area"),
    Column("phone", Encrypted),
    Index(None, "parent_id"),
)

elder = Table(
    "elder",
    metadata,
    _id(),
    Column("name", Encrypted, nullable=False),
    Column("sex", String(1), nullable=False),
    Column("birth_date", Date),
    Column("phone", Encrypted, nullable=False),
    _index_of("phone_index"),
    Column("id_card", Encrypted),
    _index_of("id_card_index"),
    _ref("area_id", "area"),
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
    Index(None, "phone_index"),
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
    _id(),
    _ref("elder_id", "elder", nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Encrypted, nullable=False),
    Column("relation", String(32), nullable=False),
    Column("phone", Encrypted, nullable=False),
    _index_of("phone_index"),
    Column("same_place", Boolean, nullable=False),
    Column("may_be_told", Boolean, nullable=False),
    Index(None, "elder_id", "position"),
    Index(None, "phone_index"),
)

consent = Table(
    "consent",
    metadata,
    _id(),
    _ref("elder_id", "elder", nullable=False),
    Column("purpose", Word(ConsentPurpose), nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("source", String(64), nullable=False),
    Index(None, "elder_id", "purpose", "at"),
)

visitor = Table(
    "visitor",
    metadata,
    _id(),
    Column("name", Encrypted, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("phone", Encrypted, nullable=False),
    _index_of("phone_index"),
    _ref("area_id", "area"),
    _ref("elder_id", "elder"),
    Column("active", Boolean, nullable=False),
    Index(None, "area_id"),
    Index(None, "elder_id"),
    Index(None, "phone_index"),
)

visit_plan = Table(
    "visit_plan",
    metadata,
    _id(),
    _ref("elder_id", "elder", nullable=False),
    Column("period", String(64), nullable=False),
    Column("mode", Word(VisitMode), nullable=False),
    Column("due_from", UtcDateTime, nullable=False),
    Column("due_until", UtcDateTime, nullable=False),
    Column("dialplan", String(64), nullable=False),
    Column("status", Word(PlanStatus), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    Column("claimed_at", UtcDateTime),  # when the present DIALLING began
    Column("lot", ID, nullable=False),  # drawn place in the order of equals: see repository_plans
    sa.UniqueConstraint("elder_id", "period"),
    Index(None, "status", "due_until", "lot"),
    Index(None, "status", "next_attempt_at"),
)

call = Table(
    "call",
    metadata,
    _id(),
    _ref("plan_id", "visit_plan"),
    _ref("elder_id", "elder", nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("dialplan", String(64), nullable=False),
    Column("dialplan_hash", String(64), nullable=False),
    Column("intended_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("disposition", Word(CallDisposition)),
    Column("because", String(64), nullable=False),
    Column("sip_code", Integer),
    Column("q850", Integer),
    Column("hung_up_by", String(16), nullable=False),
    Column("recording", String(300)),
    Column("alert", Word(Alert), nullable=False),
    Column("risk", Word(Risk)),
    Column("line", String(64), nullable=False),
    Column("number_hint", String(32), nullable=False),
    _index_of("number_index"),
    Index(None, "elder_id", "id"),
    Index(None, "plan_id"),
    Index(None, "number_index", "intended_at"),
    Index("ix_call_live", "id", sqlite_where=STILL_LIVE, postgresql_where=STILL_LIVE),
    # No plan is ever on two lines at once.
    Index(
        "uq_call_live_plan",
        "plan_id",
        unique=True,
        sqlite_where=STILL_LIVE,
        postgresql_where=STILL_LIVE,
    ),
)

turn = Table(
    "turn",
    metadata,
    Column("call_id", ID, ForeignKey("call.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("speaker", Word(Speaker), nullable=False),
    Column("text", Text, nullable=False),
    Column("question", String(64), nullable=False),
    Column("confidence", Float),
    Column("start_s", Float),
    Column("end_s", Float),
    Column("alert", Word(Alert), nullable=False),
    Column("judgement", JSON, nullable=False),
)

answer = Table(
    "answer",
    metadata,
    Column("call_id", ID, ForeignKey("call.id"), primary_key=True, autoincrement=False),
    Column("question", String(64), primary_key=True),
    Column("topic", String(64), nullable=False),
    Column("answer", String(64), nullable=False),
    Column("details", JsonTuple, nullable=False),
    Column("text", Text, nullable=False),
    Column("confidence", Float),
    Column("source", Word(AnswerSource), nullable=False),
    Column("at", UtcDateTime),
)

visit_record = Table(
    "visit_record",
    metadata,
    _id(),
    _ref("elder_id", "elder", nullable=False),
    _ref("plan_id", "visit_plan"),
    _ref("call_id", "call"),
    Column("mode", Word(VisitMode), nullable=False),
    Column("visited_at", UtcDateTime, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("risk", Word(Risk), nullable=False),
    Column("reasons", JsonTuple, nullable=False),
    sa.UniqueConstraint("call_id"),
    Index(None, "elder_id", "visited_at"),
    Index(None, "plan_id"),
)

case = Table(
    "case",
    metadata,
    _id(),
    _ref("elder_id", "elder", nullable=False),
    Column("kind", Word(CaseKind), nullable=False),
    Column("priority", PriorityRank, nullable=False),
    Column("status", Word(CaseStatus), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("summary", Encrypted, nullable=False),
    Column("evidence", JsonTuple, nullable=False),
    _ref("call_id", "call"),
    _ref("visitor_id", "visitor"),
    Column("visitor_why", String(200), nullable=False),
    Column("merged", Integer, nullable=False),
    Column("disposition_note", Text, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("since", UtcDateTime),
    Column("level", Word(CaseLevel)),
    Column("level_since", UtcDateTime),
    Column("reminded_at", UtcDateTime),
    Column("asked", JsonTuple),
    Column("visited_at", UtcDateTime),
    Column("referred_to", Word(ReferTo)),
    Column("report_category", Word(ReportCategory)),
    Column("next_look_at", UtcDateTime),  # when reminders must be thought of again
    sa.CheckConstraint("closed_at IS NULL OR disposition_note <> ''", name="closed_with_note"),
    # 上门队列: also what keeps a second open case of one elder from being born in a race.
    Index(
        "uq_case_open_elder",
        "elder_id",
        unique=True,
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
    Index(
        "ix_case_queue",
        "priority",
        "deadline",
        "id",
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
    Index(
        "ix_case_look",
        "next_look_at",
        "id",
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    ),
    Index(None, "elder_id", "id"),
    Index(None, "visitor_id"),
    Index(None, "call_id"),
)

notice = Table(
    "notice",
    metadata,
    _id(),
    Column("kind", String(64), nullable=False),
    Column("to", String(200), nullable=False),
    Column("title", Encrypted, nullable=False),
    Column("body", Encrypted, nullable=False),
    _ref("case_id", "case"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("last_error", String(500), nullable=False),
    Index(
        "ix_notice_pending",
        "next_at",
        "id",
        sqlite_where=STILL_UNSENT,
        postgresql_where=STILL_UNSENT,
    ),
    Index(None, "case_id"),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "subject", "id"),
)
