"""Sounds of the network that are no voice: tones and music. Pure numpy.

Chinese networks (GB/T 7611): 450 Hz throughout; busy 忙音 0.35 s on, 0.35 s off
(congestion 0.7/0.7 is counted as busy: on a standing call both mean that nobody is
there any more); ringback 回铃音 1 s on, 4 s off. A single short tone is a voicemail beep.

Conservative on purpose: None whenever in doubt. Taking an elder for a machine is worse
than listening to a machine for a while.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ivr.speech import audio

NETWORK_HZ = (425.0, 475.0)  # 450 Hz ± 25
BEEP_HZ = (380.0, 2_200.0)
BEEP_MS = (120, 1_500)
BUSY_MS = ((270, 430), (600, 800))  # busy, congestion: on and off alike
RINGBACK_ON_MS = (800, 1_200)
RINGBACK_OFF_MS = (3_500, 4_500)
QUIET_DB = -45.0  # dBFS; below is silence
PURE = 0.85  # share of a window's power within the strongest peak that makes it a pure tone
MUSIC_S = 4.0  # shortest stretch that may be called music
MUSIC_SOUNDING = 0.95  # share of windows that sound: speech breathes, music does not
MUSIC_STEADY = 0.60  # share of windows whose peaks stay as in the window before
STEADY_BINS = 0  # a held note does not leave its bin (15.6 Hz); a speaking voice glides
MUSIC_PEAKS = 3

KEPT_S = 8.0  # of the latest sound, for naming a tone: ringback needs 5.5 s
LEAD_S = 0.5  # sound before the endpointer's onset that belongs to a tone
SURE_SPEECH = 0.6  # recognised with more confidence than this, it is no tone

_WINDOW = 512  # samples: 64 ms, 15.6 Hz a bin
_HOP = 160  # 20 ms


@dataclass(frozen=True, slots=True)
class _Run:
    tone: bool
    ms: int
    hz: float


def classify(pcm: bytes) -> str | None:
    """busy | ringback | beep | music, or None: speech, silence, or not certain.

    Give it 1.5 s for busy, 5.5 s for ringback, 4 s for music.
    """
    power, level = _spectra(audio.to_samples(pcm))
    if not level.size:
        return None
    sounding = level > QUIET_DB
    peak = power.argmax(axis=1)
    near = [power[row, max(0, bin_ - 2) : bin_ + 3].sum() for row, bin_ in enumerate(peak)]
    pure = sounding & (np.array(near) > PURE * power.sum(axis=1))
    if sounding.any() and (pure | ~sounding).mean() > 0.9:
        return _cadence(_runs(pure, peak * audio.RATE_HZ / _WINDOW))
    return "music" if _is_music(power, sounding, pure) else None


def instead_of_words(pcm: bytes, confidence: float | None) -> str | None:
    """The tone that was taken for speech. `pcm`: from LEAD_S before its onset, at most the last KEPT_S."""
    return classify(pcm) if (confidence or 0.0) < SURE_SPEECH else None


def _spectra(samples: audio.Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Power spectrum (window × bin) and level in dBFS of each window."""
    count = max(0, (samples.size - _WINDOW) // _HOP + 1)
    if count == 0:
        return np.empty((0, 0)), np.empty(0)
    at = np.arange(count)[:, None] * _HOP + np.arange(_WINDOW)[None, :]
    windows = samples.astype(np.float64)[at]
    level = 20 * np.log10(np.maximum(np.sqrt((windows**2).mean(axis=1)) / audio.FULL_SCALE, 1e-6))
    power = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW), axis=1)) ** 2
    return power, level


def _runs(pure: NDArray[np.bool_], hz: NDArray[np.float64]) -> list[_Run]:
    runs = []
    at = 0
    for tone, group in itertools.groupby(pure.tolist()):
        length = len(list(group))
        pitch = float(np.median(hz[at : at + length])) if tone else 0.0
        runs.append(_Run(tone, length * _HOP * 1000 // audio.RATE_HZ, pitch))
        at += length
    return runs


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _cadence(runs: list[_Run]) -> str | None:
    """What pattern the tone makes. The first and last run are cut off by the excerpt."""
    tones = [run for run in runs if run.tone]
    inner = runs[1:-1]
    if all(_within(run.hz, NETWORK_HZ) for run in tones):
        if len(inner) >= 3 and any(all(_within(run.ms, limits) for run in inner) for limits in BUSY_MS):
            return "busy"
        off = [run for run in inner if not run.tone]
        if off and all(_within(run.ms, RINGBACK_OFF_MS) for run in off):
            whole = [run for run in inner if run.tone]
            if all(_within(run.ms, RINGBACK_ON_MS) for run in whole):
                return "ringback"
    lone = len(tones) == 1 and len(runs) > 1 and not runs[-1].tone
    if lone and _within(tones[0].hz, BEEP_HZ) and _within(tones[0].ms, BEEP_MS):
        return "beep"
    return None


def _is_music(power: NDArray[np.float64], sounding: NDArray[np.bool_], pure: NDArray[np.bool_]) -> bool:
    """Held notes without a breath, for several seconds, and not one single tone."""
    long_enough = len(sounding) * _HOP / audio.RATE_HZ >= MUSIC_S
    if not long_enough or sounding.mean() < MUSIC_SOUNDING or pure.mean() > 0.9:
        return False
    strongest = np.sort(np.argsort(power, axis=1)[:, -MUSIC_PEAKS:], axis=1)
    steady = (np.abs(np.diff(strongest, axis=0)) <= STEADY_BINS).all(axis=1)
    return bool(steady.mean() >= MUSIC_STEADY)
