"""Bringing every voice to the level that the recogniser was made for (电平归一).

Measured with the starter model (144 phrases, two unheard voices, A-law): phrases exact
0.76 at the level of the prompts, 0.67 ten dB below, 0.33 twenty dB below; with the level
restored 0.76-0.77 throughout. Lines differ by 20 dB, and so do old voices.

The start of an utterance is held until there is enough sound to judge by; after that the
gain only drifts, so that loud and soft syllables keep their difference. Held audio is no
delay to the reply: it is decoded while the elder is still speaking.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ivr.speech import audio

TARGET_DB = -13.0  # dBFS, of the louder frames of speech: that of the prompts
LOUDER_PERCENTILE = 90  # which frames are the louder ones
SOUND_DB = -58.0  # frames below are pause or line noise and do not count
MOST_GAIN_DB = 30.0  # more would only amplify the line
LEAST_GAIN_DB = -10.0
HOLD_MS = 700  # the preroll and some 400 ms of speech: enough to judge by
DRIFT_DB_PER_S = 6.0  # how fast the gain may change afterwards
CEILING = 0.95  # of full scale: never clip

_HOLD_BYTES = audio.RATE_HZ * HOLD_MS // 1000 * 2


class Leveller:
    """One utterance. Pieces may have any length; every sample comes out once, in order."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._levels: list[float] = []
        self._gain_db: float | None = None

    def push(self, pcm: bytes) -> bytes:
        """What may be decoded now; empty while the level is not known yet."""
        self._listen(pcm)
        if self._gain_db is None:
            self._held += pcm
            return self.flush() if len(self._held) >= _HOLD_BYTES else b""
        return self._amplify(pcm)

    def flush(self) -> bytes:
        """What is still held."""
        held = bytes(self._held)
        self._held.clear()
        if self._gain_db is None:
            self._gain_db = self._wanted_db()
        return self._amplify(held)

    def _listen(self, pcm: bytes) -> None:
        samples = audio.to_samples(pcm)
        whole = samples[: samples.size // audio.FRAME_SAMPLES * audio.FRAME_SAMPLES]
        levels = [audio.level_db(frame) for frame in whole.reshape(-1, audio.FRAME_SAMPLES)]
        self._levels += (level for level in levels if level > SOUND_DB)

    def _wanted_db(self) -> float:
        if not self._levels:
            return 0.0
        level = float(np.percentile(self._levels, LOUDER_PERCENTILE))
        return min(MOST_GAIN_DB, max(LEAST_GAIN_DB, TARGET_DB - level))

    def _amplify(self, pcm: bytes) -> bytes:
        samples: NDArray[np.float64] = audio.to_samples(pcm).astype(np.float64)
        if not samples.size or self._gain_db is None:
            return pcm
        drift = DRIFT_DB_PER_S * samples.size / audio.RATE_HZ
        before = self._gain_db
        self._gain_db = min(before + drift, max(before - drift, self._wanted_db()))
        ramp = 10.0 ** (np.linspace(before, self._gain_db, samples.size) / 20.0)
        peak = float(np.abs(samples * ramp).max()) / audio.FULL_SCALE
        if peak > CEILING:
            ramp *= CEILING / peak
        return bytes(np.round(samples * ramp).astype("<i2").tobytes())
