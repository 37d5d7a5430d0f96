"""What the other side says, as utterances (听): frames in, finished recognitions out.

The clock thread drops frames into a queue; everything else happens in `step`, on the
line's main thread: voice activity, endpointing, and collecting what the recognition
workers have finished. A recognition runs while somebody speaks, so that little is left to
do when the endpoint is declared.

Times are seconds since the media came up, that is seconds of the recording.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from ivr.speech import tones
from ivr.speech.ear import Ear
from ivr.speech.endpointer import Endpointer, NoSpeech, SpeechEnded, SpeechStarted, TooLong
from ivr.speech.recogniser import Recognised
from ivr.speech.vad import PhoneVad
from ivr.speech.workers import LiveStream, RecognitionWorkers
from xunfang.errors import XunfangError
from xunfang.log import get_logger

FRAME_S = 0.02
TONE_CHECK_S = 2.0  # how often what seems to be speech is asked whether it is a busy tone
BUSY_S = 3.0  # sound that shows a busy tone for certain
RESULT_TIMEOUT_S = 8.0  # a recogniser this late is overloaded: better "not understood" than a dead line

Phrases = tuple[str, ...]

_log = get_logger("session")


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something was said and is over. `text` empty: not one word of the grammar.

    `words_heard`: there was speech, known or not; False for a cough or a click.
    `tone`: busy, ringback, beep, music when it was none. `declared_at`: time.monotonic() at
    the endpoint. `during_prompt`: it was over before our prompt was.
    """

    text: str
    confidence: float | None
    words_heard: bool
    start_s: float
    end_s: float
    declared_at: float
    during_prompt: bool
    tone: str | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """The waiting time ran out. `tone`: what was there instead of speech."""

    declared_at: float
    tone: str | None = None


@dataclass(frozen=True, slots=True)
class _Awaited:
    result: Future[Recognised]
    start_s: float
    end_s: float
    declared_at: float
    during_prompt: bool
    sound: bytes


