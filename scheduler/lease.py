"""This process's lease (租约): registered, renewed, checked inside each dialling transaction, given back.

States and reasons: scheduler.owner. Whoever renews also looks for diallers that are lost and takes their
lease away; their calls are then nobody's, and scheduler.takeover ends them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from scheduler.crashpoints import reached
from scheduler.owner import Identity, LeaseConfig, is_lost, is_running
from scheduler.telling import ACTOR, tell
from storage.model import Dialler
from xunfang.clock import Clock
from xunfang.log import get_logger
from xunfang.vocabulary import DiallerState

if TYPE_CHECKING:
    from storage import Store, Work

_log = get_logger("scheduler")


class LostLease(Exception):
    """Somebody else has taken over what this process was: it may not dial under the old token."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a heartbeat tells of its process."""

    capacity: int = 0
    live: int = 0
    lag_ms: float = 0.0
    breaker: str = "closed"
    draining: bool = False


class Lease:
    """Safe to use from several threads. `channels`: what this machine believes its trunk allows."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        config: LeaseConfig,
        me: Identity,
        channels: int,
        running: Callable[[int], bool] = is_running,
    ) -> None:
        self._store = store
        self._clock = clock
        self._config = config
        self.me = me
        self._channels = channels
        self._running = running
        self._lock = threading.Lock()
        self._token: int | None = None

    @property
    def token(self) -> int | None:
        """The present dialler's id; None before the first heartbeat and after a loss."""
        return self._token

    @property
    def config(self) -> LeaseConfig:
        return self._config

    def renew(self, health: Health) -> bool:
        """A heartbeat; registers where there is no lease. False: the lease was lost, and is gone now."""
        with self._lock:
            if self._token is None:
                self._register(health)
                return True
            now = self._clock.now()
            state = DiallerState.DRAINING if health.draining else DiallerState.RUNNING
            with self._store.begin() as work:
                held = work.diallers.beat(
                    self._token,
                    now,
                    state,
                    capacity=health.capacity,
                    live=health.live,
                    lag_ms=health.lag_ms,
                    breaker=health.breaker,
                )
                if not held:
                    work.audit.write(now, ACTOR, "dialler.lost", f"dialler:{self._token}", {})
            if not held:
                _log.error("lease.lost", dialler_id=self._token)
                self._token = None
            return held

    def require(self, work: Work) -> int:
        """The token, held until this transaction ends. LostLease when it is another's turn."""
        token = self._token
        if token is None or not work.diallers.holds(token):
            raise LostLease
        return token

    def leave(self) -> None:
        """Give the lease back: nothing of ours is live any more."""
        with self._lock:
            if self._token is not None:
                with self._store.begin() as work:
                    work.diallers.left(self._token, self._clock.now())
                self._token = None

    def bury_lost(self) -> int:
        """Take the lease from every dialler that can carry no call any more; returns how many."""
        now = self._clock.now()
        with self._store.read() as work:
            lost = [
                each
                for each in work.diallers.present()
                if each.id != self._token and is_lost(each, self.me, now, self._config.lease, self._running)
            ]
        return sum(self._bury(each) for each in lost)

    def _bury(self, lost: Dialler) -> bool:
        now = self._clock.now()
        with self._store.begin() as work:
            if not work.diallers.bury(lost):
                return False
            detail = {"host": lost.host, "live": lost.live, "silent_s": _silent_s(lost, now)}
            work.audit.write(now, ACTOR, "dialler.gone", f"dialler:{lost.id}", detail)
            if lost.host != self.me.host:
                title = "【拨号机离线】其未完成的电话将重新安排"
                silent = f"拨号机 {lost.host} 已 {_silent_s(lost, now)} 秒没有回音"
                body = f"{silent}，其通话由其他拨号机接管。请检查该机。"
                tell(work, "dialler.gone", title, body, now)
        _log.warning("lease.taken", dialler_id=lost.id, host=lost.host)
        reached("takeover.buried")
        return True

    def _register(self, health: Health) -> None:
        now = self._clock.now()
        row = Dialler(
            id=0,
            name=self.me.name,
            host=self.me.host,
            pid=self.me.pid,
            boot=self.me.boot,
            trunk=self._config.trunk,
            state=DiallerState.RUNNING,
            started_at=now,
            heartbeat_at=now,
            channels=self._channels,
            capacity=health.capacity,
            breaker=health.breaker,
        )
        with self._store.begin() as work:
            work.channels.provide(self._config.trunk, self._channels)
            self._token = work.diallers.register(row).id


def _silent_s(lost: Dialler, now: datetime) -> int:
    return int((now - lost.heartbeat_at).total_seconds())
