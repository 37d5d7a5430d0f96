"""Planned visits: one row per elder and period.

`lot` spreads equals fairly: a fixed shuffle of the elders, another one in each period, so that
no village and nobody with a low number is always called first, and the order needs only an
index. Whoever has a twentieth of the elders has about a twentieth of every stretch of the order: a
village of 20 beside a township of 10,000 is neither first nor last. It is plain arithmetic, so that
set-based SQL can compute it too; squared, because a product alone keeps the pattern of numbers that
were given out in turns (every 987th elder of one village: all of them in one bunch, perhaps the last).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import VisitPlan
from xunfang.vocabulary import Alert, PlanStatus

LOT_FACTOR = 2654435761  # Knuth's multiplicative hash: neighbours land far apart
LOT_RANGE = 2**31 - 1  # a prime; its square fits 63 bits
_READY = (PlanStatus.DUE, PlanStatus.WAITING)

_plan = Shape(VisitPlan, tables.visit_plan)
_of = tables.visit_plan.c
_RESERVE = (
    sa.select(_of.id)
    .where(_of.id == sa.bindparam("of"), _of.status == sa.bindparam("seen"))
    .with_for_update(skip_locked=True)
)
_CHANGE = sa.update(tables.visit_plan).where(_of.id == sa.bindparam("of"))
_CHANGE_SEEN = _CHANGE.where(_of.status == sa.bindparam("seen"))
_CLAIM = _CHANGE.where(_of.status.in_(_READY)).values(
    status=PlanStatus.DIALLING, claimed_at=sa.bindparam("now"), next_attempt_at=None
)

# Asked in every tick: built once.
_OPEN_NOW = _plan.select().where(_of.due_from <= sa.bindparam("now"), _of.due_until > sa.bindparam("now"))
_MOST = sa.bindparam("most", type_=sa.Integer)
_RETRIES = (
    _OPEN_NOW.where(_of.status == PlanStatus.WAITING, _of.next_attempt_at <= sa.bindparam("now"))
    .order_by(_of.next_attempt_at, _of.id)
    .limit(_MOST)
)
_UNTIMED = (
    _OPEN_NOW.where(_of.status == PlanStatus.DUE, _of.next_attempt_at.is_(None))
    .order_by(_of.due_until, _of.lot, _of.id)
    .limit(_MOST)
)
_TIMED = (
    _OPEN_NOW.where(_of.status == PlanStatus.DUE, _of.next_attempt_at <= sa.bindparam("now"))
    # Compared, but not read in this order: SQLite would read every spread plan of the county.
    .order_by(sa.func.coalesce(_of.due_until, sa.null()), _of.lot, _of.id)
    .limit(_MOST)
)
_ALARMED = sa.select(tables.call.c.plan_id).where(
    tables.call.c.plan_id.in_(sa.bindparam("plans", expanding=True)), tables.call.c.alert != Alert.NONE
)
_NEXT = {
    status: sa.select(_of.next_attempt_at)
    .where(_of.status == status, _of.next_attempt_at > sa.bindparam("after"))
    .order_by(_of.next_attempt_at)
    .limit(1)
    for status in _READY
}


def lot(elder_id: int, period: str) -> int:
    drawn = (elder_id * LOT_FACTOR + zlib.crc32(period.encode())) % LOT_RANGE
    return drawn * drawn % LOT_RANGE


class Plans:
    def __init__(self, db: Db) -> None:
        self._db = db

    def ensure(self, rows: Iterable[VisitPlan | Mapping[str, Any]]) -> int:
        """Create the plans that do not exist yet; those that do stay as they are.

        A row is a VisitPlan (its id is ignored) or its fields as a mapping: elder_id, period,
        mode, due_from, due_until, dialplan and, if not DUE, status. Returns how many were new.
        """
        table = tables.visit_plan
        new = self._db.insert(table).on_conflict_do_nothing(index_elements=[table.c.elder_id, table.c.period])
        return self._db.change_many(new, _values(rows))

    def get(self, id: int) -> VisitPlan | None:
        return self._db.one(_plan, _plan.by("id"), {"id": id})

    def of_period(self, elder_id: int, period: str) -> VisitPlan | None:
        return self._db.one(_plan, _plan.by("elder_id", "period"), {"elder_id": elder_id, "period": period})

    def due(self, now: datetime, limit: int, without: Sequence[str] = ()) -> list[VisitPlan]:
        """Plans that may be dialled now, the most pressing first.

        Retries whose time has come stand first, longest waiting first: nobody has heard these
        elders yet; of these, first whoever said something worrying before his call broke off. Then
        untouched plans, nearest end of period first and by lot among equals.
        `without`: dialplans that cannot be used at present.
        """
        held = [_of.dialplan.not_in(without)] if without else []
        retries = self._retries(now, limit, held)
        if len(retries) >= limit:
            return retries
        return retries + self._fresh(now, limit - len(retries), held)

    def _fresh(self, now: datetime, limit: int, held: Sequence[sa.ColumnElement[bool]]) -> list[VisitPlan]:
        """Those without a time by their own index, those whose time has come by that of the times: behind
        them stand all whose first call is spread over the days to come."""
        values = {"now": now, "most": limit}
        found = [
            each
            for statement in (_UNTIMED, _TIMED)
            for each in self._db.all(_plan, statement.where(*held) if held else statement, values)
        ]
        return sorted(found, key=lambda each: (each.due_until, lot(each.elder_id, each.period), each.id))[
            :limit
        ]

    def _retries(self, now: datetime, limit: int, held: Sequence[sa.ColumnElement[bool]]) -> list[VisitPlan]:
        """By the index alone. Only while more wait than are asked for, those who said something worrying
        are looked for among all that wait."""
        call, values = tables.call.c, {"now": now, "most": limit}
        waiting = _RETRIES.where(*held) if held else _RETRIES
        found = self._db.all(_plan, waiting, values)
        if not found:
            return []
        if len(found) < limit:
            ids = [each.id for each in found]
            alarmed = {row[0] for row in self._db.rows(_ALARMED, {"plans": ids})}
            worrying = [each for each in found if each.id in alarmed]
        else:
            alarm = sa.exists().where(call.plan_id == _of.id, call.alert != Alert.NONE)
            worrying = self._db.all(_plan, waiting.where(alarm), values)
            alarmed = {each.id for each in worrying}
        return [*worrying, *(each for each in found if each.id not in alarmed)][:limit]

    def of_elder(self, elder_id: int, limit: int = 20) -> list[VisitPlan]:
        """The latest periods first."""
        plan = tables.visit_plan.c
        return self._db.all(
            _plan,
            _plan.select()
            .where(plan.elder_id == elder_id)
            .order_by(plan.due_until.desc(), plan.id.desc())
            .limit(limit),
        )

    def next_attempt(self, after: datetime) -> datetime | None:
        """When the next retry or deferred first call is due, later than `after`."""
        found = [self._db.row(_NEXT[status], {"after": after}) for status in _READY]
        return min((row[0] for row in found if row is not None), default=None)

    def claim_rung_back(self, id: int, now: datetime) -> bool:
        """As `claim`, for an elder who is on the line already: what was given up may still be answered."""
        plan = tables.visit_plan
        return self._db.change_one(
            sa.update(plan)
            .where(plan.c.id == id, plan.c.status.in_((*_READY, PlanStatus.ESCALATED)))
            .values(status=PlanStatus.DIALLING, claimed_at=now, next_attempt_at=None)
        )

    def queued(self, now: datetime) -> tuple[int, int]:
        """Plans of running periods that may be dialled (now, later): the latter are retries and deferred."""
        plan = tables.visit_plan.c
        now_ready = sa.or_(plan.next_attempt_at.is_(None), plan.next_attempt_at <= now)
        row = self._db.row(
            sa.select(
                sa.func.coalesce(sa.func.sum(sa.case((now_ready, 1), else_=0)), 0),
                sa.func.coalesce(sa.func.sum(sa.case((now_ready, 0), else_=1)), 0),
            ).where(plan.status.in_(_READY), plan.due_from <= now, plan.due_until > now)
        )
        assert row is not None
        return int(row[0]), int(row[1])

    def reserve(self, id: int, status: PlanStatus) -> bool:
        """Until this transaction ends nobody else decides about this plan. False: somebody does, or its
        status is another one by now; not waited for, there are other plans."""
        return self._db.row(_RESERVE, {"of": id, "seen": status}) is not None

    def claim(self, id: int, now: datetime) -> bool:
        """DUE or WAITING becomes DIALLING. False: somebody else was first, do not dial."""
        return self._db.change_one(_CLAIM, {"of": id, "now": now})

    def set_status(
        self,
        id: int,
        status: PlanStatus,
        next_attempt_at: datetime | None = None,
        attempts: int | None = None,
        expected: PlanStatus | None = None,
    ) -> bool:
        """`next_attempt_at` is always written (None clears it), `attempts` only when given.

        `expected`: change only from this status. False: no such plan, or another status.
        """
        values: dict[str, Any] = {
            "of": id,
            "status": status,
            "next_attempt_at": next_attempt_at,
            "claimed_at": None,
        }
        if attempts is not None:
            values["attempts"] = attempts
        if expected is None:
            return self._db.change_one(_CHANGE, values)
        return self._db.change_one(_CHANGE_SEEN, values | {"seen": expected})

    def in_flight(self, claimed_before: datetime | None = None) -> list[VisitPlan]:
        """DIALLING plans, longest claimed first: never more than all lines can carry.

        `claimed_before`: only those claimed earlier (what a dead dialler left behind).
        """
        plan = tables.visit_plan.c
        statement = _plan.select().where(plan.status == PlanStatus.DIALLING)
        if claimed_before is not None:
            statement = statement.where(plan.claimed_at < claimed_before)
        return self._db.all(_plan, statement.order_by(plan.claimed_at, plan.id))

    def overdue(self, now: datetime, limit: int = 1000) -> list[VisitPlan]:
        """Plans whose period ended before anybody was heard (DUE or WAITING), longest over first.

        The next page is the same question again, once these have been given another status.
        """
        plan = tables.visit_plan.c
        return self._db.all(
            _plan,
            _plan.select()
            .where(plan.status.in_(_READY), plan.due_until <= now)
            .order_by(plan.due_until, plan.id)
            .limit(limit),
        )


def _values(rows: Iterable[VisitPlan | Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        plan = VisitPlan(**{"id": 0, **row}) if isinstance(row, Mapping) else row
        yield {**_plan.values(plan), "lot": lot(plan.elder_id, plan.period)}
