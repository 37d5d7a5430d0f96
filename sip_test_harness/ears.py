"""How a softphone hears the caller: is somebody speaking, and which prompt was it?

Prompts are recordings that reach us unchanged but for G.711 and a little packet loss. Each time the
caller pauses, the last second of what they said is compared with the endings of all prompts
by normalised cross-correlation: the same recording gives about 1.0, other words of the same voice
less than 0.4. So a softphone knows the words of the question it answers without understanding speech,
whatever number of prompts came before. Prompts nobody knows (a cache of fresh ones) count as turns only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from sip_test_harness import audio

PROMPTS = Path(__file__).parents[1] / "ivr" / "dialplans" / "prompts"
LOUD_RMS = 130.0  # a frame above is sound; A-law silence is 8, prompts peak near 10,000
START_FRAMES = 3  # loud frames in a row that make a beginning
PAUSE_FRAMES = 8  # 160 ms of quiet end a stretch of speech
TAIL_S = 1.0  # so much of a prompt's end is compared
SLACK_S = 0.5  # how far the end may lie from where we think it is
DECIMATE = 2  # compare at 4 kHz: half the work, the same answer
SAME = 0.6  # correlation from which it is the same recording
WORTH_A_LOOK = 0.45  # of one half; a frame lost in its middle leaves 0.5
TITLE = "，您好。"  # 王奶奶，您好。 is never the last thing said: left out of the bank

Spectrum = NDArray[np.complexfloating]
_Piece = tuple[int, Spectrum]  # samples, conjugate spectrum of unit energy


class Bank:
    """Endings of all known prompts, ready to be compared.

    An ending is compared in two halves, each wherever it fits best: a jitter buffer that drops or
    repeats a frame shifts what comes before it, and one piece that must fit as a whole would fail.
    """

    def __init__(self, prompts: Iterable[tuple[str, bytes]]) -> None:
        self.texts: list[str] = []
        tail_length = int(TAIL_S * audio.RATE_HZ) // DECIMATE
        self._window = int((TAIL_S + SLACK_S) * audio.RATE_HZ) // DECIMATE
        # A piece that lies wholly inside the window never wraps round: no padding is needed.
        self._size = 1 << (self._window - 1).bit_length()
        self._pieces: list[list[_Piece]] = []  # of each text, the last one first
        for text, pcm in prompts:
            tail = _trimmed(_slow(pcm))[-tail_length:]
            cuts = [tail] if len(tail) < tail_length else [tail[tail_length // 2 :], tail[: tail_length // 2]]
            pieces = [self._piece(cut) for cut in cuts if np.any(cut)]
            if pieces:
                self.texts.append(text)
                self._pieces.append(pieces)

    def name(self, heard: bytes) -> tuple[str | None, float]:
        """(text of the prompt that `heard` ends with or None, best correlation)."""
        x = _slow(heard)[-self._window :]
        spectrum = np.fft.rfft(x, self._size)
        energy = np.concatenate(([0.0], np.cumsum(x.astype(np.float64) ** 2)))
        best, best_score = -1, 0.0
        for at, pieces in enumerate(self._pieces):
            score = 0.0
            for piece in pieces:
                fits = self._fit(piece, spectrum, energy)
                if fits < WORTH_A_LOOK:
                    break  # nobody that begins so badly gets there
                score += fits / len(pieces)
            if score > best_score:
                best, best_score = at, score
        return (self.texts[best] if best_score >= SAME else None), best_score

    def _piece(self, samples: audio.Samples) -> _Piece:
        unit = samples / np.sqrt(np.sum(samples * samples))
        return len(samples), np.conj(np.fft.rfft(unit, self._size)).astype(np.complex64)

    def _fit(self, piece: _Piece, spectrum: Spectrum, energy: NDArray[np.float64]) -> float:
        """Best normalised correlation of the piece at any place of the window."""
        length, of_piece = piece
        lags = len(energy) - length
        if lags <= 0:
            return 0.0
        alike = np.fft.irfft(spectrum * of_piece, self._size)[:lags]
        power = np.sqrt(np.maximum(energy[length : length + lags] - energy[:lags], 1.0))
        return float(np.max(alike / power))


def _slow(pcm: bytes) -> audio.Samples:
    wide = audio.samples(pcm)
    slow: audio.Samples = wide[: len(wide) // DECIMATE * DECIMATE].reshape(-1, DECIMATE).mean(axis=1)
    return slow


def _trimmed(wide: audio.Samples) -> audio.Samples:
    """Without the silence at the end, by the same measure as `Ears`."""
    step = audio.FRAME_SAMPLES // DECIMATE
    end = len(wide)
    while end > step and float(np.sqrt(np.mean(wide[end - step : end] ** 2))) < LOUD_RMS:
        end -= step
    return wide[:end]


@cache
def bank_of(folder: Path = PROMPTS) -> Bank:
    """The prompts of a folder; empty when none are rendered yet. Index: text -> {file: …}."""
    path = folder / "index.yaml"
    if not path.exists():
        return Bank(())
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows: dict[str, dict[str, str]] = yaml.load(path.read_text("utf-8"), Loader=loader) or {}
    return Bank(
        (text, audio.read_wav(folder / row["file"]))
        for text, row in rows.items()
        if not text.endswith(TITLE) and (folder / row["file"]).exists()
    )


@dataclass(frozen=True, slots=True)
class Began:
    """The caller began to speak."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The caller fell quiet `quiet_ms` ago. `text`: the prompt that ended, when it is known."""

    text: str | None
    quiet_ms: int


class Ears:
    """Frame by frame, 20 ms each: Began, Paused or nothing."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._kept = bytearray()
        self._keep = int((TAIL_S + SLACK_S + 0.2) * audio.RATE_HZ) * 2
        self._loud = 0
        self._quiet = 0
        self.speaking = False

    @property
    def quiet_ms(self) -> int:
        """How long the caller has been quiet; 0 while they speak."""
        return 0 if self.speaking else self._quiet * 20

    def hear(self, frame: bytes) -> Began | Paused | None:
        self._kept += frame
        del self._kept[: -self._keep]
        if audio.rms(frame) >= LOUD_RMS:
            self._loud += 1
            self._quiet = 0
        else:
            self._loud = 0
            self._quiet += 1
        if not self.speaking and self._loud >= START_FRAMES:
            self.speaking = True
            return Began()
        if self.speaking and self._quiet >= PAUSE_FRAMES:
            self.speaking = False
            text, _ = self._bank.name(bytes(self._kept))
            return Paused(text, self._quiet * 20)
        return None
