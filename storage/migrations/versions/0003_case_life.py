"""The life of a case: since when it is as it is, who was asked, who was rung, when to look again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
STILL_OPEN = sa.text("closed_at IS NULL")
NEW = (
    ("since", sa.DateTime(timezone=True)),
    ("level", sa.String(length=32)),
    ("level_since", sa.DateTime(timezone=True)),
    ("reminded_at", sa.DateTime(timezone=True)),
    ("asked", JSON),
    ("visited_at", sa.DateTime(timezone=True)),
    ("referred_to", sa.String(length=32)),
    ("report_category", sa.String(length=32)),
    ("next_look_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    # Plain ADD COLUMN: rebuilding the table (batch mode) would copy the whole queue for nothing.
    for name, kind in NEW:
        op.add_column("case", sa.Column(name, kind, nullable=True))
    case = sa.table("case", sa.column("opened_at"), sa.column("closed_at"), sa.column("next_look_at"))
    op.execute(
        sa.update(case).where(case.c.closed_at.is_(None)).values(next_look_at=case.c.opened_at)
    )  # the cases that are open already are not forgotten by the reminders
    op.create_index(
        "ix_case_look",
        "case",
        ["next_look_at", "id"],
        unique=False,
        sqlite_where=STILL_OPEN,
        postgresql_where=STILL_OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_case_look", table_name="case")
    for name, _ in reversed(NEW):
        op.drop_column("case", name)
