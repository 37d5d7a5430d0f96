"""Several dialling machines: heartbeats, leases of calls and of SIP channels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "dialler",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("host", sa.String(length=64), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("trunk", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.Column("lag_ms", sa.Float(), nullable=False),
        sa.Column("breaker", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialler")),
    )
    op.create_index(op.f("ix_dialler_state_heartbeat_at"), "dialler", ["state", "heartbeat_at"])
    op.create_table(
        "channel_lease",
        sa.Column("trunk", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dialler_id", ID, nullable=True),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_channel_lease_call_id_call")),
        sa.ForeignKeyConstraint(
            ["dialler_id"], ["dialler.id"], name=op.f("fk_channel_lease_dialler_id_dialler")
        ),
        sa.PrimaryKeyConstraint("trunk", "slot", name=op.f("pk_channel_lease")),
        sa.UniqueConstraint("call_id", name=op.f("uq_channel_lease_call_id")),
    )
    op.create_table(
        "recurring",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_recurring")),
    )
    # In plain SQL, because Alembic would rebuild SQLite's table of calls to add a reference.
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE call ADD COLUMN dialler_id {kind} "
        "CONSTRAINT fk_call_dialler_id_dialler REFERENCES dialler (id)"
    )


def downgrade() -> None:
    with op.batch_alter_table("call") as call:
        call.drop_column("dialler_id")
    for table in ("recurring", "channel_lease", "dialler"):
        op.drop_table(table)
