"""Is there speech in this 20 ms frame? (语音活动检测) At 8 kHz, in noisy rooms.

Two witnesses must agree:
- WebRTC's VAD: is it shaped like speech? Alone it fires on babble from a television;
- the level: is it clearly above this call's own noise floor? Alone it fires on a slammed door.

The floor is a low percentile of the last seconds, so a room that becomes louder is
followed within seconds, and an elder who talks without pause does not raise it: between
syllables the level still falls to the floor.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

import webrtcvad

from ivr.speech import audio

AGGRESSIVENESS = 2  # of 0-3: how readily WebRTC calls a frame no speech; 3 loses soft old voices
MARGIN_DB = 9.0  # speech must stand this far above the floor
QUIETEST_SPEECH_DB = -56.0  # dBFS; comfort noise and line hum lie below
FLOOR_WINDOW_S = 4.0
FLOOR_PERCENTILE = 15
FLOOR_EVERY = 5  # frames between two looks at the floor: it moves slowly, percentiles cost
START_FLOOR_DB = -65.0  # assumed before anything was heard: somebody may speak at once
START_FRAMES = 5  # weight of that assumption: gone after 0.7 s
HIGHEST_FLOOR_DB = -24.0  # a floor above this would make speech itself inaudible

_WINDOW = int(FLOOR_WINDOW_S * 1000 / audio.FRAME_MS)


class Vad(Protocol):
    def is_speech(self, frame: bytes) -> bool:
        """One 20 ms frame of 8 kHz 16-bit mono PCM."""
        ...


class PhoneVad:
    """One per call: the floor belongs to the line and the room, not to one answer."""

    def __init__(self) -> None:
        self._webrtc = webrtcvad.Vad(AGGRESSIVENESS)
        self._levels: deque[float] = deque([START_FLOOR_DB] * START_FRAMES, maxlen=_WINDOW)
        self._frames = 0
        self.floor_db = START_FLOOR_DB

    def is_speech(self, frame: bytes) -> bool:
        level = audio.level_db(audio.to_samples(frame))
        shaped = bool(self._webrtc.is_speech(frame, audio.RATE_HZ))  # always: it adapts, too
        speech = shaped and level > max(QUIETEST_SPEECH_DB, self.floor_db + MARGIN_DB)
        self._levels.append(level)
        self._frames += 1
        if self._frames % FLOOR_EVERY == 0:
            lowest = sorted(self._levels)[len(self._levels) * FLOOR_PERCENTILE // 100]
            self.floor_db = min(HIGHEST_FLOOR_DB, lowest)
        return speech
