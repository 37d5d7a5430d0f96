"""The narrow gate through which every repository speaks to its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import islice
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row

from storage.failures import translated
from storage.vault import Vault

CHUNK_ROWS = 1000
_COUNTED = {"preserve_rowcount": True}
FOREVER = 2**62  # a key beyond every row: "page from the newest"


Values = dict[str, Any]
AnyRow = Row[*tuple[Any, ...]]
Fact = TypeVar("Fact")  # a dataclass of storage.model


class Shape(Generic[Fact]):
    """How rows of one table become one dataclass: columns are selected in the order of its fields."""

    def __init__(self, make: type[Fact], table: sa.Table) -> None:
        self._make = make
        self.table = table
        self.names = tuple(item.name for item in fields(cast(Any, make)))
        self.columns = tuple(table.c[name] for name in self.names)
        self._select: sa.Select[Any] = sa.select(*self.columns)
        self._by: dict[tuple[tuple[str, ...], tuple[str, ...]], sa.Select[Any]] = {}
        self.insert = sa.insert(table).returning(*self.columns)

    def select(self) -> sa.Select[Any]:
        """Built once: a statement never changes, `where` and the like give a new one."""
        return self._select

    def by(self, *names: str, order: tuple[str, ...] = ()) -> sa.Select[Any]:
        """Rows in which these columns have the values that come with the execution. Built once: to build
        a statement and its key costs several times what SQLite needs to answer it."""
        if (names, order) not in self._by:
            equal = [self.table.c[name] == sa.bindparam(name) for name in names]
            ordered = [self.table.c[name] for name in order]
            self._by[names, order] = self._select.where(*equal).order_by(*ordered)
        return self._by[names, order]

    def of(self, row: AnyRow) -> Fact:
        return self._make(*row)

    def values(self, fact: Fact) -> dict[str, Any]:
        """Column values of a new row; the id is the database's to give."""
        return {name: getattr(fact, name) for name in self.names if name != "id"}


class Db:
    """One transaction. All errors leave as StorageError (storage.failures)."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self.vault = vault
        self.dialect = connection.dialect.name  # sqlite | postgresql

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What is raised inside undoes what was done inside, and no more."""
        self._connection.exec_driver_sql("SAVEPOINT inside")
        try:
            yield
        except BaseException:
            self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT inside")
            self._connection.exec_driver_sql("RELEASE SAVEPOINT inside")
            raise
        self._connection.exec_driver_sql("RELEASE SAVEPOINT inside")

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT; both engines spell it alike."""
        return sqlite.insert(table) if self.dialect == "sqlite" else postgresql.insert(table)

    def row(self, statement: sa.Executable, values: Values | None = None) -> AnyRow | None:
        """`values`: of the parameters of a statement that was built beforehand."""
        with translated():
            return self._connection.execute(statement, values).first()

    def rows(self, statement: sa.Executable, values: Values | None = None) -> Sequence[AnyRow]:
        with translated():
            return self._connection.execute(statement, values).all()

    def change(self, statement: sa.Update | sa.Delete | sa.Insert, values: Values | None = None) -> int:
        """How many rows were changed."""
        with translated():
            return self._connection.execute(statement, values, execution_options=_COUNTED).rowcount

    def change_one(self, statement: sa.Update | sa.Insert, values: Values | None = None) -> bool:
        """A conditional change: False when the condition no longer held, i.e. somebody else was first."""
        return self.change(statement, values) == 1

    def change_many(self, statement: sa.Insert | sa.Update, rows: Iterable[Mapping[str, Any]]) -> int:
        """The same for many rows, in chunks, so that a million rows never stand in memory."""
        changed = 0
        source = iter(rows)
        while chunk := list(islice(source, CHUNK_ROWS)):
            with translated():
                result = self._connection.execute(
                    statement, [dict(row) for row in chunk], execution_options={"preserve_rowcount": True}
                )
            changed += result.rowcount
        return changed

    def add_many(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert many and give back their ids in the order given."""
        if not rows:
            return []
        statement = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
        with translated():
            return [int(id) for id in self._connection.scalars(statement, [dict(row) for row in rows])]

    def one(self, shape: Shape[Fact], statement: sa.Executable, values: Values | None = None) -> Fact | None:
        row = self.row(statement, values)
        return None if row is None else shape.of(row)

    def all(self, shape: Shape[Fact], statement: sa.Executable, values: Values | None = None) -> list[Fact]:
        return [shape.of(row) for row in self.rows(statement, values)]

    def add(self, shape: Shape[Fact], values: Mapping[str, Any]) -> Fact:
        """Insert and give back what was stored, with its id."""
        row = self.row(shape.insert, dict(values))
        assert row is not None
        return shape.of(row)
