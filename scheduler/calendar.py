"""Statutory holidays and swapped workdays (法定节假日、调休), one table per year.

The State Council announces each year's days off in the November before; nothing is guessed ahead
of that. Our tables lie in scheduler/years/YYYY.yaml, a county may add a year, or correct one, in a
folder of its own. For a year without a table only the statutory days themselves are known (they
follow from the law and the lunar calendar), and a warning is raised until the table is there.

Three kinds of days, because they are treated differently: the statutory days (除夕, 春节, 国庆 …:
13 a year) are closed to routine calls; the other days off (周末, 调休) are rest days, on which a
county may call or not; the rest, with swapped weekends (调休上班), are workdays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scheduler.hours import DAY, HoursConfig, local_date
from xunfang.clock import Clock
from xunfang.errors import BadSettings
from xunfang.log import get_logger
from xunfang.yamlfile import exact_keys, read_mapping

if TYPE_CHECKING:
    from storage import Store

SHIPPED = Path(__file__).with_name("years")
WARN_FROM_MONTH = 12  # the coming year is announced in November as a rule
SATURDAY = 5
ACTOR = "system"
MISSING = "calendar.missing"

_log = get_logger("scheduler")


class DayKind(StrEnum):
    STATUTORY = "statutory"  # 法定节假日
    REST = "rest"  # 休息日: weekend, or a day off by swapping
    WORKDAY = "workday"  # 工作日, with swapped weekends


@dataclass(frozen=True, slots=True)
class Year:
    """`rest`: days off beside the ordinary weekends; `work`: weekend days that are worked."""

    statutory: Mapping[date, str]
    rest: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()
    announced: bool = True


class Calendar:
    """All tables are read at once, so that a mistake in one is found at start. BadSettings says where."""

    def __init__(self, own: Path | None = None) -> None:
        """`own`: the county's folder; its YYYY.yaml replaces the shipped one of that year."""
        self.own = own
        if own is not None and not own.is_dir():
            raise BadSettings(
                f"{own}: no such folder; schedule.calendar is a folder of files such as 2027.yaml"
            )
        self._years: dict[int, Year] = {}
        for folder in filter(None, (SHIPPED, own)):
            for file in sorted(folder.glob("*.yaml")):
                self._years[_number(file)] = read_year(file)

    def year(self, number: int) -> Year:
        if number not in self._years:
            self._years[number] = by_law(number)
        return self._years[number]

    def announced(self, number: int) -> bool:
        return self.year(number).announced

    def kind(self, day: date) -> DayKind:
        year = self.year(day.year)
        if day in year.statutory:
            return DayKind.STATUTORY
        if day in year.rest or (day.weekday() >= SATURDAY and day not in year.work):
            return DayKind.REST
        return DayKind.WORKDAY

    def name(self, day: date) -> str:
        """春节; empty on any other day."""
        return self.year(day.year).statutory.get(day, "")


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """What HoursConfig.closed asks: is nobody called on that day?"""

    calendar: Calendar
    on_holidays: bool = False  # schedule.call_on_holidays
    workdays_only: bool = False  # schedule.days

    def __contains__(self, day: object) -> bool:
        if not isinstance(day, date):
            return False
        match self.calendar.kind(day):
            case DayKind.STATUTORY:
                return not self.on_holidays
            case DayKind.REST:
                return self.workdays_only
            case _:
                return False


# ---- tables ------------------------------------------------------------------------------------


def read_year(file: Path) -> Year:
    """BadSettings names the file, the key and what is allowed."""
    number = _number(file)
    keys = ("year", "source", "statutory", "rest", "work")
    data = exact_keys(read_mapping(file, what="one year's table"), keys, file.name)
    if data["year"] != number:
        raise BadSettings(f"{file.name}: year is {data['year']}; the file is named after its year")
    if not isinstance(data["source"], str) or not data["source"].strip():
        raise BadSettings(
            f"{file.name}: source must name the announcement (国务院办公厅通知): no year is guessed"
        )
    statutory, rest, work = data["statutory"], data["rest"], data["work"]
    if not isinstance(statutory, dict) or not isinstance(rest, list) or not isinstance(work, list):
        raise BadSettings(f"{file.name}: statutory maps days to names; rest and work are lists")
    named = {_day(day, number, f"{file.name}: statutory"): str(name) for day, name in statutory.items()}
    off = {day for each in rest for day in _days(each, number, f"{file.name}: rest")}
    worked = {_day(day, number, f"{file.name}: work") for day in work}
    for day in sorted(worked & (off | set(named))):
        raise BadSettings(f"{file.name}: {day} is both a day off and a workday")
    for day in sorted(each for each in worked if each.weekday() < SATURDAY):
        raise BadSettings(f"{file.name}: work: {day} is no weekend day; only swapped weekends belong here")
    return Year(named, frozenset(off), frozenset(worked))


