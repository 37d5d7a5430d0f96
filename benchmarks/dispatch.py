"""Dispatch decisions per second, and a day of simulated calls without a lost row, on SQLite and PostgreSQL.

    python benchmarks/dispatch.py                         20,000 calls on each database
    python benchmarks/dispatch.py --calls 2000 --only sqlite

Clock moved, lines scripted (each call: answered, two turns with answers, its end), everything else as in
service: every event its own committed transaction, every claim with lease and channel. A tenth of the
elders does not answer at first and is dialled again. A decision is one look at one plan that ends with a
committed intent to dial. PostgreSQL is started for the run as for the tests, without waiting for the
disk (fsync off), SQLite waits for it; prints JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "integration")]

import postgres_server  # noqa: E402
from scheduler_kit import HASH, MONDAY_NINE, ScriptedFleet, answers, ends  # noqa: E402

from scheduler.admission import AdmissionConfig  # noqa: E402
from scheduler.dispatch import DispatchConfig, Dispatcher  # noqa: E402
from scheduler.journal import Journal  # noqa: E402
from scheduler.planning import plan_due  # noqa: E402
from scheduler.policy import Policy  # noqa: E402
from storage import Store  # noqa: E402
from xunfang import log  # noqa: E402
from xunfang.clock import FixedClock  # noqa: E402
from xunfang.vocabulary import CallDisposition, ConsentPurpose, PlanStatus  # noqa: E402

SECRET = "only for a benchmark, 0123456789"
CHANNELS = 100
STEP = timedelta(seconds=5)  # a tick
TWO = {"health": "good", "needs": "no"}
DAY = timedelta(hours=10, minutes=30)  # the windows of a day, from the first opening to the last closing


def a_day(url: str, elders: int) -> dict[str, Any]:
    store, clock = Store(url, [SECRET]), FixedClock(MONDAY_NINE - timedelta(minutes=30))
    store.migrate()
    policy = Policy()
    fleet = ScriptedFleet(clock, CHANNELS)
    with store.begin() as work:
        for number in range(elders):
            elder = work.elders.add(name="王秀英", phone=f"139{number:08d}")
            granted = clock.now() - timedelta(days=60)
            work.consents.add(elder.id, ConsentPurpose.PHONE_VISIT, True, granted, "paper")
            retry = [ends(CallDisposition.BUSY)] if number % 10 == 0 else []
            fleet.scripts[f"139{number:08d}"] = [*retry, answers(TWO)]
    plan_due(store, clock, policy)
    config = DispatchConfig(policy=policy, admission=AdmissionConfig(CHANNELS, 20))
    dispatcher = Dispatcher(store, fleet, clock, config, lambda name: HASH)
    journal = Journal(store, policy, None, dispatcher.ended)
    fleet.handle = journal.handle
    dispatcher.recover()
    dialled, dialling_s, began = 0, 0.0, time.perf_counter()
    closing = clock.now() + DAY
    while clock.now() < closing:
        ticked = time.perf_counter()
        done = dispatcher.tick()
        dialling_s += time.perf_counter() - ticked if done else 0.0
        dialled += done
        fleet.play()
        clock.move(STEP)
        if not done and not _left(store, closing):
            break
    seconds = time.perf_counter() - began
    result = _checked(store, dialled, elders)
    result |= {
        "database": store.dialect,
        "elders": elders,
        "decisions_per_s": round(dialled / dialling_s),
        "calls_per_s": round(dialled / seconds, 1),
        "seconds": round(seconds),
        "day_ended": f"{clock.now() + timedelta(hours=8):%H:%M}",
    }
    store.close()
    return result


def _left(store: Store, closing: Any) -> bool:
    with store.read() as work:
        return bool(work.plans.due(closing, 1))


def _checked(store: Store, dialled: int, elders: int) -> dict[str, Any]:
    """Counts every row that the day must have left; AssertionError for one that is missing."""
    calls = completed = after = heard = 0
    with store.read() as work:
        while page := work.calls.page(after, 1000):
            after = page[-1].id
            calls += len(page)
            done = [each for each in page if each.disposition is CallDisposition.COMPLETED]
            completed += len(done)
            heard += sum(len(work.answers.of(each.id)) == len(TWO) for each in done)
        plans = work.overview.plans_now(MONDAY_NINE)
        assert work.channels.used("trunk") == 0
        assert work.calls.open() == []
    assert calls == dialled, (calls, dialled)
    assert heard == completed == plans.get(PlanStatus.DONE, 0) == elders, (heard, completed, plans)
    return {"calls": calls, "completed": completed, "answers": heard * len(TWO)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000, help="on each database; a tenth are retries")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    given = parser.parse_args()
    log.configure("ERROR", as_json=False)
    elders = given.calls * 10 // 11
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="xunfang-bench-"))
        if given.only != "postgresql":
            print(json.dumps(a_day(f"sqlite:///{Path(folder)}/day.db", elders)), flush=True)
        if given.only != "sqlite":
            server = stack.enter_context(postgres_server.running())
            print(json.dumps(a_day(server.url(server.create()), elders)), flush=True)


if __name__ == "__main__":
    main()
