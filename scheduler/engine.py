"""What says when (引擎): `embedded` ticks in this process, `postgres` once for all machines.

    embedded   beat, dispatch, plan, cases, notices: APScheduler here
    postgres   beat, dispatch: APScheduler here; plan, cases, notices: jobs of a queue (engine_queue)

An engine only says when. The truth lies in the tables and every job is idempotent, so that a tick
that is missed, late or doubled harms nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from xunfang.clock import SystemClock
from xunfang.errors import XunfangError
from xunfang.log import get_logger

THREADS = 7  # as many as there are jobs: none waits for another

_log = get_logger("scheduler")


@dataclass(frozen=True, slots=True)
class Job:
    """`run` never raises (see `guarded`)."""

    every_s: float
    run: Callable[[], None]


class Engine(Protocol):
    def start(self, jobs: Mapping[str, Job]) -> None: ...

    def wake(self, name: str) -> None:
        """Soon instead of at the next interval, where that is possible."""
        ...

    def stop(self) -> None:
        """Returns when the running jobs have ended."""
        ...


class EmbeddedEngine:
    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(THREADS)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )

    def start(self, jobs: Mapping[str, Job]) -> None:
        for name, job in jobs.items():
            self._scheduler.add_job(job.run, "interval", seconds=job.every_s, id=name)
        self._scheduler.start()

    def wake(self, name: str) -> None:
        with suppress(JobLookupError):  # not started yet, or stopped already: nothing to wake
            self._scheduler.modify_job(name, next_run_time=SystemClock().now())  # it lives in real time

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def guarded(name: str, job: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            job()
        except Exception as error:
            # Our own errors hold no personal data; of others only the kind is safe to log.
            why = str(error) if isinstance(error, XunfangError) else type(error).__name__
            _log.error("tick.failed", job=name, why=why)

    return run
