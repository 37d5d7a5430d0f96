"""engine = "postgres": a real queue, once per period for all machines, one leader."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from postgres_server import PostgresServer
from storage_cast import SECRET

from scheduler.engine import Job
from scheduler.engine_queue import SCHEMA, QueueEngine, cron, prepare
from storage import Store

pytestmark = pytest.mark.integration


@pytest.fixture
def url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    name = postgres.create(template=postgres_template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.mark.parametrize(
    ("every_s", "line"),
    [
        (0.5, "* * * * * */1"),
        (5, "* * * * * */5"),
        (59.6, "*/1 * * * *"),
        (300, "*/5 * * * *"),
        (9999, "*/59 * * * *"),
    ],
)
def test_intervals_become_cron_lines(every_s: float, line: str) -> None:
    assert cron(every_s) == line


def test_of_each_period_one_of_two_machines_does_the_job(url: str) -> None:
    prepare(url)
    prepare(url)  # idempotent
    ran: list[tuple[str, int]] = []
    enough = threading.Event()

    def job(machine: str) -> Job:
        def run() -> None:
            ran.append((machine, int(time.time())))
            if len(ran) >= 3:
                enough.set()

        return Job(1, run)

    engines = [QueueEngine(url), QueueEngine(url)]
    for engine, machine in zip(engines, "ab", strict=True):
        engine.start({"plan": job(machine)})
    assert enough.wait(20)
    for engine in engines:
        engine.stop()
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            f"SELECT defer_timestamp FROM {SCHEMA}.procrastinate_periodic_defers".encode()
        ).fetchall()
        left = connection.execute(f"SELECT count(*) FROM {SCHEMA}.procrastinate_jobs".encode()).fetchone()
    assert len({row[0] for row in rows}) == len(rows)
    assert left is not None
    assert left[0] <= 1, "done jobs leave nothing behind"
    assert max(Counter(second for _, second in ran).values()) <= 2  # the late one of a second, and its own


def test_the_queue_of_another_version_is_made_anew(url: str) -> None:
    prepare(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"COMMENT ON SCHEMA {SCHEMA} IS 'procrastinate 1.0'".encode())
        connection.execute(f"DROP TABLE {SCHEMA}.procrastinate_workers CASCADE".encode())
    prepare(url)
    with psycopg.connect(url) as connection:
        connection.execute(f"SELECT * FROM {SCHEMA}.procrastinate_workers".encode())


def test_one_process_leads_and_the_next_one_when_it_is_gone(url: str) -> None:
    one, other = Store(url, [SECRET]), Store(url, [SECRET])
    with one.leading("plan") as first, other.leading("plan") as second, other.leading("else") as third:
        assert (first, second, third) == (True, False, True)
    with other.leading("plan") as now:
        assert now
    one.close()
    other.close()


def test_sqlite_needs_no_leader(sqlite_store: Store) -> None:
    with sqlite_store.leading("plan") as first, sqlite_store.leading("plan") as second:
        assert first
        assert second
