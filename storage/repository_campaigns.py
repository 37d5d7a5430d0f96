"""专项巡访: surge campaigns, and the plans of one round of them, in sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Campaign, Chunk, Occurrence, Terms
from storage.repository_planning import (
    ON_SITE,
    OPEN,
    PHONE,
    READY,
    Condition,
    facts,
    has_category,
    in_chunk,
    insert_plans,
    is_paused,
    lot_of,
    lot_salt,
    moment,
    no_plan,
    not_searched_by,
    plan_status,
    visit_mode,
    way,
)
from xunfang.errors import Conflict
from xunfang.vocabulary import PlanStatus, VisitMode

ENOUGH_LEFT = timedelta(days=2)  # a plan with less of its period left is not put off for a surge
DELETE_ROWS = 5000

_campaign = Shape(Campaign, tables.campaign)


class Campaigns:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, campaign: Campaign) -> Campaign:
        """Its id is ignored. Conflict when the code is taken."""
        table = tables.campaign
        row = self._db.row(
            self._db.insert(table)
            .values(**_campaign.values(campaign))
            .on_conflict_do_nothing(index_elements=[table.c.code])
            .returning(*_campaign.columns)
        )
        if row is None:
            raise Conflict(f"there is a campaign {campaign.code} already; choose another code")
        return _campaign.of(row)

    def get(self, code: str) -> Campaign | None:
        return self._db.one(_campaign, _campaign.select().where(tables.campaign.c.code == code))

    def not_over(self, today: date) -> list[Campaign]:
        """Running or still to come, the first to end first."""
        campaign = tables.campaign.c
        return self._db.all(
            _campaign,
            _campaign.select()
            .where(campaign.ends >= today, campaign.ended_at.is_(None))
            .order_by(campaign.ends, campaign.id),
        )

    def page(self, after_id: int = 0, limit: int = 100) -> list[Campaign]:
        campaign = tables.campaign.c
        return self._db.all(
            _campaign, _campaign.select().where(campaign.id > after_id).order_by(campaign.id).limit(limit)
        )

    def end(self, id: int, at: datetime) -> bool:
        """False when it was ended before."""
        campaign = tables.campaign
        return self._db.change_one(
            sa.update(campaign).where(campaign.c.id == id, campaign.c.ended_at.is_(None)).values(ended_at=at)
        )

    def counts(self, id: int) -> dict[str, Counter[PlanStatus]]:
        """period -> how many of its plans are in which status."""
        plan = tables.visit_plan.c
        found: dict[str, Counter[PlanStatus]] = {}
        for period, status, count in self._db.rows(
            sa.select(plan.period, plan.status, sa.func.count())
            .where(plan.campaign_id == id)
            .group_by(plan.period, plan.status)
            .order_by(plan.period)
        ):
            found.setdefault(period, Counter())[status] = int(count)
        return found

    def withdraw(self, id: int) -> int:
        """Take back plans that nobody was called or visited for, a bounded number; 0 when none is left.

        Whoever did not answer so far stays on the ladder: a silent elder in a flood is looked for.
        """
        plan, call = tables.visit_plan, tables.call.c
        untouched = (
            sa.select(plan.c.id)
            .where(
                plan.c.campaign_id == id,
                plan.c.status.in_((PlanStatus.DUE, PlanStatus.ON_SITE, PlanStatus.PAUSED)),
                ~sa.select(sa.literal(1)).where(call.plan_id == plan.c.id).correlate(plan).exists(),
                ~sa.select(sa.literal(1))
                .where(tables.visit_record.c.plan_id == plan.c.id)
                .correlate(plan)
                .exists(),
            )
            .limit(DELETE_ROWS)
        )
        return self._db.change(sa.delete(plan).where(plan.c.id.in_(untouched)))

    # ---- one round -----------------------------------------------------------------------------

    def unplanned(self, round: Occurrence, terms: Terms, chunk: Chunk) -> Counter[str]:
        """Elders of the campaign without a plan of this round, by PHONE or ON_SITE. Reads only."""
        found = self._facts(round, terms, chunk)
        counted = sa.select(way(found).label("way")).subquery()
        rows = self._db.rows(
            sa.select(counted.c.way, sa.func.count())
            .where(counted.c.way.in_((PHONE, ON_SITE)))
            .group_by(counted.c.way)
        )
        return Counter({row[0]: row[1] for row in rows})

    def plan(self, round: Occurrence, terms: Terms, chunk: Chunk) -> Counter[str]:
        """Create what is missing, and put off other calls to the same elders until tomorrow: nobody is
        called twice a day for nothing. What has little of its period left is not put off."""
        found = self._facts(round, terms, chunk)
        by = way(found)
        source = sa.select(
            found.c.id,
            sa.literal(round.period),
            sa.case((by == PHONE, visit_mode(VisitMode.PHONE)), else_=visit_mode(VisitMode.ON_SITE)),
            moment(round.due_from),
            moment(round.due_until),
            sa.literal(round.campaign.dialplan),
            sa.case((by == PHONE, plan_status(PlanStatus.DUE)), else_=plan_status(PlanStatus.ON_SITE)),
            sa.literal(0),
            moment(None),
            lot_of(found.c.id, sa.literal(lot_salt(round.period), sa.BigInteger)),
            sa.literal(round.campaign.id, sa.BigInteger),
        ).where(by.in_((PHONE, ON_SITE)))
        plan = tables.visit_plan.c
        insert = insert_plans(self._db, source, ("campaign_id",))
        rows = self._db.rows(insert.returning(plan.status))
        self._put_off(round, terms, chunk)
        return Counter(PHONE if row[0] is PlanStatus.DUE else ON_SITE for row in rows)

    # ---- inside --------------------------------------------------------------------------------

    def _put_off(self, round: Occurrence, terms: Terms, chunk: Chunk) -> None:
        plan, called = tables.visit_plan, tables.visit_plan.alias("called")
        elder_ids = sa.select(called.c.elder_id).where(
            in_chunk(called.c.elder_id, chunk),
            called.c.period == round.period,
            not_searched_by(called.c.status) == PlanStatus.DUE,
        )
        self._db.change(
            sa.update(plan)
            .where(
                in_chunk(plan.c.elder_id, chunk),
                plan.c.elder_id.in_(elder_ids),
                not_searched_by(plan.c.status).in_(READY),
                plan.c.period.not_in((round.period, *round.yields_to)),
                plan.c.due_from <= terms.now,
                plan.c.due_until > terms.tomorrow + ENOUGH_LEFT,
                sa.or_(plan.c.next_attempt_at.is_(None), plan.c.next_attempt_at < terms.tomorrow),
            )
            .values(next_attempt_at=terms.tomorrow)
        )

    def _facts(self, round: Occurrence, terms: Terms, chunk: Chunk) -> sa.CTE:
        elder = tables.elder.c
        campaign = round.campaign
        where: list[Condition] = [
            in_chunk(elder.id, chunk),
            sa.not_(is_paused(elder.paused_until, terms.today)),
            no_plan(sa.literal(round.period), chunk),
        ]
        if campaign.areas:
            where.append(elder.area_id.in_(sa.select(_below(campaign.areas).c.id)))
        if campaign.categories:
            where.append(sa.or_(*(has_category(each) for each in sorted(campaign.categories))))
        if round.yields_to:
            where.append(self._not_called_by(round.yields_to))
        return facts(where=where)

    def _not_called_by(self, periods: Sequence[str]) -> Condition:
        other = tables.visit_plan.alias("graver")
        return ~(
            sa.select(sa.literal(1))
            .where(
                other.c.elder_id == tables.elder.c.id,
                other.c.period.in_(periods),
                not_searched_by(other.c.status).in_(OPEN),
            )
            .correlate(tables.elder)
            .exists()
        )


def _below(area_ids: Sequence[int]) -> sa.CTE:
    """These areas and everything below them."""
    area = tables.area
    tree = sa.select(area.c.id).where(area.c.id.in_(area_ids)).cte("below", recursive=True)
    return tree.union_all(sa.select(area.c.id).join(tree, area.c.parent_id == tree.c.id))
