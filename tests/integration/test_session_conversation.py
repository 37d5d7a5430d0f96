"""A conversation with real voice, ear and dialogue, but without a telephone: frames go in and out by hand.

The same leg, endpointer, recogniser and interpreter as in a call, driven tick by tick, so that
what an elder says into a prompt, and when, is exact.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.model import Because, Callee, DutyAnswered, DutyFailed
from ivr.session.conversation import NOT_UNDERSTOOD, Conversation, Voice
from ivr.session.hearing import Hearing
from ivr.session.model import AlertRaised, AnswerGiven, CallEvent, TurnHeard
from ivr.session.speaking import Speaking
from ivr.session.teller import Teller
from ivr.speech import audio
from ivr.speech.prompts import PromptStore
from ivr.speech.recogniser import Recogniser
from ivr.speech.workers import RecognitionWorkers
from ivr.telephony.leg import Leg
from ivr.understanding import understand
from xunfang.clock import SystemClock
from xunfang.vocabulary import Alert, Speaker

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
VOICES = ROOT / "tests" / "data" / "session"
PROMPTS = PromptStore(ROOT / "ivr" / "dialplans" / "prompts")
PLAN = dialplan.load("demo_short")
TICK_S = 0.02


@pytest.fixture(scope="module")
def workers() -> Iterator[RecognitionWorkers]:
    workers = RecognitionWorkers(Recogniser(ROOT / "asr_models" / "starter"), threads=1)
    yield workers
    workers.close()


def clip(name: str) -> bytes:
    return audio.read_wav(VOICES / f"{name}.wav")


class Elder:
    """The other end: says clips when told, and keeps what was heard and told."""

    def __init__(self, workers: RecognitionWorkers, callee: Callee | None = None) -> None:
        self.events: list[CallEvent] = []
        self.duty_rung = 0
        self.heard = bytearray()
        self._workers = workers
        self._to_say: list[bytes] = []
        self._hearing = Hearing(workers, tail_ms=1000)
        self._leg = Leg(self._hearing.frame)
        self.speaking = Speaking(self._leg, PROMPTS.pcm)
        self.talk = Conversation(
            PLAN,
            callee or Callee(),
            Voice(self._leg, self.speaking, self._hearing),
            Teller(1, SystemClock(), self.events.append),
            understand,
            self._ring,
        )
        self.talk.begin()

    def _ring(self) -> None:
        self.duty_rung += 1

    def say(self, name: str) -> None:
        self._to_say += audio.frames(clip(name))

    def run(self, seconds: float) -> None:
        """So much of the call, as fast as the recogniser can follow."""
        for _ in range(round(seconds / TICK_S)):
            self.heard += self._leg.next_frame()
            self._leg.received(self._to_say.pop(0) if self._to_say else None)
            self._let_the_recogniser_catch_up()
            if self.talk.end is None:
                self.talk.step()

    def _let_the_recogniser_catch_up(self) -> None:
        until = time.monotonic() + 5
        (worker,) = self._workers._workers
        while time.monotonic() < until and (not worker._queue.empty() or worker.lag_ms()):
            time.sleep(0.0002)
        while time.monotonic() < until and any(not each.result.done() for each in self._hearing._awaited):
            time.sleep(0.0002)

    def run_until_listening(self, limit_s: float = 40.0) -> None:
        for _ in range(round(limit_s / 0.1)):
            self.run(0.1)
            if self.talk.end is not None or not self.speaking.active:
                return
        raise AssertionError("the prompt never ended")

    def turns(self, speaker: Speaker) -> list[TurnHeard]:
        return [event for event in self.events if isinstance(event, TurnHeard) and event.speaker is speaker]

    def answers(self) -> dict[str, str]:
        return {event.question: event.answer for event in self.events if isinstance(event, AnswerGiven)}

    def alerts(self) -> list[AlertRaised]:
        return [event for event in self.events if isinstance(event, AlertRaised)]


@pytest.fixture
def elder(workers: RecognitionWorkers) -> Elder:
    """Somebody who has said 喂 and hears the greeting."""
    elder = Elder(workers)
    elder.say("hello")
    elder.run(3.2)
    assert elder.speaking.active
    return elder


def test_nobody_speaks_and_the_greeting_comes_after_the_opening_silence(workers: RecognitionWorkers) -> None:
    elder = Elder(workers)
    elder.run(PLAN.listen.opening - 0.1)
    assert not elder.speaking.active
    elder.run(0.5)
    assert elder.speaking.active
    assert not elder.talk.speech_heard


def test_danger_said_into_the_greeting_is_acted_on_at_once(elder: Elder) -> None:
    elder.say("fell")
    elder.run(2.4)  # the words are out, the tail is not over
    assert elder.speaking.hushed
    elder.run(1.6)
    (raised,) = elder.alerts()
    assert raised.alert is Alert.URGENT
    assert elder.duty_rung == 1
    assert elder.talk.urgent
    greeting = elder.turns(Speaker.SYSTEM)[0]
    assert greeting.end_s - greeting.start_s < 5  # cut off, and the transcript says where


def test_a_word_of_politeness_does_not_stop_the_greeting(elder: Elder) -> None:
    elder.say("hello")
    elder.run(4)
    assert elder.speaking.active
    elder.run_until_listening()
    (greeting,) = elder.turns(Speaker.SYSTEM)
    assert greeting.text.endswith(PLAN.identity.say)


def test_a_prompt_silenced_for_a_word_that_was_no_danger_goes_on(elder: Elder) -> None:
    elder.run(1)
    elder.speaking.hush()
    quiet_from = len(elder.heard)
    elder.run(0.5)
    assert not any(elder.heard[quiet_from:])
    elder.say("hello")
    elder.run(3.5)
    assert not elder.speaking.hushed
    assert any(elder.heard[-audio.RATE_HZ :])
    elder.run_until_listening()
    (greeting,) = elder.turns(Speaker.SYSTEM)
    assert greeting.text.endswith(PLAN.identity.say)


def test_answers_are_told_as_they_are_given_and_the_call_ends_by_itself(elder: Elder) -> None:
    for name in ("self", "good", "", "no_need"):
        elder.run_until_listening()
        if name:
            elder.say(name)
            elder.run(4.5)
        else:
            elder.talk.key("1")
    elder.run_until_listening()
    elder.run(12)
    assert elder.talk.end is not None
    assert elder.talk.end.because is Because.FINISHED
    assert elder.answers() == {"identity": "self", "health": "good", "event": "no", "needs": "no"}
    spans = [(turn.start_s, turn.end_s) for turn in elder.turns(Speaker.ELDER)]
    assert spans == sorted(spans)
    assert all(0 < end - start < 3 for start, end in spans if start != end)
    assert sum(start == end for start, end in spans) == 1  # a key has only its moment


def test_speech_outside_the_grammar_is_not_silence(elder: Elder) -> None:
    elder.run_until_listening()
    said = len(elder.turns(Speaker.ELDER))
    elder._to_say += audio.frames(audio.to_samples(clip("self"))[::-1].tobytes())  # no language at all
    elder.run(4)
    (heard,) = elder.turns(Speaker.ELDER)[said:]
    assert heard.text == NOT_UNDERSTOOD or (heard.confidence or 0) < 0.8
    assert elder.answers() == {}
    assert elder.talk.end is None


def test_keys_answer_while_the_prompt_still_plays(elder: Elder) -> None:
    elder.run(10)
    elder.talk.key("1")
    assert elder.answers() == {"identity": "self"}


def test_a_busy_tone_after_hanging_up_without_bye_ends_the_call(elder: Elder) -> None:
    elder.run_until_listening()
    elder.say("self")
    elder.run_until_listening()
    elder.run(4)
    elder.run_until_listening()
    tone = busy_tone(12)
    elder._to_say += audio.frames(tone)
    elder.run(5)  # and not only when the tone ends
    assert elder.talk.end is not None
    assert elder.talk.end.because is Because.HUNG_UP


def busy_tone(seconds: float) -> bytes:
    """GB/T 7611: 450 Hz, 0.35 s on, 0.35 s off."""
    import numpy as np

    at = np.arange(int(seconds * audio.RATE_HZ)) / audio.RATE_HZ
    wave = 8000 * np.sin(2 * np.pi * 450 * at) * (at % 0.7 < 0.35)
    return bytes(wave.astype("<i2").tobytes())


def test_the_duty_person_is_announced_and_then_we_are_silent(elder: Elder) -> None:
    elder.say("fell")
    elder.run(4)
    elder.talk.duty(DutyAnswered())
    elder.run_until_listening()
    assert elder.turns(Speaker.SYSTEM)[-1].text == PLAN.urgent.duty_here
    spoken = len(elder.turns(Speaker.SYSTEM))
    elder.run(15)
    assert elder.talk.end is None
    assert len(elder.turns(Speaker.SYSTEM)) == spoken
    elder.talk.duty(DutyFailed())  # the duty person has hung up
    elder.run_until_listening()
    elder.run(0.2)
    assert elder.talk.end is not None
    assert elder.talk.end.because is Because.URGENT


def test_words_cut_off_by_hanging_up_are_still_judged(elder: Elder) -> None:
    elder.run_until_listening()
    elder.say("fell")
    elder.run(2.5)
    assert elder.alerts() == []
    elder.talk.cut()
    until = time.monotonic() + 5
    while elder.talk.last_words() and time.monotonic() < until:
        time.sleep(0.01)
    elder.talk.last_words()
    assert [raised.alert for raised in elder.alerts()] == [Alert.URGENT]
    assert elder.talk.outcome() is Because.URGENT
