"""Learned hours, calls to one number, and the missing year, on a real database."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scheduler_kit import MONDAY_NINE, House, answers, ends
from storage_cast import an_elder

from ivr.dialogue.model import Because
from scheduler import habits
from scheduler.calendar import Calendar, ClosedDays, calendar_warning, tell_missing
from scheduler.dispatch import DispatchConfig
from scheduler.hours import HoursConfig, is_open, next_opening
from scheduler.learning import PERIOD_LEFT, PUT_OFF_MOST, first_moments, habits_now, learn_daily
from scheduler.policy import Policy
from storage import Store, Work
from storage.model import Elder
from xunfang.clock import FixedClock
from xunfang.vocabulary import CallDisposition, PlanStatus

pytestmark = pytest.mark.integration

D = CallDisposition
PHONE = "13812340001"
POLICY = Policy()
DAY = timedelta(days=1)
MIDNIGHT = MONDAY_NINE - timedelta(hours=9)
SECRET = "a secret only for tests, 0123456789"


def called(work: Work, elder: Elder, at: datetime, ending: CallDisposition) -> None:
    call = work.calls.begin(
        plan_id=None,
        elder_id=elder.id,
        attempt=1,
        dialplan="weekly_short",
        dialplan_hash="h",
        intended_at=at,
        number=elder.phone,
    )
    work.calls.finish(call.id, ended_at=at, disposition=ending)


def evening_person(work: Work, elder: Elder, before: datetime) -> None:
    """Four weeks: never at nine, always at six in the evening."""
    for week in range(1, 5):
        called(work, elder, before - week * 7 * DAY, D.NO_ANSWER)
        called(work, elder, before - week * 7 * DAY + timedelta(hours=9), D.COMPLETED)


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    return House(sqlite_store, tmp_path)


def test_who_answers_in_the_evening_is_first_called_in_the_evening(house: House) -> None:
    elder = house.elder(PHONE)
    stranger = house.elder("13812340002")
    with house.store.begin() as work:
        evening_person(work, elder, MONDAY_NINE)
    house.clock.set(MIDNIGHT + timedelta(minutes=5))
    house.plan()
    assert learn_daily(house.store, house.clock, POLICY)
    assert not learn_daily(house.store, house.clock, POLICY)
    assert house.plan_of(elder).next_attempt_at == MIDNIGHT + timedelta(hours=18)
    assert house.plan_of(stranger).next_attempt_at is None
    house.clock.set(MONDAY_NINE)
    assert house.step() == 1  # the stranger
    house.clock.set(MIDNIGHT + timedelta(hours=18))
    assert house.step() == 1
    assert house.plan_of(elder).status is PlanStatus.DONE


def test_a_retry_comes_at_the_hour_that_was_learned(house: House) -> None:
    elder = house.elder(PHONE, ends(D.NO_ANSWER))
    with house.store.begin() as work:
        evening_person(work, elder, MONDAY_NINE)
    house.plan()
    house.step()
    assert house.plan_of(elder).next_attempt_at == MIDNIGHT + timedelta(hours=18)


def test_own_windows_hold_whatever_was_learned(house: House) -> None:
    elder = house.elder(PHONE, windows=("mon-fri 09:00-10:00", "mon-fri 15:00-16:00"))
    with house.store.begin() as work:
        evening_person(work, elder, MONDAY_NINE)
    house.clock.set(MIDNIGHT + timedelta(minutes=5))
    house.plan()
    learn_daily(house.store, house.clock, POLICY)
    house.run(hours=40, by=timedelta(minutes=30))
    assert [is_open(at, POLICY.hours, elder.windows) for at in house.fleet.dialled_at] == [True]
    assert house.plan_of(elder).status is PlanStatus.DONE


def test_learning_never_puts_a_visit_off_beyond_its_period(house: House) -> None:
    """At most a day, only where days are left, and each plan once: whoever is missed then has no time
    to wait for, he stands in the queue."""
    elder = house.elder(PHONE)
    with house.store.begin() as work:
        evening_person(work, elder, MONDAY_NINE)
    house.plan()
    until = house.plan_of(elder).due_until
    house.clock.set(until - PERIOD_LEFT)
    assert learn_daily(house.store, house.clock, POLICY)
    assert house.plan_of(elder).next_attempt_at is None  # too late in the week to wait for anything
    for hour in range(24):
        for at in first_moments(MIDNIGHT + timedelta(hours=hour), POLICY.hours).values():
            assert MIDNIGHT + timedelta(hours=hour) <= at < MIDNIGHT + timedelta(hours=hour) + PUT_OFF_MOST
            assert is_open(at, POLICY.hours)


def test_what_sets_count_is_what_the_pure_rules_say(store: Store) -> None:
    """On both engines; hours are local, and calls that are too old are not counted."""
    clock = FixedClock(MONDAY_NINE)
    with store.begin() as work:
        elders = [an_elder(work, phone=f"1381234{n:04d}", id_card=None) for n in range(6)]
        for number, elder in enumerate(elders):
            for call in range(12):
                at = MONDAY_NINE - timedelta(days=call + 1, hours=-((number * 5 + call * 3) % 9))
                called(work, elder, at, [D.COMPLETED, D.NO_ANSWER, D.BUSY][(number + call) % 3])
            called(work, elder, MONDAY_NINE - habits.LOOK_BACK - DAY, D.COMPLETED)
    assert learn_daily(store, clock, POLICY)
    with store.read() as work:
        rates = {each.hour: each for each in work.times.rates()}
        assert sum(each.tried for each in rates.values()) == 6 * 8
        assert sum(each.answered for each in rates.values()) == 6 * 4
        found = 0
        for elder in elders:
            known = habits_now(work, elder.id, clock.now(), POLICY.hours.timezone)
            often = [hour for hour, each in known.own.items() if each.answered >= habits.LEAST_ANSWERED]
            best = work.times.best(elder.id)
            assert (best is None) == (not often)
            if best is not None:
                found += 1
                assert best.chance == pytest.approx(max(known.chance(hour) for hour in often))
                assert best.chance == pytest.approx(known.chance(best.hour))
        assert found


# ---- one number --------------------------------------------------------------------------------

_part = answers({"health": "good"}, D.HUNG_UP_EARLY, Because.HUNG_UP)
_endings = st.lists(
    st.sampled_from([*(ends(each) for each in D if each is not D.COMPLETED), _part]), min_size=1, max_size=4
)

_household = st.tuples(st.integers(1, 2), st.sampled_from([None, 1, 2, 3]), _endings)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(households=st.lists(_household, min_size=2, max_size=4))
def test_no_number_rings_too_often_whoever_shares_it(
    sqlite_template: Path, households: list[tuple[int, int | None, list[object]]]
) -> None:
    """First numbers, second numbers, landlines of several: at most 3 calls a day, 10 minutes apart."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "xunfang.db"
        shutil.copy(sqlite_template, file)
        store = Store(f"sqlite:///{file}", [SECRET])
        try:
            house = House(store, Path(folder), DispatchConfig(policy=POLICY))
            for first, second, script in households:
                other = None if second is None else f"1381234000{second}"
                house.elder(f"1381234000{first}", *script, other_phone=other)  # type: ignore[arg-type]
            _live_a_day_and_a_morning(house)
        finally:
            store.close()


