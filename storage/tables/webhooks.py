"""Tokens of the API, kept answers (Idempotency-Key), endpoints that are told of events (webhooks)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, UniqueConstraint

from storage.tables.base import metadata, ref, row_id
from storage.types import Encrypted, JsonTuple, UtcDateTime

# Found by a hash: whoever reads this table cannot use the API with it.
api_token = Table(
    "api_token",
    metadata,
    row_id(),
    Column("name", String(28), nullable=False, unique=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("hint", String(8), nullable=False),
    Column("scopes", JsonTuple, nullable=False),
    ref("area_id", "area"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
)

# The answer to a request that must not be done twice; kept for a day.
api_request = Table(
    "api_request",
    metadata,
    row_id(),
    ref("token_id", "api_token", nullable=False),
    Column("key", String(128), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Encrypted, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("token_id", "key"),
    Index(None, "at"),
)

webhook = Table(
    "webhook",
    metadata,
    row_id(),
    Column("name", String(64), nullable=False, unique=True),
    Column("url", Encrypted, nullable=False),  # may carry a token of the receiver
    Column("secret", Encrypted, nullable=False),
    Column("events", JsonTuple, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
)
