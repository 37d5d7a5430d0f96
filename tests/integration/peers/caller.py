"""Places calls with the product's telephony kit, in a process of its own, and tells what came of them.

A conversation is a list of rounds: prompts played one after another as one stream, then waiting until
the other side has spoken and been quiet. No recognition: what was heard comes back as PCM.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import SimpleQueue

from ivr.telephony.disposition import classify
from ivr.telephony.model import Evidence, TrunkConfig
from xunfang.vocabulary import CallDisposition

QUIET_S = 0.8
ANSWER_S = 4.0  # a round ends when nobody has answered for so long
LOUD = 130.0


@dataclass(frozen=True)
class CallPlan:
    """`rounds`: PCM to play before each answer. `talk_s`: hang up so long after the answer
    (None: after the rounds)."""

    number: str
    rounds: tuple[bytes, ...] = ()
    talk_s: float | None = None
    keys: str = ""
    rtp_lost_s: float = 3.0


@dataclass(frozen=True)
class Outcome:
    number: str
    evidence: Evidence
    heard: bytes = field(repr=False)
    keys: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0  # from INVITE to end
    talked: float = 0.0
    phrase: str = ""

    def disposition(self, because: str | None = None, announced: str | None = None) -> CallDisposition:
        """As the product would classify it, with what its dialogue would have concluded."""
        from dataclasses import replace

        return classify(replace(self.evidence, because=because, announced=announced))


class Call:
    """One call that goes on while the test does other things."""

    def __init__(self, plan: CallPlan, trunk: TrunkConfig) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=([plan], trunk, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Call:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.join(5)
        if self._process.is_alive():
            self.kill()
        self._pipe.close()

    def outcome(self, within: float = 20.0) -> Outcome:
        assert self._pipe.poll(within), "the call did not end in time"
        outcome: Outcome = self._pipe.recv()
        return outcome

    def kill(self) -> None:
        """The caller's process dies: no BYE, no RTP."""
        self._process.kill()
        self._process.join()


def place(plans: list[CallPlan], trunk: TrunkConfig, within: float = 60.0) -> dict[str, Outcome]:
    """All calls by number, at most four at a time. AssertionError when that takes too long."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(plans, trunk, theirs), daemon=True)
    process.start()
    theirs.close()
    outcomes = {}
    try:
        deadline = time.monotonic() + within
        while len(outcomes) < len(plans):
            assert ours.poll(max(0.0, deadline - time.monotonic())), (
                f"only {len(outcomes)} calls ended in time"
            )
            outcome = ours.recv()
            outcomes[outcome.number] = outcome
        process.join(5)
    finally:
        if process.is_alive():
            process.kill()
            process.join()
    return outcomes


class _Talk:
    """One call in progress."""

    def __init__(self, plan: CallPlan) -> None:
        from ivr.telephony.leg import Leg

        self.plan = plan
        self.frames: SimpleQueue[bytes] = SimpleQueue()
        self.leg = Leg(lambda _offset, frame: self.frames.put(frame))
        self.heard = bytearray()
        self.keys: list[tuple[str, str]] = []
        self.started = time.monotonic()
        self.answered_at: float | None = None
        self.round = 0
        self.waiting = True  # for what is said on picking up
        self.waiting_since = self.started
        self.spoke = False
        self.loud_at = self.started
        self.packets = 0
        self.packets_at = self.started

    def converse(self, now: float) -> bool:
        """False when the rounds are over."""
        if self.leg.playing:
            self.waiting, self.spoke, self.waiting_since = True, False, now
            return True
        answered = self.spoke and now - self.loud_at > QUIET_S
        if self.waiting and not answered and now - self.waiting_since < ANSWER_S:
            return True
        self.waiting = False
        if self.round < len(self.plan.rounds):
            self.leg.play(self.plan.rounds[self.round])
            self.round += 1
            return True
        return self.plan.talk_s is not None

    def over(self, now: float) -> bool:
        assert self.answered_at is not None
        if self.plan.talk_s is not None and now - self.answered_at > self.plan.talk_s:
            return True
        return not self.converse(now)

    def hear(self, now: float) -> None:
        from sip_test_harness.audio import rms

        while not self.frames.empty():
            frame = self.frames.get()
            self.heard += frame
            if rms(frame) > LOUD:
                self.loud_at, self.spoke = now, True


def _main(plans: list[CallPlan], config: TrunkConfig, pipe: Connection) -> None:
    from ivr.telephony.call import CallState, Ended, KeyPressed, StateChanged
    from ivr.telephony.dialling import Dialling
    from ivr.telephony.endpoint import NoSlot, SipEndpoint
    from ivr.telephony.model import EndpointConfig
    from ivr.telephony.trunk import Trunk
    from xunfang import log

    log.configure("WARNING")
    endpoint = SipEndpoint(
        EndpointConfig(sip_port=config.sip_port, rtp_port=config.rtp_port, rtp_ports=config.rtp_ports)
    )
    trunk = Trunk(endpoint, config)
    todo, running = list(plans), []
    while todo or running:
        endpoint.poll(10)
        now = time.monotonic()
        registered = all(state.active for state in trunk.registrations().values()) or not config.register
        if todo and len(running) < 4 and endpoint.free_slots and registered:
            talk = _Talk(todo[0])
            with contextlib.suppress(NoSlot):  # pjsip holds one that has just ended: tried again in a moment
                running.append((talk, Dialling(trunk, talk.plan.number, talk.leg, now)))
                todo.pop(0)
        for talk, dialling in list(running):
            talk.hear(now)
            for event in dialling.step(now):
                if isinstance(event, StateChanged) and event.state is CallState.CONFIRMED:
                    talk.answered_at = talk.packets_at = talk.waiting_since = now
                    assert dialling.call is not None
                    if talk.plan.keys:
                        dialling.call.send_keys(talk.plan.keys)
                elif isinstance(event, KeyPressed):
                    talk.keys.append((event.digit, event.method))
                elif isinstance(event, Ended):
                    running.remove((talk, dialling))
                    pipe.send(_outcome(talk, event, now))
            if talk.answered_at is not None and dialling.call is not None and not dialling.over:
                packets = dialling.call.rtp_packets()
                if packets != talk.packets:
                    talk.packets, talk.packets_at = packets, now
                if now - talk.packets_at > talk.plan.rtp_lost_s:
                    dialling.hang_up("rtp_lost")
                elif talk.over(now):
                    dialling.hang_up("dialogue")
    pipe.close()
    endpoint.exit_process(0)


def _outcome(talk: _Talk, ended: object, now: float) -> Outcome:
    from ivr.telephony.call import Ended

    assert isinstance(ended, Ended)
    evidence = Evidence(
        answered=ended.answered,
        rang=ended.rang,
        sip_code=ended.code,
        q850=ended.q850,
        hung_up_by=ended.by,
        our_reason=ended.our_reason,
        speech_heard=talk.spoke or talk.loud_at > talk.started,
        rtp_packets=talk.packets,
    )
    talked = now - talk.answered_at if talk.answered_at else 0.0
    return Outcome(
        talk.plan.number,
        evidence,
        bytes(talk.heard),
        tuple(talk.keys),
        now - talk.started,
        talked,
        ended.phrase,
    )
