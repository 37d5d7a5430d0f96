"""The first tables: ledger, plans, calls, what was said, records, queue, outbox, audit.

Phone and ID-card numbers, names and addresses are ciphertext (TEXT) with blind indexes from
the start. Plain types only: a migration must not change when `storage.tables` does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "area",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["area.id"], name=op.f("fk_area_parent_id_area")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
        sa.UniqueConstraint("code", name=op.f("uq_area_code")),
    )
    op.create_index(op.f("ix_area_parent_id"), "area", ["parent_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_subject_id"), "audit", ["subject", "id"], unique=False)
    op.create_table(
        "keeper",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_keeper")),
    )
    op.create_table(
        "elder",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sex", sa.String(length=1), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("phone_index", sa.String(length=64), nullable=True),
        sa.Column("id_card", sa.Text(), nullable=True),
        sa.Column("id_card_index", sa.String(length=64), nullable=True),
        sa.Column("area_id", ID, nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("categories", JSON, nullable=False),
        sa.Column("self_caring", sa.Boolean(), nullable=False),
        sa.Column("good_health", sa.Boolean(), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("cadence", sa.String(32), nullable=False),
        sa.Column("dialplan", sa.String(length=64), nullable=False),
        sa.Column("windows", JSON, nullable=False),
        sa.Column("tail_ms", sa.Integer(), nullable=True),
        sa.Column("hard_of_hearing", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("pause_reason", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_elder_area_id_area")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elder")),
    )
    op.create_index(op.f("ix_elder_area_id_id"), "elder", ["area_id", "id"], unique=False)
    op.create_index(op.f("ix_elder_phone_index"), "elder", ["phone_index"], unique=False)
    op.create_index("uq_elder_id_card_index", "elder", ["id_card_index"], unique=True)
    op.create_table(
        "consent",
        sa.Column("id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_consent_elder_id_elder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(
        op.f("ix_consent_elder_id_purpose_at"), "consent", ["elder_id", "purpose", "at"], unique=False
    )
    op.create_table(
        "contact",
        sa.Column("id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("phone_index", sa.String(length=64), nullable=True),
        sa.Column("same_place", sa.Boolean(), nullable=False),
        sa.Column("may_be_told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_contact_elder_id_elder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(op.f("ix_contact_elder_id_position"), "contact", ["elder_id", "position"], unique=False)
    op.create_index(op.f("ix_contact_phone_index"), "contact", ["phone_index"], unique=False)
    op.create_table(
        "visit_plan",
        sa.Column("id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("period", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("due_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dialplan", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lot", ID, nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_visit_plan_elder_id_elder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_plan")),
        sa.UniqueConstraint("elder_id", "period", name=op.f("uq_visit_plan_elder_id_period")),
    )
    op.create_index(
        op.f("ix_visit_plan_status_due_until_lot"), "visit_plan", ["status", "due_until", "lot"], unique=False
    )
    op.create_index(
        op.f("ix_visit_plan_status_next_attempt_at"),
        "visit_plan",
        ["status", "next_attempt_at"],
        unique=False,
    )
    op.create_table(
        "visitor",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("phone_index", sa.String(length=64), nullable=True),
        sa.Column("area_id", ID, nullable=True),
        sa.Column("elder_id", ID, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_visitor_area_id_area")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_visitor_elder_id_elder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor")),
    )
    op.create_index(op.f("ix_visitor_area_id"), "visitor", ["area_id"], unique=False)
    op.create_index(op.f("ix_visitor_elder_id"), "visitor", ["elder_id"], unique=False)
    op.create_index(op.f("ix_visitor_phone_index"), "visitor", ["phone_index"], unique=False)
    op.create_table(
        "call",
        sa.Column("id", ID, nullable=False),
        sa.Column("plan_id", ID, nullable=True),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("dialplan", sa.String(length=64), nullable=False),
        sa.Column("dialplan_hash", sa.String(length=64), nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disposition", sa.String(32), nullable=True),
        sa.Column("because", sa.String(length=64), nullable=False),
        sa.Column("sip_code", sa.Integer(), nullable=True),
        sa.Column("q850", sa.Integer(), nullable=True),
        sa.Column("hung_up_by", sa.String(length=16), nullable=False),
        sa.Column("recording", sa.String(length=300), nullable=True),
        sa.Column("alert", sa.String(32), nullable=False),
        sa.Column("risk", sa.String(32), nullable=True),
        sa.Column("line", sa.String(length=64), nullable=False),
        sa.Column("number_hint", sa.String(length=32), nullable=False),
        sa.Column("number_index", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_call_elder_id_elder")),
        sa.ForeignKeyConstraint(["plan_id"], ["visit_plan.id"], name=op.f("fk_call_plan_id_visit_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index(op.f("ix_call_elder_id_id"), "call", ["elder_id", "id"], unique=False)
    op.create_index(
        op.f("ix_call_number_index_intended_at"), "call", ["number_index", "intended_at"], unique=False
    )
    op.create_index(op.f("ix_call_plan_id"), "call", ["plan_id"], unique=False)
    op.create_index(
        "ix_call_live",
        "call",
        ["id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_call_live_plan",
        "call",
        ["plan_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "answer",
        sa.Column("call_id", ID, autoincrement=False, nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(length=64), nullable=False),
        sa.Column("details", JSON, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_answer_call_id_call")),
        sa.PrimaryKeyConstraint("call_id", "question", name=op.f("pk_answer")),
    )
    op.create_table(
        "case",
        sa.Column("id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("visitor_id", ID, nullable=True),
        sa.Column("visitor_why", sa.String(length=200), nullable=False),
        sa.Column("merged", sa.Integer(), nullable=False),
        sa.Column("disposition_note", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "closed_at IS NULL OR disposition_note <> ''", name=op.f("ck_case_closed_with_note")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_case_call_id_call")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_case_elder_id_elder")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitor.id"], name=op.f("fk_case_visitor_id_visitor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
    )
    op.create_index(op.f("ix_case_call_id"), "case", ["call_id"], unique=False)
    op.create_index(op.f("ix_case_elder_id_id"), "case", ["elder_id", "id"], unique=False)
    op.create_index(
        "ix_case_queue",
        "case",
        ["priority", "deadline", "id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(op.f("ix_case_visitor_id"), "case", ["visitor_id"], unique=False)
    op.create_index(
        "uq_case_open_elder",
        "case",
        ["elder_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "turn",
        sa.Column("call_id", ID, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("speaker", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("start_s", sa.Float(), nullable=True),
        sa.Column("end_s", sa.Float(), nullable=True),
        sa.Column("alert", sa.String(32), nullable=False),
        sa.Column("judgement", JSON, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_turn_call_id_call")),
        sa.PrimaryKeyConstraint("call_id", "seq", name=op.f("pk_turn")),
    )
    op.create_table(
        "visit_record",
        sa.Column("id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("plan_id", ID, nullable=True),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("visited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("risk", sa.String(32), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_visit_record_call_id_call")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_visit_record_elder_id_elder")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["visit_plan.id"], name=op.f("fk_visit_record_plan_id_visit_plan")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_record")),
        sa.UniqueConstraint("call_id", name=op.f("uq_visit_record_call_id")),
    )
    op.create_index(
        op.f("ix_visit_record_elder_id_visited_at"), "visit_record", ["elder_id", "visited_at"], unique=False
    )
    op.create_index(op.f("ix_visit_record_plan_id"), "visit_record", ["plan_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("to", sa.String(length=200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("case_id", ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_notice_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_case_id"), "notice", ["case_id"], unique=False)
    op.create_index(
        "ix_notice_pending",
        "notice",
        ["next_at", "id"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )


def downgrade() -> None:
    for table in (
        "notice",
        "visit_record",
        "turn",
        "case",
        "answer",
        "call",
        "visitor",
        "visit_plan",
        "contact",
        "consent",
        "elder",
        "keeper",
        "audit",
        "area",
    ):
        op.drop_table(table)
