"""Retention, erasure, webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _tokens()
    _webhooks()
    _subsidies()
    _retention()


def downgrade() -> None:
    _forget_retention()
    op.drop_column("notice", "data")
    for table in ("webhook", "api_request", "api_token"):
        op.drop_table(table)
    op.drop_table("subsidy")


def _subsidies() -> None:
    """补贴线索: what an elder may be entitled to."""
    op.create_table(
        "subsidy",
        sa.Column("id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("benefit", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_subsidy_elder_id_elder"),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_subsidy_call_id_call"),
        sa.PrimaryKeyConstraint("id", name="pk_subsidy"),
        sa.UniqueConstraint("elder_id", "benefit", name="uq_subsidy_elder_id_benefit"),
    )
    op.create_index("ix_subsidy_status_id", "subsidy", ["status", "id"])
    op.create_index("ix_subsidy_call_id", "subsidy", ["call_id"])


def _tokens() -> None:
    """The API: tokens, and what was answered to requests with an Idempotency-Key."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "api_token",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=28), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("area_id", ID, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("expires_at", moment, nullable=True),
        sa.Column("revoked_at", moment, nullable=True),
        sa.Column("last_used_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name="fk_api_token_area_id_area"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("name", name="uq_api_token_name"),
        sa.UniqueConstraint("token_hash", name="uq_api_token_token_hash"),
    )
    op.create_table(
        "api_request",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_id", ID, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["api_token.id"], name="fk_api_request_token_id_api_token"),
        sa.PrimaryKeyConstraint("id", name="pk_api_request"),
        sa.UniqueConstraint("token_id", "key", name="uq_api_request_token_id_key"),
    )
    op.create_index("ix_api_request_at", "api_request", ["at"])


def _webhooks() -> None:
    """Endpoints that are told of events; a notice may carry data for machines."""
    op.create_table(
        "webhook",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("events", JSON, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook"),
        sa.UniqueConstraint("name", name="uq_webhook_name"),
    )
    op.add_column("notice", sa.Column("data", JSON, nullable=True))


RECORDING_KEPT = sa.text("recording IS NOT NULL AND recording_erased_at IS NULL")
TEXTS_KEPT = sa.text("texts_erased_at IS NULL")
RECORD_KEPT = sa.text("erased_at IS NULL")
NOTE_KEPT = sa.text("closed_at IS NOT NULL AND note_erased_at IS NULL")
HOLDS = sa.text("released_at IS NULL")
ERASED = (  # table, column: plain ADD COLUMN, nothing is rewritten
    ("call", "recording_erased_at"),
    ("call", "texts_erased_at"),
    ("case", "texts_erased_at"),
    ("case", "note_erased_at"),
    ("visit_record", "erased_at"),
    ("door_form", "erased_at"),
)
KEPT = (  # index, table, column, which rows
    ("ix_call_recording_kept", "call", "intended_at", RECORDING_KEPT),
    ("ix_call_texts_kept", "call", "intended_at", TEXTS_KEPT),
    ("ix_case_note_kept", "case", "closed_at", NOTE_KEPT),
    ("ix_visit_record_kept", "visit_record", "visited_at", RECORD_KEPT),
)


def _retention() -> None:
    """What was erased after its period, and what must be kept beyond it (暂停删除)."""
    moment = sa.DateTime(timezone=True)
    for table, column in ERASED:
        op.add_column(table, sa.Column(column, moment, nullable=True))
    for name, table, column, which in KEPT:
        op.create_index(name, table, [column], sqlite_where=which, postgresql_where=which)
    op.create_table(
        "legal_hold",
        sa.Column("id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=True),
        sa.Column("covers_from", moment, nullable=True),
        sa.Column("covers_until", moment, nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("placed_at", moment, nullable=False),
        sa.Column("released_at", moment, nullable=True),
        sa.Column("released_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_legal_hold_elder_id_elder"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_legal_hold_case_id_case"),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"),
    )
    op.create_index(
        "ix_legal_hold_held", "legal_hold", ["elder_id"], sqlite_where=HOLDS, postgresql_where=HOLDS
    )


def _forget_retention() -> None:
    op.drop_table("legal_hold")
    for name, table, _, _ in KEPT:
        op.drop_index(name, table_name=table)
    for table, column in reversed(ERASED):
        op.drop_column(table, column)
