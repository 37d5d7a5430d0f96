"""Counts for the first page and the live marks: each one set-based question."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db
from storage.model.overview import CaseCounts, Load, Marks
from storage.repository_areas import subtree
from xunfang.vocabulary import CallDisposition, DiallerState, PlanStatus, Priority

COUNTED_AT_MOST = 1000
GIVEN_UP = timedelta(days=365)  # a next attempt so far away never comes (visits.notices.NEVER)


class Overview:
    def __init__(self, db: Db) -> None:
        self._db = db

    def plans_now(self, now: datetime, area_id: int | None = None) -> dict[PlanStatus, int]:
        """Plans whose period runs now, by status. `area_id`: this area and everything below it."""
        plan = tables.visit_plan.c
        statement = (
            sa.select(plan.status, sa.func.count())
            .where(plan.due_from <= now, plan.due_until > now)
            .group_by(plan.status)
        )
        return {row[0]: row[1] for row in self._db.rows(_inside(statement, plan.elder_id, area_id))}

    def calls_between(
        self, start: datetime, end: datetime, area_id: int | None = None
    ) -> dict[CallDisposition | None, int]:
        """Calls to and from elders by why they ended; None: still live."""
        call = tables.call.c
        statement = (
            sa.select(call.disposition, sa.func.count())
            .where(call.intended_at >= start, call.intended_at < end, call.contact_id.is_(None))
            .group_by(call.disposition)
        )
        return {row[0]: row[1] for row in self._db.rows(_inside(statement, call.elder_id, area_id))}

    def cases(self, now: datetime, area_id: int | None = None) -> CaseCounts:
        case = tables.case.c

        def how_many(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
            return sa.func.coalesce(sa.func.sum(sa.case((which, 1), else_=0)), 0)

        statement = sa.select(
            sa.func.count(),
            how_many(case.priority == Priority.URGENT),
            how_many(case.deadline < now),
            how_many(case.visitor_id.is_(None)),
        ).where(case.closed_at.is_(None))
        row = self._db.row(_inside(statement, case.elder_id, area_id))
        assert row is not None
        return CaseCounts(*(int(count) for count in row))

    def load(self, now: datetime) -> Load:
        """One statement over partial indexes."""
        call, case, review, notice = tables.call.c, tables.case.c, tables.review.c, tables.notice.c
        waiting, never = notice.sent_at.is_(None), now + GIVEN_UP

        def to_limit(some: sa.Select[Any]) -> sa.ScalarSelect[int]:
            return (
                sa.select(sa.func.count())
                .select_from(some.limit(COUNTED_AT_MOST).subquery())
                .scalar_subquery()
            )

        def unsent(*which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
            return to_limit(sa.select(notice.id).where(waiting, *which))

        row = self._db.row(
            sa.select(
                sa.select(sa.func.count()).where(call.ended_at.is_(None)).scalar_subquery(),
                to_limit(sa.select(review.call_id).where(review.done_at.is_(None))),
                sa.select(sa.func.min(review.flagged_at)).where(review.done_at.is_(None)).scalar_subquery(),
                sa.select(sa.func.min(case.opened_at)).where(case.closed_at.is_(None)).scalar_subquery(),
                unsent(notice.next_at <= now),
                unsent(notice.next_at > now, notice.next_at <= never),
                unsent(notice.next_at > never),
            )
        )
        assert row is not None
        return Load(*row)

    def marks(self) -> Marks:
        """Ends of indexes only, and the turns of live calls: asked every second by one thread."""
        call, turn, case = tables.call.c, tables.turn.c, tables.case.c
        dialler, incoming = tables.dialler.c, tables.incoming.c
        present = dialler.state != DiallerState.GONE

        def of_fleet(number: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
            return sa.select(number).where(present).scalar_subquery()

        row = self._db.row(
            sa.select(
                sa.select(sa.func.max(call.id)).scalar_subquery(),
                sa.select(sa.func.count()).where(call.ended_at.is_(None)).scalar_subquery(),
                sa.select(sa.func.count())
                .select_from(tables.turn.join(tables.call, call.id == turn.call_id))
                .where(call.ended_at.is_(None))
                .scalar_subquery(),
                sa.select(sa.func.max(case.id)).scalar_subquery(),
                sa.select(sa.func.max(tables.audit.c.id)).scalar_subquery(),
                of_fleet(sa.func.sum(dialler.id)),
                of_fleet(sa.func.sum(dialler.live)),
                of_fleet(sa.func.sum(sa.case((dialler.breaker == "closed", 0), else_=dialler.id))),
                sa.select(sa.func.max(incoming.id)).scalar_subquery(),
            )
        )
        assert row is not None
        return Marks(
            calls=f"{row[0]}.{row[1]}",
            turns=str(row[2]),
            cases=f"{row[3]}.{row[4]}",
            fleet=f"{row[5]}.{row[6]}.{row[7]}",
            callers=str(row[8]),
        )


def _inside(
    statement: sa.Select[*tuple[Any, ...]], elder_id: sa.ColumnElement[int], area_id: int | None
) -> sa.Select[*tuple[Any, ...]]:
    """Only rows about elders of an area."""
    if area_id is None:
        return statement
    elder = tables.elder.c
    return statement.join(tables.elder, elder.id == elder_id).where(
        elder.area_id.in_(sa.select(subtree(area_id).c.id))
    )
