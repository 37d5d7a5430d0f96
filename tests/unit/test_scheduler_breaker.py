"""The breaker: a dead trunk stops dialling instead of missing three hundred elders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.breaker import Breaker, BreakerConfig, BreakerState
from xunfang.vocabulary import CallDisposition

pytestmark = pytest.mark.unit

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PAUSE = timedelta(minutes=2)
FAILED = CallDisposition.TRUNK_FAILURE


def broken(config: BreakerConfig | None = None) -> Breaker:
    breaker = Breaker(config or BreakerConfig())
    for number in range(6):
        turned = breaker.ended(number, FAILED, START)
    assert turned is BreakerState.OPEN
    return breaker


def test_a_few_failures_among_answers_do_not_open_it() -> None:
    breaker = Breaker(BreakerConfig())
    for number in range(60):
        ending = FAILED if number % 3 == 0 else CallDisposition.NO_ANSWER
        assert breaker.ended(number, ending, START) is None
    assert breaker.room(START) is None


def test_half_of_the_last_calls_open_it() -> None:
    breaker = Breaker(BreakerConfig(share=0.5, calls=6))
    for number in range(5):
        assert breaker.ended(number, FAILED if number % 2 else CallDisposition.BUSY, START) is None
    assert breaker.ended(5, FAILED, START) is BreakerState.OPEN
    assert breaker.room(START) == 0


def test_unanswered_calls_prove_that_the_trunk_works() -> None:
    breaker = Breaker(BreakerConfig())
    for number in range(50):
        assert breaker.ended(number, CallDisposition.NO_ANSWER, START) is None


def test_our_own_crashes_say_nothing_about_the_trunk() -> None:
    breaker = Breaker(BreakerConfig())
    for number in range(50):
        assert breaker.ended(number, CallDisposition.INTERRUPTED, START) is None
    assert breaker.room(START) is None


def test_after_the_pause_one_probe_goes_out_and_its_success_closes_it() -> None:
    breaker = broken()
    assert breaker.room(START + PAUSE - timedelta(seconds=1)) == 0
    then = START + PAUSE
    assert breaker.state(then) is BreakerState.HALF_OPEN
    assert breaker.room(then) == 1
    breaker.dialled(100, then)
    assert breaker.room(then) == 0
    assert breaker.ended(100, CallDisposition.BUSY, then) is BreakerState.CLOSED
    assert breaker.room(then) is None


def test_a_failed_probe_doubles_the_pause_up_to_a_limit() -> None:
    breaker = broken(BreakerConfig(longest_pause=timedelta(minutes=5)))
    now = START
    for pause in (2, 4, 5, 5):
        assert breaker.room(now + timedelta(minutes=pause) - timedelta(seconds=1)) == 0
        now += timedelta(minutes=pause)
        assert breaker.room(now) == 1
        breaker.dialled(100, now)
        assert breaker.ended(100, FAILED, now) is BreakerState.OPEN


def test_a_call_from_before_does_not_reopen_it_but_its_success_closes_it() -> None:
    breaker = broken()
    assert breaker.ended(7, FAILED, START) is None
    assert breaker.ended(8, CallDisposition.COMPLETED, START) is BreakerState.CLOSED


def test_a_probe_that_we_lost_ourselves_is_sent_again() -> None:
    breaker = broken()
    then = START + PAUSE
    breaker.dialled(100, then)
    assert breaker.ended(100, CallDisposition.INTERRUPTED, then) is None
    assert breaker.room(then) == 1


def test_after_a_recovery_the_old_failures_are_forgotten() -> None:
    breaker = broken()
    breaker.ended(8, CallDisposition.COMPLETED, START)
    assert breaker.ended(9, FAILED, START) is None
    assert breaker.room(START) is None
