"""A harness scenario called by the real service: `xunfang harness run`."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from ivr.session.model import CallEnded, CallEvent
from sip_test_harness.model import Scenario, ScenarioCall
from sip_test_harness.runner import Observed, Result, run
from sip_test_harness.village import Village
from storage import Store
from xunfang.clock import SystemClock
from xunfang.demo.folder import prepare
from xunfang.demo.ledger import enrol_persona
from xunfang.wiring import House, build, open_store

VILLAGE_PROCESSES = 2
MOST_S = 300.0  # one call, from dialling to its end
DRAIN_S = 2.0


def run_scenario(scenario: Scenario) -> list[Result]:
    """Every call in order, at most `scenario.concurrent` at a time, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="xunfang-scenario-") as folder:
        place = prepare(Path(folder) / "house", duty_number="")
        ends = _Ends()
        with (
            open_store(place.settings) as store,
            Village(
                scenario.personas, port=place.port, rtp_port=place.village_rtp, processes=VILLAGE_PROCESSES
            ),
        ):
            house = build(place.settings, store, on_event=ends.heard)
            house.fleet.start()
            try:
                return run(scenario, lambda calls, most: _place(house, store, ends, scenario, calls, most))
            finally:
                house.fleet.stop(DRAIN_S)


class _Ends:
    """Which calls have ended and are settled."""

    def __init__(self) -> None:
        self._ended: set[int] = set()
        self._changed = threading.Condition()

    def heard(self, event: CallEvent) -> None:
        if isinstance(event, CallEnded):
            with self._changed:
                self._ended.add(event.call_id)
                self._changed.notify_all()

    def wait(self, call_id: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: call_id in self._ended, MOST_S)


def _place(
    house: House, store: Store, ends: _Ends, scenario: Scenario, calls: Sequence[ScenarioCall], most: int
) -> list[Observed]:
    seen: list[Observed | None] = [None] * len(calls)
    slots = threading.Semaphore(most)
    busy = {call.persona.number: threading.Lock() for call in calls}  # one call to one number at a time

    def one(at: int, call: ScenarioCall) -> None:
        with busy[call.persona.number], slots:
            with store.begin() as work:
                elder = enrol_persona(work, call.persona, scenario.dialplan, SystemClock().now())
            call_id = house.dispatcher.call_now(elder.id, anyway=True)
            ends.wait(call_id)
            with store.read() as work:
                ended = work.calls.get(call_id)
                case = work.cases.open_for(elder.id)
            assert ended is not None
            kinds = (case.kind,) if case is not None else ()
            seen[at] = Observed(ended.disposition, ended.alert, ended.risk, kinds)

    threads = [threading.Thread(target=one, args=(at, call)) for at, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each or Observed() for each in seen]