class Hearing:
    def __init__(self, workers: RecognitionWorkers, tail_ms: int) -> None:
        self._workers = workers
        self._frames: SimpleQueue[bytes] = SimpleQueue()
        self._endpointer = Endpointer(PhoneVad(), tail_ms, no_speech_s=None)
        self._ear: Ear[LiveStream] = Ear(self._endpointer, self._open)
        self._phrases: Phrases = ()
        self._live: LiveStream | None = None
        self._started_ms = 0
        self._checked_ms = 0
        self._awaited: deque[_Awaited] = deque()
        self._sound: deque[bytes] = deque(maxlen=round(tones.KEPT_S / FRAME_S))

    # ---- clock thread -------------------------------------------------------------------

    def frame(self, _offset: int, frame: bytes) -> None:
        self._frames.put(frame)

    # ---- main thread --------------------------------------------------------------------

    @property
    def speaking(self) -> bool:
        """Somebody is speaking right now, or has just paused."""
        return self._endpointer.speaking

    @property
    def busy(self) -> bool:
        """Speech goes on, or a recognition is not finished: no time to count silence."""
        return self.speaking or bool(self._awaited)

    @property
    def awaits_result(self) -> bool:
        """An answer is over and its recognition is about to come: somebody waits for our reply."""
        return bool(self._awaited)

    @property
    def partial(self) -> str:
        """What has been understood of the utterance that is being spoken."""
        return self._live.partial if self._live is not None else ""

    def listen(
        self, phrases: Phrases, seconds: float | None, max_answer_s: float, *, barge_in: bool = False
    ) -> None:
        """Wait for the next utterance. One that is being spoken goes on, under its own grammar."""
        self._phrases = phrases
        if not self._endpointer.speaking:
            self._endpointer.arm(seconds, max_answer_s, barge_in=barge_in)

    def forget(self) -> None:
        """What is being heard does not matter (early media, once somebody answers)."""
        self._drain(during_prompt=False, events=[])
        for awaited in self._awaited:
            awaited.result.cancel()
        self._awaited.clear()
        stream = self._ear.take()
        if stream is not None:
            stream.abandon()
        self._live = None
        self._endpointer.arm(None)
        self._sound.clear()

    def cut_off(self, during_prompt: bool) -> None:
        """The call ended in the middle of a word: take what was said so far as an utterance."""
        events: list[Utterance | Nothing] = []
        self._drain(during_prompt, events)
        if self._endpointer.speaking:
            self._await_result(self._started_ms / 1000, self._endpointer.now_ms / 1000, during_prompt)
            self._endpointer.arm(None)

    def step(self, during_prompt: bool) -> list[Utterance | Nothing]:
        """Take in the frames that came; what is over by now, oldest first."""
        events: list[Utterance | Nothing] = []
        self._drain(during_prompt, events)
        while self._awaited and (done := self._collect(self._awaited[0])) is not None:
            self._awaited.popleft()
            events.append(done)
        return events

    def _drain(self, during_prompt: bool, events: list[Utterance | Nothing]) -> None:
        while True:
            try:
                frame = self._frames.get_nowait()
            except Empty:
                return
            self._sound.append(frame)
            event = self._ear.push(frame)
            if isinstance(event, SpeechEnded | TooLong):
                self._await_result(event.start_ms / 1000, event.end_ms / 1000, during_prompt)
            elif isinstance(event, NoSpeech):
                tone = tones.classify(self._last_sound(event.waited_ms / 1000))
                events.append(Nothing(time.monotonic(), tone))
            elif isinstance(event, SpeechStarted):
                self._started_ms = self._checked_ms = event.at_ms
            elif self._endpointer.speaking:
                self._check_for_busy(events)

    def _check_for_busy(self, events: list[Utterance | Nothing]) -> None:
        """A busy tone sounds like speech that never ends: do not wait for its end."""
        now_ms = self._endpointer.now_ms
        if now_ms - self._checked_ms < TONE_CHECK_S * 1000:
            return
        self._checked_ms = now_ms
        if tones.classify(self._last_sound(BUSY_S)) != "busy":
            return
        stream = self._ear.take()
        if stream is not None:
            stream.abandon()
        self._live = None
        self._endpointer.arm(None)
        events.append(Nothing(time.monotonic(), "busy"))

    def _open(self) -> LiveStream:
        self._live = self._workers.open(self._phrases or None)
        return self._live

    def _await_result(self, start_s: float, end_s: float, during_prompt: bool) -> None:
        stream = self._ear.take()
        self._live = None
        if stream is None:
            return
        begun = self._endpointer.now_ms / 1000 - start_s
        self._awaited.append(
            _Awaited(
                stream.finish(),
                start_s,
                end_s,
                time.monotonic(),
                during_prompt,
                self._last_sound(begun + tones.LEAD_S),
            )
        )

    def _last_sound(self, seconds: float) -> bytes:
        count = min(len(self._sound), round(seconds / FRAME_S))
        return b"".join(list(self._sound)[len(self._sound) - count :])

    def _collect(self, awaited: _Awaited) -> Utterance | None:
        """None: the recogniser is still at it."""
        heard: Recognised | None = None
        if awaited.result.done():
            try:
                heard = awaited.result.result()
            except (XunfangError, CancelledError) as error:
                _log.error("recognition.failed", reason=str(error))
        elif time.monotonic() - awaited.declared_at < RESULT_TIMEOUT_S:
            return None
        else:
            awaited.result.cancel()
            _log.error("recognition.too_late", seconds=RESULT_TIMEOUT_S)
        text = heard.text if heard else ""
        confidence = heard.confidence if heard else None
        tone = tones.instead_of_words(awaited.sound, confidence)
        return Utterance(
            text="" if tone else text,
            confidence=confidence,
            words_heard=heard is None or bool(heard.words),
            start_s=awaited.start_s,
            end_s=awaited.end_s,
            declared_at=awaited.declared_at,
            during_prompt=awaited.during_prompt,
            tone=tone,
        )
