"""Recordings for the browser: where the file is, its peaks, and the sound of a call that still goes on.

A recording is stereo (left: us, right: them), written while the call goes on (ivr.telephony.recording).
Peaks are computed once and kept beside it as `FILE.peaks.json`; who erases a recording erases that too
(`with_peaks`).
"""

from __future__ import annotations

import asyncio
import json
import os
import wave
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from storage.files import PEAKS_SUFFIX, recording_files
from xunfang.errors import NotFound

BUCKETS = 1000  # one bar for each pixel of the widest waveform
SCALE = 100  # of a peak in the JSON: whole numbers are shorter
FULL = 32768
HEADER_BYTES = 44
FRAME_BYTES = 4  # two channels of 16 bits
RATE = 8000
LIVE_EVERY_S = 0.25  # how often a growing file is looked at; the writer flushes every 0.5 s
LIVE_BEGINS_S = 1.0  # before the end: who listens in hears what is said now
LIVE_CHECK_S = 2.0  # how often the call is asked whether it still lives
LIVE_QUIET_S = 15.0  # nothing written for so long: the line is gone, whatever the ledger says
OWNER_ONLY = 0o600


class Sound(Enum):
    """What there is to hear, in the words of the page."""

    READY = ""
    NONE = "这通电话没有录音：没有接通，或老人没有同意录音。"
    MISSING = "录音文件不在了：可能已按保存期限删除，或存放录音的磁盘没有接上。文字记录不受影响。"
    EMPTY = "录音文件是空的（没有声音数据）：写录音时磁盘可能已满。文字记录不受影响。"
    BROKEN = "录音文件损坏，无法播放。文字记录不受影响。"


@dataclass(frozen=True, slots=True)
class Recording:
    sound: Sound
    path: Path | None = None
    seconds: float = 0.0


def look(folder: Path, recording: str | None) -> Recording:
    """Never raises: what cannot be heard is said in words."""
    if not recording:
        return Recording(Sound.NONE)
    path = _inside(folder, recording)
    try:
        size = path.stat().st_size if path is not None and path.is_file() else None
    except OSError:
        size = None
    if path is None or size is None:
        return Recording(Sound.MISSING)
    if size <= HEADER_BYTES:
        return Recording(Sound.EMPTY, path)
    try:
        with wave.open(str(path)) as file:
            seconds = file.getnframes() / file.getframerate()
            usual = (file.getnchannels(), file.getsampwidth()) == (2, 2)
    except (OSError, EOFError, wave.Error, ZeroDivisionError):
        return Recording(Sound.BROKEN, path)
    if not usual:
        return Recording(Sound.BROKEN, path)
    return Recording(Sound.READY if seconds else Sound.EMPTY, path, seconds)


def _inside(folder: Path, recording: str) -> Path | None:
    """A path that leaves the folder is no recording."""
    files = recording_files(folder, recording)
    return None if files is None else files[0]


def with_peaks(path: Path) -> tuple[Path, Path]:
    """The recording and what was computed from it."""
    return path, path.with_name(path.name + PEAKS_SUFFIX)


def peaks(path: Path, keep: bool = True) -> dict[str, Any]:
    """{"duration": seconds, "channels": [[0..SCALE], [...]]}. `keep`: the file does not grow any more.
    Raises NotFound when it cannot be read."""
    try:
        facts = path.stat()
        stamp = [facts.st_size, facts.st_mtime_ns]
        kept = with_peaks(path)[1]
        if keep and (found := _kept(kept, stamp)) is not None:
            return found
        made = {"of": stamp, **_computed(path)}
    except (OSError, EOFError, wave.Error):
        raise NotFound(Sound.BROKEN.value) from None
    if keep:
        with suppress(OSError):  # a full or read-only disk: computed again next time
            _write(kept, json.dumps(made, separators=(",", ":")))
    return made


def _kept(file: Path, stamp: list[int]) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("of") == stamp else None


def _computed(path: Path) -> dict[str, Any]:
    with wave.open(str(path)) as file:
        frames, rate = file.getnframes(), file.getframerate()
        step = max(1, -(-frames // BUCKETS))
        left, right = array("B"), array("B")
        while data := file.readframes(step):
            loudest = np.abs(np.frombuffer(data, "<i2").astype(np.int32)).reshape(-1, 2).max(axis=0)
            left.append(int(loudest[0]) * SCALE // FULL)
            right.append(int(loudest[1]) * SCALE // FULL)
    return {"duration": round(frames / rate, 3), "channels": [left.tolist(), right.tolist()]}


def _write(file: Path, text: str) -> None:
    """Whole or not at all; nobody else may look at it."""
    part = file.with_name(f"{file.name}.{os.getpid()}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w", encoding="utf-8") as out:
        out.write(text)
    part.replace(file)


async def growing(path: Path, lives: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Samples (16 bits, two channels, 8 kHz) from now on, as they are written, until the call is over.

    `lives` asks the ledger, in a thread. About as late as the writer's flush and one look: 1 s.
    """
    end = await asyncio.to_thread(_size, path)
    position = HEADER_BYTES + max(0, _whole(end - HEADER_BYTES) - int(LIVE_BEGINS_S * RATE) * FRAME_BYTES)
    quiet = asked = 0.0
    over = False
    while quiet < LIVE_QUIET_S:
        data = await asyncio.to_thread(_read, path, position)
        position += len(data)
        quiet = 0.0 if data else quiet + LIVE_EVERY_S
        if data:
            yield data
        elif over:
            return
        asked += LIVE_EVERY_S
        if asked >= LIVE_CHECK_S and not over:
            asked, over = 0.0, not await asyncio.to_thread(lives)
        await asyncio.sleep(LIVE_EVERY_S)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _whole(count: int) -> int:
    return max(0, count) // FRAME_BYTES * FRAME_BYTES


def _read(path: Path, position: int) -> bytes:
    """Whole frames only: half a sample would turn the rest into noise."""
    try:
        with path.open("rb") as file:
            file.seek(position)
            data = file.read(RATE * FRAME_BYTES * 4)
    except OSError:
        return b""
    return data[: _whole(len(data))]
