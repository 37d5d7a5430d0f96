"""Who answers the duty telephone, by sound: real leg, ear, recogniser and sentence, no telephone.

Driven tick by tick, so that what is said into our sentence, and when, is exact, and faster than real time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.grammar import duty_phrases
from ivr.session.config import DutyConfig
from ivr.session.duty_leg import WATCH_S, DutyDesk, DutyLeg, Target
from ivr.speech.prompts import PromptStore
from ivr.speech.recogniser import Recogniser
from ivr.speech.workers import RecognitionWorkers
from ivr.telephony.call import CallState, Ended, Event, KeyPressed, MediaUp, StateChanged
from ivr.telephony.model import FRAME_BYTES
from ivr.understanding import understand
from sip_test_harness import audio, voices
from sip_test_harness.model import Message
from xunfang.vocabulary import DutyOutcome as O

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PLAN = dialplan.load("demo_short")
PROMPTS = PromptStore(ROOT / "ivr" / "dialplans" / "prompts")
ASK = PROMPTS.pcm(PLAN.urgent.duty_ask)
ASK_S = len(ASK) / 16_000
TICK_S = 0.02
CONFIG = DutyConfig(ring_s=20.0)
HELLO = voices.spoken(voices.Line("zf_xiaoni", 0.9, "喂你好"))
MAILBOX = voices.spoken(voices.announcement(Message.VOICEMAIL)) + audio.silence(0.4) + audio.beep()
OFF = voices.spoken(voices.announcement(Message.POWERED_OFF))
TALK = voices.spoken(voices.Line("zf_xiaoni", 0.9, "什么都不缺"))  # no word of the sentence's grammar


@pytest.fixture(scope="module")
def workers() -> Iterator[RecognitionWorkers]:
    workers = RecognitionWorkers(Recogniser(ROOT / "asr_models" / "starter"), threads=1)
    yield workers
    workers.close()


class Line:
    """What the telephone side of a leg tells, as a test wants it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.why = ""
        self.packets = 0
        self.call: Any = SimpleNamespace(rtp_packets=lambda: self.packets)

    def step(self, now: float) -> list[Event]:
        events, self.events = self.events, []
        return events

    def hang_up(self, why: str) -> None:
        self.why = self.why or why


class Duty:
    """One duty telephone and the time that passes on it."""

    def __init__(self, workers: RecognitionWorkers, nth: int = 1) -> None:
        self.line = Line()
        self.now = 50.0
        self.heard = bytearray()
        self.rtp = True
        self._to_say: list[bytes] = []
        self._workers = workers
        trunk: Any = SimpleNamespace(config=SimpleNamespace(rtp_lost_s=6.0))
        line: Any = self.line
        desk = DutyDesk(trunk, workers, PLAN.urgent.duty_words, duty_phrases(PLAN), understand, CONFIG)
        self.leg = DutyLeg(desk, Target("13800000001", nth, ASK), self.now, lambda *_: line)

    def answers(self, *sound: bytes) -> Duty:
        self.line.events.append(StateChanged(CallState.CONFIRMED, 200))
        return self.says(*sound)

    def says(self, *sound: bytes) -> Duty:
        self._to_say += frames(b"".join(sound))
        return self

    def presses(self, key: str) -> Duty:
        self.line.events.append(KeyPressed(key, "rfc2833", self.now))
        return self

    def run(self, seconds: float) -> Duty:
        """So long, or until it is over."""
        for _ in range(round(seconds / TICK_S)):
            self.heard += self.leg.leg.next_frame()
            self.leg.leg.received(self._to_say.pop(0) if self._to_say else None)
            self.line.packets += self.rtp
            self.now += TICK_S
            self._let_the_recogniser_catch_up()
            self.leg.step(self.now)
            if self.leg.outcome is not None:
                break
        return self

    def _let_the_recogniser_catch_up(self) -> None:
        until = time.monotonic() + 5
        (worker,) = self._workers._workers
        while time.monotonic() < until and (not worker._queue.empty() or worker.lag_ms()):
            time.sleep(0.0002)
        while time.monotonic() < until and any(not each.result.done() for each in self.leg._hearing._awaited):
            time.sleep(0.0002)


def frames(pcm: bytes) -> list[bytes]:
    return [pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in range(0, len(pcm), FRAME_BYTES)]


def times_asked(duty: Duty) -> int:
    return round(sum(any(frame) for frame in frames(bytes(duty.heard))) / sum(any(f) for f in frames(ASK)))


def test_whoever_answers_hears_at_once_what_it_is_about(workers: RecognitionWorkers) -> None:
    duty = Duty(workers).answers().run(ASK_S + 0.1)
    assert 0 <= bytes(duty.heard).find(ASK) <= 2 * FRAME_BYTES
    assert not duty.leg.taken


def test_the_key_joins_at_once_in_the_middle_of_the_sentence(workers: RecognitionWorkers) -> None:
    duty = Duty(workers).answers().run(1.0).presses("1").run(0.1)
    assert duty.leg.taken
    assert not duty.leg.leg.playing


def test_another_key_joins_nobody(workers: RecognitionWorkers) -> None:
    assert not Duty(workers).answers().run(1.0).presses("2").run(0.2).leg.taken


def test_somebody_in_a_hurry_is_joined_when_the_sentence_has_been_said(workers: RecognitionWorkers) -> None:
    duty = Duty(workers).answers(audio.silence(0.3), HELLO).run(ASK_S - 0.2)
    assert not duty.leg.taken, "a machine may still begin to speak"
    assert duty.run(0.5).leg.taken


