"""The recurring jobs of a fleet: a procrastinate queue on the same PostgreSQL.

Every machine runs a worker. Of each period procrastinate defers one job, whichever machine is first, and
one worker takes it. The queue holds no truth: its tables lie in a schema of their own, are made by
`prepare`, and are simply made anew for another version of procrastinate. A worker that was killed leaves
a job in `doing`; nothing waits for it, and `housekeeping` clears it away.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import procrastinate
from procrastinate.jobs import Status

from scheduler.engine import Job
from xunfang.errors import StorageError
from xunfang.log import get_logger

SCHEMA = "procrastinate"
QUEUE = "xunfang"
HOUSEKEEPING_S = 600
WORKER_SILENT_S = 60  # then its jobs are nobody's
START_S = 30.0
MINUTE_S = 60
LONGEST_MINUTES = 59  # what a cron line can say as an interval

_log = get_logger("scheduler")
_WHOSE = "SELECT obj_description(to_regnamespace(%(schema)s)::oid, 'pg_namespace') AS mark"
_POOL: dict[str, Any] = {"min_size": 1, "max_size": 6, "kwargs": {"options": f"-c search_path={SCHEMA}"}}


def prepare(url: str) -> None:
    """Make the queue's tables where there are none of this version. Call it under a lock."""
    mark = f"procrastinate {procrastinate.__version__}"
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url, **_POOL))
    try:
        with app.open():
            connector = app.connector.get_sync_connector()
            found = connector.execute_query_one(_WHOSE, schema=SCHEMA)
            if found["mark"] == mark:
                return
            run = connector.execute_query
            run(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            run(f"CREATE SCHEMA {SCHEMA}")
            app.schema_manager.apply_schema()
            run(f"COMMENT ON SCHEMA {SCHEMA} IS '{mark}'")
    except procrastinate.exceptions.ConnectorException as error:
        raise _storage_error("the queue's tables cannot be made", error) from None


def cron(every_s: float) -> str:
    """Five fields, or six with the seconds last. An interval that a cron line cannot say is shortened."""
    seconds = max(1, round(every_s))
    if seconds < MINUTE_S:
        return f"* * * * * */{seconds}"
    return f"*/{min(seconds // MINUTE_S, LONGEST_MINUTES)} * * * *"


class QueueEngine:
    """`start` returns when this machine's worker is at work."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._at_work = threading.Event()
        self._problem: Exception | None = None

    def start(self, jobs: Mapping[str, Job]) -> None:
        self._thread = threading.Thread(target=self._run, args=(jobs,), name="queue", daemon=True)
        self._thread.start()
        if not self._at_work.wait(START_S) or self._problem is not None:
            raise _storage_error("the queue's worker cannot start", self._problem)

    def wake(self, name: str) -> None:
        """A queue job comes in its own time, seconds later at most."""

    def stop(self) -> None:
        loop, worker = self._loop, self._worker
        if loop is not None and worker is not None and self._thread is not None and self._thread.is_alive():
            loop.call_soon_threadsafe(worker.cancel)
            self._thread.join()

    def _run(self, jobs: Mapping[str, Job]) -> None:
        try:
            asyncio.run(self._work(jobs))
        except asyncio.CancelledError:
            pass
        except Exception as error:
            _log.error("queue.stopped", why=type(error).__name__)
            self._problem = error
        finally:
            self._at_work.set()

    async def _work(self, jobs: Mapping[str, Job]) -> None:
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=self._url, **_POOL))
        for name, job in jobs.items():
            _add(app, name, job)
        _add_housekeeping(app)
        async with app.open_async():
            self._loop = asyncio.get_running_loop()
            self._worker = asyncio.create_task(
                app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=len(jobs) + 1,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    stalled_worker_timeout=WORKER_SILENT_S,
                )
            )
            self._at_work.set()
            await self._worker


def _add(app: procrastinate.App, name: str, job: Job) -> None:
    @app.periodic(cron=cron(job.every_s))
    @app.task(name=name, queue=QUEUE, queueing_lock=name)
    def run(timestamp: int) -> None:
        job.run()


def _add_housekeeping(app: procrastinate.App) -> None:
    @app.periodic(cron=cron(HOUSEKEEPING_S))
    @app.task(name="housekeeping", queue=QUEUE, queueing_lock="housekeeping")
    async def run(timestamp: int) -> None:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=WORKER_SILENT_S):
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)


def _storage_error(what: str, error: Exception | None) -> StorageError:
    kind = "no answer" if error is None else type(error.__cause__ or error).__name__
    return StorageError(f"{what} ({kind}): is PostgreSQL running, and may the user of `storage.url` write?")
