"""Tokens of the API, answers kept for repeated requests, endpoints that are told of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

EVERYTHING = "*"  # as an event: all of them


@dataclass(frozen=True, slots=True)
class ApiToken:
    """`hint`: the last letters, to tell tokens apart. `area_id` None: the whole county."""

    id: int
    name: str
    token_hash: str = field(repr=False)
    hint: str
    scopes: tuple[str, ...]
    area_id: int | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    id: int
    token_id: int
    key: str
    fingerprint: str
    status: int  # 0: not answered yet
    body: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Webhook:
    id: int
    name: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    events: tuple[str, ...]
    active: bool
    created_at: datetime
    created_by: str

    def wants(self, kind: str) -> bool:
        return self.active and (EVERYTHING in self.events or kind in self.events)
