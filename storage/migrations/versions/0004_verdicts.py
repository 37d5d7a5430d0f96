"""What supervisors say of an alert: confirmed, or a false alarm; and the answers that they correct.

Turns that are stored already say in words ("fall.plain: affirmed now self -> urgent") on which
entries of the lexicon their alert rests; from now on they also say it as a list (`entries`), which
is written here for the old ones, so that their alerts are counted too.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ALERTED = sa.text("alert <> 'none'")
BATCH_TURNS = 1000

turn = sa.table(
    "turn",
    sa.column("call_id", ID),
    sa.column("seq", sa.Integer()),
    sa.column("alert", sa.String()),
    sa.column("judgement", JSON),
)


def upgrade() -> None:
    op.create_table(
        "verdict",
        sa.Column("id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("turn_seq", sa.Integer(), nullable=False),
        sa.Column("alert", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries", JSON, nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_verdict_call_id_call"),
        sa.PrimaryKeyConstraint("id", name="pk_verdict"),
    )
    op.create_index("ix_verdict_call_id_turn_seq_id", "verdict", ["call_id", "turn_seq", "id"])
    op.create_index("ix_verdict_verdict_at", "verdict", ["verdict", "at"])
    op.create_table(
        "correction",
        sa.Column("id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(length=64), nullable=False),
        sa.Column("details", JSON, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_correction_call_id_call"),
        sa.PrimaryKeyConstraint("id", name="pk_correction"),
    )
    op.create_index("ix_correction_call_id_question_id", "correction", ["call_id", "question", "id"])
    op.create_index(
        "ix_turn_alerted", "turn", ["call_id", "seq"], sqlite_where=ALERTED, postgresql_where=ALERTED
    )
    _name_the_entries()


def downgrade() -> None:
    # The lists in the turns stay: nobody reads them, and the words beside them say the same.
    op.drop_index("ix_turn_alerted", table_name="turn")
    op.drop_table("correction")
    op.drop_table("verdict")


def _name_the_entries() -> None:
    connection = op.get_bind()
    last = (0, -1)
    while True:
        rows = connection.execute(
            sa.select(turn.c.call_id, turn.c.seq, turn.c.judgement)
            .where(ALERTED, sa.tuple_(turn.c.call_id, turn.c.seq) > last)
            .order_by(turn.c.call_id, turn.c.seq)
            .limit(BATCH_TURNS)
        ).all()
        for call_id, seq, judgement in rows:
            if judgement and "entries" not in judgement:
                connection.execute(
                    sa.update(turn)
                    .where(turn.c.call_id == call_id, turn.c.seq == seq)
                    .values(judgement={**judgement, "entries": _entries(judgement)})
                )
        if len(rows) < BATCH_TURNS:
            return
        last = (rows[-1][0], rows[-1][1])


def _entries(judgement: dict[str, Any]) -> list[str]:
    """As ivr.understanding.precision.raised_by told it when this was written; a migration never changes."""
    rank = {"none": 0, "review": 1, "urgent": 2}
    found: list[tuple[str, int]] = []
    for reason in map(str, judgement.get("reasons") or ()):
        if reason.startswith(("heard as ", "hardly heard: ")) or reason == "confirmed by a question":
            continue
        if judged := re.fullmatch(r"(\S+): \w+ \w+ \w+ -> (none|review|urgent)", reason):
            found += [(judged[1], rank[judged[2]])] if rank[judged[2]] else []
        elif plea := re.fullmatch(r"(\S+): plea", reason):
            found.append((plea[1], 2))
        elif vote := re.match(r"opinion: (none|review|urgent) ", reason):
            found.append(("opinion", rank[vote[1]]))
        else:
            found.append((reason, 1))
    gravest = max((level for _, level in found), default=0)
    alarming = [(name, level) for name, level in found if name != "opinion" or level == gravest]
    wanted = rank.get(str(judgement.get("alert")), 0)
    grave = [name for name, level in alarming if level >= wanted]
    return list(dict.fromkeys(grave or [name for name, _ in alarming]))
