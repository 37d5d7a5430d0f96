"""Bring a database to the tables of this version, from any state, by several processes at once.

Alembic runs on a connection that is already inside a transaction: either the whole way up is
done or nothing. The others wait (a lock on the folder for SQLite, an advisory lock for
PostgreSQL) and then find nothing to do.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from storage.engine import WRITES, open_engine
from storage.failures import NOT_MIGRATED, translated
from xunfang.errors import StorageError

_ADVISORY_LOCK = 0x78756E66616E67  # "xunfang"


def upgrade(url: str, revision: str = "head") -> None:
    with _alembic(url) as config:
        command.upgrade(config, revision)


def downgrade(url: str, revision: str) -> None:
    """Only for tests and for a person who knows what the step takes away."""
    with _alembic(url) as config:
        command.downgrade(config, revision)


def newest_revision() -> str:
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def is_bare(connection: Connection) -> bool:
    """Whether no version of this program has made its tables here."""
    return MigrationContext.configure(connection).get_current_revision() is None


def require_newest(connection: Connection) -> None:
    """Raises StorageError when the tables are not those of this version."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found == newest_revision():
        return
    if found is None:
        raise StorageError(NOT_MIGRATED)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found in known:
        raise StorageError(
            f"the database (version {found}) is older than this program: run `xunfang migrate`"
        )
    raise StorageError(f"the database (version {found}) is newer than this program: update the program")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


@contextmanager
def _alembic(url: str) -> Iterator[Config]:
    engine = open_engine(url, for_migration=True)
    try:
        with translated(), _alone(engine), engine.connect().execution_options(**{WRITES: True}) as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            else:
                connection.exec_driver_sql("SELECT 1")  # begins: alembic must find a transaction open
            config = _config()
            config.attributes["connection"] = connection
            yield config
            _require_whole(connection)
            connection.commit()
    finally:
        engine.dispose()


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """SQLite: one process at a time in this folder, also for the switch to WAL (kept in the file)."""
    if engine.dialect.name != "sqlite":
        yield
        return
    folder = os.open(Path(str(engine.url.database)).parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        raw = engine.raw_connection()
        raw.cursor().execute("PRAGMA journal_mode = WAL")
        raw.close()
        yield
    finally:
        os.close(folder)


def _require_whole(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StorageError("a migration would leave rows without their parent: nothing was changed")
