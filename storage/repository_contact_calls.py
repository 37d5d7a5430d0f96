"""联系人电话: the queue of contacts to be called. One row per visit and step, so that planning a call twice
changes nothing; every change is conditional, so that of two machines one dials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import ContactCall
from xunfang.vocabulary import PlanStatus

_shape = Shape(ContactCall, tables.contact_call)
_of = tables.contact_call.c
_DUE = (
    _shape.select()
    .where(_of.status == PlanStatus.WAITING, _of.next_attempt_at <= sa.bindparam("now"))
    .order_by(_of.next_attempt_at, _of.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_RESERVE = (
    sa.select(_of.id)
    .where(_of.id == sa.bindparam("of"), _of.status == PlanStatus.WAITING)
    .with_for_update(skip_locked=True)
)


class ContactCalls:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, row: ContactCall) -> bool:
        """False: this step of this visit is there already."""
        table = tables.contact_call
        new = self._db.insert(table).on_conflict_do_nothing(index_elements=[table.c.plan_id, table.c.step])
        return self._db.change_one(new.values(**_shape.values(row)))

    def due(self, now: datetime, limit: int) -> list[ContactCall]:
        """Longest waiting first."""
        return self._db.all(_shape, _DUE, {"now": now, "most": limit})

    def next_attempt(self) -> datetime | None:
        row = self._db.row(
            sa.select(sa.func.min(_of.next_attempt_at)).where(_of.status == PlanStatus.WAITING)
        )
        return None if row is None else row[0]

    def get(self, id: int) -> ContactCall | None:
        return self._db.one(_shape, _shape.by("id"), {"id": id})

    def of_call(self, call_id: int) -> ContactCall | None:
        return self._db.one(_shape, _shape.by("call_id"), {"call_id": call_id})

    def of_plan(self, plan_id: int) -> list[ContactCall]:
        return self._db.all(_shape, _shape.by("plan_id", order=("step",)), {"plan_id": plan_id})

    def ended_so(self, contact_ids: Sequence[int], outcome: str) -> set[int]:
        """Those of the contacts with whom a call ended with this outcome."""
        rows = self._db.rows(
            sa.select(_of.contact_id).where(_of.contact_id.in_(contact_ids), _of.outcome == outcome)
        )
        return {row[0] for row in rows}

    def reserve(self, id: int) -> bool:
        """Until this transaction ends nobody else decides about it; not waited for."""
        return self._db.row(_RESERVE, {"of": id}) is not None

    def change(self, seen: ContactCall, **becomes: object) -> bool:
        """Write these fields. False: it is no longer in the status that was seen."""
        return self._db.change_one(
            sa.update(tables.contact_call)
            .where(_of.id == seen.id, _of.status == seen.status)
            .values(**becomes)
        )
