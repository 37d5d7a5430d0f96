"""Copy a whole database into another one: SQLite to PostgreSQL, or any to any.

Values travel as they are stored: ciphertext stays ciphertext (both sides have the same secret key), words,
ranks and JSON are not interpreted. Everything is written in one transaction of the target, read back there
and compared before it is committed, so whatever stops the copy leaves the target empty. Meanwhile nobody
else can write to the source: what was written after its copy would be lost without a word.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.schema import SchemaItem

from storage import tables
from storage.db import Db
from storage.engine import WRITES
from storage.failures import translated
from storage.repository_fleet import Diallers
from storage.types import UtcDateTime
from storage.vault import Vault
from xunfang.errors import Conflict, StorageError

CHUNK_ROWS = 1000
LOCK_WAIT_S = 15  # for what is just being written to a PostgreSQL source
# Of running processes and of open browsers: both begin anew on the new database.
NOT_COPIED = (tables.dialler.name, tables.channel_lease.name, tables.web_session.name)
_DIGEST_RANGE = 2**256

Told = Callable[[str, int, int], None]  # name of the table, steps done, steps in all


class _JsonbText(sa.types.TypeDecorator[str]):
    """JSONB read and written as its text, so that SQL NULL and the JSON null stay two things."""

    impl = sa.Text
    cache_ok = True

    def bind_expression(self, bindparam: sa.BindParameter[str]) -> sa.ColumnElement[Any]:
        return sa.cast(bindparam, JSONB)

    def column_expression(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        return sa.cast(column, sa.Text)


_JSON_TEXT = sa.Text().with_variant(_JsonbText(), "postgresql")


def _as_stored(type_: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(type_, UtcDateTime):
        return type_  # the engines store a time differently
    if isinstance(type_, sa.types.TypeDecorator):
        type_ = type_.impl_instance
    return _JSON_TEXT if isinstance(type_, sa.JSON) else type_


def _stored_tables() -> list[sa.Table]:
    """The tables in an order in which parents come first, with columns that hold what is stored."""
    stored = sa.MetaData()
    for table in tables.metadata.sorted_tables:
        items: list[SchemaItem] = [
            sa.Column(column.name, _as_stored(column.type), primary_key=column.primary_key)
            for column in table.columns
        ]
        sa.Table(table.name, stored, *items)
    return [stored.tables[table.name] for table in tables.metadata.sorted_tables]


_TABLES = {table.name: table for table in _stored_tables()}
COPIED = tuple(name for name in _TABLES if name not in NOT_COPIED)


@dataclass(frozen=True, slots=True)
class TableCopy:
    table: str
    rows: int
    digest: str  # hex; of all rows, whatever their order


Copies = list[TableCopy]


@dataclass(slots=True)
class _Steps:
    """A step is a row read, or a row compared."""

    told: Told
    total: int
    done: int = 0

    def more(self, table: str, rows: int) -> None:
        self.done += rows
        self.told(table, self.done, self.total)


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody may dial meanwhile: a dialler counts as alive until `lease` after its last heartbeat."""

    now: datetime
    lease: timedelta


# ---- the two ways to call it ---------------------------------------------------------------------


def look(source: Engine, target: Engine | None, dialect: str, vault: Vault, idle: Idle, told: Told) -> Copies:
    """Only say what would be copied, and refuse what `copy` would refuse. `target` None: it has no tables."""
    with translated(), source.connect() as reading:
        _require_no_service(reading, vault, idle, "source")
        if target is not None:
            with target.connect() as seen:
                _require_no_service(seen, vault, idle, "target")
                _require_empty(seen)
        steps = _Steps(told, _rows(reading))
        return [_read_through(reading, name, dialect, steps) for name in COPIED]


