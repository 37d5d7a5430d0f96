"""The service's heartbeat: an engine only says when; the truth lies in the tables.

Jobs, each trivial and idempotent: beat (and take over from the dead), dispatch, plan (and end lapsed
periods), remind of cases, empty the outbox. A tick that fails is logged and the next one comes; a tick
that takes too long is never doubled. Of several machines each beats and dispatches for itself, and one
of them does the rest (scheduler.engine).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from records import subsidies
from scheduler.calendar import tell_missing
from scheduler.dispatch import Dispatcher
from scheduler.engine import EmbeddedEngine, Engine, Job, guarded
from scheduler.learning import learn_daily
from scheduler.overdue import close_overdue
from scheduler.planning import plan_due
from scheduler.policy import Policy
from storage import Store
from visits.notices import Sender
from visits.reminders import remind_due
from xunfang.clock import Clock

PLANNING = "plan"


@dataclass(frozen=True, slots=True)
class TickConfig:
    """Seconds between ticks."""

    plan_s: float = 300.0
    dispatch_s: float = 5.0
    notices_s: float = 5.0
    cases_s: float = 30.0
    subsidy_rules: Path | None = None  # of 补贴线索; None: the shipped ones
    beat_s: float = 5.0
    commands_s: float = 1.0  # somebody at the console waits
    retention_s: float = 3600.0  # it works once a day, in the first hour


class Service:
    """`start()` recovers, plans once and then ticks in the background until `stop()`.

    `shared`: what says when for the steps that one machine does for all; None: this process alone.
    `commands`: does what the console asked of this process's calls (scheduler.commands).
    `retention`: erases once a day what is over its period (records.retention).
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: Policy,
        dispatcher: Dispatcher,
        sender: Sender,
        config: TickConfig = TickConfig(),
        shared: Engine | None = None,
        commands: Callable[[], object] | None = None,
        retention: Callable[[], object] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._dispatcher = dispatcher
        self._sender = sender
        self._config = config
        self._own = EmbeddedEngine()
        self._shared = shared
        self._commands = commands
        self._retention = retention

    def start(self) -> None:
        """Errors of the first recovery and planning are raised: a service that cannot work must say so."""
        self._dispatcher.recover()
        self.plan()
        own = {
            "beat": Job(self._config.beat_s, guarded("beat", self._dispatcher.beat)),
            "dispatch": Job(self._config.dispatch_s, guarded("dispatch", self._dispatcher.tick)),
        }
        if self._commands is not None:
            own["commands"] = Job(self._config.commands_s, guarded("commands", self._commands))
        shared = {
            "plan": Job(self._config.plan_s, guarded("plan", self.plan)),
            "notices": Job(self._config.notices_s, guarded("notices", self._sender.tick)),
            "cases": Job(self._config.cases_s, guarded("cases", self.remind)),
        }
        if self._retention is not None:
            shared["retention"] = Job(self._config.retention_s, guarded("retention", self._retention))
        if self._shared is not None:
            self._shared.start(shared)
            self._own.start(own)
        else:
            self._own.start(own | shared)
        for job in ("dispatch", "cases", "notices"):
            self.wake(job)

    def plan(self) -> None:
        """By one machine at a time; whoever is not first leaves it to the one that is."""
        with self._store.leading(PLANNING) as first:
            if not first:
                return
            with self._store.begin() as work:
                work.recurring.began(PLANNING, self._clock.now(), self._dispatcher.name)
            report = plan_due(self._store, self._clock, self._policy)
            close_overdue(self._store, self._clock, self._policy)
            learn_daily(self._store, self._clock, self._policy)
            tell_missing(self._store, self._clock, self._policy.hours)
            with self._store.begin() as work:
                work.recurring.ended(PLANNING, self._clock.now(), asdict(report))
            rules = subsidies.load_rules(self._config.subsidy_rules)
            subsidies.sweep(self._store, rules, self._clock.now(), ZoneInfo(self._policy.hours.timezone))

    def remind(self) -> None:
        remind_due(self._store, self._clock, self._policy.deadlines)

    def wake(self, job: str = "dispatch") -> None:
        """Run this job as soon as a thread is free instead of at its next interval."""
        self._own.wake(job)

    def drain(self) -> None:
        """No further call begins; the live ones go on, their cases and notices still go out."""
        self._dispatcher.drain()

    def stop(self) -> None:
        """After the fleet has drained: running ticks end, and what the last calls wrote into the outbox
        is tried once more."""
        self.drain()
        self._own.stop()
        if self._shared is not None:
            self._shared.stop()
        guarded("notices", self._sender.tick)()
        guarded("beat", self._dispatcher.leave)()
