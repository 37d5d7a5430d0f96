"""A recording must outlive the process that wrote it, and a call must outlive its recording."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import time
import wave
from pathlib import Path

import pytest

from ivr.telephony.recording import FLUSH_S, StereoRecording

pytestmark = pytest.mark.integration

NOBODY = 65534
OURS, THEIRS = b"\x01\x00" * 160, b"\x02\x00" * 160

WRITER = """
import sys, time
from pathlib import Path
from ivr.telephony.recording import StereoRecording
recording = StereoRecording(Path(sys.argv[1]), lambda why: None)
due = time.monotonic()
while True:
    recording.put(b"\\x01\\x00" * 160, b"\\x02\\x00" * 160)
    due += 0.02
    time.sleep(max(0, due - time.monotonic()))
"""


def read(path: Path) -> tuple[float, bytes]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        data = file.readframes(file.getnframes())
        assert len(data) == 4 * file.getnframes()
        return file.getnframes() / 8000, data


def test_the_file_holds_our_voice_on_the_left_and_theirs_on_the_right(tmp_path: Path) -> None:
    path = tmp_path / "2026" / "call.wav"
    recording = StereoRecording(path, pytest.fail)
    for _ in range(100):
        recording.put(OURS, THEIRS)
    recording.close()
    seconds, data = read(path)
    assert seconds == 2.0
    assert data == b"\x01\x00\x02\x00" * 16000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_call_without_sound_leaves_no_file(tmp_path: Path) -> None:
    StereoRecording(tmp_path / "call.wav", pytest.fail).close()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_recording_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(b"evidence")
    lost: list[str] = []
    recording = StereoRecording(path, lost.append)
    recording.put(OURS, THEIRS)
    recording.close()
    assert lost == ["File exists"]
    assert path.read_bytes() == b"evidence"


def test_a_process_killed_in_mid_call_leaves_a_readable_file_up_to_the_last_second(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    began = time.monotonic()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
    try:
        while not path.exists() or path.stat().st_size < 4 * 8000 * 2:
            assert time.monotonic() - began < 20
            assert writer.poll() is None
            time.sleep(0.02)
        grown = path.stat().st_size
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    seconds, data = read(path)
    assert data == b"\x01\x00\x02\x00" * int(seconds * 8000)
    assert seconds >= (grown - 44) / 32000 - FLUSH_S - 0.1


def test_a_full_disk_ends_the_recording_once_and_keeps_what_was_written(tmp_path: Path) -> None:
    """RLIMIT_FSIZE makes the kernel refuse to grow the file, as a full disk does."""
    path = tmp_path / "call.wav"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    lost: list[str] = []
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        recording = StereoRecording(path, lost.append)
        for _ in range(100):  # 64,000 bytes: fits
            recording.put(OURS, THEIRS)
        until = time.monotonic() + 5
        while recording.seconds < 2.0 and time.monotonic() < until:
            time.sleep(0.01)
        for _ in range(100):  # does not
            recording.put(OURS, THEIRS)
        while not lost and time.monotonic() < until:
            time.sleep(0.01)
        recording.put(OURS, THEIRS)
        recording.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert lost == ["File too large"]
    assert read(path)[0] >= 2.0


def test_a_folder_without_permission_loses_the_recording_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    lost: list[str] = []
    if os.geteuid() == 0:
        os.seteuid(NOBODY)  # root may write anywhere
    try:
        recording = StereoRecording(tmp_path / "call.wav", lost.append)
        recording.put(OURS, THEIRS)
        recording.close()
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
    assert lost == ["Permission denied"]