def copy(source: Engine, target: Engine, vault: Vault, idle: Idle, told: Told) -> Copies:
    """Both migrated. Raises Conflict (somebody works there, the target is not empty) or StorageError."""
    writes = {WRITES: True}
    with (
        translated(),
        source.connect().execution_options(**writes) as held,
        held.begin(),
        target.connect().execution_options(**writes) as written,
        written.begin(),
    ):
        _hold(held)
        _require_no_service(held, vault, idle, "source")
        _require_no_service(written, vault, idle, "target")
        _require_empty(written)
        return _copy_all(held, written, told)


# ---- before --------------------------------------------------------------------------------------


def _hold(source: Connection) -> None:
    """Until this writing transaction ends, nobody else writes to the source (SQLite's holds that already)."""
    if source.dialect.name != "postgresql":
        return
    names = ", ".join(_quoted(source, table) for table in _TABLES.values())
    source.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    source.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'")
    source.exec_driver_sql(f"LOCK TABLE {names} IN SHARE MODE")


def _require_no_service(connection: Connection, vault: Vault, idle: Idle, which: str) -> None:
    present = Diallers(Db(connection, vault)).present()
    live = [each.name for each in present if idle.now - each.heartbeat_at < idle.lease]
    if live:
        raise Conflict(
            f"the service is still running on the {which} database ({', '.join(live)}): stop it first "
            f"(after a crash wait {idle.lease.total_seconds():.0f} s), and the console too, then start again"
        )


def _require_empty(target: Connection) -> None:
    """Nothing but the proof of the key."""
    filled = [name for name in COPIED if name != tables.keeper.name and _any(target, _TABLES[name])]
    if filled:
        raise Conflict(
            f"the target database is not empty (rows in {', '.join(filled)}): nothing was copied; "
            "name a new database for --to"
        )


def _any(connection: Connection, table: sa.Table) -> bool:
    return connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None


def _rows(connection: Connection) -> int:
    return sum(
        int(connection.execute(sa.select(sa.func.count()).select_from(_TABLES[name])).scalar_one())
        for name in COPIED
    )


# ---- the copy ------------------------------------------------------------------------------------


def _copy_all(source: Connection, target: Connection, told: Told) -> Copies:
    """Written, then read back and compared: by number and by content, every row."""
    steps = _Steps(told, 2 * _rows(source))
    target.execute(sa.delete(_TABLES[tables.keeper.name]))  # the source's own proof takes its place
    copies = [_copy_table(source, target, name, steps) for name in COPIED]
    for made in copies:
        found = _read_through(target, made.table, target.dialect.name, steps)
        if found != made:
            raise StorageError(
                f"table {made.table} did not arrive as it was sent ({made.rows} rows sent, {found.rows} "
                "found): nothing was kept in the target; check its server and disk, then start again"
            )
    _continue_numbering(source, target)
    return copies


def _copy_table(source: Connection, target: Connection, name: str, steps: _Steps) -> TableCopy:
    table, original = _TABLES[name], tables.metadata.tables[name]
    insert = sa.insert(table)
    own = [key.parent.name for key in original.foreign_keys if key.column.table is original]
    later: list[dict[str, Any]] = []
    rows, digest = 0, 0
    for chunk in _chunks(source, name):
        for row in chunk:
            _require_fits(original, row, target.dialect.name)
            digest = (digest + _digest(table, row)) % _DIGEST_RANGE
        if own:  # the parent may have the higher number: rows first, then who belongs to whom
            later += [row for row in chunk if any(row[column] is not None for column in own)]
            target.execute(insert, [row | dict.fromkeys(own) for row in chunk])
        else:
            target.execute(insert, chunk)
        rows += len(chunk)
        steps.more(name, len(chunk))
    if later:
        _link(target, table, own, later)
    return TableCopy(name, rows, f"{digest:064x}")


