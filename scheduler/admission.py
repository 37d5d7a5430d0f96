"""How many calls may begin now: channels and calls per second. Pure, time is passed in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """`channels`: calls at one time, as the trunk allows. `calls_per_second` below 1 spaces them out."""

    channels: int = 4
    calls_per_second: float = 2.0


class Admission:
    def __init__(self, config: AdmissionConfig) -> None:
        self._config = config
        self._begun: deque[datetime] = deque()

    def room(self, now: datetime, live: int, free: int) -> int:
        """`live`: calls that hold a channel; `free`: what the line processes can still take."""
        rate = self._config.calls_per_second
        span = _SECOND if rate >= 1 else _SECOND / rate
        per_span = max(1, int(rate))
        while self._begun and now - self._begun[0] >= span:
            self._begun.popleft()
        return max(0, min(self._config.channels - live, free, per_span - len(self._begun)))

    def begun(self, now: datetime) -> None:
        self._begun.append(now)
