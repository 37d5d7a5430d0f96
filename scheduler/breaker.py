"""The breaker (线路熔断): when the trunk fails, stop dialling instead of missing three hundred elders.

    closed ──share of trunk failures in the last `calls` calls reached──► open
    open ──pause over──► half open: one probe call
    half open ──probe reached the network──► closed
    half open ──probe failed as well──► open again, twice as long (up to `longest_pause`)

Pure: time is passed in, nothing is started. Any outcome but a trunk failure proves that the
trunk works, also busy and no_answer; `interrupted` and `not_dialled` prove nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from xunfang.vocabulary import CallDisposition

_SAYS_NOTHING = frozenset({CallDisposition.INTERRUPTED, CallDisposition.NOT_DIALLED})


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """Opens when at least `share` of the last `calls` calls were trunk failures."""

    share: float = 0.5
    calls: int = 6
    pause: timedelta = timedelta(minutes=2)
    longest_pause: timedelta = timedelta(minutes=30)


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    def __init__(self, config: BreakerConfig) -> None:
        self._config = config
        self._recent: deque[bool] = deque(maxlen=config.calls)
        self._state = BreakerState.CLOSED
        self._until: datetime | None = None
        self._pause = config.pause
        self._probe: int | None = None

    def state(self, now: datetime) -> BreakerState:
        if self._state is BreakerState.OPEN and self._until is not None and now >= self._until:
            return BreakerState.HALF_OPEN
        return self._state

    def room(self, now: datetime) -> int | None:
        """How many calls may begin now: None = no limit from here, 0 = stop, 1 = one probe."""
        state = self.state(now)
        if state is BreakerState.CLOSED:
            return None
        return 1 if state is BreakerState.HALF_OPEN and self._probe is None else 0

    def dialled(self, call_id: int, now: datetime) -> None:
        """The call leaves. In half-open state it is the probe."""
        if self.state(now) is BreakerState.HALF_OPEN:
            self._state = BreakerState.HALF_OPEN
            self._probe = call_id

    def ended(self, call_id: int, disposition: CallDisposition, now: datetime) -> BreakerState | None:
        """Returns the new state when this outcome changed it: the supervisor is told."""
        failed = disposition is CallDisposition.TRUNK_FAILURE
        if self._state is BreakerState.CLOSED:
            return self._closed(failed, disposition, now)
        if disposition in _SAYS_NOTHING:
            if call_id == self._probe:
                self._probe = None
            return None
        if not failed:
            self._close()
            return BreakerState.CLOSED
        if call_id != self._probe:
            return None  # a call from before the breaker opened adds nothing
        self._pause = min(self._pause * 2, self._config.longest_pause)
        return self._open(now)

    def _closed(self, failed: bool, disposition: CallDisposition, now: datetime) -> BreakerState | None:
        if disposition in _SAYS_NOTHING:
            return None
        self._recent.append(failed)
        full = len(self._recent) == self._config.calls
        if full and sum(self._recent) / len(self._recent) >= self._config.share:
            return self._open(now)
        return None

    def _open(self, now: datetime) -> BreakerState:
        self._state = BreakerState.OPEN
        self._until = now + self._pause
        self._probe = None
        return BreakerState.OPEN

    def _close(self) -> None:
        self._state = BreakerState.CLOSED
        self._until = None
        self._probe = None
        self._pause = self._config.pause
        self._recent.clear()
