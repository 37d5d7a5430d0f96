"""From the plan to the record: visit_plan, call, turn, answer, visit_record."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text

from storage.tables.base import (
    OF_CAMPAIGN,
    RECORD_KEPT,
    RECORDING_KEPT,
    STILL_LIVE,
    TEXTS_KEPT,
    UNTIMED,
    blind_index,
    metadata,
    ref,
    row_id,
)
from storage.types import ID, JSON, JsonTuple, UtcDateTime, Word
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDirection,
    CallDisposition,
    PlanStatus,
    Risk,
    Speaker,
    VisitMode,
)

visit_plan = Table(
    "visit_plan",
    metadata,
    row_id(),
    ref("elder_id", "elder", nullable=False),
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
    Column("campaign_id", ID),  # of a surge; no foreign key: SQLite would have to rebuild the table
    sa.UniqueConstraint("elder_id", "period"),
    Index(None, "status", "due_until", "lot"),
    Index(None, "status", "next_attempt_at"),
    Index(
        "ix_visit_plan_untimed",
        "status",
        "due_until",
        "lot",
        sqlite_where=UNTIMED,
        postgresql_where=UNTIMED,
    ),
    Index(
        "ix_visit_plan_campaign",
        "campaign_id",
        "period",
        "status",
        sqlite_where=OF_CAMPAIGN,
        postgresql_where=OF_CAMPAIGN,
    ),
)


call = Table(
    "call",
    metadata,
    row_id(),
    ref("plan_id", "visit_plan"),
    ref("elder_id", "elder", nullable=False),
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
    Column("direction", Word(CallDirection), nullable=False, server_default=CallDirection.OUTBOUND.value),
    Column("number_hint", String(32), nullable=False),
    Column("contact_id", ID),  # 联系人: not the elder was called; no foreign key, see migration 0013
    ref("dialler_id", "dialler"),  # who carries it; of calls from before there were several: nobody
    blind_index("number_index"),
    Column("recording_erased_at", UtcDateTime),  # the path stays, so that a page can say why it is silent
    Column("texts_erased_at", UtcDateTime),
    Index(None, "elder_id", "id"),
    Index(None, "plan_id"),
    Index(None, "number_index", "intended_at"),
    Index(None, "intended_at"),
    Index(
        "ix_call_recording_kept",
        "intended_at",
        sqlite_where=RECORDING_KEPT,
        postgresql_where=RECORDING_KEPT,
    ),
    Index("ix_call_texts_kept", "intended_at", sqlite_where=TEXTS_KEPT, postgresql_where=TEXTS_KEPT),
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
    row_id(),
    ref("elder_id", "elder", nullable=False),
    ref("plan_id", "visit_plan"),
    ref("call_id", "call"),
    Column("mode", Word(VisitMode), nullable=False),
    Column("visited_at", UtcDateTime, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("risk", Word(Risk), nullable=False),
    Column("reasons", JsonTuple, nullable=False),
    Column("erased_at", UtcDateTime),  # fields and reasons; what is counted stays
    sa.UniqueConstraint("call_id"),
    Index(None, "elder_id", "visited_at"),
    Index(None, "plan_id"),
    Index("ix_visit_record_kept", "visited_at", sqlite_where=RECORD_KEPT, postgresql_where=RECORD_KEPT),
)
