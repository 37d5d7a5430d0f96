"""Campaigns, pauses that end, and what set-based planning needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
PAUSED_ONCE = sa.text("paused_until IS NOT NULL")
OF_CAMPAIGN = sa.text("campaign_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("areas", JSON, nullable=False),
        sa.Column("categories", JSON, nullable=False),
        sa.Column("dialplan", sa.String(length=64), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("every_days", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends >= starts", name=op.f("ck_campaign_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("code", name=op.f("uq_campaign_code")),
    )
    op.create_index(op.f("ix_campaign_ends"), "campaign", ["ends"], unique=False)
    # Plain ADD COLUMN: rebuilding the tables would copy them for nothing (and a foreign key would
    # need it on SQLite).
    op.add_column("visit_plan", sa.Column("campaign_id", ID, nullable=True))
    op.create_index(
        "ix_visit_plan_campaign",
        "visit_plan",
        ["campaign_id", "period", "status"],
        unique=False,
        sqlite_where=OF_CAMPAIGN,
        postgresql_where=OF_CAMPAIGN,
    )
    op.add_column("elder", sa.Column("first_visit_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column("elder", sa.Column("pause_told", sa.Date(), nullable=True))
    plan = sa.table("visit_plan", sa.column("elder_id"), sa.column("due_from"))
    elder = sa.table("elder", sa.column("id"), sa.column("first_visit_by"))
    first = sa.select(sa.func.min(plan.c.due_from)).where(plan.c.elder_id == elder.c.id)
    # Whoever was planned before is not new; the others get their date from the next planning.
    op.execute(sa.update(elder).values(first_visit_by=first.scalar_subquery()))
    op.create_index(
        "ix_elder_paused_until",
        "elder",
        ["paused_until", "id"],
        unique=False,
        sqlite_where=PAUSED_ONCE,
        postgresql_where=PAUSED_ONCE,
    )


def downgrade() -> None:
    op.drop_index("ix_elder_paused_until", table_name="elder")
    op.drop_column("elder", "pause_told")
    op.drop_column("elder", "first_visit_by")
    op.drop_index("ix_visit_plan_campaign", table_name="visit_plan")
    op.drop_column("visit_plan", "campaign_id")
    op.drop_index(op.f("ix_campaign_ends"), table_name="campaign")
    op.drop_table("campaign")