def by_law(number: int) -> Year:
    """Only what the law fixes: the statutory days, without swapping, which nobody can know."""
    import holidays  # slow to load, and needed only where a table is missing

    days = holidays.country_holidays("CN", years=number, observed=False, language="zh_CN")
    # Of announced years the library also knows the swapped days; those belong into a table.
    named = {day: name for day, name in days.items() if "调休" not in name}
    return Year({day: "除夕" if "除夕" in name else name for day, name in named.items()}, announced=False)


def _number(file: Path) -> int:
    if not (file.stem.isascii() and file.stem.isdigit() and len(file.stem) == 4):
        raise BadSettings(f"{file.name}: a year's table is named after its year, such as 2027.yaml")
    return int(file.stem)


def _days(entry: object, number: int, where: str) -> Iterator[date]:
    if not isinstance(entry, list) or len(entry) != 2:
        raise BadSettings(f"{where}: each entry is [first day, last day]")
    first, last = (_day(each, number, where) for each in entry)
    if last < first:
        raise BadSettings(f"{where}: [{first}, {last}] ends before it begins")
    while first <= last:
        yield first
        first += DAY


def _day(entry: Any, number: int, where: str) -> date:
    if type(entry) is not date or entry.year != number:
        raise BadSettings(f"{where}: {entry!r} is no day of {number}; write {number}-01-01, without quotes")
    return entry


# ---- a year that is missing ----------------------------------------------------------------------


def missing_years(now: datetime, config: HoursConfig) -> tuple[int, ...]:
    """The present year, and from 1 December on the coming one, where there is no table."""
    today = local_date(now, config)
    wanted = [today.year, today.year + 1] if today.month >= WARN_FROM_MONTH else [today.year]
    calendar = config.closed.calendar if isinstance(config.closed, ClosedDays) else Calendar()
    return tuple(year for year in wanted if not calendar.announced(year))


def calendar_warning(now: datetime, config: HoursConfig) -> str | None:
    """One Chinese sentence for `xunfang status` and the supervisor; None when all is there."""
    years = missing_years(now, config)
    if not years:
        return None
    named = "、".join(f"{year}年" for year in years)
    own = config.closed.calendar.own if isinstance(config.closed, ClosedDays) else None
    where = "设置项 schedule.calendar 所指的文件夹" if own is None else f"文件夹 {own.name}"
    files = "、".join(f"{year}.yaml" for year in years)
    return (
        f"缺少{named}的节假日表：国务院办公厅放假通知发布后，请把 {files} 放入{where}。"
        "此前只按法定节日当天停拨，调休和补休都未计入。"
    )


def tell_missing(store: Store, clock: Clock, config: HoursConfig) -> bool:
    """Warn loudly, once per local day: in the log, the audit and to the duty desk. True when told now."""
    now = clock.now()
    text = calendar_warning(now, config)
    if text is None:
        return False
    subject = f"calendar:{missing_years(now, config)[0]}"
    today = local_date(now, config)
    with store.begin() as work:
        told = work.audit.of(subject)
        if told and local_date(told[-1].at, config) >= today:
            return False
        work.audit.write(now, ACTOR, MISSING, subject, {"years": list(missing_years(now, config))})
        for to in ("duty", "webhook"):
            title = "【节假日表缺失】"
            work.notices.add(kind=MISSING, to=to, title=title, body=text, created_at=now)
    _log.warning(MISSING, years=list(missing_years(now, config)))
    return True
