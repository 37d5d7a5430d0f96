"""Who is due, and how (计划): the rules, pure. storage.repository_planning says them in SQL.

Phone visits are for elders who look after themselves, are in good health and agreed; everybody
else is visited on site, if he agreed to that; who agreed to neither gets a case to ask him
(Jilin 2020, 四(二): 按照老年人意愿).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from scheduler import hours
from scheduler.habits import slots
from scheduler.hours import HoursConfig
from scheduler.policy import Policy
from storage.model import Elder, Period, Terms, VisitPlan
from storage.repository_planning import SPREAD
from storage.repository_plans import lot
from xunfang.errors import BadSettings
from xunfang.vocabulary import Cadence, ConsentPurpose, PlanStatus, VisitMode

if TYPE_CHECKING:
    from storage import Work

DAY = timedelta(days=1)
LADDER_DAYS = 3  # of service, left free at the end of a period: another window, the next day, one to spare
FARTHEST = timedelta(days=59)  # of a quarter only this much is looked at (hours.LOOK_AHEAD_DAYS)
MOST_MOMENTS = 120  # of a month or a quarter: each is a branch of the planning statement


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
    return midnight(first, timezone), midnight(after, timezone)


def period_of(elder: Elder, day: date, policy: Policy) -> str:
    """The key of the elder's present period, by the cadence that holds for him."""
    return period_key(policy.cadence.holds(elder.cadence, elder.categories), day)


def terms(now: datetime, policy: Policy) -> Terms:
    """What a run of planning at this moment decides by."""
    zone = policy.hours.timezone
    today = now.astimezone(ZoneInfo(zone)).date()
    by = now + policy.first_visit
    return Terms(
        now=now,
        today=today,
        tomorrow=midnight(today + DAY, zone),
        first_visit_by=by,
        periods=tuple(_period(cadence, now, by, policy) for cadence in Cadence),
        rules=policy.cadence.rules,
    )


def _period(cadence: Cadence, now: datetime, first_visit_by: datetime, policy: Policy) -> Period:
    """A new elder is visited within some days, also when the period would allow later. Who comes in
    on the last day of a period gets the next day too: an evening is no chance to be reached."""
    config = policy.hours
    today = hours.local_date(now, config)
    start, end = period_bounds(cadence, today, config.timezone)
    end = hours.served_until(start, end, config)
    last_day = midnight(today + DAY, config.timezone) >= end
    entrants = min(first_visit_by, end + DAY if last_day else end)
    spread = first_calls(start, end, now, config) if policy.spread else ()
    return Period(cadence, period_key(cadence, today), start, end, entrants, spread)


def first_calls(start: datetime, end: datetime, now: datetime, config: HoursConfig) -> tuple[datetime, ...]:
    """Moments of a period [start, end), still to come, over which first calls are spread: full hours of its
    first half, and never of its last LADDER_DAYS of service, which the whole ladder may need."""
    try:
        found = slots(start, min(end, start + FARTHEST), config)
    except BadSettings:
        return ()  # no hours at all: close_overdue says so
    days = sorted({hours.local_date(each, config) for each in found})
    used = min(-(-len(days) // 2), len(days) - LADDER_DAYS)
    if used < 2:
        return ()  # a week of holidays: nothing to spread over
    left = [each for each in found if each >= now and hours.local_date(each, config) <= days[used - 1]]
    most = min(len(left), MOST_MOMENTS)
    return tuple(left[place * len(left) // most] for place in range(most))


def first_call(elder: Elder, period: Period) -> datetime | None:
    """Always about the same weekday and hour for one elder. Whoever has hours of his own keeps to them."""
    if elder.windows or not period.first_calls:
        return None
    return period.first_calls[lot(elder.id, SPREAD) % len(period.first_calls)]


def plan_row(elder: Elder, way: Way, now: datetime, policy: Policy) -> VisitPlan:
    """The plan of the elder's present period, as set-based planning would write it."""
    zone = policy.hours.timezone
    day = now.astimezone(ZoneInfo(zone)).date()
    cadence = policy.cadence.holds(elder.cadence, elder.categories)
    start, end = period_bounds(cadence, day, zone)
    status = PlanStatus.DUE if way is Way.PHONE else PlanStatus.ON_SITE
    if is_paused(elder, now, policy):
        status = PlanStatus.PAUSED
    period = _period(cadence, now, end, policy)
    return VisitPlan(
        id=0,
        elder_id=elder.id,
        period=period_key(cadence, day),
        mode=VisitMode.PHONE if way is Way.PHONE else VisitMode.ON_SITE,
        due_from=start,
        due_until=hours.served_until(start, end, policy.hours),
        dialplan=elder.dialplan,
        status=status,
        next_attempt_at=first_call(elder, period) if status is PlanStatus.DUE else None,
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


def midnight(day: date, timezone: str) -> datetime:
    """The beginning of a local day, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)
