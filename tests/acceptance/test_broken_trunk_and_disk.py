"""A trunk that is down and a disk that is full: what becomes of a call that `xunfang call` makes."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from command_line import COMMAND, environment, running, until, xunfang

from sip_test_harness.formats import load_persona
from xunfang import setup
from xunfang.clock import SystemClock
from xunfang.demo.folder import FIRST_PORT, LAST_PORT, PORT_STEP, SIP_PORTS_NEEDED, free_ports
from xunfang.demo.ledger import enrol_persona
from xunfang.errors import TrunkError
from xunfang.settings import load
from xunfang.vocabulary import CallDisposition
from xunfang.wiring import open_store

pytestmark = [pytest.mark.acceptance, pytest.mark.realtime, pytest.mark.timeout(400)]

VILLAGE_RTP, LINE_RTP = 21000, 21600
CALL_S = 240.0  # one call on a busy machine
TINY_DISK = 64 * 1024  # two seconds of stereo sound
SMALL_FILE = 1024 * 1024  # where nothing can be mounted: more than the database, less than the recording


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A new installation, as `xunfang init` makes it."""
    setup.init(tmp_path)
    return tmp_path


def one_elder(house: Path, port: int, recordings: Path) -> int:
    """An installation that calls one elder at this port; returns the elder's id."""
    (house / setup.SETTINGS_FILE).write_text(
        f"""\
[storage]
secret_key_file = "{setup.KEY_FILE}"
[trunk]
gateways = ["127.0.0.1:{port}"]
setup_s = 3
rtp_port = {LINE_RTP}
[recording]
folder = "{recordings}"
""",
        "utf-8",
    )
    persona = load_persona("well")
    with open_store(load(house / setup.SETTINGS_FILE, {})) as store, store.begin() as work:
        return enrol_persona(work, persona, "demo_short", SystemClock().now()).id


def test_a_trunk_that_is_down_is_told_and_is_no_missed_call(house: Path) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    elder = one_elder(house, port, house / "recordings")
    ran = xunfang("call", str(elder), "--anyway", cwd=house, timeout=CALL_S)
    assert ran.returncode == TrunkError.exit_code, ran.stdout + ran.stderr
    assert "线路故障" in ran.stdout
    assert f"127.0.0.1:{port}" in ran.stderr
    assert "trunk" in ran.stderr
    with open_store(load(house / setup.SETTINGS_FILE, {})) as store, store.read() as work:
        (call,) = work.calls.of_elder(elder)
        assert call.disposition is CallDisposition.TRUNK_FAILURE
        assert work.cases.open_for(elder) is None


@contextmanager
def full_disk(folder: Path) -> Iterator[bool]:
    """`folder` has room for two seconds of sound. False when it could not be mounted."""
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={TINY_DISK}", "tmpfs", str(folder))
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(("umount", "-l", str(folder)), check=True)


def test_a_full_disk_costs_the_recording_and_never_the_call(house: Path, tmp_path: Path) -> None:
    port = free_ports(range(FIRST_PORT, LAST_PORT, PORT_STEP), SIP_PORTS_NEEDED)
    recordings = house / "recordings"
    with ExitStack() as stack:
        mounted = stack.enter_context(full_disk(recordings))
        elder = one_elder(house, port, recordings)
        beside = house / "village"
        beside.mkdir()
        words = (
            "harness",
            "village",
            "--port",
            str(port),
            "--rtp-port",
            str(VILLAGE_RTP),
            "--processes",
            "1",
        )
        village = stack.enter_context(running(*words, cwd=beside))
        until(
            lambda: "personas answer" in (beside / "out").read_text("utf-8") or village.poll(),
            60.0,
            "the village did not start",
        )
        ran = subprocess.run(
            [*COMMAND, "call", str(elder), "--anyway", "--json"],
            cwd=house,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=CALL_S,
            preexec_fn=None if mounted else _small_files,
        )
        assert ran.returncode == 0, ran.stderr
        told = json.loads(ran.stdout)
        written = [file for file in recordings.rglob("*.wav") if file.stat().st_size]
    assert told["call"]["disposition"] == "completed"
    with open_store(load(house / setup.SETTINGS_FILE, {})) as store, store.read() as work:
        answers = {each.question: each.answer for each in work.answers.of(told["call"]["id"])}
        (lost,) = [
            each for each in work.audit.of(f"call:{told['call']['id']}") if each.kind == "recording.lost"
        ]
    assert answers == {"identity": "self", "health": "good", "event": "no", "needs": "no"}
    assert lost.detail["why"] in ("No space left on device", "File too large")
    assert (told["call"]["recording"] is not None) == bool(written)


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILE, SMALL_FILE))
