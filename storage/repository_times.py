"""When whom: calls to one number, and the hours at which elders answer.

Learning is set-based: two INSERT … SELECT over the calls of some months, however many elders.
An elder's hour is smoothed by the county's: (answered + strength · share of the county at that
hour) / (tried + strength), so that one lucky call does not make a habit.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import BestHour, HourRate, PastCall
from xunfang.vocabulary import CallDisposition, PlanStatus

_HOURS_A_DAY = 24
_MINUTES = 60

_rate = Shape(HourRate, tables.hour_rate)
_best = Shape(BestHour, tables.elder_hour)
_past = Shape(PastCall, tables.call)


class Times:
    def __init__(self, db: Db) -> None:
        self._db = db

    # ---- one number ---------------------------------------------------------------------------

    def rang(
        self, phone: str, since: datetime, never_rang: Collection[CallDisposition] = ()
    ) -> tuple[int, datetime | None]:
        """How often this number was dialled since then, for whomever, and when last. `never_rang`:
        endings of which it is certain that no telephone rang."""
        call = tables.call.c
        rang: sa.ColumnElement[bool] = sa.true()
        if never_rang:
            rang = sa.or_(call.disposition.is_(None), call.disposition.not_in(list(never_rang)))
        row = self._db.row(
            sa.select(sa.func.count(), sa.func.max(call.intended_at)).where(
                call.number_index.in_(self._db.vault.phone_indexes(phone)), call.intended_at >= since, rang
            )
        )
        assert row is not None
        return row[0], row[1]

    def is_live(self, phone: str) -> bool:
        """Is somebody on the telephone at this number, whomever the call was for?"""
        call = tables.call.c
        row = self._db.row(
            sa.select(call.id)
            .where(call.ended_at.is_(None), call.number_index.in_(self._db.vault.phone_indexes(phone)))
            .limit(1)
        )
        return row is not None

    # ---- one elder ----------------------------------------------------------------------------

    def past(self, elder_id: int, since: datetime, limit: int) -> list[PastCall]:
        """Ended calls, newest first."""
        call = tables.call.c
        return self._db.all(
            _past,
            _past.select()
            .where(call.elder_id == elder_id, call.intended_at >= since, call.disposition.is_not(None))
            .order_by(call.id.desc())
            .limit(limit),
        )

    def best(self, elder_id: int) -> BestHour | None:
        return self._db.one(_best, _best.select().where(tables.elder_hour.c.elder_id == elder_id))

    # ---- the county ---------------------------------------------------------------------------

    def rates(self) -> list[HourRate]:
        """By hour; never more than 24."""
        return self._db.all(_rate, _rate.select().order_by(tables.hour_rate.c.hour))

    def counted_at(self) -> datetime | None:
        row = self._db.row(sa.select(sa.func.max(tables.hour_rate.c.counted_at)))
        return None if row is None else row[0]

    def count(
        self,
        *,
        now: datetime,
        since: datetime,
        utc_offset_minutes: int,
        answered: Collection[CallDisposition],
        missed: Collection[CallDisposition],
        strength: float,
        least_answered: int,
    ) -> int:
        """Count anew; returns how many elders have an hour. Endings that are neither say nothing.

        All 24 hours get a row, so that a county without calls is known to have been counted.
        """
        tried = sa.and_(
            tables.call.c.intended_at >= since,
            tables.call.c.disposition.in_([*answered, *missed]),
        )
        local = self._local_hour(utc_offset_minutes)
        yes = sa.func.sum(sa.case((tables.call.c.disposition.in_(list(answered)), 1), else_=0))
        rates = self._db.rows(sa.select(local, yes, sa.func.count()).where(tried).group_by(local))
        found = {int(row[0]): (int(row[1]), int(row[2])) for row in rates}
        self._put_rates(found, now)
        return self._put_best(local, yes, tried, now, strength, least_answered)

    def prefer(self, hour: int, at: datetime, ends_after: datetime) -> int:
        """Untouched plans of elders who answer best at `hour` are first tried `at`; returns how many.

        Only plans whose period is under way then and goes on until `ends_after` at least; a plan that
        has a time already keeps it, so this happens once to each plan.
        """
        plan, best = tables.visit_plan, tables.elder_hour
        return self._db.change(
            sa.update(plan)
            .where(
                plan.c.status == PlanStatus.DUE,
                plan.c.next_attempt_at.is_(None),
                plan.c.attempts == 0,
                plan.c.due_from <= at,
                plan.c.due_until >= ends_after,
                plan.c.period.not_like("campaign:%"),  # a surge does not wait for anybody's hour
                plan.c.elder_id.in_(sa.select(best.c.elder_id).where(best.c.hour == hour)),
            )
            .values(next_attempt_at=at)
        )

    # ---- inside -------------------------------------------------------------------------------

    def _local_hour(self, offset: int) -> sa.ColumnElement[int]:
        """0–23. Plain arithmetic on UTC, so that both engines compute the same."""
        at: sa.ColumnElement[Any] = tables.call.c.intended_at
        if self._db.dialect == "postgresql":
            at = sa.func.timezone("UTC", at)
        minutes = sa.cast(sa.extract("hour", at), sa.Integer) * _MINUTES
        minutes += sa.cast(sa.extract("minute", at), sa.Integer)
        return (minutes + offset) % (_HOURS_A_DAY * _MINUTES) // _MINUTES

    def _put_rates(self, found: dict[int, tuple[int, int]], now: datetime) -> None:
        table = tables.hour_rate
        self._db.change(sa.delete(table))
        rows = [
            {"hour": hour, "answered": yes, "tried": tried, "counted_at": now}
            for hour in range(_HOURS_A_DAY)
            for yes, tried in [found.get(hour, (0, 0))]
        ]
        self._db.change_many(sa.insert(table), rows)

    def _put_best(
        self,
        local: sa.ColumnElement[int],
        yes: sa.ColumnElement[Any],
        tried: sa.ColumnElement[bool],
        now: datetime,
        strength: float,
        least_answered: int,
    ) -> int:
        call, rate, best = tables.call.c, tables.hour_rate.c, tables.elder_hour
        by_hour = (
            sa.select(
                call.elder_id,
                local.label("hour"),
                yes.label("yes"),
                sa.func.count().label("tried"),
            )
            .where(tried)
            .group_by(call.elder_id, local)
            .having(yes >= least_answered)
            .subquery()
        )
        share = sa.cast(rate.answered, sa.Float) / rate.tried  # tried > 0: this elder's calls are in it
        chance = (by_hour.c.yes + strength * share) / (by_hour.c.tried + strength)
        ranked = (
            sa.select(
                by_hour.c.elder_id,
                by_hour.c.hour,
                chance.label("chance"),
                sa.func.row_number()
                .over(partition_by=by_hour.c.elder_id, order_by=(chance.desc(), by_hour.c.hour))
                .label("place"),
            )
            .join_from(by_hour, tables.hour_rate, rate.hour == by_hour.c.hour)
            .subquery()
        )
        self._db.change(sa.delete(best))
        return self._db.change(
            sa.insert(best).from_select(
                ["elder_id", "hour", "chance", "counted_at"],
                sa.select(
                    ranked.c.elder_id,
                    ranked.c.hour,
                    ranked.c.chance,
                    sa.literal(now, best.c.counted_at.type),
                ).where(ranked.c.place == 1),
            )
        )
