"""What became of plans whose period is over (去向): so that it can be shown that nobody was lost.

One set-based question over a bounded span of time; the reason is the first of FATES that holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import VisitPlan
from storage.repository_planning import consent_now
from xunfang.vocabulary import ConsentPurpose, PlanStatus, VisitMode

HEARD, VISITED, CASE, PAUSED, REFUSED, LOST = "heard", "visited", "case", "paused", "refused", "lost"
FATES = (HEARD, VISITED, CASE, PAUSED, REFUSED, LOST)
AFTERWARDS = timedelta(days=2)  # a call that began in the period may end after it, as may its case

_plan = Shape(VisitPlan, tables.visit_plan)


@dataclass(frozen=True, slots=True)
class Fate:
    plan_id: int
    elder_id: int
    period: str
    mode: VisitMode
    fate: str


class Fates:
    def __init__(self, db: Db) -> None:
        self._db = db

    def of_ended(self, start: datetime, end: datetime) -> Counter[tuple[VisitMode, str]]:
        """Plans whose period ended in [start, end), by mode and fate. Ask when overdue plans are closed."""
        found = self._fates(start, end)
        rows = self._db.rows(
            sa.select(found.c.mode, found.c.fate, sa.func.count()).group_by(found.c.mode, found.c.fate)
        )
        return Counter({(row[0], row[1]): int(row[2]) for row in rows})

    def closed_by_elders(self) -> int:
        """Missed-call cases that closed because the elder rang back."""
        audit = tables.audit.c
        closed = sa.select(sa.func.count()).where(audit.kind == "case.close", audit.actor.like("elder:%"))
        row = self._db.row(closed)
        return 0 if row is None else int(row[0])

    def lost(self, start: datetime, end: datetime, limit: int = 100) -> list[Fate]:
        """Of these nobody can say why they were neither heard nor visited: must be empty."""
        found = self._fates(start, end)
        rows = self._db.rows(
            sa.select(found.c.id, found.c.elder_id, found.c.period, found.c.mode, found.c.fate)
            .where(found.c.fate == LOST)
            .order_by(found.c.id)
            .limit(limit)
        )
        return [Fate(*row) for row in rows]

    def at_home(self, now: datetime, after_id: int = 0, limit: int = 100) -> Sequence[VisitPlan]:
        """Plans of running periods that wait for a visit on site, by id."""
        plan = tables.visit_plan.c
        return self._db.all(
            _plan,
            _plan.select()
            .where(
                plan.status == PlanStatus.ON_SITE,
                plan.due_from <= now,
                plan.due_until > now,
                plan.id > after_id,
            )
            .order_by(plan.id)
            .limit(limit),
        )

    def _fates(self, start: datetime, end: datetime) -> sa.Subquery:
        plan, elder, record, case = tables.visit_plan, tables.elder, tables.visit_record, tables.case
        since, until = plan.c.due_from, sa.literal(end + AFTERWARDS, plan.c.due_until.type)

        def recorded(*how: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
            return (
                sa.select(sa.literal(1))
                .where(
                    record.c.elder_id == plan.c.elder_id,
                    record.c.visited_at >= since,
                    record.c.visited_at < until,
                    *how,
                )
                .correlate(plan)
                .exists()
            )

        # Open at any time since the period began: also one that was opened before and is not closed.
        with_case = (
            sa.select(sa.literal(1))
            .where(
                case.c.elder_id == plan.c.elder_id,
                case.c.opened_at < until,
                sa.or_(case.c.closed_at.is_(None), case.c.closed_at >= since),
            )
            .correlate(plan)
            .exists()
        )
        phone, on_site = (
            consent_now(each) for each in (ConsentPurpose.PHONE_VISIT, ConsentPurpose.ON_SITE_VISIT)
        )
        done = plan.c.status == PlanStatus.DONE
        fate = sa.case(
            (sa.and_(done, recorded(record.c.mode == VisitMode.PHONE)), HEARD),
            (sa.and_(done, recorded()), VISITED),
            (sa.and_(plan.c.status.in_((PlanStatus.DONE, PlanStatus.ESCALATED)), with_case), CASE),
            (sa.and_(plan.c.status == PlanStatus.PAUSED, elder.c.paused_until.is_not(None)), PAUSED),
            (sa.and_(plan.c.status == PlanStatus.PAUSED, phone.is_(False), on_site.is_(False)), REFUSED),
            (sa.and_(plan.c.status == PlanStatus.PAUSED, elder.c.active.is_(False)), PAUSED),
            else_=LOST,
        )
        ended: sa.Select[Any] = (
            sa.select(plan.c.id, plan.c.elder_id, plan.c.period, plan.c.mode, fate.label("fate"))
            .select_from(plan.join(elder, elder.c.id == plan.c.elder_id))
            .where(
                plan.c.status.in_(list(PlanStatus)),  # all: it lets the index on (status, due_until) be used
                plan.c.due_until >= start,
                plan.c.due_until < end,
            )
        )
        return ended.subquery()
