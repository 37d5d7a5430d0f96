"""Which process carries a call, and whether it still lives (租约).

    running ──drain──► draining ──left──► gone
       └──────── no heartbeat for a lease, or its process is dead ────────► gone

A dialler is one process; it registers once and gets an id, its fencing token. It renews its lease
every few seconds. Of a process on this machine it can be seen whether it lives; of any other one only
that it has been silent for longer than the lease. Who is gone stays gone: a dialler that wakes from a
long stall finds its lease taken, hangs up what it still carries and registers anew.

The lease must be longer than the longest stall of a healthy process (garbage collection, a slow disk, a
machine moved by its host: seconds) and shorter than the patience of whoever waits for the next call.
Heartbeats are compared with the clock of whoever looks: the machines of one fleet need the same time
(NTP), to within a fraction of the lease; `xunfang run` looks at it when it starts.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from storage.model import Dialler

NO_CALL_LASTS = timedelta(hours=1)  # open calls of nobody (written by an older version) are then over
HOST_CHARS = 48  # leaves room for the pid in the column
BOOT_CHARS = 64
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_SPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class LeaseConfig:
    """`trunk`: diallers of one trunk share its channels, over all machines."""

    heartbeat: timedelta = timedelta(seconds=5)
    lease: timedelta = timedelta(seconds=60)
    trunk: str = "trunk"


@dataclass(frozen=True, slots=True)
class Identity:
    """`boot`: where process ids mean something: this start of this machine, and its pid namespace."""

    host: str
    pid: int
    boot: str

    @property
    def name(self) -> str:
        """host/pid: stands in `Call.line`."""
        return f"{self.host}/{self.pid}"


def own_identity() -> Identity:
    boot = ""
    with suppress(OSError):  # without /proc nobody on this machine is known to be dead: only leases tell
        space = os.readlink(_PID_SPACE).strip("pid:[]")
        boot = f"{_BOOT_ID.read_text('ascii').strip()}/{space}"[:BOOT_CHARS]
    return Identity(socket.gethostname()[:HOST_CHARS], os.getpid(), boot)


def own_name() -> str:
    return own_identity().name


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_lost(
    dialler: Dialler,
    me: Identity,
    now: datetime,
    lease: timedelta,
    running: Callable[[int], bool] = is_running,
) -> bool:
    """Whether another dialler than our present one can carry no call any more."""
    if now - dialler.heartbeat_at >= lease:
        return True
    if not me.boot or dialler.boot != me.boot:
        return False
    # With our own process id it is an earlier one: a process has one dispatcher.
    return dialler.pid == me.pid or not running(dialler.pid)
