"""Leases, lag and crash points: the pure parts of dialling with several machines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler import crashpoints
from scheduler.admission import LAG_WINDOW, Admission, AdmissionConfig
from scheduler.owner import Identity, is_lost, own_identity
from storage.model import Dialler
from storage.repository_plans import lot
from xunfang.vocabulary import DiallerState

pytestmark = pytest.mark.unit

NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
ME = Identity("here", 7, "boot-a/1")


def dialler(**fields: object) -> Dialler:
    base = Dialler(2, "here/8", "here", 8, "boot-a/1", "trunk", DiallerState.RUNNING, NINE, NINE)
    return replace(base, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "running", "age_s", "lost"),
    [
        ({}, True, 0, False),
        ({}, False, 0, True),  # its process is dead: nobody waits for the lease
        ({}, True, 60, True),  # it lives and hangs
        ({"pid": 7}, True, 0, True),  # an earlier start with our own process id
        ({"boot": "boot-b/1"}, False, 59, False),  # another machine: only its lease tells
        ({"boot": "boot-b/1"}, False, 60, True),
        ({"boot": "boot-a/2"}, False, 59, False),  # another container on this machine
        ({"boot": ""}, False, 59, False),
    ],
)
def test_a_dialler_is_lost_when_it_is_seen_dead_or_silent_for_a_lease(
    fields: dict[str, object], running: bool, age_s: int, lost: bool
) -> None:
    seen = dialler(heartbeat_at=NINE - timedelta(seconds=age_s), **fields)
    assert is_lost(seen, ME, NINE, LEASE, lambda pid: running) is lost


def test_a_process_knows_itself_twice_as_the_same() -> None:
    assert own_identity() == own_identity()
    assert len(own_identity().name) <= 64
    assert len(own_identity().boot) <= 64


def admission() -> Admission:
    return Admission(AdmissionConfig(channels=9, calls_per_second=9, lag_limit_ms=1000, lag_resume_ms=400))


def test_new_calls_wait_while_recognition_lags_and_go_on_only_when_it_is_well_again() -> None:
    gate = admission()
    for second in range(20):
        gate.measured(NINE + timedelta(seconds=second), 200)
    now = NINE + timedelta(seconds=20)
    assert gate.room(now, 0, 9) == 9
    gate.measured(now, 3000)
    gate.measured(now, 3000)
    assert gate.room(now, 0, 9) == 0
    later = now + LAG_WINDOW
    gate.measured(later, 700)
    assert gate.lag_ms(later) == 700
    assert gate.room(later, 0, 9) == 0, "below the limit is not yet well"
    much_later = later + LAG_WINDOW
    gate.measured(much_later, 399)
    assert gate.room(much_later, 0, 9) == 9
    gate.measured(much_later, 700)
    assert gate.room(much_later, 0, 9) == 9, "what is bearable does not stop it again"


def test_one_late_moment_among_many_does_not_stop_dialling() -> None:
    gate = admission()
    gate.measured(NINE, 5000)
    for step in range(40):
        gate.measured(NINE + timedelta(milliseconds=500 * step), 100)
    assert gate.room(NINE + timedelta(seconds=20), 0, 9) == 9


def test_nothing_measured_is_no_lag() -> None:
    assert admission().lag_ms(NINE) == 0


@pytest.mark.parametrize("stride", [1, 150, 233, 987])
@pytest.mark.parametrize("first", [1, 5001])
def test_a_village_of_twenty_is_not_starved_by_a_township_of_ten_thousand(stride: int, first: int) -> None:
    """However its numbers were given out (one after another, or every 987th): wherever the day ends, it
    has had its share of the calls; over a year exactly, in one week with the luck of a fair draw."""
    everybody = max(10_020, first + 20 * stride)
    township = range(1, everybody, max(1, everybody // 10_000))
    shares: dict[float, list[float]] = {0.25: [], 0.5: [], 0.75: []}
    for week in range(1, 53):
        period = f"2026-W{week:02d}"
        order = sorted(lot(elder, period) for elder in township)
        village = [lot(first + stride * number, period) for number in range(20)]
        for part, found in shares.items():
            last_dialled = order[int(len(order) * part)]
            found.append(sum(each <= last_dialled for each in village) / 20)
            assert abs(found[-1] - part) <= 0.4, (period, part)
    for part, found in shares.items():
        assert abs(sum(found) / len(found) - part) <= 0.05, part


def test_an_unknown_crash_point_cannot_be_armed() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        crashpoints.arm("nowhere")
    for name in crashpoints.POINTS:
        crashpoints.reached(name)  # nothing is armed: nothing happens
