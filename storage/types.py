"""Column types that make both engines give back the same Python values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect, Engine

from storage.vault import Vault
from xunfang.vocabulary import Category, Priority

# SQLite counts rows up by itself only in a column declared INTEGER.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")

# Tables are declared once, keys belong to one Store: each engine has its own dialect object,
# and that is what a type is shown when it converts a value.
_vaults: WeakKeyDictionary[Dialect, Vault] = WeakKeyDictionary()


def use_vault(engine: Engine, vault: Vault) -> None:
    _vaults[engine.dialect] = vault


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware in, UTC in the table, aware UTC out. Naive times are refused: they mean nothing."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored: take it from the Clock")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Encrypted(sa.types.TypeDecorator[str]):
    """Text that only exists as ciphertext inside the database. The empty text stays empty."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return _vaults[dialect].encrypt(value) if value else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return _vaults[dialect].decrypt(value) if value else value


class Word(sa.types.TypeDecorator[StrEnum]):
    """A vocabulary word, stored as its value. No CHECK: a new word must not need a migration."""

    impl = sa.String(32)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


class PriorityRank(sa.types.TypeDecorator[Priority]):
    """Stored as 0, 1, 2 (urgent first), so that an index can order the queue."""

    impl = sa.SmallInteger
    cache_ok = True
    _ranks = (Priority.URGENT, Priority.HIGH, Priority.NORMAL)

    def process_bind_param(self, value: Priority | None, dialect: Dialect) -> int | None:
        return None if value is None else self._ranks.index(Priority(value))

    def process_result_value(self, value: int | None, dialect: Dialect) -> Priority | None:
        return None if value is None else self._ranks[value]


def more_urgent(one: Priority, other: Priority) -> Priority:
    return min(one, other, key=PriorityRank._ranks.index)


class JsonTuple(sa.types.TypeDecorator[tuple[Any, ...]]):
    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> list[Any]:
        return list(value or ())

    def process_result_value(self, value: list[Any] | None, dialect: Dialect) -> tuple[Any, ...]:
        return tuple(value or ())


class CategorySet(sa.types.TypeDecorator[frozenset[Category]]):
    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Iterable[Category] | None, dialect: Dialect) -> list[str]:
        return sorted(Category(item).value for item in value or ())

    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> frozenset[Category]:
        return frozenset(Category(item) for item in value or ())
