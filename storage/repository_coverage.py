"""探访率: the elders that had to be visited in a month, and what became of each. One set-based question.

What each number means stands in records.indicators and docs/indicators.md; a test recomputes all of them
in plain Python. Months are half-open [start, end) in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.counting import Counts, flag, ordinary, total
from storage.db import Db
from storage.repository_areas import subtree
from xunfang.vocabulary import CallDisposition, CaseKind, ConsentPurpose, PlanStatus, VisitMode

QUARTERS = "____-Q_"

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


class Coverage:
    def __init__(self, db: Db) -> None:
        self._db = db

    def counts(self, start: datetime, end: datetime, area_id: int | None = None) -> tuple[Counts, Counts]:
        """Elders that had to be visited, and what became of each: every one is counted in exactly one of
        visited, paused, refused, on_site_pending, cut_short, unanswered, bad_number, not_dialled.

        The second: of those counted as paused why, in the ledger's words ("" where it says nothing).
        """
        c = self._fates(start, end, area_id).c
        modes = ("phone", "online", "on_site")
        reason = sa.case((c.fate == PAUSED, sa.func.coalesce(c.pause_reason, "")), else_="")
        statement = sa.select(
            c.area_id, c.fate, reason, sa.func.count(), *(total(c[mode]) for mode in modes)
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
                flag(visits.c.phone == 1).label("phone"),
                flag(visits.c.online == 1).label("online"),
                flag(on_site).label("on_site"),
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
            sa.func.max(flag(plan.c.status == PlanStatus.PAUSED)).label("paused"),
            sa.func.max(
                flag(sa.or_(plan.c.mode != VisitMode.PHONE, plan.c.status == PlanStatus.ON_SITE))
            ).label("at_home"),
        ).where(
            plan.c.status.in_(list(PlanStatus)),  # all: it lets the index on (status, due_until) be used
            plan.c.due_until > start,
            plan.c.due_until <= end,
            *ordinary(plan),
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
            return sa.func.max(flag(record.c.mode == mode))

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
            return sa.func.max(flag(call.c.disposition.in_(sorted(which))))

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
