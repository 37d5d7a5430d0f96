"""Calls that nobody carries any more become INTERRUPTED and their plans are due again (接管).

Two kinds: calls of a dialler whose lease is gone, and calls of our own that our lines do not know
(their end was lost on the way). Each is settled in a transaction of its own, and settling is conditional,
so that several diallers may take over at once and a killed one leaves nothing half done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from scheduler.lease import Lease
from scheduler.owner import NO_CALL_LASTS
from xunfang.clock import Clock
from xunfang.errors import XunfangError
from xunfang.log import get_logger

if TYPE_CHECKING:
    from storage import Store

LOST_AFTER = timedelta(seconds=30)  # a call its line no longer knows; its end may still be on the way

_log = get_logger("scheduler")


class Live(Protocol):
    def live(self) -> list[int]: ...


class TakeOver:
    """`interrupt(call_id) -> bool` settles one call; False when it was settled before."""

    def __init__(
        self, store: Store, clock: Clock, fleet: Live, lease: Lease, interrupt: Callable[[int], bool]
    ) -> None:
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._lease = lease
        self._interrupt = interrupt
        self._missing: dict[int, datetime] = {}

    def of_others(self) -> int:
        """Bury the lost diallers and take back the calls of all that are gone. Returns how many."""
        self._lease.bury_lost()
        with self._store.read() as work:
            calls = work.diallers.ownerless_calls(self._clock.now() - NO_CALL_LASTS)
        return sum(self._take_back(each.id) for each in calls)

    def of_our_own(self) -> int:
        """Open calls under our token that no line has known for LOST_AFTER."""
        now, token = self._clock.now(), self._lease.token
        with self._store.read() as work:
            ours = [each.id for each in work.calls.open() if each.dialler_id == token]
        live = set(self._fleet.live())
        self._missing = {id: self._missing.get(id, now) for id in ours if id not in live}
        lost = [id for id, since in self._missing.items() if now - since >= LOST_AFTER]
        return sum(self._take_back(id) for id in lost)

    def _take_back(self, call_id: int) -> bool:
        """One call that cannot be settled must not keep the others from being dialled."""
        try:
            return self._interrupt(call_id)
        except XunfangError as error:
            if error.retryable:
                raise
            _log.error("takeover.cannot_settle", call_id=call_id, why=str(error))
            return False
