"""The supervisor of the line processes (线路群): hands out calls, restarts the dead, loses nothing.

Two threads: `lines` owns processes and pipes; `events` calls `on_event`, one event after the
other, so that a slow database never lets a pipe fill up and stall a call.

A line that dies (an assert in the SIP stack, a kill) or falls silent takes its calls with
it: what it had told is delivered first, then each of its calls ends as INTERRUPTED, and a
fresh line takes its place, at once the first time, ever slower when it keeps dying.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import connection, forkserver
from queue import SimpleQueue

from ivr.session import preload
from ivr.session.config import LineConfig
from ivr.session.handle import LineHandle
from ivr.session.model import CallEvent, CallOrder
from ivr.session.protocol import Caller, CannotStart, Drain, HangUp, Join, Refuse
from xunfang import errors
from xunfang.clock import Clock
from xunfang.errors import LineDied, TrunkError, XunfangError
from xunfang.log import get_logger

START_S = 180.0  # loading a large model from a cold disk
WATCH_S = 0.2  # how often the lines thread looks at its clocks
STOP_GRACE_S = 5.0  # beyond the drain, before a line is killed

_log = get_logger("session")

OnEvent = Callable[[CallEvent], None]
# 来电: a CallOrder with the caller's `ring` picks up, a Refuse does not; None when nothing is waited for.
OnCaller = Callable[[Caller], CallOrder | Refuse | None]


class Fleet:
    """`on_event` and `on_caller` are called from one thread, in order. Errors they raise are logged, not
    passed on; without an `on_caller` nobody who rings us is answered."""

    def __init__(
        self, config: LineConfig, on_event: OnEvent, clock: Clock, on_caller: OnCaller | None = None
    ) -> None:
        config.check()
        self._config = config
        self._on_event = on_event
        self._on_caller = on_caller
        self._clock = clock
        self._context = multiprocessing.get_context("forkserver")
        self._lock = threading.Lock()
        self._lines = [LineHandle(index, config, clock) for index in range(config.lines)]
        self._events: SimpleQueue[CallEvent | tuple[LineHandle, Caller] | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._started = threading.Event()
        self._problem: CannotStart | None = None
        self._wake, self._waker = self._context.Pipe(duplex=False)
        self._threads: list[threading.Thread] = []

    # ---- for the dispatcher -------------------------------------------------------------

    def start(self) -> None:
        """Returns when every line can dial; raises what keeps a line from it (ModelError, TrunkError...)."""
        with _child_environment(self._config.model_dir):
            self._context.set_forkserver_preload(["ivr.session.preload"])
            forkserver.ensure_running()
        self._threads = [
            threading.Thread(target=self._run_lines, name="fleet-lines", daemon=True),
            threading.Thread(target=self._run_events, name="fleet-events", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        if not self._started.wait(START_S) or self._problem is not None:
            problem = self._problem
            self.stop(0)
            if problem is None:
                raise LineDied(f"no line was ready within {START_S:.0f} s; see the log above for the reason")
            kind = getattr(errors, problem.error, LineDied)
            raise kind(problem.message)

    @property
    def capacity(self) -> int:
        """Calls that we may make at the same time when every line is well."""
        return self._config.lines * self._config.calls_per_line - self._config.reserve

    def free(self) -> int:
        """Orders that could be taken now."""
        if self._stopping.is_set():
            return 0
        with self._lock:
            return sum(line.free for line in self._lines)

    def lag_ms(self) -> float:
        """Age of the oldest audio that waits for recognition on any line."""
        with self._lock:
            return max((line.lag_ms for line in self._lines), default=0.0)

    def trunk_problem(self) -> str:
        """Why no line can make a call although it is up, and what to do; empty when one can."""
        with self._lock:
            problems = [line.trunk_problem for line in self._lines if line.ready]
        return problems[0] if problems and all(problems) else ""

    def dial(self, order: CallOrder) -> None:
        """Hand a call to the emptiest line. TrunkError when none has room: the order was not taken."""
        with self._lock:
            best = max(self._lines, key=lambda line: line.free)
            if self._stopping.is_set() or best.free <= 0 or not best.send(order):
                problem = next((line.trunk_problem for line in self._lines if line.trunk_problem), "")
                raise TrunkError(
                    problem or "no line has room for another call; wait until a live call has ended"
                )

    def hang_up(self, call_id: int) -> None:
        """Take a call back; nothing happens when it is over already."""
        with self._lock:
            for line in self._lines:
                if call_id in line.calls:
                    line.send(HangUp(call_id))

    def take_over(self, call_id: int, number: str) -> bool:
        """接管: ring this number and join it to the call. False when the call is over already."""
        with self._lock:
            return any(line.send(Join(call_id, number)) for line in self._lines if call_id in line.calls)

    def live(self) -> list[int]:
        """Calls that were taken and have not ended."""
        with self._lock:
            return sorted(call_id for line in self._lines for call_id in line.calls)

    def pids(self) -> list[int]:
        """Process ids of the lines that are up."""
        with self._lock:
            return [line.pid for line in self._lines if line.pid is not None]

    def stop(self, drain_seconds: float) -> None:
        """No more orders; live calls may finish for so long; then every line is gone and every event told."""
        if self._stopped.is_set() or not self._threads:
            return
        self._stopping.set()
        with self._lock:
            for line in self._lines:
                line.send(Drain(drain_seconds))
                line.kill_at = time.monotonic() + drain_seconds + STOP_GRACE_S
        self._waker.send(None)
        for thread in self._threads:
            thread.join()
        self._stopped.set()

    # ---- threads ------------------------------------------------------------------------

    def _run_events(self) -> None:
        while (event := self._events.get()) is not None:
            if isinstance(event, tuple):
                self._decide(*event)
                continue
            try:
                self._on_event(event)
            except Exception as error:
                # The ledger's trouble must not stop the telephone; its owner retries or alarms.
                kind = type(error).__name__
                reason = str(error) if isinstance(error, XunfangError) else ""
                _log.error(
                    "event.not_taken",
                    call_id=event.call_id,
                    event_kind=type(event).__name__,
                    kind=kind,
                    reason=reason,
                )

    def _decide(self, line: LineHandle, caller: Caller) -> None:
        """Ask who it is and what to do, and tell the line at which it rings."""
        order: CallOrder | Refuse | None = Refuse(caller.ring)
        try:
            order = self._on_caller(caller) if self._on_caller is not None else order
        except Exception as error:
            reason = str(error) if isinstance(error, XunfangError) else ""
            _log.error("caller.not_decided", kind=type(error).__name__, reason=reason)
        if order is None:
            return
        with self._lock:
            sent = line.send(order)
        if not sent and isinstance(order, CallOrder):
            self._events.put(line.interrupted(order.call_id, answered=False))

    def _run_lines(self) -> None:
        while not self._all_gone():
            now = time.monotonic()
            with self._lock:
                if not self._stopping.is_set():
                    for line in self._lines:
                        line.start_if_due(self._context, now)
                handles = {waitable: line for line in self._lines for waitable in line.waitables()}
            for ready in connection.wait([*handles, self._wake], timeout=WATCH_S):
                if ready is self._wake:
                    self._wake.recv()
            self._look_after(time.monotonic())
        self._events.put(None)

    def _look_after(self, now: float) -> None:
        for line in self._lines:
            with self._lock:
                told = line.read()
                told += line.bury_if_dead(now, asked_to_stop=self._stopping.is_set())
            for event in told:
                self._events.put((line, event) if isinstance(event, Caller) else event)
            if line.problem is not None:
                self._problem = self._problem or line.problem
        if self._problem is not None or all(line.ready for line in self._lines):
            self._started.set()

    def _all_gone(self) -> bool:
        with self._lock:
            return self._stopping.is_set() and all(line.pid is None for line in self._lines)


@contextlib.contextmanager
def _child_environment(model_dir: str) -> Iterator[None]:
    """What the fork server needs while it starts: which model, and where our packages lie.

    Python 3.11's fork server ignores the parent's sys.path when it imports what is to be preloaded.
    """
    wanted = {preload.MODEL_DIR: model_dir, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
