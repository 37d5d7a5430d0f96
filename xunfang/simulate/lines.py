"""The lines of the simulation: stand for ivr.session.fleet. A call lasts as long as it would.

Who was missed may ring back (回电): then the real reception decides what becomes of it.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from ivr.session.model import CallEvent, CallOrder
from ivr.session.protocol import Caller, Refuse
from xunfang.clock import FixedClock
from xunfang.simulate.telephones import MISSED, Played, Telephone, asks_contact, ring, rings_us

RINGS_BACK = 0.25  # of those whose telephone shows a missed call: an assumption, no pilot published it
RINGS_AFTER = (5, 300)  # minutes
AWAKE = (7, 21)  # hours of the day in which people ring

Reply = Callable[[Caller], CallOrder | Refuse | None]


class SimulatedLines:
    """`handle` is set to the journal's and the reception's, `reply` to the reception's. `trunk`: False while
    the carrier is out of order."""

    def __init__(
        self,
        clock: FixedClock,
        capacity: int,
        telephone_of: Callable[[str], Telephone],
        zone: ZoneInfo,
        chance: random.Random,
    ) -> None:
        self._clock = clock
        self._telephone_of = telephone_of
        self._zone = zone
        self._chance = chance
        self._live: dict[int, Played] = {}
        self._ends: list[tuple[datetime, int]] = []
        self._missed: dict[int, str] = {}  # call -> number that shows it
        self._rings: list[tuple[datetime, int, str]] = []
        self._number: count[int] = count(1)
        self.capacity = capacity
        self.trunk = True
        self.dialled = 0
        self.picked_up = 0
        self.contacts = 0
        self.rang_us = 0
        self.by_hour: Counter[datetime] = Counter()  # calls by the local hour in which they began
        self.handle: Callable[[CallEvent], None] = lambda event: None
        self.reply: Reply = lambda caller: None

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
        self.by_hour[local.replace(minute=0, second=0, microsecond=0, tzinfo=None)] += 1
        if order.callee.contact:
            self.contacts += 1
            self._begin(order.call_id, asks_contact(phone, order.call_id, now, local, self.trunk))
            return
        played = ring(phone, order.call_id, order.dialplan, now, local, self.trunk)
        self._begin(order.call_id, played)
        self.dialled += 1
        self.picked_up += len(played.events) > 1
        if played.ending in MISSED and self._chance.random() < RINGS_BACK:
            self._missed[order.call_id] = order.number

    # ---- what the simulation does ------------------------------------------------------------------

    def next_end(self) -> datetime | None:
        return self._ends[0][0] if self._ends else None

    def next_ring(self) -> datetime | None:
        return self._rings[0][0] if self._rings else None

    def play(self) -> None:
        """Let the calls end whose time has come."""
        while self._ends and self._ends[0][0] <= self._clock.now():
            _, call_id = heapq.heappop(self._ends)
            played = self._live.pop(call_id, None)
            for event in () if played is None else played.events:
                self.handle(event)
            if call_id in self._missed:
                self._will_ring(self._missed.pop(call_id))

    def ring_us(self) -> None:
        """Let those ring us whose time has come."""
        while self._rings and self._rings[0][0] <= self._clock.now():
            _, number, phone = heapq.heappop(self._rings)
            if not self.trunk:
                continue
            self.rang_us += 1
            caller = Caller(f"simulated-{number}", phone, missed=self.free() <= 0)
            order = self.reply(caller)
            if not isinstance(order, CallOrder):
                continue
            now = self._clock.now()
            if order.callee.choices:  # a shared telephone: he says who he is
                for event in rings_us(self._telephone_of(phone), order.call_id, "", now).events:
                    self.handle(event)
                choice = 1 + self._chance.randrange(len(order.callee.choices))
                order = self.reply(replace(caller, choice=choice, call_id=order.call_id))
                if not isinstance(order, CallOrder):
                    continue
            asked = order.dialplan if order.call_id > 0 else ""
            self._begin(order.call_id, rings_us(self._telephone_of(phone), order.call_id, asked, now))

    def die(self) -> None:
        """The process group is gone with everything that was live; nobody is told."""
        self._live.clear()
        self._ends.clear()
        self._missed.clear()

    # ---- inside ------------------------------------------------------------------------------------

    def _begin(self, call_id: int, played: Played) -> None:
        self._live[call_id] = played
        heapq.heappush(self._ends, (self._clock.now() + played.lasts, call_id))

    def _will_ring(self, phone: str) -> None:
        at = self._clock.now() + timedelta(minutes=self._chance.randrange(*RINGS_AFTER))
        local = at.astimezone(self._zone)
        if local.hour >= AWAKE[1]:
            at += timedelta(hours=24 - local.hour + AWAKE[0])
        elif local.hour < AWAKE[0]:
            at += timedelta(hours=AWAKE[0] - local.hour)
        heapq.heappush(self._rings, (at, next(self._number), phone))
