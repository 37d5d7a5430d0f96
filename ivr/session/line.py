"""A line process: one SIP endpoint, a few calls, recognition beside them.

The main thread polls SIP every 10 ms and steps the visits; recognition workers and
recording writers have threads of their own; pjsip's clock thread moves the audio. Orders
come through a pipe, events leave through it as they happen. When the pipe breaks the
supervisor is gone: calls are ended and the process leaves.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NoReturn

from ivr.dialogue import dialplan
from ivr.dialogue.grammar import duty_phrases
from ivr.session import preload
from ivr.session.callers import Callers
from ivr.session.config import LineConfig
from ivr.session.conversation import Understand
from ivr.session.model import CallEnded, CallEvent, CallOrder
from ivr.session.protocol import Caller, CannotStart, Command, HangUp, Heartbeat, Join, Ready, Refuse
from ivr.session.visit import Equipment, Visit
from ivr.speech.prompts import PromptStore
from ivr.speech.recogniser import Recogniser
from ivr.speech.workers import RecognitionWorkers
from ivr.telephony.endpoint import NoSlot, SipEndpoint
from ivr.telephony.trunk import Trunk
from ivr.understanding import announcement_phrases, default_lexicon, understand, with_overlay
from ivr.understanding.model import Question
from xunfang import log
from xunfang.clock import SystemClock
from xunfang.errors import BadDialplan, BadLexicon, XunfangError
from xunfang.vocabulary import CallDisposition

POLL_MS = 10  # while calls are live: audio is taken in this often
IMPATIENT_POLL_MS = 1  # while somebody who has finished speaking waits for our reply
IDLE_POLL_MS = 50
SWITCH_S = 0.001  # Python's 5 ms between threads would be heard in every reply
HEARTBEAT_S = 0.5
REGISTER_S = 5.0  # how long a start waits for the trunk to take our registration
PACE_S = 0.1  # between INVITEs: 32 within half a second abort the SIP stack
LAST_STEPS_S = 2.0  # time for BYEs and last events once a drain has run out

_log = log.get_logger("session")


class Line:
    def __init__(self, config: LineConfig, index: int, pipe: Connection, recogniser: Recogniser) -> None:
        self._config = config
        self._pipe = pipe
        self._clock = SystemClock()
        self._outbox: SimpleQueue[CallEvent | Caller] = SimpleQueue()
        self._waiting: deque[CallOrder] = deque()
        self._visits: dict[int, Visit] = {}
        self._recogniser = recogniser
        self._endpoint = SipEndpoint(config.endpoint(index))
        self._callers = Callers(self._room_for_callers, self._report_caller)
        trunk = Trunk(self._endpoint, config.trunk, self._callers.rings)
        self._trunk = trunk
        self._workers = RecognitionWorkers(recogniser, config.recognition_threads)
        self._prompts = PromptStore(
            Path(config.prompts), None, Path(config.prompt_cache) if config.prompt_cache else None
        )
        self._kit = Equipment(
            trunk=trunk,
            workers=self._workers,
            prompts=self._prompts,
            plan_of=cache(self._load_plan),
            understand=understanding(config.lexicon),
            early_phrases=tuple(announcement_phrases()),
            clock=self._clock,
            emit=self._outbox.put,
            duty=config.duty,
            can_hear=recogniser.can_express,
        )
        self._next_dial = 0.0
        self._next_beat = 0.0
        self._drain_until: float | None = None
        self._supervised = True
        self._problem = ""
        self._await_registration()
        self._send(Ready(self._endpoint.address))

    def run(self) -> NoReturn:
        """Until drained or left alone; ends the process."""
        while not self._finished(time.monotonic()):
            self._endpoint.poll(self._patience_ms())
            now = time.monotonic()
            self._take_orders(now)
            self._callers.step(now)
            self._dial(now)
            self._step_visits(now)
            self._beat(now)
        self._end_what_is_live()
        self._endpoint.exit_process(0)

    def _patience_ms(self) -> int:
        if not self._visits and not self._callers.waiting:
            return IDLE_POLL_MS
        return IMPATIENT_POLL_MS if any(visit.impatient for visit in self._visits.values()) else POLL_MS

    def drain(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._drain_until = until if self._drain_until is None else min(until, self._drain_until)

    def _await_registration(self) -> None:
        """A trunk that refuses us, or is silent, keeps no line from starting: pjsip goes on trying."""
        until = time.monotonic() + REGISTER_S
        while not self._trunk.settled and time.monotonic() < until:
            self._endpoint.poll(POLL_MS)

    # ---- the pipe -----------------------------------------------------------------------

    def _take_orders(self, now: float) -> None:
        try:
            while self._supervised and self._pipe.poll():
                self._obey(self._pipe.recv())
        except (EOFError, OSError):
            self._supervised = False

    def _obey(self, command: Command) -> None:
        if isinstance(command, CallOrder) and command.ring:
            self._pick_up(command)
        elif isinstance(command, CallOrder):
            self._waiting.append(command)
        elif isinstance(command, Refuse):
            self._callers.refuse(command.ring, command.code)
        elif isinstance(command, Join):
            visit = self._visits.get(command.call_id)
            if visit is not None:
                visit.take_over(command.number)
        elif isinstance(command, HangUp):
            visit = self._visits.get(command.call_id)
            if visit is not None:
                visit.hang_up(command.why)
            else:
                for order in [order for order in self._waiting if order.call_id == command.call_id]:
                    self._waiting.remove(order)
                    self._not_dialled(order)
        else:
            self.drain(command.seconds)

    def _send(self, report: object) -> None:
        try:
            self._pipe.send(report)
        except OSError:
            self._supervised = False

    def _tell(self) -> None:
        while True:
            try:
                self._send(self._outbox.get_nowait())
            except Empty:
                return

    def _beat(self, now: float) -> None:
        self._tell()
        if now < self._next_beat:
            return
        self._next_beat = now + HEARTBEAT_S
        problem = self._trunk.problem()
        if problem and not self._problem:
            _log.error("trunk.not_usable", reason=problem)
        self._problem = problem
        # Whoever rings us holds one of the endpoint's slots already and goes before what is to be dialled.
        slots = self._endpoint.free_slots - len(self._waiting)
        takes_orders = self._drain_until is None and not problem
        callers = self._callers.waiting
        self._send(Heartbeat(max(0, slots) if takes_orders else 0, self._workers.lag_ms, problem, callers))

    # ---- calls --------------------------------------------------------------------------

    def _dial(self, now: float) -> None:
        if not self._waiting or now < self._next_dial or self._endpoint.free_slots == 0:
            return  # a trunk that ignored us holds slots for up to 32 s: the order waits
        self._next_dial = now + PACE_S
        order = self._waiting.popleft()
        try:
            self._visits[order.call_id] = Visit(order, self._kit, now)
        except NoSlot:
            self._waiting.appendleft(order)
        except XunfangError as error:
            _log.error("call.not_dialled", call_id=order.call_id, reason=str(error))
            self._not_dialled(order)

    def _not_dialled(self, order: CallOrder) -> None:
        self._outbox.put(
            CallEnded(
                order.call_id, self._clock.now(), disposition=CallDisposition.NOT_DIALLED, hung_up_by="us"
            )
        )

    def _room_for_callers(self) -> bool:
        """A slot stays free for ringing the duty person, as with the calls that we make."""
        room = len(self._visits) + self._callers.waiting < self._config.calls_per_line
        return room and self._drain_until is None and self._supervised

    def _report_caller(self, caller: Caller) -> None:
        self._outbox.put(caller)  # behind the events of calls, in order
        self._tell()

    def _pick_up(self, order: CallOrder) -> None:
        """The intent is committed: from here on the call is answered, or ends as one that was not."""
        call = self._callers.take(order.ring)
        if call is None:
            self._gave_up(order)
            return
        try:
            self._visits[order.call_id] = Visit(order, self._kit, time.monotonic(), call)
        except XunfangError as error:
            _log.error("call.not_answered", call_id=order.call_id, reason=str(error))
            call.hang_up("our_fault")
            self._not_dialled(order)

    def _gave_up(self, order: CallOrder) -> None:
        """Rang us, and hung up before we were there: he is rung back like one who was cut off."""
        self._outbox.put(
            CallEnded(
                order.call_id,
                self._clock.now(),
                disposition=CallDisposition.HUNG_UP_EARLY,
                hung_up_by="them",
            )
        )

    def _step_visits(self, now: float) -> None:
        for call_id, visit in list(self._visits.items()):
            visit.step(now)
            if visit.over:
                del self._visits[call_id]
                if visit.choice is not None and visit.call is not None:
                    self._callers.hold(visit.order.ring, visit.call)
                    number = visit.order.number
                    self._report_caller(
                        Caller(visit.order.ring, number, choice=visit.choice, call_id=call_id)
                    )
                    visit.handed_on(now)

    def _finished(self, now: float) -> bool:
        if not self._supervised:
            return True
        if self._drain_until is None:
            return False
        return now >= self._drain_until or not (self._visits or self._waiting or self._callers.waiting)

    def _end_what_is_live(self) -> None:
        for order in self._waiting:
            self._not_dialled(order)
        self._callers.refuse_all()
        for visit in self._visits.values():
            visit.hang_up("drain")
        until = time.monotonic() + LAST_STEPS_S
        while self._visits and time.monotonic() < until:
            self._endpoint.poll(POLL_MS)
            self._step_visits(time.monotonic())
        self._tell()

    def _load_plan(self, name: str) -> dialplan.Dialplan:
        """Loaded once per line; what cannot be said or heard is found before anybody is dialled.

        Reads every prompt and builds every grammar on the way, so that no call waits for either.
        """
        plan = dialplan.load(name)
        missing = [text for text in plan.texts() if not self._prompts.has(text)]
        if missing:
            raise BadDialplan(
                f"dialplan {plan.name}: {len(missing)} prompts have no recording; run: xunfang prompts render"
            )
        for text in plan.texts():
            self._prompts.pcm(text)
        grammars = [(str(topic), dialplan.phrases(plan, topic)) for topic in Question]
        for topic, phrases in (*grammars, ("urgent.duty_words", duty_phrases(plan))):
            for phrase in phrases:
                if not self._recogniser.can_express(phrase):
                    raise BadDialplan(
                        f"dialplan {plan.name}: the recognition model does not know the words of {phrase!r} "
                        f"(listened for at {topic}); run: xunfang dialplan check"
                    )
            self._recogniser.open(phrases)
        return plan


def understanding(lexicon: str) -> Understand:
    """The judgement of utterances, with a county's own lexicon laid over ours when there is one."""
    if not lexicon:
        return understand
    path = Path(lexicon)
    try:
        overlay = path.read_text("utf-8")
    except OSError as error:
        raise BadLexicon(f"the lexicon {path.name} cannot be read: {error.strerror}") from None
    return partial(understand, lexicon=with_overlay(default_lexicon(), overlay, path.name))


def main(config: LineConfig, index: int, pipe: Connection) -> NoReturn:
    """Target of the process."""
    log.configure(config.log_level, config.log_json)
    sys.setswitchinterval(SWITCH_S)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's: it drains us
    try:
        line = Line(config, index, pipe, preload.recogniser(config.model_dir))
    except XunfangError as error:
        pipe.send(CannotStart(type(error).__name__, str(error)))
        sys.stderr.flush()
        os._exit(error.exit_code)  # a half-made endpoint must not meet Python's destructors
    signal.signal(signal.SIGTERM, lambda _signal, _frame: line.drain(config.trunk.max_call_s))
    line.run()
