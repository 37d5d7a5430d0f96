"""Lists for machines (API): newest first, by id, of one area with everything below it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from storage import tables
from storage.db import FOREVER, Db, Shape
from storage.model import Call, VisitPlan, VisitRecord
from storage.repository_areas import subtree
from xunfang.vocabulary import Alert, CallDisposition, PlanStatus

_call = Shape(Call, tables.call)
_plan = Shape(VisitPlan, tables.visit_plan)
_record = Shape(VisitRecord, tables.visit_record)
Condition = sa.ColumnElement[bool]


class Lists:
    def __init__(self, db: Db) -> None:
        self._db = db

    def calls(
        self,
        area_id: int | None,
        limit: int,
        before_id: int = FOREVER,
        *,
        elder_id: int | None = None,
        since: datetime | None = None,
        disposition: CallDisposition | None = None,
        alert: Alert | None = None,
    ) -> list[Call]:
        call = tables.call.c
        which = [call.id < before_id, *_of(call.elder_id, area_id, elder_id)]
        which += [call.intended_at >= since] if since is not None else []
        which += [call.disposition == disposition] if disposition is not None else []
        which += [call.alert == alert] if alert is not None else []
        return self._db.all(_call, _call.select().where(*which).order_by(call.id.desc()).limit(limit))

    def plans(
        self,
        area_id: int | None,
        limit: int,
        before_id: int = FOREVER,
        *,
        elder_id: int | None = None,
        status: PlanStatus | None = None,
        period: str = "",
    ) -> list[VisitPlan]:
        plan = tables.visit_plan.c
        which = [plan.id < before_id, *_of(plan.elder_id, area_id, elder_id)]
        which += [plan.status == status] if status is not None else []
        which += [plan.period == period] if period else []
        return self._db.all(_plan, _plan.select().where(*which).order_by(plan.id.desc()).limit(limit))

    def records(
        self,
        area_id: int | None,
        limit: int,
        before_id: int = FOREVER,
        *,
        elder_id: int | None = None,
        since: datetime | None = None,
    ) -> list[VisitRecord]:
        record = tables.visit_record.c
        which = [record.id < before_id, *_of(record.elder_id, area_id, elder_id)]
        which += [record.visited_at >= since] if since is not None else []
        return self._db.all(_record, _record.select().where(*which).order_by(record.id.desc()).limit(limit))


def _of(column: sa.ColumnElement[int], area_id: int | None, elder_id: int | None) -> Iterable[Condition]:
    if elder_id is not None:
        yield column == elder_id
    if area_id is not None:
        elder = tables.elder.c
        yield column.in_(sa.select(elder.id).where(elder.area_id.in_(sa.select(subtree(area_id).c.id))))
