"""Which process dialled a call, and whether it still lives.

Two processes may share one database: the service, and `xunfang call` beside it. A call is only
taken back from a process that is dead. A process of another machine cannot be looked at; its
calls are taken back when no call could last so long.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta

from storage.model import Call

NO_CALL_LASTS = timedelta(hours=1)
HOST_CHARS = 48  # leaves room for the pid in the column


def own_name() -> str:
    """host/pid: stands in `Call.line`."""
    return f"{socket.gethostname()[:HOST_CHARS]}/{os.getpid()}"


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_orphan(call: Call, me: str, now: datetime, running: Callable[[int], bool] = is_running) -> bool:
    """A call of somebody else whose process is gone. Never true for our own calls."""
    if call.line == me:
        return False
    host, _, pid = call.line.rpartition("/")
    if host and host == me.rpartition("/")[0] and pid.isdigit():
        return not running(int(pid))
    return now - call.intended_at >= NO_CALL_LASTS