def _live_a_day_and_a_morning(house: House) -> None:
    house.plan()
    rang: dict[str, list[datetime]] = defaultdict(list)
    until = MIDNIGHT + DAY + timedelta(hours=12)
    while house.clock.now() < until:
        seen = len(house.fleet.orders)
        house.dispatcher.tick()
        live = [each.number for each in house.fleet.waiting]
        assert len(live) == len(set(live))
        now, new = house.clock.now(), house.fleet.orders[seen:]
        house.fleet.play()
        with house.store.read() as work:
            for order in new:
                call = work.calls.get(order.call_id)
                assert call is not None
                if call.disposition not in (D.TRUNK_FAILURE, D.NOT_DIALLED):  # nothing rang
                    rang[order.number].append(now)
        later = now + timedelta(minutes=3 if new else 30)
        house.clock.set(max(next_opening(later, POLICY.hours), house.clock.now()))
    for at in rang.values():
        assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(at))
        by_day: dict[object, int] = defaultdict(int)
        for moment in at:
            assert is_open(moment, POLICY.hours)
            by_day[(moment + timedelta(hours=8)).date()] += 1
        assert max(by_day.values()) <= 3


def test_a_call_to_a_number_counts_for_whomever_it_was_made(sqlite_store: Store) -> None:
    with sqlite_store.begin() as work:
        one, two = (an_elder(work, phone=PHONE, id_card=None) for _ in range(2))
        called(work, one, MONDAY_NINE, D.BUSY)
        called(work, two, MONDAY_NINE + timedelta(minutes=10), D.TRUNK_FAILURE)
        called(work, two, MONDAY_NINE + timedelta(minutes=20), D.NO_ANSWER)
        work.elders.update(two.id, phone="13812340002")  # a new number does not forget the old one's calls
    with sqlite_store.read() as work:
        counted = work.times.rang("138 1234 0001", MONDAY_NINE, [D.TRUNK_FAILURE])
        assert counted == (2, MONDAY_NINE + timedelta(minutes=20))
        assert work.times.rang("13812340002", MONDAY_NINE) == (0, None)


# ---- a year that is missing ----------------------------------------------------------------------


def test_a_missing_year_is_told_once_a_day_and_loudly(sqlite_store: Store) -> None:
    config = HoursConfig(closed=ClosedDays(Calendar()))
    clock = FixedClock(datetime(2026, 11, 30, 4, tzinfo=UTC))
    assert not tell_missing(sqlite_store, clock, config)
    clock.move(DAY)
    assert tell_missing(sqlite_store, clock, config)
    assert not tell_missing(sqlite_store, clock, config)
    clock.move(DAY)
    assert tell_missing(sqlite_store, clock, config)
    with sqlite_store.read() as work:
        notices = work.notices.pending(clock.now())
    assert [each.to for each in notices] == ["duty", "webhook"] * 2
    assert {each.body for each in notices} == {calendar_warning(clock.now(), config)}
    assert "2027.yaml" in notices[0].body
