"""When an elder may be called (拨打时段). Pure: local wall time in, UTC out.

Hours are deferral, never loss: what falls outside of them is moved to the next opening.
A window may be bound to days of the week ("mon-fri 15:00-17:00", 周一至周五). `closed` is the seam
for holidays: the days on which nobody is called at all (scheduler.calendar.ClosedDays).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import combinations
from zoneinfo import ZoneInfo

from xunfang.errors import BadSettings

DAY = timedelta(days=1)
LOOK_AHEAD_DAYS = 60  # longer than any row of closed days
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # as date.weekday() counts
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class HoursConfig:
    windows: tuple[str, ...] = ("08:30-11:30", "14:30-19:30")
    timezone: str = "Asia/Shanghai"
    closed: Container[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes since local midnight, start included, end excluded; 1440 is midnight. `days`: weekdays,
    0 is Monday."""

    start: int
    end: int
    days: frozenset[int] = EVERY_DAY


@lru_cache(maxsize=1024)
def parse_windows(texts: tuple[str, ...]) -> tuple[Window, ...]:
    """("08:30-11:30", "mon-fri 14:30-19:30"), by start. BadSettings for anything else, or for overlaps
    on one day."""
    windows = sorted((_parse(text) for text in texts), key=lambda each: (each.start, each.end))
    for before, after in combinations(windows, 2):
        if after.start < before.end and before.days & after.days:
            raise BadSettings(f"calling hours {', '.join(texts)} overlap: write each hour of the day once")
    return tuple(windows)


def written(window: Window) -> str:
    """The way back: what `parse_windows` reads as this window. Midnight at the end is 24:00."""
    start, end = (f"{each // 60:02d}:{each % 60:02d}" for each in (window.start, window.end))
    return f"{days_written(window.days)} {start}-{end}".lstrip()


def days_written(days: frozenset[int], names: Sequence[str] = WEEKDAYS, to: str = "-", sep: str = ",") -> str:
    """{0, 1, 2, 3, 4, 6} is mon-fri,sun; every day is nothing."""
    if days == EVERY_DAY:
        return ""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return sep.join(
        names[run[0]]
        + (f"{to}{names[run[-1]]}" if len(run) > 2 else f"{sep}{names[run[1]]}" if run[1:] else "")
        for run in runs
    )


def usable(own: tuple[str, ...]) -> tuple[str, ...]:
    """An elder's windows, or none when they cannot be read: a slip in the ledger must not keep an ended
    call from being settled. (Dialling refuses them instead: nobody is rung at a guessed hour.)"""
    try:
        parse_windows(own)
    except BadSettings:
        return ()
    return own


def local_date(now: datetime, config: HoursConfig) -> date:
    return now.astimezone(ZoneInfo(config.timezone)).date()


def is_open(now: datetime, config: HoursConfig, own: Sequence[str] = ()) -> bool:
    """`own`: the elder's windows, which replace the county's."""
    return any(start <= now < end for start, end in openings(now, config, own, days=1))


def next_opening(after: datetime, config: HoursConfig, own: Sequence[str] = ()) -> datetime:
    """`after` itself when it is inside the hours, otherwise the next moment that is."""
    for start, end in openings(after, config, own):
        if after < end:
            return max(after, start)
    raise _never_open(config)


def next_window(after: datetime, config: HoursConfig, own: Sequence[str] = ()) -> datetime:
    """The start of the first window that begins later: another time of day, or the next day."""
    return next_window_span(after, config, own)[0]


def next_window_span(
    after: datetime, config: HoursConfig, own: Sequence[str] = ()
) -> tuple[datetime, datetime]:
    """Start and end of that window."""
    for start, end in openings(after, config, own):
        if start > after:
            return start, end
    raise _never_open(config)


def next_day(after: datetime, config: HoursConfig, own: Sequence[str] = ()) -> datetime:
    """The first opening of a later local day."""
    today = local_date(after, config)
    for start, _ in openings(after, config, own):
        if local_date(start, config) > today:
            return start
    raise _never_open(config)


