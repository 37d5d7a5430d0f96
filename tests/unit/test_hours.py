"""Windows bound to days of the week, and at which hour somebody is best called. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import habits, hours
from scheduler.habits import CLEARLY, Habits, Tally, best_window, habits_of, slots
from scheduler.hours import EVERY_DAY, HoursConfig, Window, parse_windows
from storage.model import HourRate, PastCall
from xunfang.errors import BadSettings
from xunfang.vocabulary import CallDisposition

pytestmark = pytest.mark.unit

HOURS = HoursConfig()
ZONE = "Asia/Shanghai"


def china(day: int, hour: int, minute: int = 0) -> datetime:
    """November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


# ---- days of the week ----------------------------------------------------------------------------

MIDDAY = ("09:00-11:00", "mon-fri 15:00-17:00")


def test_a_window_may_be_bound_to_days() -> None:
    assert hours.is_open(china(27, 15), HOURS, MIDDAY)  # Friday
    assert not hours.is_open(china(28, 15), HOURS, MIDDAY)  # Saturday
    assert hours.is_open(china(28, 9), HOURS, MIDDAY)
    assert hours.next_opening(china(27, 17), HOURS, MIDDAY) == china(28, 9)
    assert hours.next_opening(china(28, 11), HOURS, ("mon-fri 15:00-17:00",)) == china(30, 15)


def test_the_same_hours_may_be_written_for_different_days() -> None:
    parsed = parse_windows(("mon-thu 09:00-11:00", "fri,sun 09:30-10:30"))
    assert [each.days for each in parsed] == [frozenset({0, 1, 2, 3}), frozenset({4, 6})]
    with pytest.raises(BadSettings, match="overlap"):
        parse_windows(("mon-fri 09:00-11:00", "fri 10:00-12:00"))


@pytest.mark.parametrize("wrong", ["fri-mon 09:00-10:00", "today 09:00-10:00", "mon- 09:00-10:00", "mon"])
def test_days_that_are_not_understood_are_refused(wrong: str) -> None:
    with pytest.raises(BadSettings, match="mon-fri"):
        parse_windows((wrong,))


@given(st.sets(st.integers(0, 6), min_size=1), st.integers(0, 1438), st.integers(1, 1440))
def test_a_window_is_written_as_it_is_read(days: set[int], start: int, length: int) -> None:
    window = Window(start, min(1440, start + length), frozenset(days))
    assert parse_windows((hours.written(window),)) == (window,)


def test_every_day_is_no_word() -> None:
    assert hours.written(Window(510, 690, EVERY_DAY)) == "08:30-11:30"
    assert hours.written(Window(510, 690, frozenset({0, 1, 2, 5}))) == "mon-wed,sat 08:30-11:30"


def test_service_time_passes_on_days_of_service_only() -> None:
    weekdays = HoursConfig(windows=("mon-fri 09:00-17:00",))
    assert hours.add_service_time(china(27, 10), timedelta(days=1), weekdays) == china(30, 10)
    assert hours.add_service_time(china(27, 16), timedelta(hours=2), weekdays) == china(30, 10)


# ---- habits --------------------------------------------------------------------------------------

_tally = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: Tally(min(pair), max(pair)))
_by_hour = st.dictionaries(st.integers(0, 23), _tally, max_size=8)
_own_windows = st.sampled_from([(), MIDDAY, ("07:15-07:45",), ("sat,sun 10:10-12:50",)])


@given(_by_hour, _by_hour, st.integers(0, 60 * 24 * 8), st.integers(1, 60 * 24 * 3), _own_windows)
def test_whatever_was_learned_the_hour_is_open_and_within_its_bounds(
    own: dict[int, Tally], county: dict[int, Tally], begins: int, lasts: int, windows: tuple[str, ...]
) -> None:
    start = china(20, 0) + timedelta(minutes=begins)
    end = start + timedelta(minutes=lasts)
    chosen = best_window(Habits(own, county), start, end, HOURS, windows)
    if chosen is None:
        assert not hours.opens_between(start, end, HOURS, windows)
    else:
        assert start <= chosen < end
        assert hours.is_open(chosen, HOURS, windows)


@given(_by_hour, _by_hour, st.integers(0, 23))
def test_a_chance_is_a_share_and_more_answers_never_lower_it(
    own: dict[int, Tally], county: dict[int, Tally], hour: int
) -> None:
    before = Habits(own, county).chance(hour)
    tally = own.get(hour, Tally())
    answered = Habits(own | {hour: Tally(tally.answered + 1, tally.tried + 1)}, county).chance(hour)
    missed = Habits(own | {hour: Tally(tally.answered, tally.tried + 1)}, county).chance(hour)
    assert 0 <= missed <= before <= answered <= 1


def test_one_lucky_call_is_no_habit_and_the_first_moment_is_taken() -> None:
    lucky = Habits({18: Tally(1, 1)})
    assert best_window(lucky, china(23, 14, 30), china(24, 0), HOURS) == china(23, 14, 30)


def test_an_elder_who_answers_in_the_evening_is_called_in_the_evening() -> None:
    evening = Habits({15: Tally(0, 6), 14: Tally(0, 5), 18: Tally(7, 7)})
    assert best_window(evening, china(23, 14, 30), china(24, 0), HOURS) == china(23, 18)
    # Not at six when his own hours end before.
    assert best_window(evening, china(23, 14, 30), china(24, 0), HOURS, ("14:30-17:00",)) == china(23, 16)


def test_a_later_hour_must_be_clearly_better() -> None:
    close = Habits({14: Tally(6, 8), 18: Tally(7, 8)})
    assert close.chance(18) - close.chance(14) < CLEARLY
    assert best_window(close, china(23, 14, 30), china(24, 0), HOURS) == china(23, 14, 30)


def test_the_countys_hours_smooth_what_little_is_known() -> None:
    county = {9: Tally(90, 100), 15: Tally(40, 100)}
    assert Habits({}, county).chance(9) == pytest.approx(0.9)
    assert Habits({9: Tally(0, 1)}, county).chance(9) == pytest.approx((0 + 4 * 0.9) / 5)
    assert Habits().chance(3) == habits.NO_RATE


def test_only_calls_that_say_something_of_the_hour_are_counted() -> None:
    calls = [
        PastCall(china(23, 9, minute), each)
        for minute, each in enumerate(
            [
                CallDisposition.COMPLETED,
                CallDisposition.HUNG_UP_EARLY,
                CallDisposition.NO_ANSWER,
                CallDisposition.TRUNK_FAILURE,
                CallDisposition.SUSPENDED,
                CallDisposition.BUSY,
                CallDisposition.INTERRUPTED,
            ]
        )
    ]
    found = habits_of(calls, [HourRate(9, 5, 10)], ZONE)
    assert found.own == {9: Tally(2, 3)}
    assert found.county == {9: Tally(5, 10)}


def test_slots_are_the_openings_and_their_full_hours() -> None:
    assert slots(china(23, 10, 20), china(23, 16), HOURS) == [
        china(23, 10, 20),
        china(23, 11),
        china(23, 14, 30),
        china(23, 15),
    ]
