"""Database errors become StorageError: what is wrong, what to do, and nothing of what was stored.

The text of a driver error may quote the row, so it never goes further; the original is
dropped (`from None`) for the same reason.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from xunfang.errors import StorageError, XunfangError

NOT_MIGRATED = "the database has no tables of this version: run `xunfang migrate` (Store.migrate()) once"
_PG_UNDEFINED_TABLE = "42P01"
_PG_UNDEFINED_COLUMN = "42703"

# What SQLite says -> what to do. Its messages hold names of columns, never values.
_SQLITE_HINTS = (
    ("no such table", NOT_MIGRATED),
    ("no such column", NOT_MIGRATED),
    ("unable to open", "the database file cannot be opened: check its folder and the rights to write there"),
    ("is locked", "another process holds the database for too long: try again, or look for a hung process"),
    ("disk is full", "the disk is full: free some space; nothing of this step was stored"),
    ("disk i/o", "the disk reports an error: check it and its free space; nothing of this step was stored"),
    (
        "readonly",
        "this may only be read: use store.begin() to write, or check the rights of the file and its folder",
    ),
    ("not a database", "the file is not a database of this program: check `storage.url`"),
    ("malformed", "the database file is damaged: stop the service and restore the last backup"),
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever SQLAlchemy raises inside into a StorageError without personal data."""
    try:
        yield
    except StatementError as error:
        raise storage_error(error) from None
    except sqlite3.Error as error:  # from a connection used without SQLAlchemy
        raise _from_sqlite(error) from None
    except SQLAlchemyError as error:
        raise StorageError(f"the database step failed ({type(error).__name__})") from None


def storage_error(error: StatementError) -> BaseException:
    cause = error.orig
    if not isinstance(error, DBAPIError):  # a value was refused before it reached the database
        if isinstance(cause, ValueError | XunfangError):
            return cause
        return StorageError("a value has the wrong type for its column")
    if isinstance(cause, sqlite3.Error):
        return _from_sqlite(cause)
    return _from_postgres(error)


def _from_sqlite(error: sqlite3.Error) -> StorageError:
    if isinstance(error, sqlite3.IntegrityError):
        return StorageError(f"the database refuses the row: {error}")
    for words, hint in _SQLITE_HINTS:
        if words in str(error).lower():
            return StorageError(hint)
    return StorageError(f"the database step failed (SQLite: {type(error).__name__})")


def _from_postgres(error: DBAPIError) -> StorageError:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # No state: the server was never reached. The first line names host, port and user only.
        first_line = (str(error.orig).strip().splitlines() or [""])[0]
        return StorageError(
            f"PostgreSQL cannot be reached ({first_line}): is it running, and are host, port, user, password "
            "and database name in `storage.url` right?"
        )
    if state in (_PG_UNDEFINED_TABLE, _PG_UNDEFINED_COLUMN):
        return StorageError(NOT_MIGRATED)
    if isinstance(error, IntegrityError):
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        return StorageError(f"the database refuses the row: constraint {constraint or state}")
    if state[:2] in ("08", "57", "53"):
        return StorageError(
            f"PostgreSQL broke off the step (state {state}), it restarts or is full: try again"
        )
    return StorageError(f"the database step failed (PostgreSQL state {state})")
