"""A call's recording (录音): stereo WAV, left = what we said, right = what we heard.

Written while the call goes on, so that a killed process leaves a file that any player
opens: every FLUSH_S the samples are appended first, then the two length fields of the
header are set to what is surely there. A kill loses at most FLUSH_S of sound.

The clock thread only enqueues; one thread per recording writes. A full disk or a missing
permission ends the recording once, through `on_lost`, and never the call; what had been
written by then stays readable.
"""

from __future__ import annotations

import os
import struct
import threading
from array import array
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue

from ivr.telephony.model import RATE

FLUSH_S = 0.5
CLOSE_WAIT_S = 2.0  # a disk that hangs must not hold up the calls that go on
CHANNELS = 2
SAMPLE_BYTES = 2
HEADER_BYTES = 44
_RIFF_LENGTH_AT, _DATA_LENGTH_AT = 4, 40
OWNER_ONLY = 0o600  # a voice is health data


def header(data_bytes: int) -> bytes:
    """The 44 bytes before the samples."""
    frame = CHANNELS * SAMPLE_BYTES
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        HEADER_BYTES - 8 + data_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        CHANNELS,
        RATE,
        RATE * frame,
        frame,
        SAMPLE_BYTES * 8,
        b"data",
        data_bytes,
    )


def interleave(ours: bytes, theirs: bytes) -> bytes:
    """Two mono frames of equal length into one stereo frame."""
    stereo = array("h", bytes(len(ours) + len(theirs)))
    stereo[0::2] = array("h", ours)
    stereo[1::2] = array("h", theirs)
    return stereo.tobytes()


class StereoRecording:
    """`put` from the clock thread; `on_lost(why)` at most once, from the writer thread; `close` at the end.

    The file is made with the first sound, so an unanswered call leaves none. An existing
    file is never overwritten: a recording is evidence.
    """

    def __init__(self, path: Path, on_lost: Callable[[str], None]) -> None:
        self._path = path
        self._on_lost = on_lost
        self._frames: SimpleQueue[tuple[bytes, bytes]] = SimpleQueue()
        self._lost = False
        self._stopping = threading.Event()
        self._fd: int | None = None
        self._data_bytes = 0
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def put(self, ours: bytes, theirs: bytes) -> None:
        if not self._lost:
            self._frames.put((ours, theirs))

    def close(self) -> None:
        """Write what is left; returns when the file is whole (or the disk hangs)."""
        self._stopping.set()
        self._thread.join(CLOSE_WAIT_S)

    @property
    def seconds(self) -> float:
        """Length of what is safely in the file."""
        return self._data_bytes / (RATE * CHANNELS * SAMPLE_BYTES)

    def _run(self) -> None:
        try:
            while not self._stopping.wait(FLUSH_S):
                self._write_waiting()
            self._write_waiting()
        except OSError as error:
            self._lost = True
            # The path may name a person: only the reason leaves.
            self._on_lost(error.strerror or type(error).__name__)
        finally:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _write_waiting(self) -> None:
        chunks: list[bytes] = []
        while True:
            try:
                chunks.append(interleave(*self._frames.get_nowait()))
            except Empty:
                break
        if not chunks:
            return
        if self._fd is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            _write_all(self._fd, header(0), 0)
        data = b"".join(chunks)
        _write_all(self._fd, data, HEADER_BYTES + self._data_bytes)
        total = self._data_bytes + len(data)
        os.pwrite(self._fd, struct.pack("<I", total), _DATA_LENGTH_AT)
        os.pwrite(self._fd, struct.pack("<I", HEADER_BYTES - 8 + total), _RIFF_LENGTH_AT)
        self._data_bytes = total


def _write_all(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written
