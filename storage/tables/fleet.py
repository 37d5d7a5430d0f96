"""拨号机群: who dials, which trunk channels are taken, when each recurring step last ran."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table

from storage.tables.base import metadata, ref, row_id
from storage.types import ID, JSON, UtcDateTime, Word
from xunfang.vocabulary import DiallerState

# A row per start of a process. Its id is the fencing token of the lease: never used twice.
dialler = Table(
    "dialler",
    metadata,
    row_id(),
    Column("name", String(64), nullable=False),
    Column("host", String(64), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("boot", String(64), nullable=False),
    Column("trunk", String(64), nullable=False),
    Column("state", Word(DiallerState), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("live", Integer, nullable=False),
    Column("lag_ms", Float, nullable=False),
    Column("breaker", String(16), nullable=False),
    Index(None, "state", "heartbeat_at"),
)


# A row per channel of a trunk; free while it has no dialler.
channel_lease = Table(
    "channel_lease",
    metadata,
    Column("trunk", String(64), primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    ref("dialler_id", "dialler"),
    Column("call_id", ID, ForeignKey("call.id"), unique=True),
    Column("taken_at", UtcDateTime),
)


recurring = Table(
    "recurring",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("by", String(64), nullable=False),
    Column("detail", JSON, nullable=False),
)
