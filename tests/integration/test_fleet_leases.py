"""Two machines, one ledger, one trunk: leases, channels, and a machine that wakes too late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fleet_kit import Machine
from scheduler_kit import WELL, House, answers, distress

from ivr.session.model import AnswerGiven, CallEnded
from scheduler.admission import AdmissionConfig
from scheduler.caps import CapsConfig
from scheduler.dispatch import DispatchConfig
from scheduler.policy import Policy
from storage import Store
from storage.model import Call, VisitPlan
from xunfang.errors import BadDialplan, BadInput
from xunfang.vocabulary import CallDisposition, CaseKind, DiallerState, PlanStatus

pytestmark = pytest.mark.integration

PHONE = "13812340001"
LEASE = timedelta(seconds=60)
A_LITTLE = timedelta(seconds=5)


def config(channels: int = 4, rate: float = 20.0) -> DispatchConfig:
    # Distances between calls have tests of their own; here one elder may be rung again at once.
    caps = CapsConfig(min_gap=timedelta(0))
    return DispatchConfig(policy=Policy(), caps=caps, admission=AdmissionConfig(channels, rate))


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return House(store, tmp_path, config())


@pytest.fixture
def lone(sqlite_store: Store, tmp_path: Path) -> House:
    """Where the database makes no difference."""
    return House(sqlite_store, tmp_path, config())


def a_and_b(house: House) -> tuple[Machine, Machine]:
    return Machine(house, "a"), Machine(house, "b")


def open_calls(house: House) -> list[Call]:
    with house.store.read() as work:
        return work.calls.open()


def endings(house: House) -> set[CallDisposition | None]:
    with house.store.read() as work:
        return {each.disposition for each in work.calls.page()}


def used(house: House) -> int:
    with house.store.read() as work:
        return work.channels.used("trunk")


def test_calls_of_a_machine_that_fell_silent_are_dialled_by_another_one(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    a, b = a_and_b(house)
    assert a.dispatcher.tick() == 1
    a.fleet.die()
    house.clock.move(LEASE - A_LITTLE)
    b.dispatcher.tick()
    assert house.plan_of(elder).status is PlanStatus.DIALLING, "the lease still runs"
    assert used(house) == 1
    house.clock.move(A_LITTLE)
    b.dispatcher.beat()
    assert house.dispositions(elder) == [CallDisposition.INTERRUPTED]
    assert used(house) == 0
    house.clock.move(timedelta(minutes=10))
    assert b.dispatcher.tick() == 1
    b.fleet.play()
    assert house.plan_of(elder).status is PlanStatus.DONE
    with house.store.read() as work:
        told = [each for each in work.notices.pending(house.clock.now()) if each.kind == "dialler.gone"]
    assert len(told) == 2  # duty and webhook


def test_a_machine_that_beats_keeps_its_calls_however_long_they_last(lone: House) -> None:
    elder = lone.elder(PHONE)
    lone.plan()
    a, b = a_and_b(lone)
    a.dispatcher.tick()
    for _ in range(10):
        lone.clock.move(timedelta(seconds=50))
        a.dispatcher.beat()
        assert b.dispatcher.tick() == 0
    assert lone.plan_of(elder).status is PlanStatus.DIALLING


def test_who_wakes_after_its_lease_hangs_up_and_dials_only_under_a_new_one(house: House) -> None:
    first, second = house.elder(PHONE), house.elder("13812340002")
    house.plan()
    a, b = a_and_b(house)
    a.dispatcher.beat()
    b.dispatcher.beat()
    old = a.dispatcher.dialler_id
    assert a.dispatcher.tick() == 2
    house.clock.move(LEASE)  # the whole machine stood still, its telephones too
    b.dispatcher.beat()
    assert endings(house) == {CallDisposition.INTERRUPTED}
    assert a.dispatcher.beat() is False
    assert sorted(a.fleet.hung_up) == [1, 2]
    assert a.dispatcher.dialler_id not in (None, old)
    house.clock.move(timedelta(minutes=10))
    a.dispatcher.tick()
    a.fleet.play()
    assert {house.plan_of(each).status for each in (first, second)} == {PlanStatus.DONE}
    with house.store.read() as work:
        assert [each.kind for each in work.audit.of(f"dialler:{old}")] == ["dialler.gone", "dialler.lost"]


def test_the_stalled_tick_itself_finds_its_lease_gone_before_it_dials(house: House) -> None:
    """No heartbeat comes in between: the very transaction that would dial is refused."""
    house.elder(PHONE)
    house.plan()
    a, b = a_and_b(house)
    a.dispatcher.beat()
    real = a.dispatcher._take

    def stalls(plan: VisitPlan) -> bool:
        house.clock.move(LEASE)
        b.dispatcher.beat()
        return real(plan)

    a.dispatcher._take = stalls  # type: ignore[method-assign]
    assert a.dispatcher.tick() == 0
    assert a.fleet.orders == []
    assert open_calls(house) == []


def test_an_intent_that_was_overtaken_by_a_stall_never_rings(lone: House) -> None:
    elder = lone.elder(PHONE)
    lone.plan()
    a, _ = a_and_b(lone)
    a.dispatcher._clock = _Stalling(lone)
    assert a.dispatcher.tick() == 0
    assert a.fleet.orders == []
    assert lone.dispositions(elder) == [CallDisposition.NOT_DIALLED]
    assert used(lone) == 0


class _Stalling:
    """A clock that jumps by half a lease once a call has been written."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.jumped = False

    def now(self) -> datetime:
        if not self.jumped and not getattr(self.house.store._mine, "writing", False):
            with self.house.store.read() as work:
                written = bool(work.calls.open())
            if written:
                self.jumped = True
                self.house.clock.move(LEASE / 2)
        return self.house.clock.now()


