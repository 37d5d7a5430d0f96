"""Statutory holidays and swapped workdays: tables by year, and what is said when one is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import holidays
import pytest

from scheduler import hours
from scheduler.calendar import (
    SHIPPED,
    Calendar,
    ClosedDays,
    DayKind,
    by_law,
    calendar_warning,
    missing_years,
    read_year,
)
from scheduler.due import terms
from scheduler.hours import HoursConfig
from scheduler.policy import Policy
from xunfang.errors import BadSettings
from xunfang.vocabulary import Cadence

pytestmark = pytest.mark.unit

CALENDAR = Calendar()
DAY = timedelta(days=1)
YEARS = sorted(int(file.stem) for file in SHIPPED.glob("*.yaml"))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 2, 14), DayKind.WORKDAY),  # a Saturday that is worked
        (date(2026, 2, 15), DayKind.REST),
        (date(2026, 2, 16), DayKind.STATUTORY),  # 除夕
        (date(2026, 2, 20), DayKind.REST),  # a Friday off, by swapping
        (date(2026, 2, 24), DayKind.WORKDAY),
        (date(2026, 10, 1), DayKind.STATUTORY),
        (date(2026, 11, 21), DayKind.REST),  # an ordinary Saturday
        (date(2025, 10, 6), DayKind.STATUTORY),  # 中秋
        (date(2025, 10, 11), DayKind.WORKDAY),
    ],
)
def test_each_day_is_of_the_kind_that_was_announced(day: date, kind: DayKind) -> None:
    assert CALENDAR.kind(day) is kind


@pytest.mark.parametrize("year", YEARS)
def test_the_tables_agree_with_what_the_holidays_library_knows(year: int) -> None:
    known = holidays.country_holidays("CN", years=year, language="zh_CN")
    day = date(year, 1, 1)
    while day.year == year:
        kind = CALENDAR.kind(day)
        assert (day in known) <= (kind is not DayKind.WORKDAY), day
        name = known.get(day, "休息日")
        assert (kind is DayKind.STATUTORY) == ("休" not in name and "补" not in name), day
        assert (kind is DayKind.WORKDAY and day.weekday() >= 5) == (day in known.weekend_workdays), day
        if kind is DayKind.REST and day.weekday() < 5:
            assert day in known, day
        day += DAY


@pytest.mark.parametrize("year", YEARS)
def test_thirteen_days_a_year_are_statutory(year: int) -> None:
    assert len(CALENDAR.year(year).statutory) == 13


def closed(**options: bool) -> HoursConfig:
    return HoursConfig(closed=ClosedDays(CALENDAR, **options))


def test_nobody_is_called_on_a_statutory_holiday_unless_the_county_wants_it() -> None:
    festival = noon(date(2026, 2, 17))
    assert not hours.is_open(festival - timedelta(hours=3), closed())
    assert hours.is_open(festival - timedelta(hours=3), closed(on_holidays=True))
    assert hours.next_opening(festival, closed()) == datetime(2026, 2, 20, 0, 30, tzinfo=UTC)


def test_a_county_that_calls_on_workdays_works_on_swapped_saturdays_too() -> None:
    nine = timedelta(hours=-3)
    assert hours.is_open(noon(date(2026, 2, 14)) + nine, closed(workdays_only=True))
    assert not hours.is_open(noon(date(2026, 2, 21)) + nine, closed(workdays_only=True))
    assert not hours.is_open(noon(date(2026, 2, 20)) + nine, closed(workdays_only=True))
    assert hours.is_open(noon(date(2026, 2, 20)) + nine, closed())


def test_a_week_of_holidays_may_have_no_moment_to_call() -> None:
    monday, next_monday = (datetime(2026, 2, day, 16, tzinfo=UTC) for day in (15, 22))
    assert not hours.opens_between(monday, next_monday, closed(workdays_only=True))
    assert hours.opens_between(monday, next_monday, closed())


def test_the_visits_of_a_closed_week_are_made_on_the_first_day_after_it() -> None:
    """Otherwise every elder of the county would become a case that says nobody dialled."""
    tuesday = datetime(2026, 2, 16, 16, tzinfo=UTC)
    weekly = {
        each.cadence: each for each in terms(tuesday, Policy(hours=closed(workdays_only=True))).periods
    }[Cadence.WEEKLY]
    assert weekly.key == "2026-W08"
    assert weekly.due_until == datetime(2026, 2, 24, 16, tzinfo=UTC)  # through Tuesday, the first workday
    ordinary = {each.cadence: each for each in terms(tuesday, Policy(hours=closed())).periods}[Cadence.WEEKLY]
    assert ordinary.due_until == datetime(2026, 2, 22, 16, tzinfo=UTC)


# ---- a year that is missing ----------------------------------------------------------------------


def test_a_year_without_a_table_has_its_statutory_days_and_nothing_guessed() -> None:
    assert by_law(2027).announced is False
    assert CALENDAR.kind(date(2027, 2, 6)) is DayKind.STATUTORY  # 春节 by the lunar calendar
    assert CALENDAR.name(date(2027, 2, 5)) == "除夕"
    assert CALENDAR.kind(date(2027, 2, 9)) is DayKind.WORKDAY  # a substitute day is not known before
    # The library knows swapped days of years that were announced: they still do not come in unseen.
    assert date(2024, 2, 15) not in by_law(2024).statutory


@pytest.mark.parametrize(
    ("now", "years"),
    [
        (datetime(2026, 11, 30, 15, 59, tzinfo=UTC), ()),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), (2027,)),  # midnight in China
        (datetime(2027, 1, 5, tzinfo=UTC), (2027,)),
        (datetime(2027, 12, 1, tzinfo=UTC), (2027, 2028)),
    ],
)
def test_from_december_on_the_coming_year_is_missed(now: datetime, years: tuple[int, ...]) -> None:
    assert missing_years(now, closed()) == years
    warning = calendar_warning(now, closed())
    assert (warning is None) == (not years)
    for year in years:
        assert f"{year}.yaml" in (warning or "")


def test_the_countys_own_table_ends_the_warning(tmp_path: Path) -> None:
    text = (SHIPPED / "2026.yaml").read_text("utf-8").replace("2026", "2027")
    # Of the copied dates only the swapped weekends are checked against the calendar.
    (tmp_path / "2027.yaml").write_text(text[: text.index("\nwork:")] + "\nwork: []\n", "utf-8")
    own = HoursConfig(closed=ClosedDays(Calendar(tmp_path)))
    assert calendar_warning(datetime(2026, 12, 1, tzinfo=UTC), own) is None
    assert Calendar(tmp_path).announced(2026)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("year: 2026", "year: 2025", "named after its year"),
        ("source: ", "from: ", "exactly the keys year, source"),
        ("  2026-01-01: 元旦", "  2025-01-01: 元旦", "no day of 2026"),
        ("  - 2026-01-04", "  - 2026-01-05", "no weekend day"),
        ("  - 2026-01-04", "  - 2026-10-03", "both a day off and a workday"),
        ("[2026-01-01, 2026-01-03]", "[2026-01-03, 2026-01-01]", "ends before it begins"),
        ("[2026-01-01, 2026-01-03]", "2026-01-01", "first day, last day"),
        ("\nrest:", "\nrest: [", "not valid YAML at line"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = (SHIPPED / "2026.yaml").read_text("utf-8")
    assert old in text
    file = tmp_path / "2026.yaml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(BadSettings, match=says):
        read_year(file)
    with pytest.raises(BadSettings, match=says):
        Calendar(tmp_path)


def test_a_folder_that_is_not_there_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"schedule\.calendar"):
        Calendar(tmp_path / "nowhere")
    (tmp_path / "next.yaml").write_text("{}", "utf-8")
    with pytest.raises(BadSettings, match="named after its year"):
        Calendar(tmp_path)
