"""Ringing the duty person (值班人员) while the elder stays on the line, and joining the two.

A second outgoing call from the same line. When it is answered both parties hear one
another through us, and the recording of the elder's call goes on with the duty person's
voice on our channel.
"""

from __future__ import annotations

from ivr.dialogue.model import DutyAnswered, DutyFailed
from ivr.telephony.call import CallState, Ended, StateChanged
from ivr.telephony.dialling import Dialling
from ivr.telephony.leg import Leg
from ivr.telephony.trunk import Trunk
from xunfang.errors import TrunkError
from xunfang.log import get_logger

_log = get_logger("session")


class DutyCall:
    """Never raises: whatever goes wrong is a DutyFailed, so that the elder hears what is true."""

    def __init__(self, trunk: Trunk, number: str | None, elder: Leg, ring_s: float, now: float) -> None:
        self.leg = Leg()
        self.joined = False
        self._elder = elder
        self._ring_until = now + ring_s
        self._dialling: Dialling | None = None
        self._failed_at_once = ""
        self._told = False
        if not number:
            self._failed_at_once = "no duty number is set"
            return
        try:
            self._dialling = Dialling(trunk, number, self.leg, now)
        except TrunkError as error:
            self._failed_at_once = str(error)

    def step(self, now: float) -> DutyAnswered | DutyFailed | None:
        """DutyAnswered when both hear one another; DutyFailed when nobody came, or has left again."""
        if self._dialling is None:
            return self._fail(self._failed_at_once)
        answer: DutyAnswered | DutyFailed | None = None
        for event in self._dialling.step(now):
            if isinstance(event, StateChanged) and event.state is CallState.CONFIRMED:
                self.joined = True
                self._elder.bridge(self.leg)
                answer = DutyAnswered()
            elif isinstance(event, Ended):
                self._elder.bridge(None)
                answer = self._fail(event.our_reason or f"SIP {event.code}")
        if not self.joined and now >= self._ring_until:
            self._dialling.hang_up("no_answer")
        return answer

    def hang_up(self) -> None:
        self._elder.bridge(None)
        if self._dialling is not None:
            self._dialling.hang_up("elder_gone")

    @property
    def over(self) -> bool:
        return self._dialling is None or self._dialling.over

    def _fail(self, reason: str) -> DutyFailed | None:
        if self._told:
            return None
        self._told = True
        _log.warning("duty.left" if self.joined else "duty.failed", reason=reason)
        return DutyFailed()
