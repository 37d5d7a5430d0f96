"""Two dialling machines as two processes on one PostgreSQL; one is killed -9 in the middle.

Their lines are scripted (each call takes its seconds); leases, channels, claims and the takeover are real,
on a clock that runs SPEED times as fast.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from scheduler_kit import HASH, MONDAY_NINE, WELL, answers
from storage_cast import SECRET

from ivr.session.model import CallEnded, CallOrder
from scheduler.admission import AdmissionConfig
from scheduler.dispatch import DispatchConfig, Dispatcher
from scheduler.journal import Journal
from scheduler.owner import Identity
from scheduler.planning import plan_due
from scheduler.policy import Policy
from storage import Store
from storage.model import Call
from xunfang.vocabulary import CallDisposition, ConsentPurpose, PlanStatus

pytestmark = pytest.mark.integration

SPEED = 40
ELDERS, CHANNELS, CAPACITY = 24, 5, 4
CALL = timedelta(seconds=25)
LOOK_S = 0.01
GIVE_UP_S = 60.0
CONFIG = DispatchConfig(policy=Policy(), admission=AdmissionConfig(CHANNELS, 20))


class FastClock:
    """The same for every process: it starts with the test."""

    def __init__(self, began: float) -> None:
        self.began = began  # time.monotonic(), which all processes of a machine share

    def now(self) -> datetime:
        return MONDAY_NINE + SPEED * timedelta(seconds=time.monotonic() - self.began)


class TimedFleet:
    """Every call is answered well, and takes CALL."""

    def __init__(self, clock: FastClock) -> None:
        self.clock = clock
        self.capacity = CAPACITY
        self.calls: dict[int, datetime] = {}

    def free(self) -> int:
        return self.capacity - len(self.calls)

    def lag_ms(self) -> float:
        return 0.0

    def live(self) -> list[int]:
        return sorted(self.calls)

    def hang_up(self, call_id: int) -> None:
        self.calls.pop(call_id, None)

    def dial(self, order: CallOrder) -> None:
        self.calls[order.call_id] = self.clock.now()

    def over(self) -> list[int]:
        return [id for id, since in self.calls.items() if self.clock.now() - since >= CALL]


def a_machine(name: str, url: str, folder: Path, began: float) -> None:
    store, clock = Store(url, [SECRET]), FastClock(began)
    fleet = TimedFleet(clock)
    me = Identity(name, os.getpid(), f"boot-{name}")
    dispatcher = Dispatcher(store, fleet, clock, CONFIG, lambda name: HASH, me, lambda pid: True)
    journal = Journal(store, CONFIG.policy, folder, dispatcher.ended)
    dispatcher.recover()
    while _unfinished(store):
        dispatcher.tick()
        for call_id in fleet.over():
            for event in answers(WELL)(call_id, clock.now()):
                if isinstance(event, CallEnded):
                    fleet.hang_up(call_id)
                    event = CallEnded(call_id, clock.now(), event.disposition, event.because)
                journal.handle(event)
        time.sleep(LOOK_S)
    dispatcher.leave()


def _unfinished(store: Store) -> bool:
    with store.read() as work:
        return bool(work.plans.due(datetime(2026, 11, 29, tzinfo=UTC), 1) or work.plans.in_flight())


def forked(name: str, url: str, folder: Path, began: float) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        a_machine(name, url, folder, began)
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(code)


@pytest.fixture
def url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    name = postgres.create(template=postgres_template)
    yield postgres.url(name)
    postgres.drop(name)


def test_one_of_two_machines_is_killed_and_everybody_is_heard_once(url: str, tmp_path: Path) -> None:
    store = Store(url, [SECRET])
    began = time.monotonic()
    _enrol(store, FastClock(began))
    store.close()
    a, b = (forked(name, url, tmp_path, began) for name in "ab")
    store = Store(url, [SECRET])
    try:
        _wait_until_busy(store, "a/")
        os.kill(a, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(a, 0)[1]) == -signal.SIGKILL
        assert os.waitstatus_to_exitcode(os.waitpid(b, 0)[1]) == 0
        with store.read() as work:
            calls = work.calls.page(limit=1000)
            plans = [work.plans.of_period(elder.id, "2026-W48") for elder in work.elders.page(limit=1000)]
            gone = [each.kind for each in work.audit.of(f"dialler:{_dialler(calls, 'a/')}")]
            assert work.channels.used("trunk") == 0
    finally:
        store.close()
    assert {each.status for each in plans if each is not None} == {PlanStatus.DONE}
    assert len(plans) == ELDERS
    endings = [each.disposition for each in calls]
    assert endings.count(CallDisposition.COMPLETED) == ELDERS, "heard once each"
    assert endings.count(CallDisposition.INTERRUPTED) >= 1
    assert "dialler.gone" in gone
    assert {each.line.split("/")[0] for each in calls if each.disposition is CallDisposition.COMPLETED} == {
        "a",
        "b",
    }
    assert 2 <= _most_at_once(calls) <= CHANNELS
    for plan in plans:
        assert plan is not None
        assert _most_at_once([each for each in calls if each.plan_id == plan.id]) == 1, "one plan twice live"


def _enrol(store: Store, clock: FastClock) -> None:
    with store.begin() as work:
        for number in range(ELDERS):
            elder = work.elders.add(name="王秀英", phone=f"138123400{number:02d}")
            before = MONDAY_NINE - timedelta(days=60)
            work.consents.add(elder.id, ConsentPurpose.PHONE_VISIT, True, before, "paper")
    plan_due(store, clock, CONFIG.policy)


def _wait_until_busy(store: Store, line: str) -> None:
    """This machine carries a call, and a part of the elders is heard."""
    until = time.monotonic() + GIVE_UP_S
    while time.monotonic() < until:
        with store.read() as work:
            calls = work.calls.page(limit=1000)
        mine = [each for each in calls if each.line.startswith(line)]
        if any(each.ended_at is None for each in mine) and sum(bool(each.ended_at) for each in mine) >= 3:
            return
        time.sleep(LOOK_S)
    raise AssertionError("the machine never was in the middle of its calls")


def _dialler(calls: list[Call], line: str) -> int | None:
    return next(each.dialler_id for each in calls if each.line.startswith(line))


def _most_at_once(calls: list[Call]) -> int:
    moments = [(each.intended_at, 1) for each in calls]
    moments += [(each.ended_at, -1) for each in calls if each.ended_at is not None]
    live = most = 0
    for _, step in sorted(moments):
        live += step
        most = max(most, live)
    return most