def add_service_time(after: datetime, duration: timedelta, config: HoursConfig) -> datetime:
    """When `duration` of service hours has passed. Each whole day is one service day: the same time of
    the next day on which there is service; the rest counts only while there is."""
    zone = ZoneInfo(config.timezone)
    days, rest = divmod(duration, DAY)
    moment = next_opening(after, config)
    for _ in range(days):
        local = moment.astimezone(zone)
        following = local.date() + DAY
        while not _serves(following, config):
            following += DAY
        moment = datetime.combine(following, local.time(), zone).astimezone(after.tzinfo)
    if not rest:
        return moment
    for start, end in openings(moment, config, ()):
        served = end - max(start, moment)
        if served <= timedelta():
            continue
        if rest <= served:
            return max(start, moment) + rest
        rest -= served
    raise _never_open(config)


def opens_between(start: datetime, end: datetime, config: HoursConfig, own: Sequence[str] = ()) -> bool:
    """Is there any moment to call in [start, end)? A week of holidays may have none."""
    try:
        return next_opening(start, config, own) < end
    except BadSettings:
        return False


def served_until(start: datetime, end: datetime, config: HoursConfig) -> datetime:
    """`end` of a period; when nobody may be called in the whole of it (a week of holidays), the end of
    the first day after it on which somebody may: deferred, never dropped."""
    if opens_between(start, end, config):
        return end
    return day_start(next_opening(end, config) + DAY, config)


def day_start(now: datetime, config: HoursConfig) -> datetime:
    """Local midnight, in UTC: calls per day are counted from here."""
    zone = ZoneInfo(config.timezone)
    return datetime.combine(local_date(now, config), time(), zone).astimezone(now.tzinfo)


def _serves(day: date, config: HoursConfig) -> bool:
    return day not in config.closed and any(
        day.weekday() in window.days for window in parse_windows(config.windows)
    )


def openings(
    around: datetime, config: HoursConfig, own: Sequence[str], days: int = LOOK_AHEAD_DAYS
) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) of each opening from the local day of `around` on."""
    zone = ZoneInfo(config.timezone)
    windows = parse_windows(tuple(own) or config.windows)
    today = around.astimezone(zone).date()
    for offset in range(days):
        day = today + DAY * offset
        if day in config.closed:
            continue
        midnight = datetime.combine(day, time(), zone)
        for window in windows:
            if day.weekday() not in window.days:
                continue
            yield (
                (midnight + timedelta(minutes=window.start)).astimezone(around.tzinfo),
                (midnight + timedelta(minutes=window.end)).astimezone(around.tzinfo),
            )


def _parse(text: str) -> Window:
    named, _, span = text.strip().rpartition(" ")
    start, dash, end = span.partition("-")
    try:
        window = Window(_minutes(start), _minutes(end), _days(named))
    except ValueError:
        dash = ""
    if not dash or window.start >= window.end:
        raise BadSettings(
            f"calling hours {text!r} are not understood; write 08:30-11:30, or mon-fri,sun 08:30-11:30"
        )
    return window


def _days(text: str) -> frozenset[int]:
    if not text.strip():
        return EVERY_DAY
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = (each.strip().lower() for each in part.partition("-"))
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last if dash else first)
        if end < start:
            raise ValueError("the days go round the week")
        days.update(range(start, end + 1))
    return frozenset(days)


def _minutes(text: str) -> int:
    if text.strip() == "24:00":
        return 24 * 60
    moment = time.fromisoformat(text.strip())
    return moment.hour * 60 + moment.minute


def _never_open(config: HoursConfig) -> BadSettings:
    return BadSettings(
        f"no calling hours within {LOOK_AHEAD_DAYS} days: check the closed days and the hours "
        f"{', '.join(config.windows) or '(none)'}"
    )
