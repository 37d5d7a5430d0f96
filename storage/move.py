"""From one database into another (搬家): a county that outgrows SQLite takes everything along.

All of it in one transaction of the target: it arrives whole, or not at all. Personal data is opened with
the keys of the old store and sealed with those of the new; blind indexes are copied as they are, so
the newest key must be the same. Nothing may dial meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db
from xunfang.errors import BadInput

if TYPE_CHECKING:
    from storage.store import Store

BATCH_ROWS = 1000
NOT_MOVED = frozenset({"keeper"})  # each database proves its own key

Progress = Callable[[str, int], None]  # table, rows of it so far


def move(source: Store, target: Store, progress: Progress = lambda table, rows: None) -> dict[str, int]:
    """Rows by table. BadInput when the target is not empty or has another secret key, or calls are live."""
    sample = "13800000000"
    if source.vault.phone_index(sample) != target.vault.phone_index(sample):
        raise BadInput("both databases need the same secret key: numbers could not be found again otherwise")
    moved: dict[str, int] = {}
    with source.read() as old, target.begin() as new:
        if old.calls.open():
            raise BadInput("a call is live in the old database: stop `xunfang run` on every machine first")
        for table in _tables():
            if new.db.row(sa.select(sa.literal(1)).select_from(table).limit(1)) is not None:
                raise BadInput(f"the new database is not empty ({table.name}): give one just made")
        for table in _tables():
            moved[table.name] = _copy(old.db, new.db, table, progress)
    return moved


def _tables() -> list[sa.Table]:
    return [table for table in tables.metadata.sorted_tables if table.name not in NOT_MOVED]


def _copy(old: Db, new: Db, table: sa.Table, progress: Progress) -> int:
    own = [
        column for column in table.columns if any(key.column.table is table for key in column.foreign_keys)
    ]
    moved = 0
    pointing: list[dict[str, Any]] = []
    for batch in _batches(old, table):
        for row in batch:
            # Whom a row of the same table points to may come later.
            pointers = {column.name: row[column.name] for column in own if row[column.name] is not None}
            if pointers:
                pointing.append({"of": row["id"], **pointers})
                row |= dict.fromkeys(pointers)
        new.change_many(sa.insert(table), batch)
        moved += len(batch)
        progress(table.name, moved)
    for pointer in pointing:
        new.change(sa.update(table).where(table.c.id == sa.bindparam("of")), pointer)
    if moved and new.dialect == "postgresql" and "id" in table.c:
        _count_on(new, table)
    return moved


def _batches(db: Db, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    """By the primary key, so that a big table never stands in memory."""
    key = sa.tuple_(*table.primary_key.columns)
    names = [column.name for column in table.columns]
    statement = sa.select(*table.columns).order_by(*table.primary_key.columns).limit(BATCH_ROWS)
    last: list[Any] | None = None
    while True:
        after = statement if last is None else statement.where(key > sa.tuple_(*last))
        rows = [dict(zip(names, row, strict=True)) for row in db.rows(after)]
        if not rows:
            return
        last = [sa.literal(rows[-1][column.name], column.type) for column in table.primary_key.columns]
        yield rows


def _count_on(db: Db, table: sa.Table) -> None:
    """New rows get ids behind those that were moved."""
    sequence = sa.func.pg_get_serial_sequence(sa.literal(f'"{table.name}"'), sa.literal("id"))
    highest = sa.select(sa.func.max(table.c.id)).scalar_subquery()
    db.row(sa.select(sa.func.setval(sequence, highest)))
