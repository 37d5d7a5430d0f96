"""Once a day: count which hour works for whom, and let this day's first attempts know.

The first attempt of a plan is put to the elder's best hour only when that hour comes within
`PUT_OFF_MOST`, as the attempt itself would, and leaves `PERIOD_LEFT` of the period: whoever is not
reached then, or not dialled, waits in the same queue as everybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from scheduler import habits
from scheduler.habits import Habits
from scheduler.hours import DAY, HoursConfig, local_date
from scheduler.policy import Policy
from storage.model import Chunk, HourTerms
from xunfang.clock import Clock
from xunfang.errors import BadSettings

if TYPE_CHECKING:
    from storage import Store, Work

PUT_OFF_MOST = DAY
PERIOD_LEFT = timedelta(days=3)
CHUNK_ELDERS = {"sqlite": 2000, "postgresql": 20_000}  # SQLite has one writer: keep it free


def learn_daily(store: Store, clock: Clock, policy: Policy) -> bool:
    """True when today had not been counted yet. Short transactions; one that is interrupted is begun
    anew, because the day counts as done only when all is written."""
    now, config = clock.now(), policy.hours
    known = terms(now, config)
    with store.read() as work:
        if _is_counted(work, now, config):
            return False
        rates = work.times.count(known)
    moments = first_moments(now, config)
    part: Chunk | None = Chunk(0, 0)
    while part is not None:
        with store.begin() as work:
            work.times.learn(part, rates, known)
            work.times.prefer(part, moments, (now, now + PUT_OFF_MOST), PERIOD_LEFT)
        with store.read() as work:
            part = work.planning.chunk(part.upto, CHUNK_ELDERS[store.dialect])
    with store.begin() as work:
        work.times.put_rates(rates, now)
    return True


def terms(now: datetime, config: HoursConfig) -> HourTerms:
    offset = now.astimezone(ZoneInfo(config.timezone)).utcoffset() or timedelta()
    return HourTerms(
        now=now,
        since=now - habits.LOOK_BACK,
        utc_offset_minutes=offset // timedelta(minutes=1) % (24 * 60),
        answered=habits.ANSWERED,
        missed=habits.MISSED,
        strength=habits.STRENGTH,
        least_answered=habits.LEAST_ANSWERED,
    )


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