def _link(target: Connection, table: sa.Table, own: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    keys = [column.name for column in table.primary_key.columns]
    statement = (
        sa.update(table)
        .where(*(table.c[key] == sa.bindparam(f"of_{key}") for key in keys))
        .values({column: sa.bindparam(f"new_{column}") for column in own})
    )
    for start in range(0, len(rows), CHUNK_ROWS):
        target.execute(
            statement,
            [
                {f"of_{key}": row[key] for key in keys} | {f"new_{column}": row[column] for column in own}
                for row in rows[start : start + CHUNK_ROWS]
            ],
        )


def _continue_numbering(source: Connection, target: Connection) -> None:
    """PostgreSQL counts beside the table: the next row gets the number after the source's last one. Also in
    tables that are not copied: the number of a dialler is never used twice."""
    if target.dialect.name != "postgresql":
        return
    for name, table in _TABLES.items():
        counted = tables.metadata.tables[name].autoincrement_column
        if counted is None:
            continue
        last = source.execute(sa.select(sa.func.max(table.c[counted.name]))).scalar_one()
        if last is not None:
            sequence = sa.func.pg_get_serial_sequence(_quoted(target, table), counted.name)
            target.execute(sa.select(sa.func.setval(sequence, last)))


# ---- rows ----------------------------------------------------------------------------------------


def _chunks(connection: Connection, name: str) -> Iterator[list[dict[str, Any]]]:
    """Rows in the order of the primary key; references to what is not copied are dropped."""
    table, original = _TABLES[name], tables.metadata.tables[name]
    dropped = dict.fromkeys(
        key.parent.name for key in original.foreign_keys if key.column.table.name in NOT_COPIED
    )
    keys = list(table.primary_key.columns)
    first = sa.select(table).order_by(*keys).limit(CHUNK_ROWS)
    after = [sa.bindparam(f"after_{key.name}", type_=key.type) for key in keys]
    later = first.where(
        keys[0] > after[0] if len(keys) == 1 else sa.tuple_(*keys) > sa.tuple_(*after)  # composite
    )
    rows = connection.execute(first).mappings().all()
    while rows:
        yield [dict(row) | dropped for row in rows]
        last = rows[-1]
        rows = (
            connection.execute(later, {f"after_{key.name}": last[key.name] for key in keys}).mappings().all()
        )


def _read_through(connection: Connection, name: str, dialect: str, steps: _Steps) -> TableCopy:
    table, original = _TABLES[name], tables.metadata.tables[name]
    rows, digest = 0, 0
    for chunk in _chunks(connection, name):
        for row in chunk:
            _require_fits(original, row, dialect)
            digest = (digest + _digest(table, row)) % _DIGEST_RANGE
        rows += len(chunk)
        steps.more(name, len(chunk))
    return TableCopy(name, rows, f"{digest:064x}")


def _require_fits(table: sa.Table, row: dict[str, Any], dialect: str) -> None:
    """SQLite keeps texts of any length and with any character, PostgreSQL does not."""
    if dialect != "postgresql":
        return
    for column in table.columns:
        value = row[column.name]
        if not isinstance(value, str):
            continue
        longest = getattr(column.type, "length", None)
        if longest is not None and len(value) > longest:
            trouble = f"{len(value)} characters, PostgreSQL takes {longest}"
        elif "\0" in value or (_TABLES[table.name].c[column.name].type is _JSON_TEXT and "\\u0000" in value):
            trouble = "a NUL character, which PostgreSQL does not take"
        else:
            continue
        key = ", ".join(str(row[each.name]) for each in table.primary_key.columns)
        raise StorageError(
            f"column {column.name} of row {key} in table {table.name} holds {trouble}: shorten or correct it "
            "in the source, then start again; nothing was copied"
        )


def _digest(table: sa.Table, row: dict[str, Any]) -> int:
    """The same number on both engines. Added up, so that collations that sort differently do not matter."""
    values = [
        _plain_json(row[column.name]) if column.type is _JSON_TEXT else _plain(row[column.name])
        for column in table.columns
    ]
    text = json.dumps(values, ensure_ascii=False, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date


def _plain_json(text: str | None) -> Any:
    """JSONB writes keys and numbers its own way: 1e2, 100.0 and 100 are one number there."""
    return None if text is None else [json.loads(text, parse_float=_number)]


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value


def _quoted(connection: Connection, table: sa.Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)
