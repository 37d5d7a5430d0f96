"""How many calls may begin now: channels, calls per second, what the recogniser can bear. Pure.

Calls per second are a bucket: it fills as time passes and every call takes one out, so that a tick every
few seconds begins as many calls as that time allows. What it holds at most is one burst.

The recogniser's headroom is measured, not assumed: lines tell how old the oldest audio is that waits
for recognition. When its 95th percentile over the last half minute passes a limit, calls that begin
now would make every elder on the telephone wait: no call begins until it is well below that again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

_SECOND = timedelta(seconds=1)
_ROUNDING = 1e-9  # of sums of fractions of a call
LAG_WINDOW = timedelta(seconds=30)
LAG_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """`channels`: calls at one time, as the trunk allows. `calls_per_second` below 1 spaces them out;
    `burst`: of how much time the calls may begin at once (the time between two ticks; at least one call).
    `lag_limit_ms`: recognition so late that an elder notices; `lag_resume_ms`: late no more."""

    channels: int = 4
    calls_per_second: float = 2.0
    burst: timedelta = _SECOND
    lag_limit_ms: float = 1000.0
    lag_resume_ms: float = 400.0


class Admission:
    def __init__(self, config: AdmissionConfig) -> None:
        self._config = config
        self._holds_most = max(1.0, config.calls_per_second * (config.burst / _SECOND))
        self._saved = self._holds_most
        self._filled_at: datetime | None = None
        self._lags: deque[tuple[datetime, float]] = deque()
        self._holding = False

    def room(self, now: datetime, live: int, free: int) -> int:
        """`live`: calls that hold a channel; `free`: what the line processes can still take."""
        if self.holds(now):
            return 0
        self._fill(now)
        return max(0, min(self._config.channels - live, free, int(self._saved + _ROUNDING)))

    def begun(self, now: datetime) -> None:
        self._fill(now)
        self._saved -= 1

    def _fill(self, now: datetime) -> None:
        """A clock that was set back fills nothing, and is followed."""
        passed = timedelta() if self._filled_at is None else max(timedelta(), now - self._filled_at)
        self._filled_at = now
        self._saved = min(self._holds_most, self._saved + self._config.calls_per_second * (passed / _SECOND))

    def measured(self, now: datetime, lag_ms: float) -> None:
        self._lags.append((now, lag_ms))

    def lag_ms(self, now: datetime) -> float:
        """95th percentile (nearest rank) of what was measured in the last half minute."""
        while self._lags and now - self._lags[0][0] >= LAG_WINDOW:
            self._lags.popleft()
        lags = sorted(lag for _, lag in self._lags)
        return lags[-(-len(lags) * int(LAG_SHARE * 100) // 100) - 1] if lags else 0.0

    def holds(self, now: datetime) -> bool:
        """New calls wait for the recogniser."""
        limit = self._config.lag_resume_ms if self._holding else self._config.lag_limit_ms
        self._holding = self.lag_ms(now) > limit
        return self._holding