def test_words_heard_by_a_machine_that_lost_its_lease_are_kept_and_danger_is_a_case(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    a, b = a_and_b(house)
    a.dispatcher.tick()
    house.clock.move(LEASE)
    b.dispatcher.beat()
    order = a.fleet.waiting[0]
    for event in distress()(order.call_id, house.clock.now()):
        a.journal.handle(event)
    assert [each.kind for each in house.cases()] == [CaseKind.DISTRESS]
    with house.store.read() as work:
        assert work.turns.of(order.call_id)
    assert house.dispositions(elder) == [CallDisposition.INTERRUPTED], "the first end stands"


def test_answers_that_came_late_are_not_asked_again(lone: House) -> None:
    lone.elder(PHONE)
    lone.plan()
    a, b = a_and_b(lone)
    a.dispatcher.tick()
    lone.clock.move(LEASE)
    b.dispatcher.beat()
    call_id = a.fleet.waiting[0].call_id
    a.journal.handle(AnswerGiven(call_id, lone.clock.now(), "health", "health", "good", text="好"))
    lone.clock.move(timedelta(minutes=10))
    b.dispatcher.tick()
    assert b.fleet.orders[0].callee.answered == ("health",)


def test_the_trunks_channels_are_shared_by_the_machines(store: Store, tmp_path: Path) -> None:
    house = House(store, tmp_path, config(channels=3))
    for number in range(8):
        house.elder(f"138123400{number:02d}")
    house.plan()
    a, b = a_and_b(house)
    assert a.dispatcher.tick() == 3
    assert b.dispatcher.tick() == 0
    with pytest.raises(BadInput, match="channels"):
        b.dispatcher.call_now(8)
    a.fleet.play()
    assert b.dispatcher.tick() == 3
    assert used(house) == 3
    a.fleet.die()
    b.fleet.play()
    assert used(house) == 0


def test_a_dead_machines_channels_come_back_with_its_calls(store: Store, tmp_path: Path) -> None:
    house = House(store, tmp_path, config(channels=2))
    for number in range(4):
        house.elder(f"138123400{number:02d}")
    house.plan()
    a, b = a_and_b(house)
    assert a.dispatcher.tick() == 2
    house.clock.move(LEASE)
    assert b.dispatcher.tick() == 2
    assert used(house) == 2
    assert {each.line for each in open_calls(house)} == {"b/101"}


@pytest.mark.parametrize("machines", [4])
def test_machines_that_dial_at_the_same_moment_never_dial_twice(
    store: Store, tmp_path: Path, machines: int
) -> None:
    """Threads in earnest; households of two share a number."""
    house = House(store, tmp_path, config(channels=7))
    for number in range(24):
        house.elder(f"138123400{number // 2:02d}")
    house.plan()
    fleet = [Machine(house, name, capacity=5) for name in "abcdefgh"[:machines]]
    _together([each.dispatcher.beat for each in fleet])
    _together([each.dispatcher.tick for each in fleet])
    dialled = [order for each in fleet for order in each.fleet.orders]
    calls = open_calls(house)
    assert len(calls) == len(dialled) <= 7
    assert len(dialled) >= 5, "skipping what others hold must not keep the trunk empty"
    assert used(house) == len(calls)
    assert len({each.plan_id for each in calls}) == len(calls)
    assert len({each.number for each in dialled}) == len(dialled), "two calls to one telephone"
    assert {each.dialler_id for each in calls} <= {each.dispatcher.dialler_id for each in fleet}


def _together(steps: list[Callable[[], object]]) -> None:
    errors: list[BaseException] = []
    ready = threading.Barrier(len(steps))

    def run(step: Callable[[], object]) -> None:
        ready.wait()
        try:
            step()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_several_survivors_take_a_call_back_once(house: House) -> None:
    elder = house.elder(PHONE)
    house.plan()
    a, b = a_and_b(house)
    c = Machine(house, "c")
    a.dispatcher.tick()
    house.clock.move(LEASE)
    _together([b.dispatcher.beat, c.dispatcher.beat])
    assert house.dispositions(elder) == [CallDisposition.INTERRUPTED]
    with house.store.read() as work:
        audit = [each.kind for each in work.audit.of("dialler:1")]
    assert audit == ["dialler.gone"]


def test_who_leaves_in_good_order_is_not_missed(lone: House) -> None:
    a, b = a_and_b(lone)
    a.dispatcher.beat()
    a.dispatcher.drain()
    a.dispatcher.beat()
    with lone.store.read() as work:
        assert [each.state for each in work.diallers.present()] == [DiallerState.DRAINING]
    a.dispatcher.leave()
    lone.clock.move(timedelta(hours=1))
    b.dispatcher.beat()
    with lone.store.read() as work:
        assert [each.name for each in work.diallers.present()] == ["b/101"]
        assert work.audit.of("dialler:1") == []


def test_a_heartbeat_tells_how_the_machine_is(lone: House) -> None:
    lone.elder(PHONE)
    lone.plan()
    a, _ = a_and_b(lone)
    a.fleet.lag = 123.0
    a.dispatcher.tick()
    a.dispatcher.beat()
    with lone.store.read() as work:
        (seen,) = work.diallers.present()
    assert (seen.live, seen.capacity, seen.lag_ms, seen.breaker, seen.channels) == (1, 4, 123.0, "closed", 4)


# ---- what else decides who is dialled ------------------------------------------------------------


def test_new_calls_wait_for_a_recogniser_that_lags(lone: House) -> None:
    lone.elder(PHONE)
    lone.plan()
    a, _ = a_and_b(lone)
    a.fleet.lag = 5000.0
    assert a.dispatcher.tick() == 0
    a.fleet.lag = 0.0
    lone.clock.move(timedelta(seconds=31))
    assert a.dispatcher.tick() == 1


def test_whoever_said_something_worrying_before_the_call_broke_off_is_dialled_first(
    store: Store, tmp_path: Path
) -> None:
    house = House(store, tmp_path, replace(config(channels=1), caps=CapsConfig(min_gap=timedelta(0))))
    calm = house.elder(PHONE)
    worried = house.elder("13812340002")
    house.plan()
    a, b = a_and_b(house)
    for events in (0, -1):  # calm: nothing was heard; worried: everything but the end
        assert a.dispatcher.tick() == 1
        order = a.fleet.waiting[0]
        script = answers(WELL | {"health": "worse"})(order.call_id, house.clock.now())
        if order.number == worried.phone:
            for event in script[:events] if events else script[:-1]:
                a.journal.handle(event)
        a.journal.handle(CallEnded(order.call_id, house.clock.now(), CallDisposition.INTERRUPTED))
        a.fleet.die()
    house.clock.move(timedelta(minutes=20))
    with house.store.read() as work:
        first, second = work.plans.due(house.clock.now(), 10)
    assert (first.elder_id, second.elder_id) == (worried.id, calm.id)
    assert b.dispatcher.tick() == 1
    assert b.fleet.orders[0].number == worried.phone


def test_a_broken_dialplan_is_told_once_holds_its_own_elders_only_and_goes_on_when_mended(
    lone: House,
) -> None:
    broken = [lone.elder(f"138123400{number:02d}", dialplan="broken") for number in range(5)]
    well = lone.elder("13812340099")
    a, _ = a_and_b(lone)
    tries: list[str] = []
    mended = False

    def hash_of(name: str) -> str:
        tries.append(name)
        if name == "broken" and not mended:
            raise BadDialplan("broken.yaml: no sound for 3 texts; run `xunfang dialplan render broken`")
        return "0123456789ab"

    a.dispatcher._dialplans._hash_of = hash_of
    lone.plan()
    for _ in range(20):
        a.dispatcher.tick()
        a.fleet.play()
        lone.clock.move(timedelta(minutes=1))
    assert lone.plan_of(well).status is PlanStatus.DONE
    assert {lone.plan_of(each).status for each in broken} == {PlanStatus.DUE}
    assert tries.count("broken") == 2, "at first, and once more after a quarter of an hour"
    with lone.store.read() as work:
        notices = work.notices.pending(lone.clock.now())
    assert [each.kind for each in notices] == ["dialplan.broken"] * 2  # duty and webhook
    mended = True
    lone.clock.move(timedelta(minutes=15))
    assert a.dispatcher.tick() == 4
    with lone.store.read() as work:
        notices = work.notices.pending(lone.clock.now())
    assert [each.kind for each in notices][2:] == ["dialplan.mended"] * 2
