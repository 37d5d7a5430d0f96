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


@pytest.mark.parametrize("period", ["2026-W48", "2026-W49", "2026-11", "2026-Q4"])
@pytest.mark.parametrize("first", [1, 5001, 10_001])
def test_a_township_of_ten_thousand_does_not_starve_one_of_twenty(period: str, first: int) -> None:
    """Whichever part of the order is dialled before the day ends, the small one has its share of it."""
    small = set(range(first, first + 20))
    order = sorted(range(1, 10_021), key=lambda elder: lot(elder, period))
    for part in (0.25, 0.5, 0.75):
        dialled = small.intersection(order[: int(len(order) * part)])
        assert abs(len(dialled) / 20 - part) <= 0.15, (part, len(dialled))


def test_an_unknown_crash_point_cannot_be_armed() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        crashpoints.arm("nowhere")
    for name in crashpoints.POINTS:
        crashpoints.reached(name)  # nothing is armed: nothing happens
