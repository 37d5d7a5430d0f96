"""探访情况: the official form of each visit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage import tables
from storage.db import Db, Shape
from storage.model import VisitRecord
from xunfang.vocabulary import Risk, VisitMode

_record = Shape(VisitRecord, tables.visit_record)


@cache
def _putting(dialect: str) -> sa.Executable:
    """Of each engine, built once."""
    new = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(tables.visit_record)
    changes: dict[str, Any] = {name: new.excluded[name] for name in _record.names if name != "id"}
    new = new.on_conflict_do_update(index_elements=[tables.visit_record.c.call_id], set_=changes)
    return new.returning(*_record.columns)


class Records:
    def __init__(self, db: Db) -> None:
        self._db = db

    def put(
        self,
        *,
        elder_id: int,
        plan_id: int | None,
        call_id: int | None,
        mode: VisitMode,
        visited_at: datetime,
        fields: Mapping[str, Any],
        risk: Risk = Risk.NORMAL,
        reasons: Iterable[str] = (),
    ) -> VisitRecord:
        """One per call: settling a call twice rewrites its record. Without a call: always a new one."""
        values = {
            "elder_id": elder_id,
            "plan_id": plan_id,
            "call_id": call_id,
            "mode": mode,
            "visited_at": visited_at,
            "fields": dict(fields),
            "risk": risk,
            "reasons": tuple(reasons),
        }
        row = self._db.row(_putting(self._db.dialect), values)
        assert row is not None
        return _record.of(row)

    def get(self, id: int) -> VisitRecord | None:
        return self._db.one(_record, _record.select().where(tables.visit_record.c.id == id))

    def of_call(self, call_id: int) -> VisitRecord | None:
        return self._db.one(_record, _record.select().where(tables.visit_record.c.call_id == call_id))

    def latest(self, elder_id: int, before: datetime | None = None) -> VisitRecord | None:
        """The baseline: the newest record, or the newest strictly before a moment."""
        found = self.of_elder(elder_id, limit=1, before=before)
        return found[0] if found else None

    def of_elder(self, elder_id: int, limit: int = 100, before: datetime | None = None) -> list[VisitRecord]:
        """Newest first."""
        values = {"elder": elder_id, "most": limit, "before": before}
        return self._db.all(_record, _LATEST if before is None else _EARLIER, values)


_LATEST = (
    _record.select()
    .where(tables.visit_record.c.elder_id == sa.bindparam("elder"))
    .order_by(tables.visit_record.c.visited_at.desc(), tables.visit_record.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_EARLIER = _LATEST.where(tables.visit_record.c.visited_at < sa.bindparam("before"))
