"""Users of the console and their sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from xunfang.vocabulary import SessionKind, UserRole


@dataclass(frozen=True, slots=True)
class User:
    """`area_id`: sees this area and everything below it; None: everything (a county's admin)."""

    id: int
    login: str  # lower case; also the audit's `user:LOGIN`
    name: str = field(repr=False)
    password_hash: str = field(repr=False)
    role: UserRole
    area_id: int | None = None
    visitor_id: int | None = None  # for the role visitor: who of the ledger this is
    active: bool = True
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebSession:
    """Kept for a while after its end, so that a form sent too late still finds its author."""

    token_hash: str = field(repr=False)
    account_id: int
    created_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None
    kind: SessionKind = SessionKind.DESK
    label: str | None = None  # of a wall: where it hangs
