"""When whom: calls to one number, and the hours at which elders answer.

Learning is set-based and in chunks of elders, each a short transaction: calls go on meanwhile.
An elder's hour is smoothed by the county's: (answered + strength · share of the county at that
hour) / (tried + strength), so that one lucky call does not make a habit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import BestHour, Chunk, HourRate, HourTerms, PastCall
from xunfang.vocabulary import CallDirection, CallDisposition, PlanStatus

_HOURS_A_DAY = 24
_MINUTES = 60

_rate = Shape(HourRate, tables.hour_rate)
_best = Shape(BestHour, tables.elder_hour)
_past = Shape(PastCall, tables.call)


_LIVE = sa.select(tables.call.c.id).where(tables.call.c.ended_at.is_(None)).limit(1)
_call = tables.call.c
_OUT = _call.direction == CallDirection.OUTBOUND  # who rings us has not been rung
_HIMSELF = _call.contact_id.is_(None)  # what his contacts do says nothing about the elder
_RANG = sa.select(sa.func.count(), sa.func.max(_call.intended_at)).where(
    _call.number_index.in_(sa.bindparam("numbers", expanding=True)),
    _OUT,
    _call.intended_at >= sa.bindparam("since"),
    sa.or_(
        _call.disposition.is_(None),
        _call.disposition.not_in(sa.bindparam("never", expanding=True)),
    ),
)
_PAST = (
    _past.select()
    .where(
        _call.elder_id == sa.bindparam("elder"),
        _OUT,
        _HIMSELF,
        _call.intended_at >= sa.bindparam("since"),
        _call.disposition.is_not(None),
    )
    .order_by(_call.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_LIVE_NUMBER = _LIVE.where(tables.call.c.number_index.in_(sa.bindparam("numbers", expanding=True)))
_LIVE_ELDER = _LIVE.where(_call.elder_id == sa.bindparam("elder"), _HIMSELF)


class Times:
    def __init__(self, db: Db) -> None:
        self._db = db

    # ---- one number ---------------------------------------------------------------------------

    def rang(
        self, phone: str, since: datetime, never_rang: Collection[CallDisposition] = ()
    ) -> tuple[int, datetime | None]:
        """How often this number was dialled since then, for whomever, and when last. `never_rang`:
        endings of which it is certain that no telephone rang."""
        numbers = self._db.vault.phone_indexes(phone)
        row = self._db.row(_RANG, {"numbers": numbers, "since": since, "never": list(never_rang)})
        assert row is not None
        return row[0], row[1]

    def is_live(self, phone: str) -> bool:
        """Is somebody on the telephone at this number, whomever the call was for?"""
        return self._db.row(_LIVE_NUMBER, {"numbers": self._db.vault.phone_indexes(phone)}) is not None

    def is_on_the_line(self, elder_id: int) -> bool:
        """Has this elder a call that has not ended, whoever rang whom and at whichever number?"""
        return self._db.row(_LIVE_ELDER, {"elder": elder_id}) is not None

    # ---- one elder ----------------------------------------------------------------------------

    def past(self, elder_id: int, since: datetime, limit: int) -> list[PastCall]:
        """Ended calls, newest first."""
        return self._db.all(_past, _PAST, {"elder": elder_id, "since": since, "most": limit})

    def best(self, elder_id: int) -> BestHour | None:
        return self._db.one(_best, _best.select().where(tables.elder_hour.c.elder_id == elder_id))

    # ---- the county ---------------------------------------------------------------------------

    def rates(self) -> list[HourRate]:
        """By hour; never more than 24."""
        return self._db.all(_rate, _rate.by(order=("hour",)))

    def counted_at(self) -> datetime | None:
        row = self._db.row(sa.select(sa.func.max(tables.hour_rate.c.counted_at)))
        return None if row is None else row[0]

    def count(self, terms: HourTerms) -> list[HourRate]:
        """The county's calls by local hour; all 24 hours, so that a county without calls is counted."""
        local = self._local_hour(terms)
        rows = self._db.rows(
            sa.select(local, _answered(terms), sa.func.count()).where(_tried(terms)).group_by(local)
        )
        found = {int(row[0]): (int(row[1]), int(row[2])) for row in rows}
        return [HourRate(hour, *found.get(hour, (0, 0))) for hour in range(_HOURS_A_DAY)]

    def put_rates(self, rates: Sequence[HourRate], now: datetime) -> None:
        """Written last: from then on `now` has been counted."""
        self._db.change(sa.delete(tables.hour_rate))
        rows = [{**asdict(each), "counted_at": now} for each in rates]
        self._db.change_many(sa.insert(tables.hour_rate), rows)

    def learn(self, chunk: Chunk, rates: Sequence[HourRate], terms: HourTerms) -> int:
        """The best hour of each elder of the chunk who answered often enough; returns how many."""
        call, best = tables.call.c, tables.elder_hour
        local, yes = self._local_hour(terms), _answered(terms)
        by_hour = (
            sa.select(call.elder_id, local.label("hour"), yes.label("yes"), sa.func.count().label("tried"))
            .where(_tried(terms), call.elder_id > chunk.after, call.elder_id <= chunk.upto)
            .group_by(call.elder_id, local)
            .having(yes >= terms.least_answered)
            .subquery()
        )
        shares = {each.hour: each.answered / each.tried for each in rates if each.tried}
        share = sa.case(shares, value=by_hour.c.hour, else_=0.0) if shares else sa.literal(0.0)
        chance = (by_hour.c.yes + terms.strength * share) / (by_hour.c.tried + terms.strength)
        place = sa.func.row_number().over(
            partition_by=by_hour.c.elder_id, order_by=(chance.desc(), by_hour.c.hour)
        )
        ranked = sa.select(
            by_hour.c.elder_id, by_hour.c.hour, chance.label("chance"), place.label("place")
        ).subquery()
        self._db.change(sa.delete(best).where(best.c.elder_id > chunk.after, best.c.elder_id <= chunk.upto))
        now = sa.literal(terms.now, best.c.counted_at.type)
        return self._db.change(
            sa.insert(best).from_select(
                ["elder_id", "hour", "chance", "counted_at"],
                sa.select(ranked.c.elder_id, ranked.c.hour, ranked.c.chance, now).where(ranked.c.place == 1),
            )
        )

    def prefer(
        self,
        chunk: Chunk,
        moments: Mapping[int, datetime],
        day: tuple[datetime, datetime],
        period_left: timedelta,
    ) -> int:
        """Untouched plans of elders with a best hour are first tried at its moment; returns how many.

        Only plans whose period is under way then and goes on for `period_left` at least, and that are due
        at once or within `day`: of the day on which their first call falls, the hour is chosen.
        """
        if not moments:
            return 0
        plan, best = tables.visit_plan, tables.elder_hour
        kind = plan.c.next_attempt_at.type
        at = (
            sa.select(
                sa.case({hour: sa.literal(each, kind) for hour, each in moments.items()}, value=best.c.hour)
            )
            .where(best.c.elder_id == plan.c.elder_id)
            .scalar_subquery()
        )
        known = sa.select(best.c.elder_id).where(
            best.c.elder_id > chunk.after, best.c.elder_id <= chunk.upto, best.c.hour.in_(list(moments))
        )
        return self._db.change(
            sa.update(plan)
            .where(
                plan.c.elder_id.in_(known),
                plan.c.status == PlanStatus.DUE,
                sa.or_(plan.c.next_attempt_at.is_(None), plan.c.next_attempt_at.between(*day)),
                plan.c.attempts == 0,
                plan.c.due_from <= min(moments.values()),
                plan.c.due_until >= max(moments.values()) + period_left,
                plan.c.period.not_like("campaign:%"),  # a surge does not wait for anybody's hour
            )
            .values(next_attempt_at=at)
        )

    # ---- inside -------------------------------------------------------------------------------

    def _local_hour(self, terms: HourTerms) -> sa.ColumnElement[int]:
        """0–23. Plain arithmetic on UTC, so that both engines compute the same."""
        at: sa.ColumnElement[Any] = tables.call.c.intended_at
        if self._db.dialect == "postgresql":
            at = sa.func.timezone("UTC", at)
        minutes = sa.cast(sa.extract("hour", at), sa.Integer) * _MINUTES
        minutes += sa.cast(sa.extract("minute", at), sa.Integer)
        return (minutes + terms.utc_offset_minutes) % (_HOURS_A_DAY * _MINUTES) // _MINUTES


def _tried(terms: HourTerms) -> sa.ColumnElement[bool]:
    call = tables.call.c
    return sa.and_(
        call.intended_at >= terms.since,
        call.direction == CallDirection.OUTBOUND,  # when he rings us says nothing about when he picks up
        _HIMSELF,
        call.disposition.in_([*terms.answered, *terms.missed]),
    )


def _answered(terms: HourTerms) -> sa.ColumnElement[Any]:
    return sa.func.sum(sa.case((tables.call.c.disposition.in_(list(terms.answered)), 1), else_=0))
