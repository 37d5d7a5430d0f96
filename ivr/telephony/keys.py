"""One press of a key, counted once (按键去重). Pure.

Some phones and gateways send a key as an RTP event (RFC 4733) and as SIP INFO; the two
arrive within a few hundred milliseconds. The same digit by the same way is always a new
press: an old hand may press 1 twice, quickly.
"""

from __future__ import annotations

SAME_PRESS_S = 0.4


class KeyFilter:
    def __init__(self) -> None:
        self._last: dict[str, tuple[str, float]] = {}  # digit -> (method, at) of the last accepted press

    def accept(self, digit: str, method: str, at: float) -> bool:
        """False for the second report of a press. `at`: monotonic seconds."""
        former = self._last.get(digit)
        if former is not None and former[0] != method and at - former[1] < SAME_PRESS_S:
            del self._last[digit]  # one echo per press: the next report is a new one
            return False
        self._last[digit] = (method, at)
        return True
