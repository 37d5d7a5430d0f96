"""Who is due, and how (计划). Pure rules, and `plan_due`, which stores what they say.

Phone visits are for elders who look after themselves, are in good health and agreed; everybody
else is visited on site, if he agreed to that; who agreed to neither gets a case to ask him
(Jilin 2020, 四(二): 按照老年人意愿). A plan row is unique per elder and period, so planning twice
changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from scheduler.policy import Policy
from scheduler.settle import escalate_plan
from storage.model import Elder, VisitPlan
from xunfang.clock import Clock
from xunfang.errors import NotFound
from xunfang.vocabulary import Cadence, CaseKind, ConsentPurpose, PlanStatus, VisitMode

if TYPE_CHECKING:
    from storage import Store, Work

PAGE = 500


class Way(StrEnum):
    PHONE = "phone"
    ON_SITE = "on_site"
    ASK = "ask"  # no consent on record: a visitor asks
    NONE = "none"  # said no to both: nobody is visited against his will


def eligible(elder: Elder, phone_consent: bool | None, on_site_consent: bool | None) -> Way:
    """Consents as stored: None means never asked. A former no to one kind is no answer to the other."""
    fit = elder.self_caring and elder.good_health and elder.mode is not VisitMode.ON_SITE
    if fit and phone_consent is True:
        return Way.PHONE
    if on_site_consent is True:
        return Way.ON_SITE
    return Way.NONE if phone_consent is False and on_site_consent is False else Way.ASK


def period_key(cadence: Cadence, day: date) -> str:
    """2026-W47 (ISO week) | 2026-11 | 2026-Q4."""
    if cadence is Cadence.WEEKLY:
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    if cadence is Cadence.MONTHLY:
        return f"{day.year}-{day.month:02d}"
    return f"{day.year}-Q{(day.month + 2) // 3}"


def period_bounds(cadence: Cadence, day: date, timezone: str) -> tuple[datetime, datetime]:
    """Local midnights, as UTC: [start, end)."""
    if cadence is Cadence.WEEKLY:
        first = day - timedelta(days=day.weekday())
        after = first + timedelta(days=7)
    else:
        months = 1 if cadence is Cadence.MONTHLY else 3
        first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
        after = (first + timedelta(days=31 * months)).replace(day=1)
    return _midnight(first, timezone), _midnight(after, timezone)


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What one run of planning created. `refused`: elders who said no to every kind of visit."""

    created: int = 0
    phone: int = 0
    on_site: int = 0
    consent_cases: int = 0
    paused: int = 0
    resumed: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Page:
    """What a page of elders needs, gathered by reading, then written in one transaction."""

    rows: list[VisitPlan] = field(default_factory=list)
    ask: list[VisitPlan] = field(default_factory=list)
    resume: list[VisitPlan] = field(default_factory=list)
    refused: int = 0


def plan_due(store: Store, clock: Clock, policy: Policy) -> PlanReport:
    """Plan the current period of every active elder. Idempotent; safe to repeat and to interrupt."""
    report = PlanReport()
    after_id = 0
    while True:
        now = clock.now()
        with store.read() as work:
            elders = work.elders.page(after_id, PAGE)
            page = _look(work, elders, policy, now)
        report = _sum(report, _write(store, page, policy, now))
        if len(elders) < PAGE:
            return report
        after_id = elders[-1].id


def plan_row(elder: Elder, way: Way, now: datetime, policy: Policy) -> VisitPlan:
    zone = policy.hours.timezone
    day = now.astimezone(ZoneInfo(zone)).date()
    start, end = period_bounds(elder.cadence, day, zone)
    status = PlanStatus.DUE if way is Way.PHONE else PlanStatus.ON_SITE
    if is_paused(elder, now, policy):
        status = PlanStatus.PAUSED
    return VisitPlan(
        id=0,
        elder_id=elder.id,
        period=period_key(elder.cadence, day),
        mode=VisitMode.PHONE if way is Way.PHONE else VisitMode.ON_SITE,
        due_from=start,
        due_until=end,
        dialplan=elder.dialplan,
        status=status,
    )


def is_paused(elder: Elder, now: datetime, policy: Policy) -> bool:
    """Paused through the last day of the pause (住院, 外出)."""
    today = now.astimezone(ZoneInfo(policy.hours.timezone)).date()
    return elder.paused_until is not None and today <= elder.paused_until


def consents_of(work: Work, elder_id: int) -> tuple[bool | None, bool | None]:
    """(phone visit, on-site visit)."""
    return (
        work.consents.current(elder_id, ConsentPurpose.PHONE_VISIT),
        work.consents.current(elder_id, ConsentPurpose.ON_SITE_VISIT),
    )


def _look(work: Work, elders: Sequence[Elder], policy: Policy, now: datetime) -> _Page:
    page = _Page()
    for elder in elders:
        if not elder.active:
            continue
        row = plan_row(elder, Way.PHONE, now, policy)
        existing = work.plans.of_period(elder.id, row.period)
        if existing is not None:
            if existing.status is PlanStatus.PAUSED and not is_paused(elder, now, policy):
                page.resume.append(existing)
            continue
        way = eligible(elder, *consents_of(work, elder.id))
        if way is Way.NONE:
            page.refused += 1
        elif way is Way.ASK:
            page.ask.append(plan_row(elder, way, now, policy))
        else:
            page.rows.append(plan_row(elder, way, now, policy))
    return page


def _write(store: Store, page: _Page, policy: Policy, now: datetime) -> PlanReport:
    if not (page.rows or page.ask or page.resume):
        return PlanReport(refused=page.refused)
    with store.begin() as work:
        created = work.plans.ensure([*page.rows, *page.ask])
        asked = sum(_ask_for_consent(work, row, policy, now) for row in page.ask)
        resumed = sum(_resume(work, plan, policy, now) for plan in page.resume)
    return PlanReport(
        created=created,
        phone=sum(each.status is PlanStatus.DUE for each in page.rows),
        on_site=sum(each.status is PlanStatus.ON_SITE for each in page.rows),
        paused=sum(each.status is PlanStatus.PAUSED for each in (*page.rows, *page.ask)),
        consent_cases=asked,
        resumed=resumed,
        refused=page.refused,
    )


def _ask_for_consent(work: Work, row: VisitPlan, policy: Policy, now: datetime) -> bool:
    """The row was created with the case that carries it on, in one transaction."""
    plan = work.plans.of_period(row.elder_id, row.period)
    if plan is None:
        raise NotFound(f"the plan of elder {row.elder_id} for {row.period} vanished while planning")
    if plan.status is not PlanStatus.ON_SITE:
        return False
    escalate_plan(work, plan, CaseKind.CONSENT, policy, now)
    return True


def _resume(work: Work, plan: VisitPlan, policy: Policy, now: datetime) -> bool:
    """The pause is over: what the elder may be visited by is asked anew, much may have changed."""
    elder = work.elders.get(plan.elder_id)
    if elder is None:
        raise NotFound(f"no elder {plan.elder_id}")
    way = eligible(elder, *consents_of(work, elder.id))
    if way is Way.NONE:
        return False
    back = PlanStatus.DUE if way is Way.PHONE else PlanStatus.ON_SITE
    resumed = work.plans.set_status(plan.id, back, expected=PlanStatus.PAUSED)
    if resumed and way is Way.ASK:
        escalate_plan(work, plan, CaseKind.CONSENT, policy, now)
    return resumed


def _sum(one: PlanReport, other: PlanReport) -> PlanReport:
    names = PlanReport.__slots__
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})


def _midnight(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)
