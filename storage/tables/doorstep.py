"""Visits at the door: who opened a record where, the forms that came in, their photos, 时间银行 points."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table

from storage.tables.base import metadata, ref, row_id
from storage.types import ID, Encrypted, UtcDateTime, Word
from xunfang.vocabulary import DoorOutcome, DoorPhotoKind, PointKind

# Where a house stands, "latitude,longitude". Beside the elder, because only the door reads it.
elder_place = Table(
    "elder_place",
    metadata,
    Column("elder_id", ID, ForeignKey("elder.id"), primary_key=True, autoincrement=False),
    Column("position", Encrypted, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(64), nullable=False),
)


door_entry = Table(
    "door_entry",
    metadata,
    row_id(),
    ref("case_id", "case", nullable=False),
    ref("elder_id", "elder", nullable=False),
    ref("visitor_id", "visitor", nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("scanned", Boolean, nullable=False),
    Column("distance_m", Integer),  # from the known place of the house
    Column("why", Encrypted, nullable=False),  # not by the plate, or not near it
    Index(None, "case_id", "id"),
    Index(None, "elder_id"),
)


door_form = Table(
    "door_form",
    metadata,
    row_id(),
    Column("key", String(64), nullable=False),  # made on the telephone: a form sent twice is one form
    ref("visitor_id", "visitor", nullable=False),
    ref("case_id", "case", nullable=False),
    ref("elder_id", "elder", nullable=False),
    Column("record_id", ID),  # no foreign key: the record may be erased before the form
    Column("entry_id", ID),
    Column("outcome", Word(DoorOutcome), nullable=False),
    Column("filled_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("note", Encrypted, nullable=False),
    Column("corrections", Encrypted, nullable=False),  # JSON
    Column("said", Encrypted, nullable=False),  # the first answer: a form sent again gets it again
    Column("points", Integer, nullable=False),
    Column("erased_at", UtcDateTime),  # what was written; its photos too
    sa.UniqueConstraint("visitor_id", "key"),
    Index(None, "case_id"),
    Index(None, "elder_id"),
)


door_photo = Table(
    "door_photo",
    metadata,
    row_id(),
    ref("form_id", "door_form", nullable=False),
    Column("kind", Word(DoorPhotoKind), nullable=False),
    Column("file", String(64), nullable=False),
    Column("secret", Encrypted, nullable=False),  # of this one file: without the row it cannot be read
    Column("bytes", Integer, nullable=False),
    Index(None, "form_id"),
)


# Only ever added to. `source` names what each entry is for ("record:7", "reversal:3"): none counts twice.
point = Table(
    "point",
    metadata,
    row_id(),
    ref("visitor_id", "visitor", nullable=False),
    Column("at", UtcDateTime, nullable=False),  # of the visit
    Column("points", Integer, nullable=False),
    Column("kind", Word(PointKind), nullable=False),
    Column("why", Encrypted, nullable=False),
    Column("source", String(64), nullable=False, unique=True),
    Column("by", String(64), nullable=False),
    Index(None, "visitor_id", "id"),
    Index(None, "visitor_id", "at"),
)
