"""Areas (县、乡镇、村) and visitors (巡访员)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Area, Visitor

VILLAGE = "village"

_area = Shape(Area, tables.area)
_visitor = Shape(Visitor, tables.visitor)


def subtree(area_id: int) -> sa.CTE:
    """The ids of an area and of everything below it."""
    tree = sa.select(tables.area.c.id).where(tables.area.c.id == area_id).cte("subtree", recursive=True)
    return tree.union_all(sa.select(tables.area.c.id).join(tree, tables.area.c.parent_id == tree.c.id))


def _path() -> sa.Select[Any]:
    """From the county down to the area `of`."""
    area = tables.area
    up = (
        sa.select(area.c.id, area.c.parent_id, sa.literal(0).label("depth"))
        .where(area.c.id == sa.bindparam("of"))
        .cte("up", recursive=True)
    )
    up = up.union_all(
        sa.select(area.c.id, area.c.parent_id, up.c.depth + 1).join(up, area.c.id == up.c.parent_id)
    )
    return _area.select().join(up, up.c.id == area.c.id).order_by(up.c.depth.desc())


_PATH = _path()


class Areas:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self, *, code: str, name: str, level: str, parent_id: int | None = None, phone: str | None = None
    ) -> Area:
        """level: county | township | village. Two areas never share a code."""
        values = {"code": code, "name": name, "level": level, "parent_id": parent_id, "phone": phone}
        return self._db.add(_area, values)

    def get(self, id: int) -> Area | None:
        return self._db.one(_area, _area.select().where(tables.area.c.id == id))

    def named(self, ids: Iterable[int]) -> dict[int, Area]:
        """One question for a whole page of rows."""
        wanted = sorted(set(ids))
        found = self._db.all(_area, _area.select().where(tables.area.c.id.in_(wanted))) if wanted else []
        return {area.id: area for area in found}

    def by_code(self, code: str) -> Area | None:
        return self._db.one(_area, _area.select().where(tables.area.c.code == code))

    def children(self, id: int | None, after_id: int = 0, limit: int = 1000) -> list[Area]:
        """`None`: the roots, i.e. the counties."""
        area = tables.area.c
        below = area.parent_id.is_(None) if id is None else area.parent_id == id
        return self._db.all(
            _area, _area.select().where(below, area.id > after_id).order_by(area.id).limit(limit)
        )

    def path(self, id: int) -> list[Area]:
        """From the county down to this area; empty when there is no such area."""
        return self._db.all(_area, _PATH, {"of": id})

    def below(self, id: int) -> tuple[int, ...]:
        """The ids of an area and of everything below it."""
        return tuple(int(row[0]) for row in self._db.rows(sa.select(subtree(id).c.id)))

    def villages(self, id: int | None, limit: int) -> list[tuple[Area, str]]:
        """The villages of an area (None: all) by code, each with the name of what it lies in."""
        area, above = tables.area, tables.area.alias("above")
        statement = (
            sa.select(*_area.columns, sa.func.coalesce(above.c.name, ""))
            .outerjoin(above, above.c.id == area.c.parent_id)
            .where(area.c.level == VILLAGE)
        )
        if id is not None:
            statement = statement.where(area.c.id.in_(sa.select(subtree(id).c.id)))
        rows = self._db.rows(statement.order_by(area.c.code).limit(limit))
        return [(Area(*row[:-1]), row[-1]) for row in rows]

    def village_of(self, area_id: int) -> Area | None:
        """The village that an area is or lies in; None for a township or county."""
        return next((area for area in reversed(self.path(area_id)) if area.level == VILLAGE), None)


class Visitors:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        *,
        name: str,
        kind: str = "village",
        phone: str = "",
        area_id: int | None = None,
        elder_id: int | None = None,
        active: bool = True,
    ) -> Visitor:
        values: dict[str, Any] = {
            "name": name,
            "kind": kind,
            "phone": phone,
            "phone_index": self._db.vault.phone_index(phone),
            "area_id": area_id,
            "elder_id": elder_id,
            "active": active,
        }
        return self._db.add(_visitor, values)

    def get(self, id: int) -> Visitor | None:
        return self._db.one(_visitor, _visitor.by("id"), {"id": id})

    def for_elder(self, elder_id: int) -> list[Visitor]:
        """Active visitors of this one elder: children, relatives, neighbours."""
        return self._active(tables.visitor.c.elder_id == elder_id)

    def for_area(self, area_id: int) -> list[Visitor]:
        """Active visitors of exactly this area (not of one elder in it)."""
        return self._active(tables.visitor.c.area_id == area_id, tables.visitor.c.elder_id.is_(None))

    def _active(self, *which: sa.ColumnElement[bool]) -> list[Visitor]:
        visitor = tables.visitor.c
        return self._db.all(
            _visitor, _visitor.select().where(visitor.active.is_(True), *which).order_by(visitor.id)
        )
