"""联系人电话: which calls went to a contact, which contacts are still to be called; first calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNTIMED = sa.text("next_attempt_at IS NULL")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    # No foreign key: SQLite would rebuild the table of all calls for it.
    op.add_column("call", sa.Column("contact_id", ID, nullable=True))
    op.create_table(
        "contact_call",
        sa.Column("id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("plan_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("passed", JSON, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("contact_id", ID, nullable=True),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name="fk_contact_call_elder_id_elder"),
        sa.ForeignKeyConstraint(["plan_id"], ["visit_plan.id"], name="fk_contact_call_plan_id_visit_plan"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_contact_call_case_id_case"),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name="fk_contact_call_call_id_call"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_call"),
        sa.UniqueConstraint("plan_id", "step", name="uq_contact_call_plan_id_step"),
    )
    op.create_index("ix_contact_call_status_next_attempt_at", "contact_call", ["status", "next_attempt_at"])
    op.create_index("ix_contact_call_elder_id", "contact_call", ["elder_id"])
    op.create_index("ix_contact_call_call_id", "contact_call", ["call_id"])
    op.create_index("ix_contact_call_contact_id", "contact_call", ["contact_id"])
    # Most first calls have a time now: those without one are found by themselves.
    op.create_index(
        "ix_visit_plan_untimed",
        "visit_plan",
        ["status", "due_until", "lot"],
        sqlite_where=UNTIMED,
        postgresql_where=UNTIMED,
    )


def downgrade() -> None:
    op.drop_index("ix_visit_plan_untimed", "visit_plan")
    op.drop_table("contact_call")
    op.drop_column("call", "contact_id")
