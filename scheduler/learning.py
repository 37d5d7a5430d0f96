"""Once a day: count which hour works for whom, and let this day's first attempts know.

The first attempt of a plan is put to the elder's best hour only when that hour comes within
`PUT_OFF_MOST` and leaves `PERIOD_LEFT` of the period, and only once: whoever is not reached then,
or not dialled, waits in the same queue as everybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from scheduler import habits
from scheduler.habits import Habits
from scheduler.hours import DAY, HoursConfig, local_date
from scheduler.policy import Policy
from xunfang.clock import Clock
from xunfang.errors import BadSettings

if TYPE_CHECKING:
    from storage import Store, Work

PUT_OFF_MOST = DAY
PERIOD_LEFT = timedelta(days=3)


def learn_daily(store: Store, clock: Clock, policy: Policy) -> bool:
    """True when today had not been counted yet. Safe to repeat and to interrupt: one transaction."""
    now, config = clock.now(), policy.hours
    with store.read() as work:
        if _is_counted(work, now, config):
            return False
    with store.begin() as work:
        if _is_counted(work, now, config):
            return False
        offset = now.astimezone(ZoneInfo(config.timezone)).utcoffset() or timedelta()
        work.times.count(
            now=now,
            since=now - habits.LOOK_BACK,
            utc_offset_minutes=offset // timedelta(minutes=1) % (24 * 60),
            answered=habits.ANSWERED,
            missed=habits.MISSED,
            strength=habits.STRENGTH,
            least_answered=habits.LEAST_ANSWERED,
        )
        for hour, at in first_moments(now, config).items():
            work.times.prefer(hour, at, ends_after=at + PERIOD_LEFT)
    return True


def habits_now(work: Work, elder_id: int, now: datetime, timezone: str) -> Habits:
    """Of one elder, with the call that has just ended."""
    past = work.times.past(elder_id, now - habits.LOOK_BACK, habits.MOST_CALLS)
    return habits.habits_of(past, work.times.rates(), timezone)


def first_moments(now: datetime, config: HoursConfig) -> dict[int, datetime]:
    """For each local hour of the day the next moment at which it is open, within PUT_OFF_MOST."""
    zone = ZoneInfo(config.timezone)
    found: dict[int, datetime] = {}
    try:
        for moment in habits.slots(now, now + PUT_OFF_MOST, config):
            found.setdefault(moment.astimezone(zone).hour, moment)
    except BadSettings:
        return {}
    return found


def _is_counted(work: Work, now: datetime, config: HoursConfig) -> bool:
    counted = work.times.counted_at()
    return counted is not None and local_date(counted, config) >= local_date(now, config)
