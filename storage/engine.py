"""Where the database is and how each engine is opened.

SQLite: WAL, foreign keys, a busy timeout, BEGIN IMMEDIATE for transactions that write (a
deferred one could fail half-way when another writer came first). PostgreSQL 15: psycopg 3.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError

from xunfang.errors import BadSettings, StorageError

BUSY_TIMEOUT_MS = 15_000  # how long a writer waits for another one
CONNECT_TIMEOUT_S = 10
POOL_SIZE = 8
POOL_OVERFLOW = 24  # threads beyond POOL_SIZE that may use the database at the same time
FOLDER_MODE = 0o700
FILE_MODE = 0o600
WRITES = "xunfang_writes"  # execution option: this connection's transactions write


def database_url(value: str, base: Path | None = None) -> str:
    """The full URL for what a person wrote in the settings.

    A bare path (`data/xunfang.db`) and `sqlite:///data/xunfang.db` are files, relative to
    `base` (default: the working folder); `postgresql://` gets the driver psycopg 3.
    Raises BadSettings for anything else.
    """
    text = value.strip()
    if text and "://" not in text:
        text = f"sqlite:///{text}"
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise BadSettings(_allowed()) from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise BadSettings(f"a database in memory cannot be shared by threads and processes: {_allowed()}")
        path = (base or Path.cwd()) / Path(url.database).expanduser()
        return url.set(drivername="sqlite", database=str(path)).render_as_string(hide_password=False)
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    raise BadSettings(_allowed())


def _allowed() -> str:
    return (
        "storage.url must be a file (sqlite:///data/xunfang.db) or PostgreSQL "
        "(postgresql://user:password@host:5432/name)"
    )


def open_engine(url: str, echo: bool = False, for_migration: bool = False) -> Engine:
    """`for_migration`: one connection, foreign keys off, because SQLite rebuilds tables to alter them."""
    parsed = sa.make_url(url)
    options: dict[str, Any] = {
        "echo": echo,
        "hide_parameters": True,  # values never reach logs or exception texts
        "json_serializer": lambda value: json.dumps(value, ensure_ascii=False),
    }
    if for_migration:
        options["poolclass"] = sa.NullPool
    else:
        options |= {"pool_size": POOL_SIZE, "max_overflow": POOL_OVERFLOW}
    if parsed.get_backend_name() == "sqlite":
        _create_file(parsed)
        options["connect_args"] = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
        engine = sa.create_engine(parsed, **options)
        _prepare_sqlite(engine, foreign_keys=not for_migration)
        return engine
    options["connect_args"] = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "xunfang"}
    try:
        engine = sa.create_engine(parsed, pool_pre_ping=True, **options)
    except ModuleNotFoundError:
        raise StorageError('PostgreSQL needs its driver: `pip install "xunfang[postgres]"`') from None
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _create_file(url: URL) -> None:
    """The ledger holds the most private things of a village: nobody else on the machine reads it."""
    path = Path(str(url.database))
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE))
    except OSError as error:
        raise StorageError(
            f"the database file {path} cannot be created or written ({error.strerror}): "
            "check the folder in `storage.url` and its rights"
        ) from None


def _prepare_sqlite(engine: Engine, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: SqliteConnection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        # Every commit reaches the disk: an answer that was heard survives a power cut.
        connection.execute("PRAGMA synchronous = FULL")

    event.listen(engine, "begin", _begin_sqlite)


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(WRITES, False))


def _begin_sqlite(connection: Connection) -> None:
    writes = _writes(connection)
    if connection.info.get(WRITES) is not writes:  # as the last transaction of this connection left it
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        connection.info[WRITES] = writes
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgres(connection: Connection) -> None:
    """A reading transaction sees one moment on both engines, as SQLite's does by itself."""
    if not _writes(connection):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
