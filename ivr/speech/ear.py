"""One ear of a call: frames in, answers out. Joins an endpointer to recognition streams.

A stream is opened only when somebody speaks, and is given what was said just before the
endpointer could be sure: silence costs no recognition. The stream may be a `Stream`
(recognised on the spot, for files) or a `LiveStream` (recognised by workers, for calls).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from ivr.speech import audio
from ivr.speech.endpointer import BARGE_IN_WINDOW_MS, Endpointer, Event, SpeechStarted

PREROLL_MS = 240  # audio given to the recogniser from before the first voiced frame: soft initials
_KEPT_FRAMES = (BARGE_IN_WINDOW_MS + PREROLL_MS) // audio.FRAME_MS + 1


class Feedable(Protocol):
    def feed(self, pcm: bytes) -> object: ...


S = TypeVar("S", bound=Feedable)


class Ear(Generic[S]):
    """`open_stream` is called at each onset; change it when the question changes."""

    def __init__(self, endpointer: Endpointer, open_stream: Callable[[], S]) -> None:
        self.endpointer = endpointer
        self.open_stream = open_stream
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_KEPT_FRAMES)
        self._stream: S | None = None

    def push(self, frame: bytes) -> Event | None:
        event = self.endpointer.push(frame)
        self._kept.append((self.endpointer.now_ms, frame))
        if isinstance(event, SpeechStarted):
            self._stream = self.open_stream()
            since = event.at_ms - PREROLL_MS
            self._stream.feed(b"".join(pcm for end_ms, pcm in self._kept if end_ms > since))
        elif self._stream is not None:
            self._stream.feed(frame)
        return event

    def take(self) -> S | None:
        """The stream of the answer that ended (or was cut off by hanging up), to be finished; once."""
        stream, self._stream = self._stream, None
        return stream
