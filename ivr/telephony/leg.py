"""The audio side of one call: what we play, what we hear, and both side by side.

A `Leg` knows nothing of pjsua2: a `ConferencePort` (port.py) calls `next_frame` and then
`received` once per 20 ms tick, both from the media clock thread. Everything else is
called from any thread. Nothing here blocks for longer than a list operation, because a
port that sleeps stalls the whole bridge.

    play("p1") ──► queue ──► next_frame ──► RTP         left of the recording
                                  │ notices: Started, Finished
    RTP ──► received ──► on_frame(offset, frame)          right of the recording

The position of a leg counts samples since its media came up; recording, transcript and
endpointer all use it, so seconds in the ledger are seconds of the file.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

from ivr.telephony.model import FRAME_BYTES, FRAME_SAMPLES, RATE, SILENCE

RELAY_FRAMES = 5  # 100 ms of the other party's voice: more would be heard as delay

FrameSink = Callable[[int, bytes], None]
StereoSink = Callable[[bytes, bytes], None]


@dataclass(frozen=True, slots=True)
class Started:
    """The first frame of a clip left. `at`: time.monotonic() of that moment."""

    clip: int
    sample: int
    at: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The last frame of a clip left; never sent for a clip that was stopped."""

    clip: int
    sample: int


Notice = Started | Finished


class _Clip:
    __slots__ = ("number", "pcm", "position")

    def __init__(self, number: int, pcm: bytes) -> None:
        self.number = number
        self.pcm = pcm
        self.position = 0


class Leg:
    """`on_frame(offset, frame)` and `record(ours, theirs)` run on the clock thread: enqueue and return."""

    def __init__(self, on_frame: FrameSink | None = None, record: StereoSink | None = None) -> None:
        self.notices: SimpleQueue[Notice] = SimpleQueue()
        self.errors = 0  # frames whose sinks raised; the bridge must never see an exception
        self._on_frame = on_frame
        self._record = record
        self._clips: deque[_Clip] = deque()
        self._clip_count = 0
        self._lock = threading.Lock()
        self._position = 0
        self._frames_heard = 0
        self._sent = SILENCE
        self._other: Leg | None = None
        self._relay: deque[bytes] = deque(maxlen=RELAY_FRAMES)

    # ---- for the session ----------------------------------------------------------------

    @property
    def position(self) -> int:
        """Samples since the media came up."""
        return self._position

    @property
    def seconds(self) -> float:
        return self._position / RATE

    @property
    def frames_heard(self) -> int:
        """Frames that carried audio; early silence of an idle bridge does not count."""
        return self._frames_heard

    @property
    def playing(self) -> bool:
        with self._lock:
            return bool(self._clips)

    def play(self, pcm: bytes) -> int:
        """Queue 8 kHz 16-bit mono PCM behind what is playing; returns the number its notices carry."""
        with self._lock:
            self._clip_count += 1
            self._clips.append(_Clip(self._clip_count, pcm))
            return self._clip_count

    def stop(self) -> bool:
        """Fall silent at the next frame (barge-in). True when something was still to be said."""
        with self._lock:
            was_playing = bool(self._clips)
            self._clips.clear()
            return was_playing

    def bridge(self, other: Leg | None) -> None:
        """Let two parties hear one another (None: end it). Either side's own clips take precedence.

        Relaying here and not in pjsip's bridge puts the third party's voice on the left
        channel of the elder's recording.
        """
        former, self._other = self._other, other
        self._relay.clear()
        if former is not None and former is not other and former._other is self:
            former.bridge(None)
        if other is not None and other._other is not self:
            other.bridge(self)

    # ---- for the port -------------------------------------------------------------------

    def next_frame(self) -> bytes:
        """The 320 bytes that leave now."""
        frame = SILENCE
        with self._lock:
            clip = self._clips[0] if self._clips else None
            if clip is not None:
                if clip.position == 0:
                    self.notices.put(Started(clip.number, self._position, time.monotonic()))
                frame = clip.pcm[clip.position : clip.position + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
                clip.position += FRAME_BYTES
                if clip.position >= len(clip.pcm):
                    self._clips.popleft()
                    self.notices.put(Finished(clip.number, self._position + FRAME_SAMPLES))
        if clip is None and self._other is not None and self._relay:
            frame = self._relay.popleft()
        self._sent = frame
        return frame

    def received(self, frame: bytes | None) -> None:
        """What came in during the same tick; None when the bridge had nothing."""
        heard = SILENCE if frame is None or len(frame) != FRAME_BYTES else frame
        if frame is not None:
            self._frames_heard += 1
        other = self._other
        if other is not None:
            other._relay.append(heard)
        try:
            if self._on_frame is not None:
                self._on_frame(self._position, heard)
            if self._record is not None:
                self._record(self._sent, heard)
        except Exception:
            self.errors += 1
        self._position += FRAME_SAMPLES
