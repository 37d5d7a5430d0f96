"""The demo's folder: settings, key, database and recordings of one run.

A finished demo is wiped and played again; an interrupted one is continued where it stopped. A
folder with anything else in it is never touched.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xunfang import setup
from xunfang.errors import BadInput
from xunfang.settings import ENV_PREFIX, Settings, load

ENV_LOG = ENV_PREFIX + "LOG__"
STATE = "demo.state"
RUNNING, FINISHED = "running", "finished"
OURS = ("recordings", "prompts", "models", "xunfang.db", "xunfang.db-wal", "xunfang.db-shm", "ladder.yaml")

# Ports: the village's exchange and its softphones, their RTP, and the RTP of our lines.
FIRST_PORT, LAST_PORT, PORT_STEP = 5700, 5990, 10
SIP_PORTS_NEEDED = 5
VILLAGE_RTP, LINES_RTP, RTP_STEP, RTP_SPAN = 34000, 24000, 600, 6000

# Everything happens in minutes instead of days; otherwise these are the shipped rules.
LADDER = """\
max_attempts: 6
dispositions:
  completed:       {done: true}
  busy:            {retry: [6s, 6s],    escalate: missed_call}
  no_answer:       {retry: [6s],        escalate: missed_call}
  powered_off:     {retry: [6s],        escalate: missed_call}
  unreachable:     {retry: [6s],        escalate: missed_call}
  rejected:        {retry: [6s],        escalate: missed_call}
  suspended:       {retry: [],          escalate: number_problem}
  invalid_number:  {retry: [],          escalate: number_problem}
  voicemail:       {retry: [6s],        escalate: missed_call}
  answered_silent: {retry: [],          escalate: missed_call}
  other_person:    {retry: [],          escalate: other_person}
  asked_later:     {retry: [6s],        escalate: missed_call}
  hung_up_early:   {retry: [6s],        escalate: unclear}
  trunk_failure:   {retry: [3s, 10s], counts: false, escalate: not_dialled}
  interrupted:     {retry: [2s, 5s],  counts: false, escalate: not_dialled}
  not_dialled:     {retry: [3s, 10s], counts: false, escalate: not_dialled}
"""

SETTINGS = """\
# Written anew by every `xunfang demo`. 演示用：时间以秒计。
[storage]
secret_key_file = "secret.key"

[trunk]
gateways = ["127.0.0.1:{port}"]
caller_id = "12349"
ring_s = 8
rtp_port = {rtp_port}

[lines]
count = 2
calls_per_line = 3

[schedule]
hours = ["00:00-24:00"]
channels = 4
spread = false
max_calls_per_day = 10
min_gap_s = 2
tick_s = 0.5
ladder = "ladder.yaml"

[duty]
number = "{duty}"

[log]
level = "WARNING"
"""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    path: Path
    settings: Settings
    port: int  # of the village's exchange
    village_rtp: int
    continued: bool  # an interrupted run goes on

    def finished(self) -> None:
        (self.path / STATE).write_text(FINISHED, "utf-8")


def prepare(folder: Path, duty_number: str) -> DemoFolder:
    """Make the folder ready. BadInput when it holds something that is not a demo."""
    state = _state(folder)
    if state == FINISHED:
        for name in OURS:
            _remove(folder / name)
    setup.init(folder)
    (folder / STATE).write_text(RUNNING, "utf-8")
    (folder / "ladder.yaml").write_text(LADDER, "utf-8")
    port = free_ports(range(FIRST_PORT, LAST_PORT, PORT_STEP), SIP_PORTS_NEEDED)
    shift = (port - FIRST_PORT) // PORT_STEP * RTP_STEP % RTP_SPAN  # demos side by side: each its own RTP
    text = SETTINGS.format(port=port, rtp_port=LINES_RTP + shift, duty=duty_number)
    (folder / setup.SETTINGS_FILE).write_text(text, "utf-8")
    settings = load(folder / setup.SETTINGS_FILE, _log_environment())
    return DemoFolder(folder, settings, port, VILLAGE_RTP + shift, continued=state == RUNNING)


def _log_environment() -> dict[str, str]:
    """Of the environment only how much is logged: the demo's trunk, hours and keys are its own."""
    return {name: value for name, value in os.environ.items() if name.startswith(ENV_LOG)}


def _state(folder: Path) -> str:
    if not folder.exists() or not any(folder.iterdir()):
        return ""
    try:
        return (folder / STATE).read_text("utf-8").strip()
    except FileNotFoundError:
        raise BadInput(f"{folder} is not empty and no demo: choose another folder with --folder") from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def free_ports(candidates: Iterable[int], count: int) -> int:
    """The first candidate that is free for UDP and TCP together with the `count - 1` ports after it.

    It stays this process's until its end: of two demos that start at once each gets its own, although
    neither has bound a port yet.
    """
    for first in candidates:
        if not _claim(first):
            continue
        if all(_is_free(first + n) for n in range(count)):
            return first
        _claims.pop(first).close()
    raise BadInput("no free SIP ports on 127.0.0.1 for the village; end what uses ports 5700 to 5990")


def _claim(first: int) -> bool:
    """False when another process has said before that it takes these ports.

    A socket with an abstract name (Linux): no file is left behind, however the process ends.
    """
    if first in _claims:
        return True
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0xunfang-ports-{first}")
    except OSError:
        claim.close()
        return False
    _claims[first] = claim
    atexit.register(claim.close)
    return True


_claims: dict[int, socket.socket] = {}  # first port -> what holds it


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
