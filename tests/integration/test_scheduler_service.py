"""The service as a whole: background ticks, crash points, odd inputs, both databases."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scheduler_kit import HASH, WELL, House, answers, distress, ends

from ivr.dialogue.model import Because
from ivr.session.model import Answered, CallEnded, CallEvent, RecordingLost
from scheduler import planning
from scheduler.dispatch import DispatchConfig, Dispatcher
from scheduler.order import OrderConfig
from scheduler.policy import Policy
from scheduler.ticks import Service, TickConfig
from storage import Store
from visits.channels import NoticeConfig
from visits.notices import Sender
from xunfang.clock import SystemClock
from xunfang.errors import BadDialplan, BadInput, NotFound, StorageError
from xunfang.vocabulary import (
    CallDisposition,
    CaseKind,
    ConsentPurpose,
    PlanStatus,
)

pytestmark = pytest.mark.integration

PHONE = "13812340001"
OTHER_PHONE = "13812340002"


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    config = DispatchConfig(policy=Policy(), order=OrderConfig(recordings=tmp_path))
    return House(sqlite_store, tmp_path, config)


def test_a_week_ends_alike_on_both_databases(store: Store, tmp_path: Path) -> None:
    house = House(store, tmp_path)
    well = house.elder(PHONE, ends(CallDisposition.BUSY), answers(WELL))
    silent = house.elder(OTHER_PHONE, ends(CallDisposition.NO_ANSWER))
    fallen = house.elder("13812340003", distress())
    house.run(hours=26, by=timedelta(minutes=20))
    assert [house.plan_of(each).status for each in (well, silent, fallen)] == [
        PlanStatus.DONE,
        PlanStatus.ESCALATED,
        PlanStatus.DONE,
    ]
    assert [(each.elder_id, each.kind) for each in house.cases()] == [
        (fallen.id, CaseKind.DISTRESS),
        (silent.id, CaseKind.MISSED_CALL),
    ]


def test_the_service_plans_dials_and_stops_by_itself(house: House) -> None:
    elder = house.elder(PHONE, distress())
    dialled = threading.Event()
    real = house.fleet.dial

    def dial(order: Any) -> None:
        real(order)
        dialled.set()

    house.fleet.dial = dial  # type: ignore[method-assign]
    sender = Sender(house.store, house.clock, NoticeConfig())
    ticks = TickConfig(plan_s=3600, dispatch_s=3600, notices_s=3600)
    service = Service(house.store, house.clock, house.policy, house.dispatcher, sender, ticks)
    service.start()
    assert dialled.wait(10), "the first dispatch tick comes at once, not after its interval"
    service.drain()
    house.fleet.play()
    house.clock.move(timedelta(minutes=2))
    service.stop()
    assert house.plan_of(elder).status is PlanStatus.DONE
    (case,) = house.cases()
    with house.store.read() as work:
        assert work.notices.pending(house.clock.now()) == [], "the outbox is emptied once more at the end"
        assert "no_notice_sent" in [each.kind for each in work.audit.of(f"case:{case.id}")]
    assert house.dispatcher.tick() == 0


def test_waking_a_service_that_does_not_run_is_no_error(house: House) -> None:
    """`xunfang call` makes calls without starting the heart, and late ends come after it stopped."""
    service = Service(
        house.store,
        house.clock,
        house.policy,
        house.dispatcher,
        Sender(house.store, house.clock, NoticeConfig()),
    )
    service.wake()
    service.start()
    service.stop()
    service.wake()


def test_what_changed_since_planning_is_looked_at_before_dialling(house: House) -> None:
    phones = [f"1381234100{number}" for number in range(4)]
    gone, frail, unwilling, withdrawn = (house.elder(phone) for phone in phones)
    house.plan()
    with house.store.begin() as work:
        work.elders.update(gone.id, active=False)
        work.elders.update(frail.id, good_health=False)
        work.consents.add(frail.id, ConsentPurpose.ON_SITE_VISIT, True, house.clock.now(), "paper")
        for purpose in (ConsentPurpose.PHONE_VISIT, ConsentPurpose.ON_SITE_VISIT):
            work.consents.add(unwilling.id, purpose, False, house.clock.now(), "paper")
        work.consents.add(withdrawn.id, ConsentPurpose.PHONE_VISIT, False, house.clock.now(), "paper")
    house.run(hours=1)
    assert house.fleet.orders == []
    assert [house.plan_of(each).status for each in (gone, frail, unwilling, withdrawn)] == [
        PlanStatus.PAUSED,
        PlanStatus.ON_SITE,
        PlanStatus.PAUSED,
        PlanStatus.ESCALATED,
    ]
    assert [(each.elder_id, each.kind) for each in house.cases()] == [(withdrawn.id, CaseKind.CONSENT)]


def test_a_failing_tick_does_not_stop_the_heart(house: House) -> None:
    beats = threading.Semaphore(0)

    class Failing(Dispatcher):
        def tick(self) -> int:
            beats.release()
            raise StorageError("the disk is full")

    dispatcher = Failing(house.store, house.fleet, house.clock, house.config, lambda name: HASH)
    sender = Sender(house.store, SystemClock(), NoticeConfig())
    ticks = TickConfig(plan_s=3600, dispatch_s=0.05, notices_s=3600)
    service = Service(house.store, SystemClock(), house.policy, dispatcher, sender, ticks)
    service.start()
    try:
        for _ in range(3):
            assert beats.acquire(timeout=10)
    finally:
        service.stop()


def test_a_crash_after_each_event_loses_and_doubles_nothing(house: House) -> None:
    """Killed after the n-th event of a call, started again, called again: always one ending, one case."""
    script = distress(ending=CallDisposition.COMPLETED)
    events = len(script(1, house.clock.now()))
    for survived in range(events + 1):
        elder = house.elder(f"1381234{survived:04d}", windows=("00:00-24:00",))
        house.plan()
        assert house.dispatcher.tick() == 1
        order = house.fleet.orders[-1]
        for event in script(order.call_id, house.clock.now())[:survived]:
            house.journal.handle(event)
        house.fleet.die()
        house.start()
        house.dispatcher.recover()
        house.fleet.scripts[order.number] = [script]
        house.run(hours=1)
        case = [each for each in house.cases() if each.elder_id == elder.id]
        assert [each.kind for each in case] == [CaseKind.DISTRESS], survived
        assert len({each["call_id"] for each in case[0].evidence}) == len(case[0].evidence), survived
        assert house.plan_of(elder).status in (PlanStatus.DONE, PlanStatus.ESCALATED)
        with house.store.read() as work:
            records = work.records.of_elder(elder.id)
        assert len({each.call_id for each in records}) == len(records)


def test_the_journal_waits_for_a_database_that_comes_back(house: House) -> None:
    house.elder(PHONE)
    house.plan()
    house.dispatcher.tick()
    call_id = house.fleet.orders[0].call_id
    real, failures = house.store.begin, [StorageError("locked"), StorageError("locked")]

    def begin() -> Any:
        if failures:
            raise failures.pop()
        return real()

    house.store.begin = begin  # type: ignore[method-assign]
    house.journal.handle(Answered(call_id, house.clock.now()))
    with house.store.read() as work:
        call = work.calls.get(call_id)
    assert call is not None
    assert call.answered_at == house.clock.now()


def test_an_event_of_an_unknown_call_harms_nobody(house: House) -> None:
    house.journal.handle(Answered(999, house.clock.now()))
    house.journal.handle(CallEnded(999, house.clock.now(), CallDisposition.COMPLETED, Because.FINISHED))
    assert house.cases() == []


@pytest.mark.parametrize("written", [True, False])
def test_a_full_disk_costs_the_recording_and_not_the_answers(house: House, written: bool) -> None:
    elder = house.elder(PHONE, consents=(ConsentPurpose.PHONE_VISIT, ConsentPurpose.RECORDING))
    house.plan()
    house.dispatcher.tick()
    order = house.fleet.orders[0]
    assert order.recording is not None
    if written:
        Path(order.recording).parent.mkdir(parents=True)
        Path(order.recording).write_bytes(b"RIFF")
    lost: CallEvent = RecordingLost(order.call_id, house.clock.now(), "no space left on device")
    house.journal.handle(lost)
    house.fleet.play()
    with house.store.read() as work:
        call = work.calls.get(order.call_id)
        assert len(work.answers.of(order.call_id)) == len(WELL)
        assert [each.kind for each in work.audit.of(f"call:{order.call_id}")] == ["recording.lost"]
    assert call is not None
    assert (call.recording is not None) is written
    assert house.plan_of(elder).status is PlanStatus.DONE


def test_a_call_that_left_no_sound_names_no_recording(house: House) -> None:
    house.elder(
        PHONE,
        ends(CallDisposition.NO_ANSWER),
        consents=(ConsentPurpose.PHONE_VISIT, ConsentPurpose.RECORDING),
    )
    house.plan()
    house.dispatcher.tick()
    order = house.fleet.orders[0]
    house.fleet.play()
    with house.store.read() as work:
        call = work.calls.get(order.call_id)
    assert order.recording is not None
    assert call is not None
    assert call.recording is None


def test_one_elders_broken_dialplan_does_not_stop_the_others(house: House) -> None:
    broken = house.elder(PHONE, dialplan="broken")
    well = house.elder(OTHER_PHONE)

    def hash_of(name: str) -> str:
        if name == "broken":
            raise BadDialplan("dialplan broken: no such file")
        return HASH

    house.dispatcher = Dispatcher(house.store, house.fleet, house.clock, house.config, hash_of)
    house.plan()
    house.step()
    assert house.plan_of(well).status is PlanStatus.DONE
    plan = house.plan_of(broken)
    assert plan.status is PlanStatus.DUE
    assert house.dispositions(broken) == []
    with house.store.read() as work:
        assert [each.kind for each in work.audit.of("dialplan:broken")] == ["dialplan.broken"]


def test_hours_that_cannot_be_read_defer_the_call_and_never_block_its_end(house: House) -> None:
    unreadable = house.elder(PHONE, windows=("morning",))
    spoilt = house.elder(OTHER_PHONE, ends(CallDisposition.BUSY))
    house.plan()
    house.dispatcher.tick()
    with house.store.begin() as work:
        work.elders.update(spoilt.id, windows=("noon",))
    house.fleet.play()
    assert house.dispositions(unreadable) == []
    assert house.plan_of(unreadable).status is PlanStatus.DUE
    assert house.dispositions(spoilt) == [CallDisposition.BUSY]
    assert house.plan_of(spoilt).status is PlanStatus.WAITING


def test_an_elder_without_a_number_is_a_case_and_no_call(house: House) -> None:
    elder = house.elder("")
    house.run(hours=1)
    assert house.fleet.orders == []
    assert [(each.elder_id, each.kind) for each in house.cases()] == [(elder.id, CaseKind.NUMBER_PROBLEM)]


def test_call_now_says_why_not(house: House) -> None:
    unasked = house.elder(PHONE, consents=())
    callable_ = house.elder(OTHER_PHONE)
    with pytest.raises(NotFound):
        house.dispatcher.call_now(999)
    with pytest.raises(BadInput, match="not agreed"):
        house.dispatcher.call_now(unasked.id)
    house.fleet.capacity = 0
    with pytest.raises(BadInput, match="lines are busy"):
        house.dispatcher.call_now(callable_.id)


def test_planning_reaches_beyond_its_first_page(house: House) -> None:
    elders = 520
    with house.store.begin() as work:
        for number in range(elders):
            elder = work.elders.add(name="王秀英", phone=f"139{number:08d}", area_id=house.village)
            work.consents.add(elder.id, ConsentPurpose.PHONE_VISIT, True, house.clock.now(), "paper")
    assert planning.plan_due(house.store, house.clock, house.policy, chunk=100).created == elders
    assert planning.plan_due(house.store, house.clock, house.policy).created == 0
    with house.store.read() as work:
        assert len(work.plans.due(house.clock.now(), 2 * elders)) == elders
