"""One telephone of the duty people (值班电话), from its ring to the person who takes over.

    RINGING ──► ASKING ──► TAKEN ──► left, lost, or found to be a machine after all
       │           └─► a machine, nobody, hung up
       └─► no answer, busy, not reached

Whoever answers hears at once what it is about and which key to press. The key is proof; what is said is
judged by ivr.dialogue.screening, and only once the sentence has been said to its end: by then a carrier's
voice or a mailbox has betrayed itself. A person believed by his words is listened to a while longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ivr.dialogue.screening import Sign, sign_of
from ivr.session.config import DutyConfig
from ivr.session.conversation import Understand
from ivr.session.hearing import Hearing, Nothing, Utterance
from ivr.speech.endpointer import SHORTEST_TAIL_MS
from ivr.speech.workers import RecognitionWorkers
from ivr.telephony.call import PEER_IS_GONE, CallState, Ended, Event, KeyPressed, MediaUp, StateChanged
from ivr.telephony.dialling import Dialling
from ivr.telephony.leg import Leg
from ivr.telephony.trunk import Trunk
from xunfang.vocabulary import DutyOutcome

TAKES = "1"  # the key that joins
LISTEN_S = 3.0  # silence is asked for tones so often
LONGEST_S = 8.0  # a recorded voice is judged in pieces of this
REPEAT_S = 2.5  # between two times of the sentence
STILL_SPEAKING_S = 5.0  # beyond screen_s, for somebody who is in the middle of a word
WATCH_S = 15.0  # a mailbox has played its greeting by then
RTP_CHECK_S = 0.5
BUSY_CODES = frozenset({486, 600})
RANG_OUT_CODES = frozenset({408, 480, 487})

Dial = Callable[[Trunk, str, Leg, float], Dialling]


@dataclass(frozen=True, slots=True)
class DutyDesk:
    """What the telephones of one elder's call share. `words`, `phrases`: what a person says who answers,
    and the grammar that it is heard with."""

    trunk: Trunk
    workers: RecognitionWorkers
    words: tuple[str, ...]
    phrases: tuple[str, ...]
    understand: Understand
    config: DutyConfig


@dataclass(frozen=True, slots=True)
class Target:
    """`nth`: its place among the duty numbers, from 1; 0: a supervisor's own telephone (接管), who has to
    press the key. `ask`: the sentence as PCM."""

    number: str = field(repr=False)
    nth: int
    ask: bytes = field(repr=False)

    @property
    def only_by_key(self) -> bool:
        return self.nth == 0


class DutyLeg:
    """`step` after each poll; then `taken` or `outcome` may be set. NoSlot and TrunkError as of Dialling."""

    def __init__(self, desk: DutyDesk, target: Target, now: float, dial: Dial = Dialling) -> None:
        self.target = target
        self.taken = False
        self.outcome: DutyOutcome | None = None  # set when it is over
        self.doubtful = False  # nobody may ever come to it: the next telephone may ring beside it
        self.leg = Leg(self._frame)
        self._desk = desk
        self._hearing = Hearing(desk.workers, SHORTEST_TAIL_MS)
        self._deaf = False
        self._dialling = dial(desk.trunk, target.number, self.leg, now)
        self._ring_until = now + desk.config.ring_s
        self._answered_at: float | None = None
        self._quiet_since: float | None = None  # the sentence has been said
        self._person = False  # the latest that was said is what a person says
        self._watched_until: float | None = None
        self._packets = 0
        self._packets_at = self._rtp_checked_at = now

    def step(self, now: float) -> None:
        if self.outcome is not None:
            return
        for event in self._dialling.step(now):
            self._on(event, now)
        if self.outcome is None and not self._deaf:
            self._listen()
        if self.outcome is not None:
            return
        if self.taken:
            self._watch(now)
        elif self._answered_at is not None:
            self._screen(now, self._answered_at)
        elif now >= self._ring_until:
            self.end(DutyOutcome.NO_ANSWER)

    def end(self, outcome: DutyOutcome) -> None:
        self.outcome = outcome
        self._deaf = True
        self._hearing.forget()
        self._dialling.hang_up(PEER_IS_GONE if outcome is DutyOutcome.LOST else outcome.value)

    def _frame(self, offset: int, frame: bytes) -> None:
        if not self._deaf:
            self._hearing.frame(offset, frame)

    # ---- what the line tells ----------------------------------------------------------------

    def _on(self, event: Event, now: float) -> None:
        if isinstance(event, MediaUp) and self._answered_at is None:
            self._wait_for_voice()  # a carrier's announcement before the answer
        elif isinstance(event, StateChanged) and event.state is CallState.CONFIRMED:
            self._answered_at = self._packets_at = now
            self._hearing.forget()
            self._person = False
            self._ask()
        elif isinstance(event, KeyPressed) and event.digit == TAKES and self._answered_at is not None:
            self._take(now, surely=True)
        elif isinstance(event, Ended):
            self.end(self._why(event))

    def _why(self, ended: Ended) -> DutyOutcome:
        if self.taken:  # who was believed by his words and is gone at once was no help, if he was a person
            return DutyOutcome.LEFT if self._watched_until is None else DutyOutcome.LOST
        if ended.answered:
            return DutyOutcome.HUNG_UP
        if ended.code in BUSY_CODES:
            return DutyOutcome.BUSY
        rang_out = ended.rang and ended.code in RANG_OUT_CODES
        return DutyOutcome.NO_ANSWER if rang_out else DutyOutcome.NOT_REACHED

    # ---- who is there -----------------------------------------------------------------------

    def _wait_for_voice(self) -> None:
        self._hearing.listen(self._desk.phrases, LISTEN_S, LONGEST_S)

    def _listen(self) -> None:
        for heard in self._hearing.step(during_prompt=False):
            sign = self._sign(heard)
            self._wait_for_voice()
            if sign is Sign.MACHINE and self._answered_at is None:
                self.doubtful = True  # switched off, or the greeting of an office as its ringback (彩铃)
            elif sign is Sign.MACHINE:
                self.end(DutyOutcome.MACHINE)
                return
            if isinstance(heard, Utterance) and heard.words_heard:
                self._person = sign is Sign.PERSON

    def _sign(self, heard: Utterance | Nothing) -> Sign:
        text, confidence = ("", None) if isinstance(heard, Nothing) else (heard.text, heard.confidence)
        return sign_of(text, confidence, heard.tone, self._desk.words, self._desk.understand)

    def _ask(self) -> None:
        self._quiet_since = None
        self.leg.play(self.target.ask)
        self._wait_for_voice()

    def _screen(self, now: float, answered_at: float) -> None:
        if self.leg.playing:
            return
        if self._quiet_since is None:
            self._quiet_since = now
        if self._person and not self.target.only_by_key and not self._hearing.busy:
            self._take(now, surely=False)
            return
        waited = now - answered_at - self._desk.config.screen_s
        if waited >= (STILL_SPEAKING_S if self._hearing.busy else 0):
            self.end(DutyOutcome.NOBODY)
        elif now - self._quiet_since >= REPEAT_S and not self._hearing.busy:
            self.doubtful = True
            self._ask()

    def _take(self, now: float, *, surely: bool) -> None:
        if not self.taken:
            self.leg.stop()
        self.taken = True
        self._watched_until = None if surely else now + WATCH_S
        self._deaf = surely

    def _watch(self, now: float) -> None:
        """After the answer: a mailbox that spoke late, and a telephone whose sound has stopped."""
        if self._watched_until is not None and now >= self._watched_until:
            self._watched_until, self._deaf = None, True
        if now - self._rtp_checked_at < RTP_CHECK_S:
            return
        self._rtp_checked_at = now
        packets = self._dialling.call.rtp_packets() if self._dialling.call is not None else 0
        if packets != self._packets:
            self._packets, self._packets_at = packets, now
        elif now - self._packets_at > self._desk.trunk.config.rtp_lost_s:
            self.end(DutyOutcome.LOST)
