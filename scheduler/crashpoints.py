"""Named places at which a test kills the process (断点), to prove that nothing is lost or doubled there.

In service nothing happens: no name is armed. `XUNFANG_CRASH_AT=NAME` arms one for a process, and the
process then ends by SIGKILL the first time it comes by: no handler, no `finally`, as in a power cut.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "XUNFANG_CRASH_AT"

POINTS = (
    "plan.written",  # a page of plans is committed, the next is not
    "overdue.closed",  # one lapsed plan is a case, the next is not
    "intent.open",  # plan claimed, channel taken, call written; not committed
    "intent.committed",  # and before the INVITE
    "invite.sent",
    "answered.heard",  # the elder has picked up; not yet stored
    "answer.heard",  # an answer was heard; not yet stored
    "answer.open",  # stored, not committed
    "answer.committed",
    "alert.committed",  # the urgent case stands, the call goes on
    "end.heard",  # the call is over; not settled
    "settle.open",  # settled, not committed
    "settle.committed",  # and before its notices leave
    "takeover.buried",  # a dead dialler's lease is gone, its calls are not taken back yet
    "notice.claimed",  # by a sender, not sent
    "notice.sent",  # sent, not noted
)

_armed = os.environ.get(VARIABLE, "")


def arm(name: str) -> None:
    """For a forked child; the empty name disarms."""
    global _armed
    if name and name not in POINTS:
        raise ValueError(f"no crash point {name!r}")
    _armed = name


def reached(name: str) -> None:
    if name and name == _armed:
        os.kill(os.getpid(), signal.SIGKILL)
