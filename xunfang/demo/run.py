"""The demo from beginning to end: folder, ledger, village, service, table, queue."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from scheduler.hours import local_date
from scheduler.planning import period_key
from sip_test_harness.formats import list_personas, load_demo_village
from sip_test_harness.village import Village
from storage import Store
from visits import service as queue
from xunfang import log
from xunfang.clock import SystemClock
from xunfang.demo.folder import DemoFolder, prepare
from xunfang.demo.ledger import enrol_village
from xunfang.demo.live import LiveTable
from xunfang.demo.result import MOST_CASES, collect, unfinished
from xunfang.errors import LineDied
from xunfang.vocabulary import Cadence
from xunfang.wiring import House, build, open_store, policy

DIALPLAN = "demo_short"
LOOK_S = 0.5
GIVE_UP_S = 600.0  # the longest a run may take before something is wrong
DRAIN_S = 2.0
VILLAGE_PROCESSES = 3  # spare telephones: a killed line leaves its calls hanging for a while


def run_demo(
    folder: Path, console: Console, on_house: Callable[[House], None] | None = None
) -> dict[str, Any]:
    """Play the demo in `folder`; returns its result. `on_house` is told of the running service (tests)."""
    village = load_demo_village()
    place = prepare(folder, village.duty_phone)
    log.configure(place.settings.log.level)
    if place.continued:
        console.print(f"[dim]{folder}：接着上次中断的演示继续。[/dim]")
    clock = SystemClock()
    with open_store(place.settings) as store:
        began = clock.now()
        elders = enrol_village(store, village, DIALPLAN, began)
        table = LiveTable(store, elders, console)
        with (
            _patient_interrupt() as asked_to_stop,
            Village(
                list_personas(),
                port=place.port,
                rtp_port=place.village_rtp,
                processes=VILLAGE_PROCESSES,
            ) as softphones,
        ):
            _dial_all(place, store, table, list(elders), console, on_house, asked_to_stop)
            events = softphones.events()
        result = collect(store, elders, events, began, clock.now())
    place.finished()
    return result


@contextmanager
def _patient_interrupt() -> Iterator[threading.Event]:
    """Ctrl-C sets the event instead of tearing a start or a transaction in the middle."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # only the main thread may hear signals
        return
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _dial_all(
    place: DemoFolder,
    store: Store,
    table: LiveTable,
    elders: list[int],
    console: Console,
    on_house: Callable[[House], None] | None,
    asked_to_stop: threading.Event,
) -> None:
    clock = SystemClock()
    period = period_key(Cadence.WEEKLY, local_date(clock.now(), policy(place.settings).hours))
    house = build(place.settings, store, clock, table.heard)
    until = time.monotonic() + GIVE_UP_S
    try:
        house.start()
        if on_house is not None:
            on_house(house)
        # Without a terminal the table prints a line a call instead (live.py).
        shown = Live(table, console=console, refresh_per_second=4) if console.is_terminal else nullcontext()
        with shown:
            while open_visits := unfinished(store, elders, period):
                cases = {case["elder_id"]: case["kind_zh"] for case in queue.queue(store, MOST_CASES)}
                table.settled(cases, open_visits)
                if time.monotonic() > until:
                    raise LineDied(
                        f"{len(open_visits)} visits of the demo have no end after {GIVE_UP_S:.0f} s; "
                        "run it again to go on, with XUNFANG_LOG__LEVEL=INFO to see more"
                    )
                if asked_to_stop.wait(LOOK_S):
                    raise KeyboardInterrupt
            cases = {case["elder_id"]: case["kind_zh"] for case in queue.queue(store, MOST_CASES)}
            table.settled(cases, set())
    finally:
        house.stop(DRAIN_S)
