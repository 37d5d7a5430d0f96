"""Handing the elder's call to the county's own call centre (转接): SIP REFER, RFC 3515, blind.

A call centre has a queue and agents of its own, who would not press a key for us: so nobody is asked first,
and what counts is what the other side says of the new call. Only a 2xx in a NOTIFY is "taken over"; a
refusal, a failure, an end of the news without one, or none in time is not, and the elder's call, which stays
up until then, is bridged by us as if there had been no REFER.
"""

from __future__ import annotations

from ivr.telephony.call import SipCall, TransferTold


class Transfer:
    """`taken`: True, False, or None while it is open. A late yes still counts."""

    def __init__(self, call: SipCall, uri: str, until: float) -> None:
        self.taken: bool | None = None
        self._until = until
        call.transfer(uri)

    def told(self, event: TransferTold) -> None:
        if 200 <= event.code < 300:
            self.taken = True
        elif (event.final or event.code >= 300) and self.taken is None:
            self.taken = False

    def step(self, now: float) -> None:
        if self.taken is None and now >= self._until:
            self.taken = False
