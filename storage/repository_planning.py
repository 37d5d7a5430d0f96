"""Planning in sets: what scheduler.due says of one elder, said of thousands in one statement.

Every statement looks at a bounded chunk of elders (id ranges), so that a transaction is short and
calls in progress can write between two of them. What exists is never touched, so that planning
twice changes nothing. The rules stand twice on purpose, once to be read (Python) and once to be
quick (SQL); tests/integration/test_planning_agreement.py holds them together.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import CadenceRule, Chunk, Elder, Period, Terms, VisitPlan
from storage.repository_plans import LOT_FACTOR, LOT_RANGE, lot
from storage.types import UtcDateTime, Word
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, PlanStatus, VisitMode

PHONE, ON_SITE, ASK, NONE, PAUSED = "phone", "on_site", "ask", "none", "paused"
OPEN = (PlanStatus.DUE, PlanStatus.WAITING, PlanStatus.DIALLING)
READY = (PlanStatus.DUE, PlanStatus.WAITING)
SPREAD = "spread"  # instead of a period: the same lot in each of them
NO_WINDOWS = "[]"  # of an elder who has no hours of his own

_plan = Shape(VisitPlan, tables.visit_plan)
_elder = Shape(Elder, tables.elder)
Condition = sa.ColumnElement[bool]


# ---- the rules as SQL ------------------------------------------------------------------------


def consent_now(purpose: ConsentPurpose) -> sa.ScalarSelect[Any]:
    """The latest word of the elder in the outer query; NULL when never asked."""
    consent = tables.consent.c
    return (
        sa.select(consent.granted)
        .where(consent.elder_id == tables.elder.c.id, consent.purpose == purpose)
        .order_by(consent.at.desc(), consent.id.desc())
        .limit(1)
        .correlate(tables.elder)
        .scalar_subquery()
    )


def facts(*more: sa.ColumnElement[Any], where: Iterable[Condition]) -> sa.CTE:
    """Elders with their two consents. Materialised, so that nothing is computed once per branch."""
    elder = tables.elder.c
    return (
        sa.select(
            elder.id,
            elder.mode,
            elder.self_caring,
            elder.good_health,
            elder.dialplan,
            elder.paused_until,
            elder.first_visit_by,
            consent_now(ConsentPurpose.PHONE_VISIT).label("phone"),
            consent_now(ConsentPurpose.ON_SITE_VISIT).label("on_site"),
            *more,
        )
        .where(elder.active.is_(True), *where)
        .cte("facts")
        .prefix_with("MATERIALIZED")
    )


def way(of: sa.CTE) -> sa.Case[str]:
    """scheduler.due.eligible."""
    fit = sa.and_(of.c.self_caring.is_(True), of.c.good_health.is_(True), of.c.mode != VisitMode.ON_SITE)
    return sa.case(
        (sa.and_(fit, of.c.phone.is_(True)), PHONE),
        (of.c.on_site.is_(True), ON_SITE),
        (sa.and_(of.c.phone.is_(False), of.c.on_site.is_(False)), NONE),
        else_=ASK,
    )


def is_paused(paused_until: sa.ColumnElement[Any], today: date) -> Condition:
    """Through the last day of the pause."""
    return sa.and_(paused_until.is_not(None), paused_until >= today)


def has_category(category: Category) -> Condition:
    """The set is stored as a JSON list: "disabled" with its quotes is no part of "severely_disabled"."""
    return sa.cast(tables.elder.c.categories, sa.Text).contains(f'"{category.value}"', autoescape=True)


def cadence_at_least(cadence: Cadence, rules: Sequence[CadenceRule]) -> Condition:
    """The elder's own cadence, or that of a rule which asks for more."""
    asked = [_matches(rule) for rule in rules if rule.at_least is cadence]
    return sa.or_(tables.elder.c.cadence == cadence, *asked)


def _matches(rule: CadenceRule) -> Condition:
    every = [has_category(each) for each in sorted(rule.every)]
    some = [has_category(each) for each in sorted(rule.some)]
    return sa.and_(sa.true(), *every, *([sa.or_(*some)] if some else []))


def of_cadence(terms: Terms, value: Any) -> sa.Case[Any]:
    """`value(period)` by the cadence that holds for the elder."""
    by = {period.cadence: period for period in terms.periods}
    return sa.case(
        (cadence_at_least(Cadence.WEEKLY, terms.rules), value(by[Cadence.WEEKLY])),
        (cadence_at_least(Cadence.MONTHLY, terms.rules), value(by[Cadence.MONTHLY])),
        else_=value(by[Cadence.QUARTERLY]),
    )


