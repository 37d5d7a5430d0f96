"""Visits at the door: entries, forms, photos, places of houses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import FOREVER, Db, Shape
from storage.model import Case, DoorCase, DoorEntry, DoorForm, DoorPhoto, DoorRow
from storage.repository_areas import subtree
from xunfang.vocabulary import DoorOutcome, DoorPhotoKind

_case = Shape(Case, tables.case)
_entry = Shape(DoorEntry, tables.door_entry)
_form = Shape(DoorForm, tables.door_form)
_photo = Shape(DoorPhoto, tables.door_photo)
CaseKey = tuple[Any, ...]  # priority, deadline, id


class Doorstep:
    def __init__(self, db: Db) -> None:
        self._db = db

    # ---- a visitor's list ----

    def cases_of(self, visitor_id: int, limit: int, after: CaseKey | None = None) -> list[DoorCase]:
        """Open cases this visitor is to go for, urgent first: one question."""
        case, elder, area = tables.case, tables.elder, tables.area
        mine = case.c.visitor_id == visitor_id
        statement = (
            sa.select(*_case.columns, elder.c.name, elder.c.sex, elder.c.address, area.c.name)
            .join(elder, elder.c.id == case.c.elder_id)
            .outerjoin(area, area.c.id == elder.c.area_id)
            .join(tables.visitor, tables.visitor.c.id == case.c.visitor_id)
            .where(mine, case.c.closed_at.is_(None))
            # Children see their own elder only, whatever was assigned by mistake.
            .where(sa.func.coalesce(tables.visitor.c.elder_id, case.c.elder_id) == case.c.elder_id)
        )
        if after is not None:
            columns = (case.c.priority, case.c.deadline, case.c.id)
            last = [
                sa.bindparam(column.name, value, type_=column.type)
                for column, value in zip(columns, after, strict=True)
            ]
            statement = statement.where(sa.tuple_(*columns) > sa.tuple_(*last))
        rows = self._db.rows(statement.order_by(case.c.priority, case.c.deadline, case.c.id).limit(limit))
        width = len(_case.columns)
        return [
            DoorCase(Case(*row[:width]), row[width], row[width + 1], row[width + 2], row[width + 3] or "")
            for row in rows
        ]

    # ---- where the house stands ----

    def place(self, elder_id: int) -> tuple[float, float] | None:
        """Latitude and longitude in degrees; None: not known."""
        place = tables.elder_place.c
        row = self._db.row(sa.select(place.position).where(place.elder_id == elder_id))
        if row is None:
            return None
        latitude, _, longitude = row[0].partition(",")
        return float(latitude), float(longitude)

    def set_place(self, elder_id: int, latitude: float, longitude: float, by: str, at: datetime) -> None:
        table = tables.elder_place
        position = f"{latitude:.6f},{longitude:.6f}"
        new = self._db.insert(table).values(elder_id=elder_id, position=position, by=by, at=at)
        changes = {name: new.excluded[name] for name in ("position", "by", "at")}
        self._db.change(new.on_conflict_do_update(index_elements=[table.c.elder_id], set_=changes))

    def forget_place(self, elder_id: int) -> bool:
        place = tables.elder_place
        return self._db.change(sa.delete(place).where(place.c.elder_id == elder_id)) == 1

    # ---- entries ----

    def enter(
        self,
        *,
        case_id: int,
        elder_id: int,
        visitor_id: int,
        at: datetime,
        scanned: bool,
        distance_m: int | None,
        why: str,
    ) -> DoorEntry:
        values: dict[str, Any] = {
            "case_id": case_id,
            "elder_id": elder_id,
            "visitor_id": visitor_id,
            "at": at,
            "scanned": scanned,
            "distance_m": distance_m,
            "why": why,
        }
        return self._db.add(_entry, values)

    def entry(self, case_id: int, visitor_id: int, since: datetime) -> DoorEntry | None:
        """The last of this visitor for this case."""
        entry = tables.door_entry.c
        return self._db.one(
            _entry,
            _entry.select()
            .where(entry.case_id == case_id, entry.visitor_id == visitor_id, entry.at >= since)
            .order_by(entry.id.desc())
            .limit(1),
        )

    # ---- forms ----

    def receive(
        self,
        *,
        key: str,
        visitor_id: int,
        case_id: int,
        elder_id: int,
        outcome: DoorOutcome,
        filled_at: datetime,
        received_at: datetime,
        note: str,
        corrections: Mapping[str, Any],
    ) -> DoorForm | None:
        """None: this visitor's form of this key is here already (a second sender waits for the first)."""
        table = tables.door_form
        values: dict[str, Any] = {
            "key": key,
            "visitor_id": visitor_id,
            "case_id": case_id,
            "elder_id": elder_id,
            "outcome": outcome,
            "filled_at": filled_at,
            "received_at": received_at,
            "note": note,
            "corrections": json.dumps(dict(corrections), ensure_ascii=False),
            "said": "",
            "points": 0,
        }
        row = self._db.row(
            self._db.insert(table)
            .values(**values)
            .on_conflict_do_nothing(index_elements=[table.c.visitor_id, table.c.key])
            .returning(*_form.columns)
        )
        return None if row is None else _form_of(row)

    def finish(self, form: DoorForm) -> None:
        """What came of it, in the transaction that received it."""
        table = tables.door_form
        values = {
            name: getattr(form, name) for name in ("record_id", "entry_id", "outcome", "said", "points")
        }
        self._db.change(sa.update(table).where(table.c.id == form.id).values(**values))

    def form(self, id: int) -> DoorForm | None:
        row = self._db.row(_form.select().where(tables.door_form.c.id == id))
        return None if row is None else _form_of(row)

    def form_of_key(self, visitor_id: int, key: str) -> DoorForm | None:
        form = tables.door_form.c
        row = self._db.row(_form.select().where(form.visitor_id == visitor_id, form.key == key))
        return None if row is None else _form_of(row)

    def forms_of_case(self, case_id: int) -> list[DoorForm]:
        form = tables.door_form.c
        rows = self._db.rows(_form.select().where(form.case_id == case_id).order_by(form.id))
        return [_form_of(row) for row in rows]

    def forms(
        self, limit: int, before_id: int = FOREVER, area_id: int | None = None, unscanned: bool = False
    ) -> list[DoorRow]:
        """Newest first: one question. `unscanned`: only those opened without the plate at the door."""
        form, elder, area = tables.door_form, tables.elder, tables.area
        visitor, entry = tables.visitor, tables.door_entry
        statement = (
            sa.select(
                *_form.columns,
                elder.c.name,
                elder.c.sex,
                area.c.name,
                visitor.c.name,
                entry.c.scanned,
                entry.c.distance_m,
                entry.c.why,
            )
            .join(elder, elder.c.id == form.c.elder_id)
            .outerjoin(area, area.c.id == elder.c.area_id)
            .join(visitor, visitor.c.id == form.c.visitor_id)
            .outerjoin(entry, entry.c.id == form.c.entry_id)
            .where(form.c.id < before_id)
        )
        if area_id is not None:
            statement = statement.where(elder.c.area_id.in_(sa.select(subtree(area_id).c.id)))
        if unscanned:
            statement = statement.where(entry.c.scanned.is_not(True))
        width = len(_form.columns)
        return [
            DoorRow(
                form=_form_of(row[:width]),
                name=row[width],
                sex=row[width + 1],
                area=row[width + 2] or "",
                visitor=row[width + 3],
                scanned=row[width + 4],
                distance_m=row[width + 5],
                why=row[width + 6] or "",
            )
            for row in self._db.rows(statement.order_by(form.c.id.desc()).limit(limit))
        ]

    # ---- photos ----

    def add_photo(
        self, *, form_id: int, kind: DoorPhotoKind, file: str, secret: str, bytes: int
    ) -> DoorPhoto:
        values = {"form_id": form_id, "kind": kind, "file": file, "secret": secret, "bytes": bytes}
        return self._db.add(_photo, values)

    def photo(self, id: int) -> DoorPhoto | None:
        return self._db.one(_photo, _photo.select().where(tables.door_photo.c.id == id))

    def photos_of(self, form_id: int) -> list[DoorPhoto]:
        photo = tables.door_photo.c
        return self._db.all(_photo, _photo.select().where(photo.form_id == form_id).order_by(photo.id))

    def photos_of_elder(self, elder_id: int) -> list[DoorPhoto]:
        """For the rights of the elder: whose files must go when the rows go."""
        photo, form = tables.door_photo.c, tables.door_form.c
        return self._db.all(
            _photo,
            _photo.select()
            .join(tables.door_form, form.id == photo.form_id)
            .where(form.elder_id == elder_id)
            .order_by(photo.id),
        )


def _form_of(row: Any) -> DoorForm:
    values = dict(zip(_form.names, row, strict=True))
    return DoorForm(**values | {"corrections": json.loads(values["corrections"] or "{}")})
