"""/metrics: what a person on duty must be warned of, with labels that nobody from outside can multiply."""

from __future__ import annotations

from datetime import timedelta

import pytest
from api_kit import api
from web_kit import Desk, count_queries

from storage.model import Dialler
from visits.notices import NEVER
from web.metrics import KEPT
from xunfang.vocabulary import DiallerState

pytestmark = pytest.mark.integration


def numbers(desk: Desk) -> dict[str, float]:
    text = desk.app.state.house.metrics.text(desk.store, desk.clock.now()).decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_what_waits_and_what_is_wrong_is_counted(desk: Desk) -> None:
    now = desk.clock.now()
    with desk.store.begin() as work:
        for wait in (timedelta(0), timedelta(minutes=5), NEVER):
            work.notices.add(kind="x", to="duty", title="", body="", created_at=now, next_at=now + wait)
        dialler = Dialler(
            id=0,
            name="m/1",
            host="m",
            pid=1,
            boot="b",
            trunk="trunk",
            state=DiallerState.RUNNING,
            started_at=now,
            heartbeat_at=now,
            live=1,
            lag_ms=250.0,
            breaker="open",
        )
        work.diallers.register(dialler)
    seen = numbers(desk)
    assert seen['xunfang_notices{state="due"}'] == 1
    assert seen['xunfang_notices{state="waiting"}'] == 1
    assert seen['xunfang_notices{state="failed"}'] == 1
    assert seen['xunfang_calls_today{disposition="completed"}'] == 2
    assert seen['xunfang_calls_today{disposition="live"}'] == seen["xunfang_calls_live"] == 1
    assert seen['xunfang_cases_open{which="overdue"}'] == 1
    assert seen["xunfang_case_oldest_seconds"] == timedelta(days=2).total_seconds()
    assert seen["xunfang_breaker_open"] == 1
    assert seen["xunfang_recogniser_lag_seconds"] == 0.25


def test_the_database_is_asked_once_however_many_watch(desk: Desk) -> None:
    numbers(desk)
    with count_queries(desk.store) as counted:
        numbers(desk)
    assert counted.number == 0
    desk.clock.move(KEPT)
    with count_queries(desk.store) as counted:
        numbers(desk)
    assert 0 < counted.number < 12


def test_a_stranger_cannot_multiply_labels(desk: Desk) -> None:
    stranger, client = desk.stranger(), api(desk)
    numbers(desk)
    before = len(numbers(desk))
    for number in range(20):
        stranger.get(f"/nothing/{number}")
        stranger.request(f"WORD{number}", "/nothing")
        client.get(f"/elders/{number + 1}")
    seen = numbers(desk)
    assert len(seen) - before < 80
    assert any('route="/api/v1/elders/{id}"' in name for name in seen)
    assert not any("WORD" in name or "nothing" in name for name in seen)
