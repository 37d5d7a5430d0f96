"""来电: which calls came from the elder's side, and who rang us at all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Plain ADD COLUMN: rebuilding SQLite's table of calls would copy every call ever made.
    op.add_column(
        "call", sa.Column("direction", sa.String(length=32), nullable=False, server_default="outbound")
    )
    op.create_table(
        "incoming",
        sa.Column("id", ID, nullable=False),
        sa.Column("rang_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("phone_index", sa.String(length=64), nullable=True),
        sa.Column("elder_id", ID, nullable=True),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("line", sa.String(length=64), nullable=False),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.Column("alert", sa.String(length=32), nullable=False),
        sa.Column("because", sa.String(length=64), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_incoming_call_id_call")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_incoming_elder_id_elder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming")),
    )
    op.create_index(op.f("ix_incoming_elder_id_id"), "incoming", ["elder_id", "id"], unique=False)
    op.create_index(op.f("ix_incoming_rang_at"), "incoming", ["rang_at"], unique=False)


def downgrade() -> None:
    op.drop_table("incoming")
    op.drop_column("call", "direction")
