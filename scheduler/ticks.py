"""The service's heartbeat: APScheduler only says when; the truth lies in the tables.

Four jobs, each trivial and idempotent: plan (and end lapsed periods), dispatch, remind of cases,
empty the outbox. A tick that fails is logged and the next one comes; a tick that takes too long is never
doubled.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from scheduler.calendar import tell_missing
from scheduler.dispatch import Dispatcher
from scheduler.learning import learn_daily
from scheduler.overdue import close_overdue
from scheduler.planning import plan_due
from scheduler.policy import Policy
from storage import Store
from visits.notices import Sender
from visits.reminders import remind_due
from xunfang.clock import Clock, SystemClock
from xunfang.errors import XunfangError
from xunfang.log import get_logger

_log = get_logger("scheduler")


@dataclass(frozen=True, slots=True)
class TickConfig:
    """Seconds between ticks."""

    plan_s: float = 300.0
    dispatch_s: float = 5.0
    notices_s: float = 5.0
    cases_s: float = 30.0


class Service:
    """`start()` recovers, plans once and then ticks in the background until `stop()`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: Policy,
        dispatcher: Dispatcher,
        sender: Sender,
        config: TickConfig = TickConfig(),
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._dispatcher = dispatcher
        self._sender = sender
        self._config = config
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(4)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )

    def start(self) -> None:
        """Errors of the first recovery and planning are raised: a service that cannot work must say so."""
        self._dispatcher.recover()
        self.plan()
        self._every(self._config.plan_s, "plan", self.plan)
        self._every(self._config.dispatch_s, "dispatch", self._dispatcher.tick)
        self._every(self._config.notices_s, "notices", self._sender.tick)
        self._every(self._config.cases_s, "cases", self.remind)
        self._scheduler.start()
        for job in ("dispatch", "cases", "notices"):
            self.wake(job)

    def plan(self) -> None:
        plan_due(self._store, self._clock, self._policy)
        close_overdue(self._store, self._clock, self._policy)
        learn_daily(self._store, self._clock, self._policy)
        tell_missing(self._store, self._clock, self._policy.hours)

    def remind(self) -> None:
        remind_due(self._store, self._clock, self._policy.deadlines)

    def wake(self, job: str = "dispatch") -> None:
        """Run this job as soon as a thread is free instead of at its next interval."""
        with suppress(JobLookupError):  # not started yet, or stopped already: nothing to wake
            self._scheduler.modify_job(job, next_run_time=SystemClock().now())  # it lives in real time

    def drain(self) -> None:
        """No further call begins; the live ones go on, their cases and notices still go out."""
        self._dispatcher.drain()

    def stop(self) -> None:
        """After the fleet has drained: running ticks end, and what the last calls wrote into the outbox
        is tried once more."""
        self.drain()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        _guarded("notices", self._sender.tick)()

    def _every(self, seconds: float, name: str, job: Callable[[], object]) -> None:
        self._scheduler.add_job(_guarded(name, job), "interval", seconds=seconds, id=name)


def _guarded(name: str, job: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            job()
        except Exception as error:
            # Our own errors hold no personal data; of others only the kind is safe to log.
            why = str(error) if isinstance(error, XunfangError) else type(error).__name__
            _log.error("tick.failed", job=name, why=why)

    return run
