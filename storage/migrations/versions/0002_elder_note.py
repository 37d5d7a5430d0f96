"""备注: the remark of the ledger beside each elder, ciphertext like all that is written about a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "elder_note",
        sa.Column("elder_id", ID, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_elder_note_elder_id_elder")),
        sa.PrimaryKeyConstraint("elder_id", name=op.f("pk_elder_note")),
    )


def downgrade() -> None:
    op.drop_table("elder_note")
