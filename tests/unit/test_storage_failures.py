"""What a person is told when the database refuses."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import InvalidRequestError

from storage.failures import translated
from xunfang.errors import StorageError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("sqlite_says", "advice"),
    [
        ("database or disk is full", "free some space"),
        ("database is locked", "try again"),
        ("unable to open database file", "check its folder"),
        ("attempt to write a readonly database", "rights of the file"),
        ("database disk image is malformed", "restore the last backup"),
        ("no such table: elder", "xunfang migrate"),
        ("disk I/O error", "free space"),
    ],
)
def test_every_known_failure_comes_with_what_to_do(sqlite_says: str, advice: str) -> None:
    with pytest.raises(StorageError, match=advice), translated():
        raise sqlite3.OperationalError(sqlite_says)


def test_an_unknown_failure_names_its_kind_and_not_its_text() -> None:
    with pytest.raises(StorageError, match="OperationalError") as caught, translated():
        raise sqlite3.OperationalError("near 13812340001: syntax error")
    assert "13812340001" not in str(caught.value)


def test_a_failure_of_the_library_itself_keeps_its_text_to_itself() -> None:
    with pytest.raises(StorageError, match="InvalidRequestError") as caught, translated():
        raise InvalidRequestError("13812340001")
    assert "13812340001" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_what_is_not_of_the_database_passes_unchanged() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("elder")
