"""时间银行: the ledger of points."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from storage import tables
from storage.db import FOREVER, Db, Shape
from storage.model import Point, PointSum
from storage.repository_areas import subtree
from xunfang.vocabulary import PointKind

_point = Shape(Point, tables.point)


class Points:
    """时间银行. Only ever added to: what was wrong is reversed by an entry of its own."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        *,
        visitor_id: int,
        at: datetime,
        points: int,
        kind: PointKind,
        why: str,
        source: str,
        by: str,
    ) -> Point | None:
        """None: this source was counted already."""
        table = tables.point
        row = self._db.row(
            self._db.insert(table)
            .values(visitor_id=visitor_id, at=at, points=points, kind=kind, why=why, source=source, by=by)
            .on_conflict_do_nothing(index_elements=[table.c.source])
            .returning(*_point.columns)
        )
        return None if row is None else _point.of(row)

    def one_at_a_time(self, visitor_id: int) -> None:
        """Until the transaction ends: so that two visits of one day both see the day's cap."""
        visitor = tables.visitor.c
        self._db.row(sa.select(visitor.id).where(visitor.id == visitor_id).with_for_update())

    def get(self, id: int) -> Point | None:
        return self._db.one(_point, _point.select().where(tables.point.c.id == id))

    def total(self, visitor_id: int, since: datetime | None = None, until: datetime | None = None) -> int:
        """`since` inclusive, `until` exclusive; without them: the balance."""
        point = tables.point.c
        statement = sa.select(sa.func.coalesce(sa.func.sum(point.points), 0))
        statement = statement.where(point.visitor_id == visitor_id)
        if since is not None:
            statement = statement.where(point.at >= since)
        if until is not None:
            statement = statement.where(point.at < until)
        row = self._db.row(statement)
        assert row is not None
        return int(row[0])

    def of(self, visitor_id: int, limit: int, before_id: int = FOREVER) -> list[Point]:
        """Newest first."""
        point = tables.point.c
        return self._db.all(
            _point,
            _point.select()
            .where(point.visitor_id == visitor_id, point.id < before_id)
            .order_by(point.id.desc())
            .limit(limit),
        )

    def reversed(self, ids: Iterable[int]) -> set[int]:
        """Those of these entries that were reversed."""
        sources = {f"reversal:{id}": id for id in ids}
        if not sources:
            return set()
        rows = self._db.rows(sa.select(tables.point.c.source).where(tables.point.c.source.in_(sources)))
        return {sources[row[0]] for row in rows}

    def sums(self, limit: int, after_id: int = 0, area_id: int | None = None) -> list[PointSum]:
        """Balance of each visitor who ever earned any, by id: one question."""
        point, visitor, area = tables.point, tables.visitor, tables.area
        net = sa.case((point.c.kind == PointKind.VISIT, 1), else_=-1)
        statement = (
            sa.select(
                visitor.c.id,
                visitor.c.name,
                visitor.c.kind,
                area.c.name,
                sa.func.sum(net),
                sa.func.sum(point.c.points),
            )
            .join(point, point.c.visitor_id == visitor.c.id)
            .outerjoin(area, area.c.id == visitor.c.area_id)
            .where(visitor.c.id > after_id)
            .group_by(visitor.c.id, visitor.c.name, visitor.c.kind, area.c.name)
        )
        if area_id is not None:
            statement = statement.where(visitor.c.area_id.in_(sa.select(subtree(area_id).c.id)))
        rows = self._db.rows(statement.order_by(visitor.c.id).limit(limit))
        return [PointSum(row[0], row[1], row[2], row[3] or "", int(row[4]), int(row[5])) for row in rows]
