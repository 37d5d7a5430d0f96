"""Which hour works for whom; an elder's second number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "hour_rate",
        sa.Column("hour", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("answered", ID, nullable=False),
        sa.Column("tried", ID, nullable=False),
        sa.Column("counted_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("pk_hour_rate")),
    )
    op.create_table(
        "elder_hour",
        sa.Column("elder_id", ID, autoincrement=False, nullable=False),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.Column("counted_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_elder_hour_elder_id_elder")),
        sa.PrimaryKeyConstraint("elder_id", name=op.f("pk_elder_hour")),
    )
    op.create_index(op.f("ix_elder_hour_hour_elder_id"), "elder_hour", ["hour", "elder_id"], unique=False)
    op.add_column("elder", sa.Column("other_phone", sa.Text(), nullable=True))
    op.add_column("elder", sa.Column("other_phone_index", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_elder_other_phone_index"), "elder", ["other_phone_index"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_elder_other_phone_index"), table_name="elder")
    op.drop_column("elder", "other_phone_index")
    op.drop_column("elder", "other_phone")
    op.drop_index(op.f("ix_elder_hour_hour_elder_id"), table_name="elder_hour")
    op.drop_table("elder_hour")
    op.drop_table("hour_rate")
