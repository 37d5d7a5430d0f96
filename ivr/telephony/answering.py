"""An incoming call that is picked up: the counterpart of `Dialling`, with the same three verbs.

It may have been answered before: then another conversation goes on over the same line (the
caller of a shared telephone has said who he is), and the first thing that `step` reports is
that the call is up.
"""

from __future__ import annotations

from ivr.telephony.call import CallState, Ended, Event, SipCall, StateChanged
from ivr.telephony.leg import Leg

OK = 200


class Answering:
    def __init__(self, call: SipCall, leg: Leg) -> None:
        self.call = call
        self.over = False
        self._pending: list[Event] = []
        call.rewire(leg)
        if call.state is CallState.CONFIRMED:
            self._pending.append(StateChanged(CallState.CONFIRMED, OK))
        else:
            call.answer(OK)

    def step(self, now: float) -> list[Event]:
        """What happened since the last step; `Ended` comes once, as the last event. `now` as of Dialling."""
        if self.over:
            return []
        happened, self._pending = self._pending, []
        while self.call.events:
            event = self.call.events.popleft()
            happened.append(event)
            if isinstance(event, Ended):
                self.over = True
                break
        return happened

    def hang_up(self, why: str) -> None:
        self.call.hang_up(why)
