"""What a simulated year shows. Plain data; `show` says it in Chinese."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime

from records.indicators import Report
from storage.repository_fates import LOST, Fate
from xunfang.vocabulary import VisitMode


@dataclass(frozen=True, slots=True)
class MonthResult:
    """`rate`: 月探访率 as the indicators define it; None when nobody was due."""

    month: str  # 2026-03
    days: int
    active: int
    due: int
    visited: int
    rate: float | None
    unvisited: dict[str, int]  # reason -> elders
    calls: int
    picked_up: int
    busiest_hour: int  # calls that began within one hour
    days_called: int
    cases: dict[str, int]  # kind -> opened
    on_site: int  # visits at the door
    open_most: int  # cases open at the end of a day, at most
    caseload_most: int  # of one visitor, at the end of a day
    caseload_mean: float

    @property
    def cases_a_day(self) -> float:
        return sum(self.cases.values()) / self.days

    @property
    def calls_an_hour(self) -> float:
        return self.calls / max(1, self.days_called) / SERVICE_HOURS


SERVICE_HOURS = 8.0  # of a day: 8:30–11:30 and 14:30–19:30


@dataclass(frozen=True, slots=True)
class Disturbance:
    at: datetime
    what: str  # in Chinese


@dataclass(slots=True)
class YearResult:
    elders: int
    villages: int
    seed: int
    first_day: date
    last_day: date
    database: str
    months: list[MonthResult] = field(default_factory=list)
    fates: Counter[tuple[VisitMode, str]] = field(default_factory=Counter)
    lost: list[Fate] = field(default_factory=list)
    by_hour: dict[int, int] = field(default_factory=dict)  # local hour of the day -> calls
    disturbances: list[Disturbance] = field(default_factory=list)
    calls: int = 0
    picked_up: int = 0
    cases: int = 0
    closed: int = 0
    contacts: int = 0  # calls to contacts
    rang_us: int = 0  # calls of those who had been missed
    closed_by_callback: int = 0  # cases
    notices: Counter[str] = field(default_factory=Counter)  # delivered, by who got them
    on_site: int = 0
    pauses: int = 0
    doubled_plans: int = 0
    ticks: int = 0
    seconds: float = 0.0

    @property
    def periods(self) -> int:
        return self.fates.total()

    @property
    def nobody_lost(self) -> bool:
        return not self.lost and not any(fate == LOST for _, fate in self.fates)

    @property
    def seconds_per_1000_elder_months(self) -> float:
        return 1000 * self.seconds / max(1, self.elders * len(self.months))

    @property
    def answered_share(self) -> float:
        return self.picked_up / max(1, self.calls)


def reasons(report: Report) -> dict[str, int]:
    """Why those who were due were not visited."""
    keys = ("paused", "refused", "on_site_pending", "bad_number", "cut_short", "unanswered", "not_dialled")
    return {key: count for key in keys if (count := report.total.count(key))}
