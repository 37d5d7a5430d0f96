"""The indicators (指标) of a month: their sums from village to county, and the rates.

records.indicator_table is the one place where they are defined: page, spreadsheet and docs/indicators.md
are made from it. Counting is storage.repository_reports; here the areas are summed up and the shares taken.
A rate over nothing is None and shown as “—”, never 0 % and never 100 %.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from records.indicator_table import COUNTS, RATES, Rate
from storage.counting import Counts
from storage.model import Area
from xunfang.errors import BadInput, NotFound

if TYPE_CHECKING:
    from storage import Work

_MONTH = re.compile(r"^(\d{4})-(\d{2})$")
FIRST_YEAR, LAST_YEAR = 2000, 2999
NO_AREA = "未登记区划"
NO_REASON = "未注明原因"
TREND_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month of the county, [start, end) in UTC."""

    text: str  # 2026-11
    start: datetime
    end: datetime

    @property
    def title(self) -> str:
        return f"{int(self.text[:4])}年{int(self.text[5:])}月"


@dataclass(slots=True)
class Row:
    """One area with everything below it. `depth`: 0 is the area that was asked for."""

    area_id: int | None
    code: str
    name: str
    level: str
    depth: int
    counts: dict[str, int] = field(default_factory=dict)
    pauses: dict[str, int] = field(default_factory=dict)  # reason -> elders

    def count(self, key: str) -> int:
        return self.counts.get(key, 0)

    def rate(self, rate: Rate) -> float | None:
        """A share of 1, or minutes."""
        over = self.count(rate.over)
        if not over:
            return None
        part = self.count(rate.part) / over
        return part if rate.unit == "%" else part / 60

    def rates(self) -> dict[str, float | None]:
        return {each.key: self.rate(each) for each in RATES}


@dataclass(frozen=True, slots=True)
class Report:
    month: Month
    made_at: datetime
    rows: tuple[Row, ...]  # the area asked for, then what is below it, each before its own parts

    @property
    def total(self) -> Row:
        return self.rows[0]


def month_of(text: str, zone: ZoneInfo) -> Month:
    """`2026-11`. BadInput for anything else."""
    match = _MONTH.match(text)
    if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR or not 1 <= int(match[2]) <= 12:
        raise BadInput("月份写成 2026-11 这样")
    year, month = int(match[1]), int(match[2])
    start = datetime(year, month, 1, tzinfo=zone)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
    return Month(text, start.astimezone(UTC), end.astimezone(UTC))


def this_month(now: datetime, zone: ZoneInfo) -> Month:
    return month_of(f"{now.astimezone(zone):%Y-%m}", zone)


def before(month: Month, months: int, zone: ZoneInfo) -> Month:
    """So many months earlier."""
    number = int(month.text[:4]) * 12 + int(month.text[5:]) - 1 - months
    return month_of(f"{number // 12:04}-{number % 12 + 1:02}", zone)


def report(
    work: Work, month: Month, now: datetime, area_id: int | None = None, levels: int | None = None
) -> Report:
    """Eight questions of the database, however large the county is. `levels`: how far down, None: all."""
    span = (month.start, month.end)
    questions = work.reports
    areas = questions.areas(area_id)
    if area_id is not None and not areas:
        raise NotFound("没有这个区划")
    top, area_id = area_id, _asked(work, areas, area_id)
    cases = questions.cases(*span, now, area_id)
    for counts in cases.values():
        counts["case_due"] = counts["closed_in_time"] + counts["closed_late"] + counts["open_overdue"]
    alerts = questions.alerts(*span, area_id)
    for counts in alerts.values():
        counts["reviewed"] = counts["confirmed"] + counts["false_alarms"]
    covered, pauses = questions.coverage(*span, area_id)
    own: list[Counts] = [
        questions.ledger(*span, area_id),
        covered,
        _named("call_", questions.calls(*span, area_id)),
        cases,
        _named("kind_", questions.case_kinds(*span, area_id)),
        alerts,
    ]
    if top is not None and area_id is None:  # what belongs to no area is not of the county either
        for asked in (*own, pauses):
            asked.pop(None, None)
    rows = _tree(areas, top)
    _sum_up(rows, areas, own, pauses)
    shown = tuple(row for row in rows if levels is None or row.depth <= levels)
    return Report(month, now, shown)


def trend(
    work: Work, month: Month, zone: ZoneInfo, area_id: int | None = None, months: int = TREND_MONTHS
) -> list[tuple[str, int, int]]:
    """(month, due, visited) of this and the earlier months, oldest first."""
    found = []
    asked = _asked(work, work.reports.areas(area_id), area_id)
    for back in range(months - 1, -1, -1):
        each = before(month, back, zone)
        covered = work.reports.coverage(each.start, each.end, asked)[0]
        counts = [of for area, of in covered.items() if area is not None or area_id is None]
        found.append((each.text, sum(c["due"] for c in counts), sum(c["visited"] for c in counts)))
    return found


def _asked(work: Work, areas: Collection[Area], area_id: int | None) -> int | None:
    """The one county of a house is asked for as everything: with an area the database would begin with all
    its elders instead of with the month, which takes twice as long."""
    return None if area_id is None or work.reports.are_all(areas) else area_id


def as_json(made: Report) -> dict[str, object]:
    return {
        "month": made.month.text,
        "made_at": made.made_at.isoformat(),
        "areas": [
            {
                "code": row.code,
                "name": row.name,
                "level": row.level,
                "counts": {each.key: row.count(each.key) for each in COUNTS},
                "rates": row.rates(),
                "pauses": row.pauses,
            }
            for row in made.rows
        ],
    }


# ---- summing up ------------------------------------------------------------------------------------


def _named(prefix: str, counts: Counts) -> Counts:
    return {area: {prefix + name: number for name, number in of.items()} for area, of in counts.items()}


def _tree(areas: Iterable[Area], top: int | None) -> list[Row]:
    """Depth first, by code. Without a top: one row for everything above the counties."""
    below: dict[int | None, list[Area]] = {}
    for each in areas:
        below.setdefault(None if each.id == top else each.parent_id, []).append(each)
    rows = [] if top is not None else [Row(None, "", "全部", "all", 0)]

    def walk(parent: int | None, depth: int) -> None:
        for each in below.get(parent, ()):
            rows.append(Row(each.id, each.code, each.name, each.level, depth))
            walk(each.id, depth + 1)

    walk(None, len(rows))
    return rows


def _sum_up(rows: list[Row], areas: Iterable[Area], own: Iterable[Counts], pauses: Counts) -> None:
    """Add what belongs to each area to its row and to all rows above it."""
    by_id = {row.area_id: row for row in rows if row.area_id is not None}
    parents = {each.id: each.parent_id for each in areas}
    everything = rows[0] if rows[0].area_id is None else None
    homeless = Row(None, "", NO_AREA, "none", 1)

    def upwards(area_id: int | None) -> Iterable[Row]:
        if everything is not None:
            yield everything
        if area_id is None:
            yield homeless
        while area_id in by_id:
            yield by_id[area_id]
            area_id = parents[area_id]

    for counts in own:
        for area_id, numbers in counts.items():
            for row in upwards(area_id):
                _add(row.counts, numbers)
    for area_id, reasons in pauses.items():
        for row in upwards(area_id):
            _add(row.pauses, {reason or NO_REASON: number for reason, number in reasons.items()})
    if homeless.counts:
        rows.append(homeless)


def _add(to: dict[str, int], numbers: Mapping[str, int]) -> None:
    for name, number in numbers.items():
        to[name] = to.get(name, 0) + number
