"""时间线: calls, records, cases, verdicts, consents and edits of one elder, a page at a time.

One query finds the keys of a page over all kinds, one more per kind fetches its rows: the number of
queries does not depend on how much there is. Also the newest record of many elders at once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import (
    AuditEntry,
    Call,
    Case,
    Consent,
    Verdict,
    VisitRecord,
)
from storage.model.timeline import Happening, TimelineKey
from storage.types import UtcDateTime

_SHAPES: tuple[Shape[Any], ...] = (
    Shape(Call, tables.call),
    Shape(VisitRecord, tables.visit_record),
    Shape(Case, tables.case),
    Shape(Verdict, tables.verdict),
    Shape(Consent, tables.consent),
    Shape(AuditEntry, tables.audit),
)
_record = Shape(VisitRecord, tables.visit_record)


class Timeline:
    def __init__(self, db: Db) -> None:
        self._db = db

    def page(self, elder_id: int, before: TimelineKey | None, limit: int) -> list[Happening]:
        """Newest first."""
        parts = [
            self._keys(kind, moment, which, shape.table, before, limit)
            for kind, (shape, (moment, which)) in enumerate(
                zip(_SHAPES, _moments(elder_id), strict=True), start=1
            )
        ]
        keys = sa.union_all(*parts).subquery()
        columns = (keys.c.at, keys.c.kind, keys.c.id)
        statement = sa.select(*columns).order_by(*(each.desc() for each in columns)).limit(limit)
        found = [(row[0], int(row[1]), int(row[2])) for row in self._db.rows(statement)]
        kinds = {kind for _, kind, _ in found}
        rows = {kind: self._rows(kind, [key[2] for key in found if key[1] == kind]) for kind in kinds}
        return [Happening(key[0], rows[key[1]][key[2]], key) for key in found]

    def newest_records(self, elder_ids: Collection[int]) -> dict[int, VisitRecord]:
        """By elder: one question for a whole page of rows."""
        if not elder_ids:
            return {}
        record = tables.visit_record.c
        place = sa.func.row_number().over(
            partition_by=record.elder_id, order_by=(record.visited_at.desc(), record.id.desc())
        )
        ranked = (
            sa.select(record.id, place.label("place"))
            .where(record.elder_id.in_(list(elder_ids)))
            .subquery("ranked")
        )
        statement = _record.select().join(ranked, ranked.c.id == record.id).where(ranked.c.place == 1)
        return {each.elder_id: each for each in self._db.all(_record, statement)}

    def _keys(
        self,
        kind: int,
        moment: sa.Column[Any],
        which: sa.ColumnElement[bool],
        table: sa.Table,
        before: TimelineKey | None,
        limit: int,
    ) -> sa.Select[Any]:
        """The newest of one kind that come after `before` on the page."""
        statement = sa.select(
            sa.type_coerce(moment, UtcDateTime).label("at"), sa.literal(kind).label("kind"), table.c.id
        )
        if kind == _VERDICT:
            statement = statement.join(tables.call, tables.call.c.id == tables.verdict.c.call_id)
        statement = statement.where(which)
        if before is not None:
            at, last_kind, last_id = before
            same = table.c.id < last_id if kind == last_kind else sa.literal(kind < last_kind)
            statement = statement.where(sa.or_(moment < at, sa.and_(moment == at, same)))
        newest = statement.order_by(moment.desc(), table.c.id.desc()).limit(limit).subquery()
        return sa.select(newest.c.at, newest.c.kind, newest.c.id)

    def _rows(self, kind: int, ids: list[int]) -> dict[int, Any]:
        shape = _SHAPES[kind - 1]
        return {
            each.id: each for each in self._db.all(shape, shape.select().where(shape.table.c.id.in_(ids)))
        }


_VERDICT = 4


def _moments(elder_id: int) -> tuple[tuple[sa.Column[Any], sa.ColumnElement[bool]], ...]:
    """When a row of each kind happened, and which are of this elder."""
    call, record, case = tables.call.c, tables.visit_record.c, tables.case.c
    consent, audit, verdict = tables.consent.c, tables.audit.c, tables.verdict.c
    return (
        (call.intended_at, call.elder_id == elder_id),
        (record.visited_at, record.elder_id == elder_id),
        (case.opened_at, case.elder_id == elder_id),
        (verdict.at, call.elder_id == elder_id),
        (consent.at, consent.elder_id == elder_id),
        # Consents are rows of their own; their audit would tell them twice.
        (audit.at, sa.and_(audit.subject == f"elder:{elder_id}", audit.kind.not_like("consent.%"))),
    )