def lot_salt(period: str) -> int:
    return zlib.crc32(period.encode())


def no_plan(period: Any, chunk: Chunk) -> Condition:
    """The range is said again: without it a big table might be read as a whole."""
    plan = tables.visit_plan
    return ~(
        sa.select(sa.literal(1))
        .where(
            plan.c.elder_id == tables.elder.c.id,
            plan.c.elder_id > chunk.after,
            plan.c.elder_id <= chunk.upto,
            plan.c.period == period,
        )
        .correlate(tables.elder)
        .exists()
    )


def in_chunk(column: sa.ColumnElement[Any], chunk: Chunk) -> Condition:
    return sa.and_(column > chunk.after, column <= chunk.upto)


def not_searched_by(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Compared, but not looked up by: SQLite, which has no statistics, would rather read every open plan
    of the county than those of the elders named."""
    return sa.func.coalesce(column, sa.null())


def moment(at: datetime | None) -> sa.BindParameter[Any]:
    return sa.literal(at, UtcDateTime())


def plan_status(status: PlanStatus) -> sa.BindParameter[Any]:
    return sa.literal(status, Word(PlanStatus))


def visit_mode(mode: VisitMode) -> sa.BindParameter[Any]:
    return sa.literal(mode, Word(VisitMode))


def lot_of(elder_id: sa.ColumnElement[Any], salt: Any) -> sa.ColumnElement[Any]:
    """storage.repository_plans.lot."""
    prime = sa.literal(LOT_RANGE, sa.BigInteger)
    drawn: sa.ColumnElement[Any] = (elder_id * sa.literal(LOT_FACTOR, sa.BigInteger) + salt) % prime
    return drawn * drawn % prime


def insert_plans(db: Db, source: sa.Select[Any], more: tuple[str, ...] = ()) -> Any:
    """INSERT … SELECT of new plans; those that exist stay as they are."""
    names = (
        "elder_id",
        "period",
        "mode",
        "due_from",
        "due_until",
        "dialplan",
        "status",
        "attempts",
        "next_attempt_at",
        "lot",
        *more,
    )
    table = tables.visit_plan
    insert = db.insert(table).from_select(names, source)
    return insert.on_conflict_do_nothing(index_elements=[table.c.elder_id, table.c.period])


# ---- the repository --------------------------------------------------------------------------


class Planning:
    def __init__(self, db: Db) -> None:
        self._db = db

    def chunk(self, after: int, size: int) -> Chunk | None:
        """The next `size` elders by id; None behind the last."""
        elder = tables.elder.c
        ids = sa.select(elder.id).where(elder.id > after).order_by(elder.id).limit(size).subquery()
        row = self._db.row(sa.select(sa.func.max(ids.c.id)))
        return None if row is None or row[0] is None else Chunk(after, int(row[0]))

    def newcomers(self, chunk: Chunk) -> int:
        """Elders whom no planning has seen yet."""
        row = self._db.row(sa.select(sa.func.count()).where(*self._new(chunk)))
        return int(row[0]) if row else 0

    def welcome(self, terms: Terms, chunk: Chunk) -> int:
        """Give those elders the moment by which they are visited first; in the transaction of `plan`."""
        return self._db.change(
            sa.update(tables.elder).where(*self._new(chunk)).values(first_visit_by=terms.first_visit_by)
        )

    def unplanned(self, terms: Terms, chunk: Chunk) -> Counter[str]:
        """How many active elders have no plan of their present period, by PHONE, ON_SITE, ASK, NONE or
        PAUSED. Reads only: a chunk in which everything is planned needs no transaction that writes."""
        found = self._facts(terms, chunk)
        counted = sa.select(self._kind(found, terms).label("kind")).subquery()
        rows = self._db.rows(sa.select(counted.c.kind, sa.func.count()).group_by(counted.c.kind))
        return Counter({row[0]: row[1] for row in rows})

    def plan(self, terms: Terms, chunk: Chunk) -> Counter[str]:
        """Create what is missing, except for those who must be asked. By the keys of `unplanned`."""
        found = self._facts(terms, chunk, self._first_call(terms).label("first_call"))
        kind = self._kind(found, terms)
        by_phone = way(found) == PHONE
        until = self._until(found, terms)
        # A first visit waits for nothing.
        known = found.c.first_visit_by.is_distinct_from(terms.first_visit_by)
        first = sa.case((sa.and_(kind == PHONE, known), found.c.first_call))
        source = sa.select(
            found.c.id,
            found.c.period,
            sa.case((by_phone, visit_mode(VisitMode.PHONE)), else_=visit_mode(VisitMode.ON_SITE)),
            found.c.due_from,
            until,
            found.c.dialplan,
            sa.case(
                (kind == PAUSED, plan_status(PlanStatus.PAUSED)),
                (kind == PHONE, plan_status(PlanStatus.DUE)),
                else_=plan_status(PlanStatus.ON_SITE),
            ),
            sa.literal(0),
            sa.case(
                (first >= terms.tomorrow, first),
                (sa.and_(self._busy_today(found, terms), until > terms.tomorrow), moment(terms.tomorrow)),
                else_=first,
            ),
            lot_of(found.c.id, found.c.salt),
        ).where(kind.in_((PHONE, ON_SITE, PAUSED)))
        rows = self._db.rows(insert_plans(self._db, source).returning(tables.visit_plan.c.status))
        names = {PlanStatus.DUE: PHONE, PlanStatus.ON_SITE: ON_SITE, PlanStatus.PAUSED: PAUSED}
        return Counter(names[row[0]] for row in rows)

    def to_ask(self, terms: Terms, chunk: Chunk, limit: int) -> list[Elder]:
        """Active, not paused, without a plan of the period and without consent: a case each (few)."""
        found = self._facts(terms, chunk)
        ids = sa.select(found.c.id).where(self._kind(found, terms) == ASK).order_by(found.c.id).limit(limit)
        return self._db.all(
            _elder, _elder.select().where(tables.elder.c.id.in_(ids)).order_by(tables.elder.c.id)
        )

    def census(self, terms: Terms) -> list[tuple[str, Cadence, int]]:
        """Who is where: (PHONE | ON_SITE | ASK | NONE | PAUSED, cadence that holds, active elders)."""
        cadence = of_cadence(terms, lambda period: sa.literal(period.cadence, Word(Cadence)))
        found = facts(cadence.label("holds"), where=())
        counted = sa.select(self._kind(found, terms).label("kind"), found.c.holds).subquery()
        rows = self._db.rows(
            sa.select(counted.c.kind, counted.c.holds, sa.func.count()).group_by(
                counted.c.kind, counted.c.holds
            )
        )
        return sorted((row[0], Cadence(row[1]), int(row[2])) for row in rows)

    # ---- pauses --------------------------------------------------------------------------------

    def to_resume(self, terms: Terms, after_id: int, limit: int) -> list[tuple[int, str]]:
        """Paused plans of running periods whose elders are visited again: (id, PHONE | ON_SITE | ASK)."""
        elder, plan = tables.elder.c, tables.visit_plan.c
        found = facts(
            plan.id.label("plan_id"),
            where=(
                elder.id == plan.elder_id,
                plan.status == PlanStatus.PAUSED,
                plan.due_from <= terms.now,
                plan.due_until > terms.now,
                plan.id > after_id,
                sa.not_(is_paused(elder.paused_until, terms.today)),
            ),
        )
        kind = way(found)
        rows = self._db.rows(
            sa.select(found.c.plan_id, kind).where(kind != NONE).order_by(found.c.plan_id).limit(limit)
        )
        return [(int(row[0]), str(row[1])) for row in rows]

    def resume(self, ids: Sequence[int], status: PlanStatus, mode: VisitMode) -> int:
        plan = tables.visit_plan
        return self._db.change(
            sa.update(plan)
            .where(plan.c.id.in_(ids), plan.c.status == PlanStatus.PAUSED)
            .values(status=status, mode=mode, next_attempt_at=None)
        )

    def pauses_ended(self, today: date, limit: int) -> list[Elder]:
        """Active elders whose pause is over and of which nobody was told, longest over first."""
        elder = tables.elder.c
        return self._db.all(
            _elder,
            _elder.select()
            .where(
                elder.paused_until.is_not(None),
                elder.paused_until < today,
                elder.active.is_(True),
                sa.or_(elder.pause_told.is_(None), elder.pause_told != elder.paused_until),
            )
            .order_by(elder.paused_until, elder.id)
            .limit(limit),
        )

    def pause_told(self, elder_id: int, paused_until: date) -> bool:
        """Remember that the end of this pause was told of. False: it was already, or it was prolonged."""
        elder = tables.elder
        return self._db.change_one(
            sa.update(elder)
            .where(
                elder.c.id == elder_id,
                elder.c.paused_until == paused_until,
                elder.c.pause_told.is_distinct_from(paused_until),
            )
            .values(pause_told=paused_until)
        )

    # ---- single plans --------------------------------------------------------------------------

    def open_of(self, elder_id: int, now: datetime) -> list[VisitPlan]:
        """Plans of this elder that may still be dialled in running periods."""
        plan = tables.visit_plan.c
        return self._db.all(
            _plan,
            _plan.select()
            .where(
                plan.elder_id == elder_id,
                not_searched_by(plan.status).in_(READY),
                plan.due_from <= now,
                plan.due_until > now,
            )
            .order_by(plan.id),
        )

    def lapsed(
        self, status: PlanStatus, now: datetime, after: VisitPlan | None, limit: int
    ) -> list[VisitPlan]:
        """Plans of this status whose period is over, longest over first, behind `after`."""
        plan = tables.visit_plan.c
        statement = _plan.select().where(plan.status == status, plan.due_until <= now)
        if after is not None:
            last = sa.literal(lot(after.elder_id, after.period), plan.lot.type)
            key = sa.tuple_(moment(after.due_until), last, sa.literal(after.id, plan.id.type))
            statement = statement.where(sa.tuple_(plan.due_until, plan.lot, plan.id) > key)
        return self._db.all(_plan, statement.order_by(plan.due_until, plan.lot, plan.id).limit(limit))

    def visited_on_site(self, now: datetime) -> int:
        """On-site plans of past periods in which somebody was there are done. Returns how many."""
        plan, record = tables.visit_plan, tables.visit_record.c
        seen = (
            sa.select(sa.literal(1))
            .where(
                record.elder_id == plan.c.elder_id,
                record.visited_at >= plan.c.due_from,
                record.visited_at < plan.c.due_until,
            )
            .correlate(plan)
            .exists()
        )
        return self._db.change(
            sa.update(plan)
            .where(plan.c.status == PlanStatus.ON_SITE, plan.c.due_until <= now, seen)
            .values(status=PlanStatus.DONE)
        )

    # ---- inside --------------------------------------------------------------------------------

    def _new(self, chunk: Chunk) -> tuple[Condition, ...]:
        elder = tables.elder.c
        return in_chunk(elder.id, chunk), elder.active.is_(True), elder.first_visit_by.is_(None)

    def _facts(self, terms: Terms, chunk: Chunk, *more: sa.ColumnElement[Any]) -> sa.CTE:
        period = of_cadence(terms, lambda each: sa.literal(each.key))
        return facts(
            period.label("period"),
            of_cadence(terms, lambda each: moment(each.due_from)).label("due_from"),
            of_cadence(terms, lambda each: moment(each.due_until)).label("due_until"),
            of_cadence(terms, lambda each: moment(each.entrants_until)).label("entrants_until"),
            of_cadence(terms, lambda each: sa.literal(lot_salt(each.key), sa.BigInteger)).label("salt"),
            *more,
            where=(in_chunk(tables.elder.c.id, chunk), no_plan(period, chunk)),
        )

    def _first_call(self, terms: Terms) -> sa.ColumnElement[Any]:
        """scheduler.due.first_call."""
        elder = tables.elder.c
        drawn = lot_of(elder.id, sa.literal(lot_salt(SPREAD), sa.BigInteger))

        def of(period: Period) -> sa.ColumnElement[Any]:
            moments = {place: moment(at) for place, at in enumerate(period.first_calls)}
            return sa.case(moments, value=drawn % len(moments)) if moments else moment(None)

        own = sa.cast(elder.windows, sa.Text) != NO_WINDOWS
        return sa.case((own, moment(None)), else_=of_cadence(terms, of))

    def _kind(self, found: sa.CTE, terms: Terms) -> sa.Case[str]:
        by = way(found)
        return sa.case((sa.and_(by != NONE, is_paused(found.c.paused_until, terms.today)), PAUSED), else_=by)

    def _until(self, found: sa.CTE, terms: Terms) -> sa.Case[Any]:
        """Whoever came into the ledger just now (`welcome`) is visited sooner than the period asks."""
        return sa.case(
            (found.c.first_visit_by == terms.first_visit_by, found.c.entrants_until),
            else_=found.c.due_until,
        )

    def _busy_today(self, found: sa.CTE, terms: Terms) -> Condition:
        """Another plan calls this elder today already: a surge, a call after an alarming one."""
        other = tables.visit_plan.alias("other")
        return sa.and_(
            way(found) == PHONE,
            sa.select(sa.literal(1))
            .where(
                other.c.elder_id == found.c.id,
                not_searched_by(other.c.status).in_(OPEN),
                other.c.due_from <= terms.now,
                other.c.due_until > terms.now,
            )
            .correlate(found)
            .exists(),
        )
