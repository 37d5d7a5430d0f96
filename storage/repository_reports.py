"""Counts for the indicators (指标), one set-based question per group, grouped by area.

What each number means stands in records.indicators and docs/indicators.md; a test recomputes all of them
in plain Python. Months are half-open [start, end) in UTC; `area_id` is an area with everything below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Area
from storage.repository_areas import subtree
from xunfang.vocabulary import (
    Alert,
    CallDisposition,
    CaseKind,
    CaseStep,
    ConsentPurpose,
    PlanStatus,
    Priority,
    ReviewVerdict,
    VisitMode,
)

CAMPAIGN_PERIODS = "campaign:%"
FOLLOW_UP_PERIODS = "followup:%"
QUARTERS = "____-Q_"
ACCEPTED = f"case.{CaseStep.ACCEPT.value}"

# Nobody was heard, and it was not our fault.
UNANSWERED = frozenset(
    {
        CallDisposition.NO_ANSWER,
        CallDisposition.BUSY,
        CallDisposition.REJECTED,
        CallDisposition.POWERED_OFF,
        CallDisposition.UNREACHABLE,
        CallDisposition.VOICEMAIL,
    }
)
BAD_NUMBER = frozenset({CallDisposition.SUSPENDED, CallDisposition.INVALID_NUMBER})
# Somebody or something was there, and the visit did not come to its end.
CUT_SHORT = frozenset(
    {
        CallDisposition.ANSWERED_SILENT,
        CallDisposition.OTHER_PERSON,
        CallDisposition.ASKED_LATER,
        CallDisposition.HUNG_UP_EARLY,
        CallDisposition.COMPLETED,  # without a record: nothing was told
    }
)

PAUSED = "paused"
FATES = (
    "visited",
    PAUSED,
    "refused",
    "on_site_pending",
    "bad_number",
    "cut_short",
    "unanswered",
    "not_dialled",
)

Counts = dict[int | None, dict[str, int]]
"""Area of the elder (None: no area) -> name of the count -> number."""

_area = Shape(Area, tables.area)


class Reports:
    def __init__(self, db: Db) -> None:
        self._db = db

    def areas(self, area_id: int | None = None) -> list[Area]:
        statement = _area.select().order_by(tables.area.c.code)
        if area_id is not None:
            statement = statement.where(tables.area.c.id.in_(sa.select(subtree(area_id).c.id)))
        return self._db.all(_area, statement)

    def records_of(self, elder_id: int) -> int:
        record = tables.visit_record.c
        row = self._db.row(sa.select(sa.func.count()).where(record.elder_id == elder_id))
        return 0 if row is None else int(row[0])

    def coverage(self, start: datetime, end: datetime, area_id: int | None = None) -> tuple[Counts, Counts]:
        """Elders that had to be visited, and what became of each: every one is counted in exactly one of
        visited, paused, refused, on_site_pending, cut_short, unanswered, bad_number, not_dialled.

        The second: of those counted as paused why, in the ledger's words ("" where it says nothing).
        """
        c = self._fates(start, end, area_id).c
        modes = ("phone", "online", "on_site")
        reason = sa.case((c.fate == PAUSED, sa.func.coalesce(c.pause_reason, "")), else_="")
        statement = sa.select(
            c.area_id, c.fate, reason, sa.func.count(), *(_sum(c[mode]) for mode in modes)
        ).group_by(c.area_id, c.fate, reason)
        counts: Counts = {}
        pauses: Counts = {}
        for area, fate, why, elders, *by_mode in self._db.rows(statement):
            of = counts.setdefault(area, dict.fromkeys(("due", *modes, *FATES), 0))
            for name, number in zip(("due", fate, *modes), (elders, elders, *by_mode), strict=True):
                of[name] += int(number)
            if fate == PAUSED:
                of_reasons = pauses.setdefault(area, {})
                of_reasons[why] = of_reasons.get(why, 0) + int(elders)
        return counts, pauses

    def ledger(self, start: datetime, end: datetime, area_id: int | None = None) -> Counts:
        """Active elders, and how many of them no ordinary plan covers in this month."""
        elder, plan = tables.elder, tables.visit_plan
        planned = (
            sa.select(sa.literal(1))
            .where(
                plan.c.elder_id == elder.c.id,
                plan.c.due_from < end,
                plan.c.due_until > start,
                *_ordinary(plan),
            )
            .exists()
        )
        statement = (
            sa.select(elder.c.area_id, sa.func.count(), _how_many(~planned))
            .where(elder.c.active.is_(True))
            .group_by(elder.c.area_id)
        )
        return self._counts(self._inside(statement, area_id), ("active", "unplanned"))

    def calls(self, start: datetime, end: datetime, area_id: int | None = None) -> Counts:
        """Calls that began in the month by why they ended; the name is the disposition."""
        call = tables.call
        statement = (
            sa.select(tables.elder.c.area_id, call.c.disposition, sa.func.count())
            .select_from(call.join(tables.elder, tables.elder.c.id == call.c.elder_id))
            .where(call.c.intended_at >= start, call.c.intended_at < end, call.c.disposition.is_not(None))
            .where(call.c.contact_id.is_(None))
            .group_by(tables.elder.c.area_id, call.c.disposition)
        )
        return self._by_word(self._inside(statement, area_id))

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
        c = self._inside(one, area_id).subquery("one").c
        urgent = c.urgent.is_(True) if self._db.dialect != "sqlite" else c.urgent == 1
        seen = sa.and_(urgent, c.visit_s.is_not(None))
        statement = sa.select(
            c.area_id,
            sa.func.count(),
            _how_many(sa.and_(c.closed_at.is_not(None), c.closed_at <= c.deadline)),
            _how_many(sa.and_(c.closed_at.is_not(None), c.closed_at > c.deadline)),
            _how_many(sa.and_(c.closed_at.is_(None), c.deadline < now)),
            _how_many(sa.and_(c.closed_at.is_(None), c.deadline >= now)),
            _how_many(urgent),
            _how_many(sa.and_(urgent, c.accept_s.is_not(None))),
            _sum(sa.case((urgent, c.accept_s), else_=0)),
            _how_many(seen),
            _sum(sa.case((urgent, c.visit_s), else_=0)),
            _how_many(sa.and_(seen, c.visited_in_time)),
        ).group_by(c.area_id)
        return self._counts(statement, _CASES)

    def case_kinds(self, start: datetime, end: datetime, area_id: int | None = None) -> Counts:
        case, elder = tables.case, tables.elder
        statement = (
            sa.select(elder.c.area_id, case.c.kind, sa.func.count())
            .select_from(case.join(elder, elder.c.id == case.c.elder_id))
            .where(case.c.opened_at >= start, case.c.opened_at < end)
            .group_by(elder.c.area_id, case.c.kind)
        )
        return self._by_word(self._inside(statement, area_id))

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
                _how_many(verdict.c.verdict == ReviewVerdict.CONFIRMED),
                _how_many(verdict.c.verdict == ReviewVerdict.FALSE_ALARM),
            )
            .select_from(
                turn.join(call, call.c.id == turn.c.call_id)
                .join(elder, elder.c.id == call.c.elder_id)
                .outerjoin(verdict, verdict.c.id == last)
            )
            .where(turn.c.alert != Alert.NONE, call.c.intended_at >= start, call.c.intended_at < end)
            .group_by(elder.c.area_id)
        )
        return self._counts(self._inside(statement, area_id), ("alerts", "confirmed", "false_alarms"))

    # ---- parts ---------------------------------------------------------------------------------------

    def _fates(self, start: datetime, end: datetime, area_id: int | None) -> sa.CTE:
        """One row per elder that had to be visited: area, how he was visited, or the one reason why not."""
        due = self._due(start, end, area_id)
        visits, calls = self._visits(due, end), self._calls(due, end)
        elder, consent, case = tables.elder, tables.consent, tables.case
        agreed = (
            sa.select(consent.c.granted)
            .where(
                consent.c.elder_id == due.c.elder_id,
                consent.c.purpose == ConsentPurpose.PHONE_VISIT,
                consent.c.at < end,
            )
            .order_by(consent.c.at.desc(), consent.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        refusal = (
            sa.select(sa.literal(1))
            .where(
                case.c.elder_id == due.c.elder_id,
                case.c.kind == CaseKind.REFUSAL,
                case.c.opened_at >= due.c.since,
                case.c.opened_at < end,
            )
            .exists()
        )
        on_site = sa.or_(visits.c.on_site == 1, due.c.elder_id.in_(self._seen_at_the_door(due, end)))
        visited = sa.or_(visits.c.phone == 1, visits.c.online == 1, on_site)
        # In this order: the first that holds is the reason.
        reasons: tuple[tuple[str, sa.ColumnElement[bool]], ...] = (
            ("visited", visited),
            ("paused", due.c.paused == 1),
            ("refused", sa.or_(agreed.is_(False), refusal)),
            ("on_site_pending", due.c.at_home == 1),
            ("bad_number", calls.c.bad_number == 1),
            ("cut_short", calls.c.cut_short == 1),
            ("unanswered", calls.c.unanswered == 1),
        )
        fate = sa.case(*((holds, name) for name, holds in reasons), else_="not_dialled")
        return (
            sa.select(
                elder.c.area_id,
                elder.c.pause_reason,
                _flag(visits.c.phone == 1).label("phone"),
                _flag(visits.c.online == 1).label("online"),
                _flag(on_site).label("on_site"),
                fate.label("fate"),
            )
            .select_from(
                due.join(elder, elder.c.id == due.c.elder_id)
                .outerjoin(visits, visits.c.elder_id == due.c.elder_id)
                .outerjoin(calls, calls.c.elder_id == due.c.elder_id)
            )
            .cte("one")
        )

    def _due(self, start: datetime, end: datetime, area_id: int | None) -> sa.CTE:
        """Elders with an ordinary plan that ends in the month; `since`: what counts as visited for it."""
        plan = tables.visit_plan
        moment = plan.c.due_from.type
        since = sa.case(
            (plan.c.period.like(QUARTERS), plan.c.due_from), else_=sa.bindparam(None, start, type_=moment)
        )
        statement = sa.select(
            plan.c.elder_id,
            sa.func.min(since, type_=moment).label("since"),
            sa.func.max(_flag(plan.c.status == PlanStatus.PAUSED)).label("paused"),
            sa.func.max(
                _flag(sa.or_(plan.c.mode != VisitMode.PHONE, plan.c.status == PlanStatus.ON_SITE))
            ).label("at_home"),
        ).where(
            plan.c.status.in_(list(PlanStatus)),  # all: it lets the index on (status, due_until) be used
            plan.c.due_until > start,
            plan.c.due_until <= end,
            *_ordinary(plan),
        )
        if area_id is not None:
            elder = tables.elder
            statement = statement.join(elder, elder.c.id == plan.c.elder_id).where(
                elder.c.area_id.in_(sa.select(subtree(area_id).c.id))
            )
        return statement.group_by(plan.c.elder_id).cte("due")

    def _visits(self, due: sa.CTE, end: datetime) -> sa.CTE:
        """By which modes each of them was visited: a record, of a call only when it was completed."""
        record, call = tables.visit_record, tables.call

        def by(mode: VisitMode) -> sa.ColumnElement[int]:
            return sa.func.max(_flag(record.c.mode == mode))

        return (
            sa.select(
                due.c.elder_id,
                by(VisitMode.PHONE).label("phone"),
                by(VisitMode.ONLINE).label("online"),
                by(VisitMode.ON_SITE).label("on_site"),
            )
            .select_from(
                due.join(record, record.c.elder_id == due.c.elder_id).outerjoin(
                    call, call.c.id == record.c.call_id
                )
            )
            .where(
                record.c.visited_at >= due.c.since,
                record.c.visited_at < end,
                sa.or_(
                    record.c.mode != VisitMode.PHONE,
                    record.c.call_id.is_(None),
                    call.c.disposition == CallDisposition.COMPLETED,
                ),
            )
            .group_by(due.c.elder_id)
            .cte("visits")
        )

    def _seen_at_the_door(self, due: sa.CTE, end: datetime) -> sa.Select[Any]:
        """A case whose visitor says that he was there is a visit, also when no form was written."""
        case = tables.case
        return (
            sa.select(case.c.elder_id)
            .select_from(due.join(case, case.c.elder_id == due.c.elder_id))
            .where(case.c.visited_at >= due.c.since, case.c.visited_at < end)
        )

    def _calls(self, due: sa.CTE, end: datetime) -> sa.CTE:
        call = tables.call

        def any_of(which: frozenset[CallDisposition]) -> sa.ColumnElement[int]:
            return sa.func.max(_flag(call.c.disposition.in_(sorted(which))))

        return (
            sa.select(
                due.c.elder_id,
                any_of(BAD_NUMBER).label("bad_number"),
                any_of(CUT_SHORT).label("cut_short"),
                any_of(UNANSWERED).label("unanswered"),
            )
            .select_from(due.join(call, call.c.elder_id == due.c.elder_id))
            .where(call.c.intended_at >= due.c.since, call.c.intended_at < end, call.c.contact_id.is_(None))
            .group_by(due.c.elder_id)
            .cte("calls")
        )

    def _seconds(self, later: Any, earlier: Any) -> sa.ColumnElement[int]:
        """Whole seconds between two times; NULL when one is missing."""
        if self._db.dialect == "sqlite":
            return sa.cast(sa.func.strftime("%s", later), sa.Integer) - sa.cast(
                sa.func.strftime("%s", earlier), sa.Integer
            )
        return sa.cast(sa.func.floor(sa.extract("epoch", later)), sa.BigInteger) - sa.cast(
            sa.func.floor(sa.extract("epoch", earlier)), sa.BigInteger
        )

    def _inside(self, statement: sa.Select[Any], area_id: int | None) -> sa.Select[Any]:
        """The statement must have the table elder."""
        if area_id is None:
            return statement
        return statement.where(tables.elder.c.area_id.in_(sa.select(subtree(area_id).c.id)))

    def _counts(self, statement: sa.Select[Any], names: Sequence[str]) -> Counts:
        return {
            row[0]: {name: int(number) for name, number in zip(names, row[1:], strict=True)}
            for row in self._db.rows(statement)
        }

    def _by_word(self, statement: sa.Select[Any]) -> Counts:
        counts: Counts = {}
        for area_id, word, number in self._db.rows(statement):
            counts.setdefault(area_id, {})[str(word)] = int(number)
        return counts


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


def _flag(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """1 or 0, also where the question has no answer (NULL)."""
    return sa.case((which, 1), else_=0)


def _how_many(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return _sum(_flag(which))


def _sum(what: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(what), 0)


def _ordinary(plan: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    """Of the cadence; campaigns and follow-ups are visits beside it."""
    return (plan.c.period.not_like(CAMPAIGN_PERIODS), plan.c.period.not_like(FOLLOW_UP_PERIODS))
