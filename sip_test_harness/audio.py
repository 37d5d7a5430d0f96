"""Sound for the village: WAV files, tones of the telephone network, noise, and what it takes to hear.

Everything is 8 kHz, 16-bit, mono, little-endian, in frames of 20 ms.
"""

from __future__ import annotations

import wave
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xunfang.errors import BadScenario

RATE_HZ = 8000
FRAME_SAMPLES = 160
FRAME_BYTES = 320
FULL_SCALE = 32768

Samples = NDArray[np.float32]

TONE_HZ = 450  # GB/T 3971.2: ringback, busy and congestion tone of the Chinese network
TONE_LEVEL = 0.1  # of full scale, -20 dBFS
BUSY_ON_S = BUSY_OFF_S = 0.35
RINGBACK_ON_S, RINGBACK_OFF_S = 1.0, 4.0
BEEP_HZ, BEEP_S, BEEP_LEVEL = 1000, 0.6, 0.2  # 嘀声: after this, leave a message
SPEECH_RMS = 80.0  # a frame of a clean recording above this belongs to the speech
BREATH_FRAMES = 6  # 120 ms left before and after it
NOISE_SECONDS = 5  # length of the noise loop
NOISE_SEED = 20


def samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32)


def pcm(wide: Samples) -> bytes:
    return np.clip(np.round(wide), -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()


def rms(frame: bytes) -> float:
    heard = samples(frame)
    return float(np.sqrt(np.mean(heard * heard))) if len(heard) else 0.0


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE_HZ))


def read_wav(path: Path) -> bytes:
    try:
        with wave.open(str(path), "rb") as file:
            shape = file.getframerate(), file.getsampwidth(), file.getnchannels()
            frames = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as why:
        raise BadScenario(f"{path.name}: cannot be read as a WAV file: {why}") from None
    if shape != (RATE_HZ, 2, 1):
        raise BadScenario(f"{path.name}: must be 8000 Hz, 16-bit, mono; it is {shape[0]} Hz, {shape[2]} ch")
    return frames


def write_wav(path: Path, data: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(data)


def trimmed(data: bytes) -> bytes:
    """Speech without the synthesiser's silence before and after it; a breath of both is left."""
    wide = samples(data[: len(data) // FRAME_BYTES * FRAME_BYTES])
    levels = np.sqrt(np.mean(wide.reshape(-1, FRAME_SAMPLES) ** 2, axis=1))
    loud = np.flatnonzero(levels > SPEECH_RMS)
    if not len(loud):
        return data
    first, last = loud[0] - BREATH_FRAMES, loud[-1] + 1 + BREATH_FRAMES
    return data[max(0, first) * FRAME_BYTES : last * FRAME_BYTES]


# ---- tones --------------------------------------------------------------------------------------


def tone(hz: float, seconds: float, level: float = TONE_LEVEL) -> bytes:
    time = np.arange(int(seconds * RATE_HZ), dtype=np.float32) / RATE_HZ
    return pcm(np.sin(2 * np.pi * hz * time).astype(np.float32) * level * FULL_SCALE)


def busy_tone(seconds: float) -> bytes:
    """忙音: 450 Hz, 0.35 s on, 0.35 s off."""
    return _pattern(BUSY_ON_S, BUSY_OFF_S, seconds)


def ringback_tone(seconds: float) -> bytes:
    """回铃音: 450 Hz, 1 s on, 4 s off."""
    return _pattern(RINGBACK_ON_S, RINGBACK_OFF_S, seconds)


def beep() -> bytes:
    return tone(BEEP_HZ, BEEP_S, BEEP_LEVEL)


def _pattern(on_s: float, off_s: float, seconds: float) -> bytes:
    once = tone(TONE_HZ, on_s) + silence(off_s)
    size = 2 * int(seconds * RATE_HZ)
    return (once * (size // len(once) + 1))[:size]


# ---- a bad line ------------------------------------------------------------------------------------


@cache
def room_noise() -> Samples:
    """A loop of room-like noise (1/f) with RMS 1, the same in every run."""
    count = NOISE_SECONDS * RATE_HZ
    spectrum = np.fft.rfft(np.random.default_rng(NOISE_SEED).standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 50))
    noise: Samples = np.fft.irfft(spectrum, count).astype(np.float32)
    noise /= np.sqrt(np.mean(noise**2))
    return noise


def speech_level(data: bytes) -> float:
    """RMS of the loud half of the frames: pauses do not count as quiet speech."""
    frames = samples(data[: len(data) // FRAME_BYTES * FRAME_BYTES]).reshape(-1, FRAME_SAMPLES)
    if not len(frames):
        return 0.0
    power = np.sort(np.mean(frames * frames, axis=1))
    return float(np.sqrt(np.mean(power[len(power) // 2 :])))
