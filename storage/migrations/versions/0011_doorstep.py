"""The visitor at the door: plates, forms, photos, time-bank points."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _plates()
    _doorstep()


def downgrade() -> None:
    for table in ("point", "door_photo", "door_form", "door_entry", "elder_place", "plate"):
        op.drop_table(table)


# ---- door plates -----------------------------------------------------------------------------------


def _plates() -> None:
    op.create_table(
        "plate",
        sa.Column("id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_plate_elder_id_elder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plate")),
    )
    op.create_index(op.f("ix_plate_elder_id_id"), "plate", ["elder_id", "id"], unique=False)
    valid = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_plate_valid", "plate", ["elder_id"], unique=True, sqlite_where=valid, postgresql_where=valid
    )


# ---- visits at the door ----------------------------------------------------------------------------


def _doorstep() -> None:
    op.create_table(
        "elder_place",
        sa.Column("elder_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_elder_place_elder_id_elder")),
        sa.PrimaryKeyConstraint("elder_id", name=op.f("pk_elder_place")),
    )
    op.create_table(
        "door_entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("visitor_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("scanned", sa.Boolean(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_door_entry_case_id_case")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_door_entry_elder_id_elder")),
        sa.ForeignKeyConstraint(
            ["visitor_id"], ["visitor.id"], name=op.f("fk_door_entry_visitor_id_visitor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_entry")),
    )
    _index("door_entry", "case_id", "id")
    _index("door_entry", "elder_id")
    op.create_table(
        "door_form",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("visitor_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("elder_id", ID, nullable=False),
        sa.Column("record_id", ID, nullable=True),
        sa.Column("entry_id", ID, nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("filled_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("corrections", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitor.id"], name=op.f("fk_door_form_visitor_id_visitor")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_door_form_case_id_case")),
        sa.ForeignKeyConstraint(["elder_id"], ["elder.id"], name=op.f("fk_door_form_elder_id_elder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_form")),
        sa.UniqueConstraint("visitor_id", "key", name=op.f("uq_door_form_visitor_id_key")),
    )
    _index("door_form", "case_id")
    _index("door_form", "elder_id")
    op.create_table(
        "door_photo",
        sa.Column("id", ID, nullable=False),
        sa.Column("form_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["door_form.id"], name=op.f("fk_door_photo_form_id_door_form")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_photo")),
    )
    _index("door_photo", "form_id")
    op.create_table(
        "point",
        sa.Column("id", ID, nullable=False),
        sa.Column("visitor_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitor.id"], name=op.f("fk_point_visitor_id_visitor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point")),
        sa.UniqueConstraint("source", name=op.f("uq_point_source")),
    )
    _index("point", "visitor_id", "id")
    _index("point", "visitor_id", "at")


def _index(table: str, *columns: str) -> None:
    name = op.f(f"ix_{table}_{'_'.join(columns)}")
    op.create_index(name, table, list(columns), unique=False)
