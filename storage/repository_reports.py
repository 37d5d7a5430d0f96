"""Counts for the indicators (指标), one set-based question per group, grouped by area.

What each number means stands in records.indicators and docs/indicators.md; a test recomputes all of them
in plain Python. Months are half-open [start, end) in UTC; `area_id` is an area with everything below it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.counting import Counts, by_word, counts, how_many, inside, ordinary, total
from storage.db import Db, Shape
from storage.model import Area
from storage.repository_areas import subtree
from storage.repository_coverage import Coverage
from xunfang.vocabulary import (
    Alert,
    CaseStep,
    Priority,
    ReviewVerdict,
)

ACCEPTED = f"case.{CaseStep.ACCEPT.value}"

_area = Shape(Area, tables.area)


class Reports:
    def __init__(self, db: Db) -> None:
        self._db = db

    def areas(self, area_id: int | None = None) -> list[Area]:
        statement = _area.select().order_by(tables.area.c.code)
        if area_id is not None:
            statement = statement.where(tables.area.c.id.in_(sa.select(subtree(area_id).c.id)))
        return self._db.all(_area, statement)

    def are_all(self, areas: Collection[Area]) -> bool:
        """Whether there is no other area."""
        row = self._db.row(sa.select(sa.func.count()).select_from(tables.area))
        return row is not None and int(row[0]) == len(areas)

    def records_of(self, elder_id: int) -> int:
        record = tables.visit_record.c
        row = self._db.row(sa.select(sa.func.count()).where(record.elder_id == elder_id))
        return 0 if row is None else int(row[0])

    def coverage(self, start: datetime, end: datetime, area_id: int | None = None) -> tuple[Counts, Counts]:
        """What became of each elder that had to be visited, and why of those that were paused."""
        return Coverage(self._db).counts(start, end, area_id)

    def ledger(self, start: datetime, end: datetime, area_id: int | None = None) -> Counts:
        """Active elders, and how many of them no ordinary plan covers in this month."""
        elder, plan = tables.elder, tables.visit_plan
        planned = (
            sa.select(sa.literal(1))
            .where(
                plan.c.elder_id == elder.c.id,
                plan.c.due_from < end,
                plan.c.due_until > start,
                *ordinary(plan),
            )
            .exists()
        )
        statement = (
            sa.select(elder.c.area_id, sa.func.count(), how_many(~planned))
            .where(elder.c.active.is_(True))
            .group_by(elder.c.area_id)
        )
        return counts(self._db, inside(statement, area_id), ("active", "unplanned"))

    def calls(self, start: datetime, end: datetime, area_id: int | None = None) -> Counts:
        """Calls that began in the month by why they ended; the name is the disposition."""
        call, elder = tables.call, tables.elder
        # By elder first: an elder is looked up once and not for each call (a third of the time).
        each = (
            sa.select(call.c.elder_id, call.c.disposition, sa.func.count().label("calls"))
            .where(call.c.intended_at >= start, call.c.intended_at < end, call.c.disposition.is_not(None))
            .where(call.c.contact_id.is_(None))
            .group_by(call.c.elder_id, call.c.disposition)
        )
        if area_id is not None:  # few elders of many
            each = inside(each.join(elder, elder.c.id == call.c.elder_id), area_id)
        of = each.subquery("of")
        statement = (
            sa.select(elder.c.area_id, of.c.disposition, total(of.c.calls))
            .select_from(of.join(elder, elder.c.id == of.c.elder_id))
            .group_by(elder.c.area_id, of.c.disposition)
        )
        return by_word(self._db, statement)

    def cases(self, start: datetime, end: datetime, now: datetime, area_id: int | None = None) -> Counts:
        """Cases opened in the month and how they stand now; urgent ones with their response times."""
        case, elder = tables.case, tables.elder
        audit = tables.audit
        accepted = (
            sa.select(sa.func.min(audit.c.at))
            .where(
                audit.c.subject == sa.literal("case:") + sa.cast(case.c.id, sa.String),
                audit.c.kind == ACCEPTED,
            )
            .scalar_subquery()
        )
        one = (
            sa.select(
                elder.c.area_id,
                case.c.closed_at,
                case.c.deadline,
                (case.c.priority == Priority.URGENT).label("urgent"),
                self._seconds(accepted, case.c.opened_at).label("accept_s"),
                self._seconds(case.c.visited_at, case.c.opened_at).label("visit_s"),
                (case.c.visited_at <= case.c.deadline).label("visited_in_time"),
            )
            .select_from(case.join(elder, elder.c.id == case.c.elder_id))
            .where(case.c.opened_at >= start, case.c.opened_at < end)
        )
        c = inside(one, area_id).subquery("one").c
        urgent = c.urgent.is_(True) if self._db.dialect != "sqlite" else c.urgent == 1
        seen = sa.and_(urgent, c.visit_s.is_not(None))
        statement = sa.select(
            c.area_id,
            sa.func.count(),
            how_many(sa.and_(c.closed_at.is_not(None), c.closed_at <= c.deadline)),
            how_many(sa.and_(c.closed_at.is_not(None), c.closed_at > c.deadline)),
            how_many(sa.and_(c.closed_at.is_(None), c.deadline < now)),
            how_many(sa.and_(c.closed_at.is_(None), c.deadline >= now)),
            how_many(urgent),
            how_many(sa.and_(urgent, c.accept_s.is_not(None))),
            total(sa.case((urgent, c.accept_s), else_=0)),
            how_many(seen),
            total(sa.case((urgent, c.visit_s), else_=0)),
            how_many(sa.and_(seen, c.visited_in_time)),
        ).group_by(c.area_id)
        return counts(self._db, statement, _CASES)

    def case_kinds(self, start: datetime, end: datetime, area_id: int | None = None) -> Counts:
        case, elder = tables.case, tables.elder
        statement = (
            sa.select(elder.c.area_id, case.c.kind, sa.func.count())
            .select_from(case.join(elder, elder.c.id == case.c.elder_id))
            .where(case.c.opened_at >= start, case.c.opened_at < end)
            .group_by(elder.c.area_id, case.c.kind)
        )
        return by_word(self._db, inside(statement, area_id))

    def alerts(self, start: datetime, end: datetime, area_id: int | None = None) -> Counts:
        """Alerting turns of calls of the month, and the last word of a supervisor on each."""
        call, elder, turn, verdict = tables.call, tables.elder, tables.turn, tables.verdict
        last = (
            sa.select(sa.func.max(verdict.c.id))
            .where(verdict.c.call_id == turn.c.call_id, verdict.c.turn_seq == turn.c.seq)
            .correlate(turn)
            .scalar_subquery()
        )
        statement = (
            sa.select(
                elder.c.area_id,
                sa.func.count(),
                how_many(verdict.c.verdict == ReviewVerdict.CONFIRMED),
                how_many(verdict.c.verdict == ReviewVerdict.FALSE_ALARM),
            )
            .select_from(
                turn.join(call, call.c.id == turn.c.call_id)
                .join(elder, elder.c.id == call.c.elder_id)
                .outerjoin(verdict, verdict.c.id == last)
            )
            .where(turn.c.alert != Alert.NONE, call.c.intended_at >= start, call.c.intended_at < end)
            .group_by(elder.c.area_id)
        )
        return counts(self._db, inside(statement, area_id), ("alerts", "confirmed", "false_alarms"))

    def _seconds(self, later: Any, earlier: Any) -> sa.ColumnElement[int]:
        """Whole seconds between two times; NULL when one is missing."""
        if self._db.dialect == "sqlite":
            return sa.cast(sa.func.strftime("%s", later), sa.Integer) - sa.cast(
                sa.func.strftime("%s", earlier), sa.Integer
            )
        return sa.cast(sa.func.floor(sa.extract("epoch", later)), sa.BigInteger) - sa.cast(
            sa.func.floor(sa.extract("epoch", earlier)), sa.BigInteger
        )


_CASES = (
    "cases",
    "closed_in_time",
    "closed_late",
    "open_overdue",
    "open_in_time",
    "urgent",
    "urgent_accepted",
    "urgent_accept_s",
    "urgent_visited",
    "urgent_visit_s",
    "urgent_visited_in_time",
)
