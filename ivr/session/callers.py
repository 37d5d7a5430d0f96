"""Who rings a line (来电): heard at once, told upwards, and held until the supervisor says what to do.

    INVITE ─► 180 ─► Caller told ─► CallOrder: picked up by a Visit
                 └─► 486 when the line has no room    └─► Refuse

The line knows nobody: who the caller is stands in the database, and the call is answered only
when that it happens has been committed there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import count

from ivr.session.protocol import Caller
from ivr.telephony.call import SipCall
from ivr.telephony.headers import caller_number
from xunfang.log import get_logger

BUSY_HERE = 486
UNAVAILABLE = 480
DECIDE_S = 15.0  # an answer of the supervisor later than this finds nobody who still waits

_log = get_logger("session")
_numbers = count(1)


class Callers:
    """`has_room`: whether one more may be taken. `tell`: sends a Caller upwards."""

    def __init__(self, has_room: Callable[[], bool], tell: Callable[[Caller], None]) -> None:
        self._has_room = has_room
        self._tell = tell
        self._held: dict[str, tuple[SipCall, float]] = {}

    @property
    def waiting(self) -> int:
        return len(self._held)

    def rings(self, call: SipCall) -> None:
        """For the trunk: a call has come in."""
        ring = f"{os.getpid()}-{next(_numbers)}"
        number = caller_number(call.caller)
        if not self._has_room():
            call.answer(BUSY_HERE)
            _log.warning("caller.no_room")
            self._tell(Caller(ring, number, missed=True))
            return
        call.answer(180)
        self._held[ring] = (call, time.monotonic())
        self._tell(Caller(ring, number))

    def hold(self, ring: str, call: SipCall) -> None:
        """An answered call that waits for its next conversation."""
        self._held[ring] = (call, time.monotonic())

    def take(self, ring: str) -> SipCall | None:
        """The call to talk with; None when the caller has given up."""
        call, _ = self._held.pop(ring, (None, 0.0))
        return None if call is None or call.over else call

    def refuse(self, ring: str, code: int) -> None:
        call, _ = self._held.pop(ring, (None, 0.0))
        if call is None:
            return
        if call.answered:
            call.hang_up("dialogue")
        else:
            call.answer(code)

    def refuse_all(self) -> None:
        for ring in list(self._held):
            self.refuse(ring, UNAVAILABLE)

    def step(self, now: float) -> None:
        """Forget who has hung up, and end what nobody decided about."""
        for ring, (call, since) in list(self._held.items()):
            if call.over:
                del self._held[ring]
            elif now - since > DECIDE_S:
                _log.error("caller.not_decided")
                self.refuse(ring, UNAVAILABLE)
