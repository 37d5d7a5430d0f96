"""When does an answer begin and end? (端点检测) Our own state machine, because Vosk's cuts old people off.

It eats 20 ms frames and nothing else: no clock, no threads. Time is the count of frames.

                          onset: >= onset_ms voiced within ONSET_WINDOW_MS
        ┌─────────┐  ─────────────────────────────────────────►  ┌──────────┐
        │ WAITING │            emits SpeechStarted               │ SPEAKING │◄─┐
        └─────────┘                                              └──────────┘  │ >= RESUME_MS voiced
             │ no_speech_s without onset                    unvoiced │         │ within RESUME_WINDOW_MS
             │ emits NoSpeech                                  frame ▼         │
             │                                                   ┌──────────┐  │
             │                                                   │   TAIL   │──┘
             ▼                                                   └──────────┘
        ┌─────────┐   tail_ms since the last voice: SpeechEnded      │
        │  OVER   │ ◄────────────────────────────────────────────────┘
        └─────────┘ ◄── from SPEAKING or TAIL, max_answer_s since the start: TooLong

- A click, a cough, one VAD blip is no speech: it never has `onset_ms` of voice.
- The tail is the elder's own (老人说话慢): 1.6 s unless the profile says otherwise. A blip in
  the tail does not prolong it; real speech does, and stays the same answer.
- While a prompt plays (`barge_in=True`) speech must be longer to count, and silence never
  runs out: 嗯嗯 is listening, not answering.
- `arm` starts the next wait. Voice that is not yet an onset is kept, so somebody who begins
  to speak in the prompt's last word is heard from the beginning.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from ivr.speech.audio import FRAME_MS
from ivr.speech.vad import Vad

TAIL_MS = 1_600  # design rule 5: silence that ends an answer, unless the elder's profile says otherwise
SHORTEST_TAIL_MS = 1_000
LONGEST_TAIL_MS = 3_000
NO_SPEECH_S = 6.0
MAX_ANSWER_S = 20.0
ONSET_MS = 120  # voiced time that makes speech: 嗯 and 好 last 150 ms and more, a click 20-60 ms
BARGE_IN_MS = 400  # voiced time that counts as speaking while a prompt plays
ONSET_WINDOW_MS = 260  # the onset's voiced frames lie within this
BARGE_IN_WINDOW_MS = 700
RESUME_MS = 80  # voiced time that continues an answer after a pause
RESUME_WINDOW_MS = 160


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """`at_ms`: first voiced frame of the onset, on the endpointer's own time line."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """From first to last voiced frame; the tail is not part of the answer."""

    start_ms: int
    end_ms: int
    voiced_ms: int

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class NoSpeech:
    waited_ms: int


@dataclass(frozen=True, slots=True)
class TooLong:
    start_ms: int
    end_ms: int

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


Event = SpeechStarted | SpeechEnded | NoSpeech | TooLong


class State(StrEnum):
    WAITING = "waiting"
    SPEAKING = "speaking"
    TAIL = "tail"
    OVER = "over"


def clamp_tail(tail_ms: int | None) -> int:
    """An elder's own tail, within what makes sense; None: the usual one."""
    return TAIL_MS if tail_ms is None else min(LONGEST_TAIL_MS, max(SHORTEST_TAIL_MS, tail_ms))


class Endpointer:
    """`no_speech_s=None` waits for ever. The frame that causes an event is the one just pushed."""

    def __init__(
        self,
        vad: Vad,
        tail_ms: int = TAIL_MS,
        no_speech_s: float | None = NO_SPEECH_S,
        max_answer_s: float = MAX_ANSWER_S,
        *,
        barge_in: bool = False,
    ) -> None:
        if not SHORTEST_TAIL_MS <= tail_ms <= LONGEST_TAIL_MS:
            raise ValueError(f"tail_ms must lie in {SHORTEST_TAIL_MS}-{LONGEST_TAIL_MS}, not {tail_ms}")
        self._vad, self._tail_ms = vad, tail_ms
        self._now_ms = 0
        self._voiced: deque[int] = deque()  # end times of recent voiced frames
        self.arm(no_speech_s, max_answer_s, barge_in=barge_in)

    def arm(
        self,
        no_speech_s: float | None = NO_SPEECH_S,
        max_answer_s: float = MAX_ANSWER_S,
        *,
        barge_in: bool = False,
    ) -> None:
        """Wait for the next answer. Not while somebody is speaking: that answer would lose its head."""
        self._no_speech_ms = None if no_speech_s is None or barge_in else round(no_speech_s * 1000)
        self._max_answer_ms = round(max_answer_s * 1000)
        self._onset_ms = BARGE_IN_MS if barge_in else ONSET_MS
        self._window_ms = BARGE_IN_WINDOW_MS if barge_in else ONSET_WINDOW_MS
        self._armed_ms = self._now_ms
        self._start_ms = self._last_voice_ms = self._voiced_ms = 0
        self.state = State.WAITING

    @property
    def now_ms(self) -> int:
        """Audio pushed so far."""
        return self._now_ms

    @property
    def speaking(self) -> bool:
        return self.state in (State.SPEAKING, State.TAIL)

    def push(self, frame: bytes) -> Event | None:
        voiced = self._vad.is_speech(frame)
        self._now_ms += FRAME_MS
        if voiced:
            self._voiced.append(self._now_ms)
        while self._voiced and self._voiced[0] <= self._now_ms - BARGE_IN_WINDOW_MS:
            self._voiced.popleft()
        if self.state is State.WAITING:
            return self._wait()
        if self.speaking:
            return self._follow(voiced)
        return None

    def _recent_voice_ms(self, window_ms: int, since_ms: int = 0) -> int:
        after = max(self._now_ms - window_ms, since_ms)
        return FRAME_MS * sum(end > after for end in self._voiced)

    def _wait(self) -> Event | None:
        if self._recent_voice_ms(self._window_ms) >= self._onset_ms:
            first = next(end for end in self._voiced if end > self._now_ms - self._window_ms)
            self._start_ms = first - FRAME_MS
            self._last_voice_ms = self._voiced[-1]
            self._voiced_ms = self._recent_voice_ms(self._window_ms)
            self.state = State.SPEAKING
            return SpeechStarted(self._start_ms)
        waited = self._now_ms - self._armed_ms
        if self._no_speech_ms is None or waited < self._no_speech_ms:
            return None
        beginning = self._recent_voice_ms(self._window_ms) > 0  # give the first syllable its chance, once
        if not beginning or waited >= self._no_speech_ms + self._window_ms:
            self.state = State.OVER
            return NoSpeech(waited)
        return None

    def _follow(self, voiced: bool) -> Event | None:
        if self.state is State.SPEAKING:
            if voiced:
                self._speak_on(FRAME_MS)
            else:
                self.state = State.TAIL
        elif voiced:
            resumed = self._recent_voice_ms(RESUME_WINDOW_MS, since_ms=self._last_voice_ms)
            if resumed >= RESUME_MS:
                self._speak_on(resumed)
                self.state = State.SPEAKING
        if self._now_ms - self._start_ms >= self._max_answer_ms:
            self.state = State.OVER
            return TooLong(self._start_ms, self._now_ms)
        if self._now_ms - self._last_voice_ms >= self._tail_ms:
            self.state = State.OVER
            return SpeechEnded(self._start_ms, self._last_voice_ms, self._voiced_ms)
        return None

    def _speak_on(self, voiced_ms: int) -> None:
        self._last_voice_ms = self._now_ms
        self._voiced_ms += voiced_ms
