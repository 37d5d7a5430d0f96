"""推演: invented telephones answer about as often as those of published pilots, and alike for one seed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ivr.session.model import CallEnded
from xunfang.simulate.telephones import PICKED_UP, Telephone, ring, telephone
from xunfang.vocabulary import CallDisposition

pytestmark = pytest.mark.unit

NINE = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)


def _endings(phone: Telephone, calls: int, trunk: bool = True) -> list[CallDisposition]:
    found = []
    for number in range(calls):
        at = NINE + timedelta(hours=number % 10)
        last = ring(phone, number, "monthly_full", at, at + timedelta(hours=8), trunk).events[-1]
        assert isinstance(last, CallEnded)
        found.append(last.disposition)
    return found


def test_between_67_and_86_percent_of_all_calls_are_picked_up() -> None:
    endings = Counter(
        ending for number in range(300) for ending in _endings(telephone(f"199{number:08d}", 7, 2026), 20)
    )
    picked_up = sum(count for ending, count in endings.items() if ending in PICKED_UP) / endings.total()
    assert 0.67 <= picked_up <= 0.86
    assert len(endings) >= 12, "nearly every ending comes up"


def test_the_same_seed_gives_the_same_telephone_and_another_one_another() -> None:
    first, again, other = (_endings(telephone("19900000001", seed, 2026), 60) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_a_dead_trunk_is_never_a_missed_call() -> None:
    assert set(_endings(telephone("19900000001", 7, 2026), 50, trunk=False)) == {
        CallDisposition.TRUNK_FAILURE
    }
