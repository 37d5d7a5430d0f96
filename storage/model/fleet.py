"""拨号机群: diallers, channels, recurring steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from xunfang.vocabulary import DiallerState


@dataclass(frozen=True, slots=True)
class Dialler:
    """One start of one process that makes calls. `id` is its fencing token (storage.tables.fleet)."""

    id: int
    name: str  # host/pid: also stands in Call.line
    host: str
    pid: int
    boot: str  # boot id of the machine and pid namespace: with pid, whether it still runs
    trunk: str  # diallers of one trunk share its channels
    state: DiallerState
    started_at: datetime
    heartbeat_at: datetime
    channels: int = 0  # what it believes the trunk allows
    capacity: int = 0  # calls its lines carry
    live: int = 0
    lag_ms: float = 0.0  # p95 of the recogniser's lag
    breaker: str = "closed"


@dataclass(frozen=True, slots=True)
class Recurring:
    """When a recurring step (plan, cases, …) last ran and what it said. `ended_at` None: it runs, or died."""

    name: str
    began_at: datetime
    ended_at: datetime | None = None
    by: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
