"""An outgoing call through a trunk: the gateways in turn, and the timers pjsip does not have.

pjsip waits 32 s for a silent trunk and for ever for somebody to pick up. Here:

    setup_s   nothing at all came back, not even 100 Trying → trunk_no_reply, next gateway
    ring_s    it rang (or was being connected), nobody came → no_answer

`step` is given the time and returns what happened; `Ended` comes once, as the last event,
after the last gateway that may be tried.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.telephony.call import CallState, Ended, Event, SipCall
from ivr.telephony.endpoint import NoSlot
from ivr.telephony.leg import Leg
from ivr.telephony.trunk import Trunk, may_try_next
from xunfang.errors import TrunkError

LOCAL_FAILURE = 503  # what RFC 3261 8.1.3.1 makes of a request that could not be sent


class Dialling:
    def __init__(self, trunk: Trunk, number: str, leg: Leg, now: float) -> None:
        """`now`: monotonic seconds.

        NoSlot when this line cannot call now; TrunkError when the number is none or the trunk
        has not accepted us.
        """
        self.leg = leg
        self.call: SipCall | None = None
        self.over = False
        self.rang = False
        self.answered = False
        self.retry_after_s: int | None = None
        self._trunk = trunk
        self._number = number
        self._ways = trunk.route(number)
        self._our_reason = ""
        self._failure: Ended | None = None
        self._dialled_at = now
        self._began_at = now
        self._next_gateway(now)

    def step(self, now: float) -> list[Event]:
        """What happened since the last step; call it after every `endpoint.poll`."""
        if self.over:
            return []
        happened: list[Event] = []
        call = self.call
        if call is None:
            return [self._end(self._failure)]
        while call.events:
            event = call.events.popleft()
            if isinstance(event, Ended):
                self.retry_after_s = event.retry_after_s
                if self._try_next(event, now):
                    return happened
                happened.append(self._end(event))
                return happened
            happened.append(event)
        self.rang = self.rang or call.rang
        self.answered = self.answered or call.answered
        self._watch_timers(call, now)
        return happened

    def hang_up(self, why: str) -> None:
        self._our_reason = self._our_reason or why
        if self.call is not None:
            self.call.hang_up(why)

    def _watch_timers(self, call: SipCall, now: float) -> None:
        if call.answered or call.over or self._our_reason:
            return
        config = self._trunk.config
        if not call.replied and now - self._dialled_at >= config.setup_s:
            call.hang_up("trunk_no_reply")
        elif call.state in (CallState.CALLING, CallState.EARLY) and now - self._began_at >= config.ring_s:
            self.hang_up("no_answer")

    def _try_next(self, ended: Ended, now: float) -> bool:
        self.rang = self.rang or ended.rang
        if self._our_reason or ended.answered or not self._ways:
            return False
        if not may_try_next(rang=self.rang, code=ended.code, by=ended.by, our_reason=ended.our_reason):
            return False
        self._failure = ended
        self._next_gateway(now)
        return True

    def _next_gateway(self, now: float) -> None:
        """Leaves `call` None when no gateway can even be sent to; the next step says so."""
        self.call = None
        while self._ways and self.call is None:
            gateway = self._ways.pop(0)
            self._dialled_at = now
            try:
                self.call = self._trunk.dial(self._number, gateway, self.leg)
            except NoSlot:
                if self._failure is None:
                    raise  # nobody was asked: the caller may try again
                return
            except TrunkError as error:
                self._failure = self._failure or Ended(
                    by="trunk", code=LOCAL_FAILURE, phrase=str(error), our_reason="trunk_unreachable"
                )

    def _end(self, ended: Ended | None) -> Ended:
        self.over = True
        last = ended or Ended(by="trunk", code=LOCAL_FAILURE, phrase="", our_reason="trunk_unreachable")
        self.rang = self.rang or last.rang
        return replace(last, rang=self.rang)
