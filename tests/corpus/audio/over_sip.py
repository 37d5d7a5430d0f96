"""The corpus as telephone calls: real SIP and RTP (G.711) on loopback, several calls at once.

Two processes, because pjsua2 has one endpoint per process: the elders pick up and speak their line;
the other side dials them and hears with the very ear of a call (`ivr.session.hearing`), recognition
beside the media. What differs from file speed: packets, jitter buffer, clocks, load.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from items import Item, items
from measure import PLAN, Outcome, on_the_line, outcome

from ivr.dialogue import dialplan
from ivr.session.hearing import Hearing, Utterance
from ivr.speech.endpointer import MAX_ANSWER_S, TAIL_MS
from ivr.speech.recogniser import Recogniser
from ivr.speech.workers import RecognitionWorkers
from ivr.telephony.account import AccountSpec, SipAccount
from ivr.telephony.call import MediaUp, SipCall
from ivr.telephony.endpoint import SipEndpoint
from ivr.telephony.leg import Leg
from ivr.telephony.model import EndpointConfig
from ivr.understanding.model import Question
from xunfang.errors import TrunkError

RTP_PORTS = 100
ELDERS_RTP, LINE_RTP = 36_000, 36_200
AT_ONCE = 3  # calls; pjsua2 has four slots, and one that has just ended takes its slot a moment longer
PACE_S = 0.1  # between INVITEs
NO_SPEECH_S = 5.0  # then nothing was heard at all
QUIET_S = 0.6  # after the last word was understood: no second utterance comes any more
CALL_S = 30.0  # whatever happens, a call is given up after this
ANSWER_WITHIN_S = 20.0

Job = tuple[Item, str]


def run(
    chosen: Sequence[Item],
    conditions: Sequence[str],
    model: Path,
    progress: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """RuntimeError when one of the two processes does not live."""
    jobs = [(item, condition) for item in chosen for condition in conditions]
    context = multiprocessing.get_context("spawn")
    elders_pipe, theirs = context.Pipe()
    elders = context.Process(target=_elders, args=(theirs,), daemon=True)
    elders.start()
    theirs.close()
    line = None
    try:
        address = _receive(elders_pipe)
        line_pipe, theirs = context.Pipe()
        line = context.Process(target=_line, args=(theirs, str(address), model, jobs), daemon=True)
        line.start()
        theirs.close()
        outcomes = []
        for _ in jobs:
            at, text, confidence = _receive(line_pipe)
            item, condition = jobs[at]
            outcomes.append(outcome(item, condition, text, confidence))
            progress()
        return outcomes
    finally:
        elders_pipe.close()
        for process in (elders, line):
            if process is not None:
                process.join(5)
                if process.is_alive():
                    process.kill()
                    process.join()


def _receive(pipe: Connection) -> Any:
    if not pipe.poll(CALL_S + ANSWER_WITHIN_S):
        raise RuntimeError("nothing comes from the telephones any more")
    try:
        return pipe.recv()
    except EOFError:
        raise RuntimeError("a telephone process ended; see what it printed above") from None


def _elders(pipe: Connection) -> None:
    """Everybody picks up at once and speaks when there is media. The number says who and how: a012-20dB."""
    endpoint = SipEndpoint(EndpointConfig(rtp_port=ELDERS_RTP, rtp_ports=RTP_PORTS))
    known = {item.id: item for item in items()}
    calls: list[SipCall] = []

    def incoming(call: SipCall) -> None:
        calls.append(call)
        call.answer(200)

    host, _, port = endpoint.address.rpartition(":")
    SipAccount(endpoint, AccountSpec(f"sip:elders@{host}:{port}"), incoming)
    pipe.send(endpoint.address)
    while not pipe.poll():  # the other end is closed when all is done
        endpoint.poll(10)
        for call in calls:
            while call.events:
                if isinstance(call.events.popleft(), MediaUp) and not call.leg.playing:
                    number, _, condition = call.called.partition("-")
                    call.leg.play(on_the_line(known[number], condition))
        calls[:] = [call for call in calls if not call.over]
    endpoint.exit_process(0)


class _Listening:
    """One call in progress: what was heard so far, and since when it has been quiet."""

    def __init__(self, at: int, grammar: tuple[str, ...], hearing: Hearing, call: SipCall) -> None:
        self.at = at
        self.call = call
        self._grammar = grammar
        self._hearing = hearing
        self._began = time.monotonic()
        self._quiet_since: float | None = None
        self._open = False
        self._heard: list[tuple[str, float | None]] = []

    def step(self) -> bool:
        """True when the answer is over (or nothing came, or the call is lost)."""
        now = time.monotonic()
        if not self._open and self.call.answered:
            self._hearing.listen(self._grammar, NO_SPEECH_S, MAX_ANSWER_S)
            self._open = True
        for event in self._hearing.step(during_prompt=False):
            if isinstance(event, Utterance):
                self._heard.append((event.text, event.confidence))
                self._hearing.listen(self._grammar, None, MAX_ANSWER_S)
            self._quiet_since = now
        quiet = self._quiet_since is not None and now - self._quiet_since > QUIET_S
        return (quiet and not self._hearing.busy) or self.call.over or now - self._began > CALL_S

    @property
    def result(self) -> tuple[int, str, float | None]:
        """The weaker half of an answer in two pieces decides how far it is believed."""
        confidences = [confidence for _, confidence in self._heard if confidence is not None]
        text = "".join(text for text, _ in self._heard)
        return self.at, text, min(confidences) if confidences else None


def _line(pipe: Connection, address: str, model: Path, jobs: list[Job]) -> None:
    endpoint = SipEndpoint(EndpointConfig(rtp_port=LINE_RTP, rtp_ports=RTP_PORTS))
    account = SipAccount(endpoint, AccountSpec(f"sip:line@{endpoint.address}"))
    workers = RecognitionWorkers(Recogniser(model))
    plan = dialplan.load(PLAN)
    waiting = deque(range(len(jobs)))
    live: list[_Listening] = []
    next_dial = 0.0
    while waiting or live:
        endpoint.poll(10)
        if waiting and len(live) < AT_ONCE and endpoint.free_slots and time.monotonic() >= next_dial:
            next_dial = time.monotonic() + PACE_S
            at = waiting.popleft()
            item, condition = jobs[at]
            hearing = Hearing(workers, TAIL_MS)
            try:
                call = account.dial(f"sip:{item.id}-{condition}@{address}", Leg(hearing.frame))
            except TrunkError:  # no slot yet
                waiting.appendleft(at)
                continue
            live.append(_Listening(at, dialplan.phrases(plan, Question(item.question)), hearing, call))
        for each in [each for each in live if each.step()]:
            each.call.hang_up("heard")
            live.remove(each)
            if each.call.answered:
                pipe.send(each.result)
            else:  # the elders' process had no slot
                waiting.append(each.at)
    workers.close()
    endpoint.exit_process(0)
