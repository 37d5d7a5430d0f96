"""First calls are spread over the first part of their period (错峰). Pure."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler import hours
from scheduler.due import LADDER_DAYS, first_call, first_calls, period_bounds, terms
from scheduler.hours import HoursConfig
from scheduler.policy import Policy
from storage.model import Elder, Period
from xunfang.vocabulary import Cadence

pytestmark = pytest.mark.unit

HOURS = HoursConfig()


def china(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def weekly(now: datetime, policy: Policy | None = None) -> Period:
    found = terms(now, policy or Policy()).periods
    return next(each for each in found if each.cadence is Cadence.WEEKLY)


def day_of(at: datetime) -> date:
    return hours.local_date(at, HOURS)


def test_a_week_is_begun_from_monday_to_thursday_inside_the_hours() -> None:
    moments = weekly(china(23)).first_calls
    assert {day_of(each) for each in moments} == {day_of(china(day)) for day in (23, 24, 25, 26)}
    assert all(hours.is_open(each, HOURS) for each in moments)


@pytest.mark.parametrize("cadence", list(Cadence))
def test_the_whole_ladder_fits_behind_the_last_first_call(cadence: Cadence) -> None:
    start, end = period_bounds(cadence, date(2026, 11, 23), HOURS.timezone)
    last = max(first_calls(start, end, start, HOURS))
    left = {day_of(end - timedelta(seconds=1) - timedelta(days=n)) for n in range(LADDER_DAYS)}
    assert day_of(last) < min(left)


def test_no_morning_gets_more_than_its_share() -> None:
    period = weekly(china(23))
    called = Counter(first_call(Elder(id=id, name="王秀英"), period) for id in range(1, 4001))
    assert len(called) == len(period.first_calls)
    assert max(called.values()) < 3 * 4000 / len(period.first_calls)


def test_one_elder_is_called_at_the_same_hour_of_every_week() -> None:
    elder = Elder(id=17, name="王秀英")
    first, second = first_call(elder, weekly(china(16))), first_call(elder, weekly(china(23)))
    assert first is not None
    assert second == first + timedelta(days=7)


def test_whoever_has_hours_of_his_own_keeps_to_them() -> None:
    assert first_call(Elder(id=17, name="王秀英", windows=("mon 15:00-17:00",)), weekly(china(23))) is None


def test_a_week_that_is_planned_late_is_spread_over_what_is_left_of_its_first_part() -> None:
    moments = weekly(china(25, 16, 30)).first_calls
    assert min(moments) == china(25, 17)
    assert weekly(china(27, 9)).first_calls == (), "on Friday everybody left is due at once"


def test_a_week_with_few_days_of_service_is_not_spread() -> None:
    closed = frozenset(date(2026, 11, day) for day in (26, 27, 28, 29))
    assert weekly(china(23), Policy(hours=HoursConfig(closed=closed))).first_calls == ()


def test_a_county_may_leave_it_out() -> None:
    assert weekly(china(23), Policy(spread=False)).first_calls == ()
