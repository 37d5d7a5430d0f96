"""One line as the supervisor sees it: a process, a pipe, the calls it was given.

Not thread-safe: Fleet holds its lock around every call.
"""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Any

from ivr.dialogue.model import Because
from ivr.session import line
from ivr.session.config import LineConfig
from ivr.session.model import Answered, CallEnded, CallEvent, CallOrder
from ivr.session.protocol import Caller, CannotStart, Command, Heartbeat, Ready
from ivr.telephony.model import MAX_CALLS
from xunfang.clock import Clock
from xunfang.log import get_logger
from xunfang.vocabulary import CallDisposition

SILENT_S = 10.0  # a line beats twice a second; after this it hangs and is killed
STARTING_S = 180.0  # until its first word: a large model from a cold disk
HEALTHY_S = 60.0  # a line that lived this long died by accident, not by construction
FIRST_PAUSE_S = 0.2  # before a dead line is started again; doubles with every early death
LONGEST_PAUSE_S = 30.0

_log = get_logger("session")


class LineHandle:
    def __init__(self, index: int, config: LineConfig, clock: Clock) -> None:
        self.index = index
        self.calls: dict[int, bool] = {}  # call id -> answered
        self.ringing: dict[int, bool] = {}  # call id -> they rang us
        self.ready = False
        self.lag_ms = 0.0
        self.trunk_problem = ""
        self.problem: CannotStart | None = None
        self.kill_at: float | None = None
        self._config = config
        self._clock = clock
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._slots = 0
        self._callers = 0
        self._sent_since_beat = 0
        self._born = 0.0
        self._last_word = 0.0
        self._start_at = 0.0
        self._early_deaths = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def free(self) -> int:
        """Orders it could take: its share of calls, and what its SIP endpoint has slots for."""
        if not self.ready:
            return 0
        reserved = self._config.reserved_on(self.index)
        answering = sum(self.ringing.get(call_id, False) for call_id in self.calls)
        room = self._config.calls_per_line - len(self.calls) - self._callers - max(0, reserved - answering)
        return max(0, min(room, self._slots - self._sent_since_beat))

    def waitables(self) -> list[Any]:
        if self._process is None or self._pipe is None:
            return []
        return [self._pipe, self._process.sentinel]

    def send(self, command: Command) -> bool:
        """False when the line is gone; its calls are accounted for by `bury_if_dead`."""
        if self._pipe is None:
            return False
        try:
            self._pipe.send(command)
        except OSError:
            return False
        if isinstance(command, CallOrder):
            self.calls[command.call_id] = False
            self.ringing[command.call_id] = bool(command.ring)
            self._sent_since_beat += not command.ring  # who rings us has his slot already
        return True

    def start_if_due(self, context: ForkServerContext, now: float) -> None:
        if self._process is not None or now < self._start_at:
            return
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=line.main, args=(self._config, self.index, theirs), name=f"line-{self.index}"
        )
        self._process.start()
        theirs.close()
        self._born = self._last_word = now
        self._slots = self._sent_since_beat = 0

    def read(self) -> list[CallEvent | Caller]:
        """Everything the line has told, also what it told before it died."""
        told: list[CallEvent | Caller] = []
        while self._pipe is not None:
            try:
                if not self._pipe.poll():
                    break
                report = self._pipe.recv()
            except (EOFError, OSError):
                self._pipe.close()
                self._pipe = None
                break
            self._last_word = time.monotonic()
            if isinstance(report, CallEvent):
                told.append(report)
                self._note(report)
            elif isinstance(report, Caller):
                told.append(report)
            elif isinstance(report, Heartbeat):
                self._callers = report.callers
                self._slots, self.lag_ms = report.slots, report.lag_ms
                self.trunk_problem = report.trunk_problem
                self._sent_since_beat = 0
            elif isinstance(report, Ready):
                self.ready, self._slots = True, MAX_CALLS
            elif isinstance(report, CannotStart):
                self.problem = report
                _log.error("line.cannot_start", line=self.index, reason=report.message)
        return told

    def _note(self, event: CallEvent) -> None:
        if isinstance(event, Answered) and event.call_id in self.calls:
            self.calls[event.call_id] = True
        elif isinstance(event, CallEnded):
            self.calls.pop(event.call_id, None)
            self.ringing.pop(event.call_id, None)

    def bury_if_dead(self, now: float, *, asked_to_stop: bool) -> list[CallEvent | Caller]:
        """When the process is gone: what its calls have come to. A process that hangs is killed first."""
        process = self._process
        if process is None:
            return []
        limit = SILENT_S if self.ready else STARTING_S
        overdue = self.kill_at is not None and now >= self.kill_at
        if process.is_alive():
            if now - self._last_word > limit or overdue:
                _log.error("line.hangs", line=self.index, silent_s=round(now - self._last_word, 1))
                process.kill()
            return []
        told = self.read()
        process.join()
        code = process.exitcode
        if not asked_to_stop or code != 0:
            _log.error("line.died", line=self.index, exit_code=code, calls=len(self.calls))
        ended: list[CallEvent | Caller] = [
            self.interrupted(call_id, was) for call_id, was in self.calls.items()
        ]
        self._forget_process(now, process)
        return [*told, *ended]

    def interrupted(self, call_id: int, answered: bool) -> CallEnded:
        """What is told of a call whose line is gone."""
        return CallEnded(
            call_id,
            self._clock.now(),
            disposition=CallDisposition.INTERRUPTED,
            because=Because.OUR_FAULT if answered else None,
            hung_up_by="us",
        )

    def _forget_process(self, now: float, process: BaseProcess) -> None:
        self.calls.clear()
        self.ringing.clear()
        self._callers = 0
        self.ready = False
        self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        process.close()
        lived = now - self._born
        self._early_deaths = 0 if lived >= HEALTHY_S else self._early_deaths + 1
        pause = FIRST_PAUSE_S * 2 ** max(0, self._early_deaths - 1)
        self._start_at = now + min(LONGEST_PAUSE_S, pause)
