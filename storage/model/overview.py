"""Counts for the first page, and what tells open pages that there is news."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """Of open cases. `unassigned`: nobody is named to go."""

    open: int
    urgent: int
    overdue: int
    unassigned: int


@dataclass(frozen=True, slots=True)
class Marks:
    """Values that change when there is something new to see; each field is a topic of web.live."""

    calls: str
    turns: str
    cases: str
    fleet: str  # diallers come and go, their lines break
    callers: str  # 来电


@dataclass(frozen=True, slots=True)
class Load:
    """What waits, for machines that watch. Reviews and notices are counted to COUNTED_AT_MOST."""

    live: int  # calls
    reviews: int
    oldest_review: datetime | None  # when it was flagged
    oldest_case: datetime | None  # when it was opened
    notices_due: int
    notices_waiting: int  # for their time, or for the next try
    notices_failed: int  # given up