@pytest.mark.parametrize(
    "sound",
    [
        MAILBOX,
        OFF + audio.silence(0.7) + OFF,
        audio.silence(1.0) + audio.beep(),
        audio.busy_tone(6.0),
        audio.silence(0.2) + HELLO + audio.silence(2.0) + MAILBOX,
    ],
    ids=["mailbox", "carrier", "beep", "busy", "greeting and mailbox"],
)
def test_a_machine_behind_200_ok_is_never_joined_and_is_left_within_seconds(
    workers: RecognitionWorkers, sound: bytes
) -> None:
    duty = Duty(workers).answers(sound).run(CONFIG.screen_s)
    assert duty.leg.outcome is O.MACHINE
    assert not duty.leg.taken
    assert duty.line.why, "its telephone was hung up"


def test_silence_is_asked_twice_held_in_doubt_and_then_left(workers: RecognitionWorkers) -> None:
    duty = Duty(workers).answers().run(ASK_S + 3.0)
    assert duty.leg.doubtful, "the next number may ring beside it"
    assert duty.leg.outcome is None
    duty.run(CONFIG.screen_s)
    assert duty.leg.outcome is O.NOBODY
    assert times_asked(duty) >= 2


def test_talk_that_nobody_understands_joins_nobody_until_the_key_is_pressed(
    workers: RecognitionWorkers,
) -> None:
    duty = Duty(workers).answers(audio.silence(0.5), TALK).run(ASK_S + 3.0)
    assert not duty.leg.taken
    assert duty.leg.doubtful
    assert duty.presses("1").run(0.1).leg.taken


def test_a_mailbox_that_says_hello_first_and_speaks_late_is_taken_out_again(
    workers: RecognitionWorkers,
) -> None:
    duty = Duty(workers).answers(HELLO, audio.silence(ASK_S + 1.0), MAILBOX).run(ASK_S + 0.9)
    assert duty.leg.taken
    duty.run(WATCH_S)
    assert duty.leg.outcome is O.MACHINE


def test_a_mailbox_cannot_take_out_who_has_pressed_the_key(workers: RecognitionWorkers) -> None:
    duty = Duty(workers).answers().run(0.5).presses("1").says(MAILBOX).run(8.0)
    assert duty.leg.taken
    assert duty.leg.outcome is None


def test_a_supervisor_who_takes_over_has_to_press_the_key(workers: RecognitionWorkers) -> None:
    duty = Duty(workers, nth=0).answers(HELLO).run(ASK_S + 1.5)
    assert not duty.leg.taken
    assert duty.presses("1").run(0.1).leg.taken


def test_a_line_whose_sound_stops_after_he_has_taken_over_is_lost(workers: RecognitionWorkers) -> None:
    duty = Duty(workers).answers().run(0.5).presses("1").run(1.0)
    duty.rtp = False
    duty.run(7.5)
    assert duty.leg.outcome is O.LOST


def test_who_pressed_the_key_and_hangs_up_has_spoken_who_only_said_hello_has_not(
    workers: RecognitionWorkers,
) -> None:
    """An assistant says 您好, hears nobody and hangs up: the elder must not hear that all has been said."""
    gone = Ended(by="them", code=200, phrase="", answered=True, rang=True)
    by_key = Duty(workers).answers().run(0.5).presses("1").run(1.0)
    by_words = Duty(workers).answers(HELLO).run(ASK_S + 1.5)
    for duty, outcome in ((by_key, O.LEFT), (by_words, O.LOST)):
        assert duty.leg.taken
        duty.line.events.append(gone)
        assert duty.run(0.1).leg.outcome is outcome
    talked = Duty(workers).answers(HELLO).run(ASK_S + 1.5 + WATCH_S)
    talked.line.events.append(gone)
    assert talked.run(0.1).leg.outcome is O.LEFT


def test_an_office_that_greets_as_its_ringback_goes_on_being_rung(workers: RecognitionWorkers) -> None:
    """彩铃 before the answer: 您好，欢迎致电… is no machine that has answered."""
    duty = Duty(workers)
    duty.line.events.append(MediaUp("PCMA"))
    duty.says(MAILBOX).run(8.0)
    assert duty.leg.outcome is None
    assert duty.leg.doubtful
    duty.answers(HELLO).run(ASK_S + 1.5)
    assert duty.leg.taken


@pytest.mark.parametrize(
    ("code", "rang", "outcome"),
    [(486, True, O.BUSY), (480, True, O.NO_ANSWER), (404, False, O.NOT_REACHED), (503, False, O.NOT_REACHED)],
)
def test_a_call_that_was_never_answered_says_why(
    workers: RecognitionWorkers, code: int, rang: bool, outcome: O
) -> None:
    duty = Duty(workers)
    duty.line.events.append(Ended(by="them", code=code, phrase="", rang=rang))
    assert duty.run(0.1).leg.outcome is outcome
    assert Duty(workers).run(CONFIG.ring_s + 0.1).leg.outcome is O.NO_ANSWER


def test_who_hangs_up_before_he_has_taken_over_is_not_the_one_who_has_spoken(
    workers: RecognitionWorkers,
) -> None:
    duty = Duty(workers).answers().run(1.0)
    duty.line.events.append(Ended(by="them", code=200, phrase="", answered=True, rang=True))
    assert duty.run(0.1).leg.outcome is O.HUNG_UP
