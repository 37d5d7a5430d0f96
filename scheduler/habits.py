"""At which hour somebody answers (接听习惯). Pure.

An elder's chance at an hour of the day is his own share of answered calls, smoothed by a Beta
prior that the county's share at that hour makes: (answered + strength · county) / (tried +
strength). Nobody's visit waits for his best hour longer than the caller allows: from the moments
that are open anyway one is chosen, and a later one only when it is clearly better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.hours import HoursConfig, openings
from storage.model import HourRate, PastCall
from xunfang.vocabulary import CallDisposition

STRENGTH = 4.0  # the county's share weighs as much as so many calls of one's own
CLEARLY = 0.1  # a later hour must be better by so much
LEAST_ANSWERED = 2  # calls that make a habit
LOOK_BACK = timedelta(days=180)
MOST_CALLS = 60  # of one elder: more than half a year of weekly visits with retries
NO_RATE = 0.7  # of a county without calls: 67–86 % were answered in published pilots
HOUR = timedelta(hours=1)

# He was there and had time. Somebody else, a refusal or a later please: the hour did not suit.
ANSWERED = frozenset({CallDisposition.COMPLETED, CallDisposition.HUNG_UP_EARLY})
MISSED = frozenset(
    {
        CallDisposition.NO_ANSWER,
        CallDisposition.POWERED_OFF,
        CallDisposition.UNREACHABLE,
        CallDisposition.REJECTED,
        CallDisposition.VOICEMAIL,
        CallDisposition.ANSWERED_SILENT,
        CallDisposition.OTHER_PERSON,
        CallDisposition.ASKED_LATER,
    }
)


@dataclass(frozen=True, slots=True)
class Tally:
    answered: int = 0
    tried: int = 0


@dataclass(frozen=True, slots=True)
class Habits:
    """By local hour of the day, 0–23. Nothing known: every hour is as good as the next."""

    own: Mapping[int, Tally] = field(default_factory=dict)
    county: Mapping[int, Tally] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        return sum(each.answered for each in self.own.values()) >= LEAST_ANSWERED

    def chance(self, hour: int) -> float:
        """0–1, never quite either as long as the county is neither."""
        county, own = self.county.get(hour, Tally()), self.own.get(hour, Tally())
        share = county.answered / county.tried if county.tried else NO_RATE
        return (own.answered + STRENGTH * share) / (own.tried + STRENGTH)


NO_HABITS = Habits()


def habits_of(calls: Iterable[PastCall], rates: Iterable[HourRate], timezone: str) -> Habits:
    zone = ZoneInfo(timezone)
    answered: Counter[int] = Counter()
    tried: Counter[int] = Counter()
    for call in calls:
        if call.disposition in ANSWERED or call.disposition in MISSED:
            hour = call.intended_at.astimezone(zone).hour
            tried[hour] += 1
            answered[hour] += call.disposition in ANSWERED
    return Habits(
        own={hour: Tally(answered[hour], tried[hour]) for hour in tried},
        county={each.hour: Tally(each.answered, each.tried) for each in rates},
    )


def slots(start: datetime, end: datetime, config: HoursConfig, own: Sequence[str] = ()) -> list[datetime]:
    """Moments in [start, end) at which a call may begin: where each opening begins, and its full
    hours. Never outside of the hours or of the elder's own windows."""
    zone = ZoneInfo(config.timezone)
    found = []
    for opens, closes in openings(start, config, own):
        if opens >= end:
            break
        moment = max(opens, start)
        while moment < min(closes, end):
            found.append(moment)
            full = moment.astimezone(zone).replace(minute=0, second=0, microsecond=0) + HOUR
            moment = full.astimezone(start.tzinfo)
    return found


def best_window(
    habits: Habits, start: datetime, end: datetime, config: HoursConfig, own: Sequence[str] = ()
) -> datetime | None:
    """When to call in [start, end): the first open moment, or a later one whose hour is clearly
    better for this elder. None when nothing is open in between."""
    found = slots(start, end, config, own)
    if not found or not habits.known:
        return found[0] if found else None
    zone = ZoneInfo(config.timezone)

    def chance(moment: datetime) -> float:
        return habits.chance(moment.astimezone(zone).hour)

    best = max(found, key=lambda moment: (chance(moment), -found.index(moment)))
    return best if chance(best) >= chance(found[0]) + CLEARLY else found[0]
