"""Telephone audio: 8 kHz, 16-bit, mono, in frames of 20 ms. Pure numpy plus WAV files.

Everything in ivr.speech speaks this one format; who brings something else converts it
first (`ivr.speech.file`).
"""

from __future__ import annotations

import functools
import os
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xunfang.errors import BadInput

Samples = NDArray[np.int16]

RATE_HZ = 8_000
FRAME_MS = 20
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
FRAME_BYTES = FRAME_SAMPLES * 2
FULL_SCALE = 32_768.0

PROMPT_PEAK = 0.6  # of full scale (-4.4 dBFS): loud for old ears, with headroom for G.711
PROMPT_LEAD_MS = 100  # silence kept before the first sound, so that no consonant is clipped
PROMPT_TRAIL_MS = 150  # silence after the last sound: two prompts in a row do not run together
SOUND_FLOOR = 0.01  # of the peak (-40 dB): quieter than this at either end is silence
FADE_MS = 5  # at both cut ends, against clicks


def seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / RATE_HZ


def silence(ms: int) -> bytes:
    return b"\0\0" * (RATE_HZ * ms // 1000)


def to_samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, dtype="<i2").astype(np.int16)


def frames(pcm: bytes) -> list[bytes]:
    """Cut into 20 ms frames; the last one is filled up with silence."""
    short = -len(pcm) % FRAME_BYTES
    padded = pcm + b"\0" * short
    return [padded[at : at + FRAME_BYTES] for at in range(0, len(padded), FRAME_BYTES)]


def level_db(samples: NDArray[np.generic]) -> float:
    """RMS level in dBFS; digital silence is -120."""
    if not samples.size:
        return -120.0
    rms = float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))
    return 20.0 * float(np.log10(max(rms / FULL_SCALE, 1e-6)))


def sound_edges(samples: NDArray[np.generic]) -> tuple[int, int]:
    """Index of the first sample that sounds and one past the last; (0, 0) when none does."""
    loud = np.abs(samples.astype(np.float64))
    peak = float(loud.max(initial=0.0))
    heard = np.flatnonzero(loud > SOUND_FLOOR * peak) if peak > 0 else np.array([], dtype=np.intp)
    return (int(heard[0]), int(heard[-1]) + 1) if heard.size else (0, 0)


def shape_prompt(pcm: bytes) -> bytes:
    """Bring freshly synthesised speech to the form of a prompt: ends trimmed, level set."""
    samples = to_samples(pcm).astype(np.float64)
    first, last = sound_edges(samples)
    if first == last:
        raise BadInput("the synthesiser returned silence; check the text and the voice")
    lead, trail = RATE_HZ * PROMPT_LEAD_MS // 1000, RATE_HZ * PROMPT_TRAIL_MS // 1000
    body = samples[max(0, first - lead) : last + trail].copy()
    missing = trail - (len(samples[last : last + trail]))
    fade = RATE_HZ * FADE_MS // 1000
    ramp = np.linspace(0.0, 1.0, fade)
    body[:fade] *= ramp
    body[-fade:] *= ramp[::-1]
    body = np.concatenate([body, np.zeros(missing)])
    body *= PROMPT_PEAK * FULL_SCALE / np.abs(body).max()
    return np.round(body).astype("<i2").tobytes()


def read_wav(path: Path) -> bytes:
    """PCM of a WAV file that is already 8 kHz 16-bit mono; BadInput names what is different."""
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getframerate(), file.getsampwidth() * 8, file.getnchannels())
            if shape != (RATE_HZ, 16, 1):
                raise BadInput(
                    f"{path}: {shape[0]} Hz, {shape[1]} bit, {shape[2]} channel(s); need 8000, 16, 1"
                )
            return file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise BadInput(f"{path} is no readable WAV file: {error or 'it is cut off'}") from error


def write_wav(path: Path, pcm: bytes) -> None:
    """Write and put in place in one step: a reader never sees half a file."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with wave.open(str(part), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm)
    part.replace(path)


@functools.cache
def _alaw_table() -> Samples:
    """For each 16-bit value what is left of it after A-law encoding and decoding (ITU-T G.191)."""
    value = np.arange(-32_768, 32_768)
    magnitude = np.where(value < 0, ~value, value) >> 4
    exponent = np.maximum(0, np.floor(np.log2(np.maximum(magnitude, 1))).astype(int) - 3)
    shift = np.maximum(0, exponent - 1)
    mantissa = (magnitude >> shift) & 15
    decoded = np.where(exponent > 0, mantissa + 16, mantissa)
    decoded = ((decoded << 4) + 8) << shift
    table: Samples = np.where(value < 0, -decoded, decoded).astype(np.int16)
    return table


def through_alaw(pcm: bytes) -> bytes:
    """What the other end of a G.711 A-law trunk hears."""
    table = _alaw_table()
    return bytes(table[to_samples(pcm).astype(np.int32) + 32_768].astype("<i2").tobytes())
