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
    _subsidies()


def downgrade() -> None:
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
