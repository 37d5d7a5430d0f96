"""Counts for the first page, and what tells open pages that there is news."""

from __future__ import annotations

from dataclasses import dataclass


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
