"""Several threads, several processes, and a process that is killed, on both engines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from storage_cast import MINUTE, NOW, SECRET, a_case, a_plan, a_row, an_elder

from storage import Store
from storage.engine import database_url, open_engine
from xunfang.errors import StorageError
from xunfang.vocabulary import CaseKind, PlanStatus, Priority

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


def together(tasks: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(n)` in as many threads, all let go at the same moment."""
    gate = threading.Barrier(tasks)

    def one(number: int) -> Any:
        gate.wait(10)
        return work(number)

    with ThreadPoolExecutor(tasks) as pool:
        return list(pool.map(one, range(tasks)))


@pytest.fixture
def stores(database: str) -> Any:
    """Two openings of one database, as two processes would have."""
    opened = [Store(database, [SECRET]) for _ in range(2)]
    yield opened
    for store in opened:
        store.close()


def test_of_many_who_claim_a_plan_one_wins(stores: list[Store]) -> None:
    with stores[0].begin() as work:
        elder = an_elder(work)
        plans = [a_plan(work, elder, f"2026-W{week}") for week in range(40, 45)]

    def claim(number: int) -> list[bool]:
        won = []
        for plan in plans:
            with stores[number % 2].begin() as work:
                won.append(work.plans.claim(plan.id, NOW))
        return won

    for won in zip(*together(6, claim), strict=True):
        assert sum(won) == 1


def test_a_claim_that_is_rolled_back_is_free_again(stores: list[Store]) -> None:
    with stores[0].begin() as work:
        plan = a_plan(work, an_elder(work))

    def claim_and_fail() -> None:
        with stores[0].begin() as work:
            assert work.plans.claim(plan.id, NOW)
            raise RuntimeError("the INVITE was never sent")

    with pytest.raises(RuntimeError, match="the INVITE was never sent"):
        claim_and_fail()
    with stores[1].begin() as work:
        assert work.plans.claim(plan.id, NOW)


def test_two_reasons_at_the_same_moment_make_one_case(stores: list[Store]) -> None:
    with stores[0].begin() as work:
        elder = an_elder(work)

    def reason(number: int) -> str:
        try:
            with stores[number % 2].begin() as work:
                a_case(work, elder)
            return "opened"
        except StorageError:
            with stores[number % 2].begin() as work:
                case = work.cases.open_for(elder.id)
                assert case is not None
                work.cases.merge(
                    case.id,
                    kind=CaseKind.DISTRESS,
                    priority=Priority.URGENT,
                    deadline=NOW,
                    evidence=[{"n": number}],
                )
            return "merged"

    assert sorted(together(6, reason)) == ["merged"] * 5 + ["opened"]
    with stores[0].read() as work:
        (case,) = work.cases.queue()
    assert case.merged == 5
    assert len(case.evidence) == 6  # no merge overwrote another


def test_two_planners_at_once_plan_everybody_once(stores: list[Store]) -> None:
    with stores[0].begin() as work:
        rows = [a_row(an_elder(work, name=f"老人{n}", phone="")) for n in range(50)]

    def plan(number: int) -> int:
        with stores[number % 2].begin() as work:
            return work.plans.ensure(rows)

    assert sum(together(4, plan)) == 50


def test_who_reads_and_then_writes_never_finds_the_file_taken_in_between(sqlite_url: str) -> None:
    """A deferred transaction would break off here: SQLite cannot make an old view writable."""
    stores = [Store(sqlite_url, [SECRET]) for _ in range(2)]
    with stores[0].begin() as work:
        elder = an_elder(work, tail_ms=0)

    def count(number: int) -> None:
        for _ in range(20):
            with stores[number].begin() as work:
                found = work.elders.get(elder.id)
                assert found is not None
                assert found.tail_ms is not None
                work.elders.update(elder.id, tail_ms=found.tail_ms + 1)

    together(2, count)
    with stores[0].read() as work:
        counted = work.elders.get(elder.id)
    assert counted is not None
    assert counted.tail_ms == 40
    for store in stores:
        store.close()


