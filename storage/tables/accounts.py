"""Who may use the console: accounts, their sessions, failed sign-ins."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table

from storage.tables.base import metadata, ref, row_id
from storage.types import Encrypted, UtcDateTime, Word
from xunfang.vocabulary import SessionKind, UserRole

account = Table(
    "account",
    metadata,
    row_id(),
    Column("login", String(32), nullable=False, unique=True),
    Column("name", Encrypted, nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("role", Word(UserRole), nullable=False),
    ref("area_id", "area"),
    ref("visitor_id", "visitor"),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)


# The key is a hash of the cookie: whoever reads this table cannot sign in with it.
web_session = Table(
    "web_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    ref("account_id", "account", nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),  # signed out, disabled, password changed, revoked
    Column("kind", Word(SessionKind), nullable=False, server_default=SessionKind.DESK.value),
    Column("label", String(50)),  # of a wall: where it hangs
    Index(None, "account_id"),
    Index(None, "created_at"),
)


# `key` is a keyed hash of a login or of an address: neither is readable here.
sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    row_id(),
    Column("key", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "key", "at"),
    Index(None, "at"),
)
