"""One of many processes at a time (领导者): a named lock that dies with its holder.

PostgreSQL: an advisory lock of a session of its own; the server frees it when the process or its machine is
gone. SQLite: whoever writes waits for the others anyway, and what is led here may be done twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from storage.failures import translated

# The server notices within about a minute that the machine of a leader has vanished without a word.
_KEEPALIVE = ("tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3")


@contextmanager
def leading(engine: Engine, name: str, wait: bool) -> Iterator[bool]:
    if engine.dialect.name != "postgresql":
        yield True
        return
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        for setting in _KEEPALIVE:
            session.exec_driver_sql(f"SET {setting}")
        take = sa.func.pg_advisory_lock if wait else sa.func.pg_try_advisory_lock
        taken = session.scalar(sa.select(take(key)))
        leads = wait or bool(taken)
        try:
            yield leads
        finally:
            if leads:
                session.scalar(sa.select(sa.func.pg_advisory_unlock(key)))


def clock_skew_s(engine: Engine, now: datetime) -> float:
    """Seconds by which `now` is ahead of the database server's clock; 0 where both are one machine."""
    if engine.dialect.name != "postgresql":
        return 0.0
    with translated(), engine.connect() as session:
        theirs = session.scalar(sa.select(sa.func.clock_timestamp()))
    assert isinstance(theirs, datetime)
    return (now - theirs.astimezone(UTC)).total_seconds()
