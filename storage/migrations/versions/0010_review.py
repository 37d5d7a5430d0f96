"""The review queue, and what the desk asks of calls. Flagged calls without a verdict go into the queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("done_at IS NULL")
UNTAKEN = sa.text("taken_at IS NULL")

# Their time was over before there was a queue: due when they were heard.
_BACKLOG = """
    INSERT INTO review (call_id, elder_id, area_id, priority, alert, risk, disposition, dialplan, called_at,
                        flagged_at, deadline)
    SELECT call.id, call.elder_id, elder.area_id,
           CASE WHEN call.alert = 'urgent' OR call.risk = 'urgent' THEN 0
                WHEN call.alert = 'review' THEN 1 ELSE 2 END,
           call.alert, call.risk, call.disposition, call.dialplan, call.intended_at,
           COALESCE(call.ended_at, call.intended_at), COALESCE(call.ended_at, call.intended_at)
    FROM call JOIN elder ON elder.id = call.elder_id
    WHERE (call.alert <> 'none' OR call.risk IN ('attention', 'urgent'))
      AND NOT EXISTS (SELECT 1 FROM verdict WHERE verdict.call_id = call.id)
"""


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("call_id", ID, autoincrement=False, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("area_id", ID, nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("alert", sa.String(length=32), nullable=False),
        sa.Column("risk", sa.String(length=32), nullable=True),
        sa.Column("disposition", sa.String(length=32), nullable=True),
        sa.Column("dialplan", sa.String(length=64), nullable=False),
        sa.Column("called_at", MOMENT, nullable=False),
        sa.Column("flagged_at", MOMENT, nullable=False),
        sa.Column("deadline", MOMENT, nullable=False),
        sa.Column("claimed_by", sa.String(length=32), nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("done_by", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_review_call_id_call")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_review_elder_id_elder")),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_review_area_id_area")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_review")),
    )
    key = ["priority", "deadline", "call_id"]
    _index("ix_review_queue", "review", key, OPEN)
    _index("ix_review_area", "review", ["area_id", *key], OPEN)
    _index("ix_review_claimed", "review", ["claimed_by", *key], OPEN)
    _index("ix_review_deadline", "review", ["deadline"], OPEN)
    op.create_index(op.f("ix_review_elder_id"), "review", ["elder_id"], unique=False)
    op.execute(_BACKLOG)
    op.create_table(
        "call_command",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("anyway", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("taken_at", MOMENT, nullable=True),
        sa.Column("result", sa.String(length=32), nullable=True),
        sa.Column("new_call_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_call_command_call_id_call")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_call_command_elder_id_elder")),
        sa.ForeignKeyConstraint(["new_call_id"], ["call.id"], name=op.f("fk_call_command_new_call_id_call")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_command")),
    )
    _index("ix_call_command_untaken", "call_command", ["at"], UNTAKEN)
    op.create_index(op.f("ix_call_command_call_id_id"), "call_command", ["call_id", "id"], unique=False)
    op.create_index(op.f("ix_call_command_elder_id_id"), "call_command", ["elder_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("call_command")
    op.drop_table("review")


def _index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)
