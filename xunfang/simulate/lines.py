"""The lines of the simulation: stand for ivr.session.fleet. A call lasts as long as it would."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from ivr.session.model import CallEvent, CallOrder
from xunfang.clock import FixedClock
from xunfang.simulate.telephones import Played, Telephone, ring


class SimulatedLines:
    """`handle` is set to the journal's. `trunk`: False while the carrier is out of order."""

    def __init__(
        self, clock: FixedClock, capacity: int, telephone_of: Callable[[str], Telephone], zone: ZoneInfo
    ) -> None:
        self._clock = clock
        self._telephone_of = telephone_of
        self._zone = zone
        self._live: dict[int, Played] = {}
        self._ends: list[tuple[datetime, int]] = []
        self.capacity = capacity
        self.trunk = True
        self.dialled = 0
        self.picked_up = 0
        self.by_hour: dict[datetime, int] = {}  # calls by the local hour in which they began
        self.handle: Callable[[CallEvent], None] = lambda event: None

    # ---- what dispatch needs ---------------------------------------------------------------------

    def free(self) -> int:
        return self.capacity - len(self._live)

    def lag_ms(self) -> float:
        return 0.0

    def live(self) -> list[int]:
        return list(self._live)

    def hang_up(self, call_id: int) -> None:
        self._live.pop(call_id, None)

    def dial(self, order: CallOrder) -> None:
        now = self._clock.now()
        local = now.astimezone(self._zone)
        phone = self._telephone_of(order.number)
        played = ring(phone, order.call_id, order.dialplan, now, local, self.trunk)
        self._live[order.call_id] = played
        heapq.heappush(self._ends, (now + played.lasts, order.call_id))
        self.dialled += 1
        self.picked_up += len(played.events) > 1
        hour = local.replace(minute=0, second=0, microsecond=0, tzinfo=None)
        self.by_hour[hour] = self.by_hour.get(hour, 0) + 1

    # ---- what the simulation does ------------------------------------------------------------------

    def next_end(self) -> datetime | None:
        return self._ends[0][0] if self._ends else None

    def play(self) -> None:
        """Let the calls end whose time has come."""
        while self._ends and self._ends[0][0] <= self._clock.now():
            _, call_id = heapq.heappop(self._ends)
            played = self._live.pop(call_id, None)
            for event in () if played is None else played.events:
                self.handle(event)

    def die(self) -> None:
        """The process group is gone with everything that was live; nobody is told."""
        self._live.clear()
        self._ends.clear()