def test_a_reader_sees_one_moment_while_others_write(stores: list[Store]) -> None:
    with stores[0].begin() as work:
        elder = an_elder(work)
    with stores[0].read() as reading:
        assert len(reading.elders.page()) == 1
        with stores[1].begin() as writing:
            an_elder(writing)
            writing.elders.update(elder.id, active=False)
        assert len(reading.elders.page()) == 1
        assert reading.elders.get(elder.id) == elder
    with stores[0].read() as reading:
        assert len(reading.elders.page()) == 2


def test_many_threads_share_one_store(store: Store) -> None:
    def add(number: int) -> int:
        for _ in range(5):
            with store.begin() as work:
                elder = an_elder(work, name=f"老人{number}")
            with store.read() as work:
                assert work.elders.get(elder.id) == elder
        return number

    assert together(12, add) == list(range(12))
    with store.read() as work:
        assert len(work.elders.page()) == 60


def test_a_transaction_inside_another_is_refused_instead_of_waiting_for_itself(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        with pytest.raises(StorageError, match="already open in this thread"), store.begin():
            pass
        with store.read() as other:
            assert other.elders.get(elder.id) is None
    with store.begin() as work:
        assert work.elders.get(elder.id) == elder


def test_a_unit_of_work_ends_with_its_block(store: Store) -> None:
    with store.begin() as work:
        pass
    with pytest.raises(StorageError):
        work.elders.get(1)


def test_a_failed_transaction_leaves_nothing_behind(store: Store) -> None:
    def half() -> None:
        with store.begin() as work:
            elder = an_elder(work)
            work.audit.write(NOW, "system", "elder.added", f"elder:{elder.id}")
            work.contacts.add(elder_id=999, position=1)

    with pytest.raises(StorageError, match="refuses the row"):
        half()
    with store.read() as work:
        assert work.elders.page() == []


WRITER = """
import sys
from storage_cast import NOW, an_elder, a_plan, a_call
from storage import Store
store = Store(sys.argv[1], [sys.argv[2]])
while True:
    with store.begin() as work:
        elder = an_elder(work)
        plan = a_plan(work, elder)
        assert work.plans.claim(plan.id, NOW)
        call = a_call(work, elder, plan)
    print(call.id, flush=True)
"""


def test_a_killed_writer_loses_nothing_it_had_committed_and_leaves_no_half(database: str) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT}/tests/integration"}
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, database, SECRET], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(20)]
    writer.send_signal(signal.SIGKILL)
    told += [int(line) for line in writer.stdout if line.endswith("\n")]
    assert writer.wait(10) == -signal.SIGKILL
    writer.stdout.close()

    store = Store(database, [SECRET])
    store.migrate()
    with store.begin() as work:
        calls = work.calls.open()
        assert {call.id for call in calls} >= set(told)
        assert len(calls) <= len(told) + 1  # at most the one whose commit was not yet told
        assert len(work.plans.in_flight()) == len(calls) == len(work.elders.page(limit=10_000))
        assert work.plans.set_status(calls[0].plan_id or 0, PlanStatus.WAITING, next_attempt_at=NOW + MINUTE)
    if store.dialect == "sqlite":
        engine = open_engine(database_url(database))
        with engine.connect() as connection:
            assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
            assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        engine.dispose()
    store.close()


def test_a_forked_child_does_not_use_its_parents_connection(store: Store) -> None:
    """On a shared connection the parent would read inside the child's transaction and then end it."""
    with store.begin() as work:
        elder = an_elder(work)
    child_wrote, parent_read = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # never outlives a parent that failed
        try:
            with store.begin() as work:
                work.elders.update(elder.id, active=False)
                os.write(child_wrote[1], b"x")
                os.read(parent_read[0], 1)
            os._exit(0)
        finally:
            os._exit(1)
    os.read(child_wrote[0], 1)
    with store.read() as work:
        assert work.elders.get(elder.id) == elder
    os.write(parent_read[1], b"x")
    assert os.waitpid(child, 0)[1] == 0
    for end in (*child_wrote, *parent_read):
        os.close(end)
    with store.read() as work:
        found = work.elders.get(elder.id)
    assert found is not None
    assert not found.active
