"""A whole database into another one. Every table there is gets rows: a new one cannot be forgotten."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from postgres_server import PostgresServer
from storage_cast import NOW, PHONE, SECRET
from typer.testing import CliRunner
from web_kit import Cast

from storage import Store, mover, tables
from storage.engine import WRITES, database_url, open_engine
from storage.types import CategorySet, JsonTuple, PriorityRank, UtcDateTime, Word, use_vault
from storage.vault import Vault
from xunfang.cli.app import app
from xunfang.errors import BadInput, Conflict, StorageError
from xunfang.vocabulary import Category, Priority

pytestmark = pytest.mark.integration

IDLE = mover.Idle(NOW, timedelta(seconds=60))
MADE = 3  # rows in each table, beside those of the cast
FIRST = 1000
ODD_JSON: Any = {"b": 1e2, "a": [0.5, None, "跌倒", "\N{GRINNING FACE}"]}


def value_of(column: sa.Column[Any], number: int) -> Any:
    """A value that fits, another one in each row."""
    kind = column.type
    if isinstance(kind, Word):
        return next(iter(kind.words))
    if isinstance(kind, UtcDateTime):
        return NOW + timedelta(microseconds=number)
    if isinstance(kind, sa.Date):
        return date(1941, 2, 3)
    if isinstance(kind, CategorySet):
        return frozenset({Category.LIVING_ALONE})
    if isinstance(kind, JsonTuple):
        return (ODD_JSON, number)
    if isinstance(kind, PriorityRank):
        return Priority.HIGH
    if isinstance(kind, sa.Boolean):
        return bool(number % 2)
    if isinstance(kind, sa.Float):
        return number / 7
    if isinstance(kind, sa.Integer):
        return number
    if isinstance(kind, sa.JSON):
        return ODD_JSON
    length = getattr(kind, "length", None)
    return f"{number}老人 💐 {column.name}"[:length]


def a_row(table: sa.Table, number: int) -> dict[str, Any]:
    """References lead to the row of the same number, except in its own table: there to the next one, so that
    a child comes before its parent."""
    row = {column.name: value_of(column, number) for column in table.columns}
    for key in table.foreign_keys:
        own = key.column.table is table
        row[key.parent.name] = number if not own else (number + 1 if number < FIRST + MADE - 1 else None)
    return row


def fill(url: str) -> None:
    engine = open_engine(database_url(url))
    use_vault(engine, Vault([SECRET]))
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table in tables.metadata.sorted_tables:
            rows = [a_row(table, FIRST + number) for number in range(MADE)]
            connection.execute(sa.insert(table), rows)
        # Only the typed reading takes them for the same.
        connection.exec_driver_sql(f"UPDATE notice SET data = NULL WHERE id = {FIRST}")
        connection.exec_driver_sql(f"UPDATE notice SET data = 'null' WHERE id = {FIRST + 1}")
    engine.dispose()


def facts(store: Store, table: sa.Table) -> list[tuple[Any, ...]]:
    """As the program reads them: decrypted, as vocabulary words."""
    with store.read() as work:
        rows = work.db.rows(sa.select(table).order_by(*table.primary_key.columns))
    return sorted((tuple(row) for row in rows), key=repr)


def as_text(store: Store, column: sa.Column[Any]) -> list[str | None]:
    """As stored, in the order of ids: ciphertext, JSON."""
    with store.read() as work:
        rows = work.db.rows(sa.select(sa.cast(column, sa.Text)).order_by(column.table.c.id))
    return [row[0] for row in rows]


def rows_in(store: Store) -> dict[str, int]:
    with store.read() as work:
        counted = {
            table.name: work.db.rows(sa.select(sa.func.count()).select_from(table))[0][0]
            for table in tables.metadata.sorted_tables
        }
    return {name: rows for name, rows in counted.items() if rows}


@pytest.fixture(scope="module")
def full_template(seeded: tuple[Path, Cast], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "xunfang.db"
    with sqlite3.connect(seeded[0]) as here, sqlite3.connect(path) as there:
        here.backup(there)
    fill(str(path))
    return path


@pytest.fixture
def full(full_template: Path, tmp_path: Path) -> Iterator[Store]:
    """SQLite with rows in every table; its only dialler beat long ago."""
    path = tmp_path / "full.db"
    with sqlite3.connect(full_template) as here, sqlite3.connect(path) as there:
        here.backup(there)
        there.execute("UPDATE dialler SET heartbeat_at = '2026-01-01 00:00:00.000000'")
    there.close()
    opened = Store(str(path), [SECRET])
    yield opened
    opened.close()


@pytest.fixture
def target(sqlite_url: str) -> Iterator[Store]:
    """An empty migrated SQLite database."""
    opened = Store(sqlite_url, [SECRET])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def empty_postgres(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """For tests that leave it empty."""
    name = postgres.create(template=postgres_template)
    yield postgres.url(name)
    postgres.drop(name)


def test_every_table_arrives_as_the_program_reads_it_and_goes_on_counting(
    full: Store,
    target: Store,
    postgres: PostgresServer,
    postgres_template: str,
    seeded: tuple[Path, Cast],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mover, "CHUNK_ROWS", 2)  # so that every table takes several, also of composite keys
    before = rows_in(full)
    assert set(before) == set(tables.metadata.tables), "the seed leaves a table empty"
    name = postgres.create(template=postgres_template)
    moved = Store(postgres.url(name), [SECRET])
    told: list[tuple[str, int, int]] = []
    copies = full.copy_to(moved, IDLE, lambda *step: told.append(step))

    expected = {name: rows for name, rows in before.items() if name not in mover.NOT_COPIED}
    assert {each.table: each.rows for each in copies} == expected == rows_in(moved)
    assert told[-1][1] == told[-1][2] == 2 * sum(each.rows for each in copies)
    for table in tables.metadata.sorted_tables:
        if table.name not in (*mover.NOT_COPIED, "call"):
            assert facts(moved, table) == facts(full, table), table.name
    of_call = [column for column in tables.call.columns if column.name != "dialler_id"]
    with full.read() as here, moved.read() as there:
        assert len(there.db.rows(sa.select(*of_call))) == before["call"]
        assert set(there.db.rows(sa.select(*of_call))) == set(here.db.rows(sa.select(*of_call)))
        dialled = sa.select(tables.call.c.id).where(tables.call.c.dialler_id.is_not(None))
        assert here.db.rows(dialled)
        assert not there.db.rows(dialled)  # diallers are not copied
    name_column = tables.elder.c.name
    assert as_text(moved, name_column) == as_text(full, name_column)  # the very ciphertext
    assert as_text(full, tables.notice.c.data)[-3:-1] == as_text(moved, tables.notice.c.data)[-3:-1]
    assert as_text(moved, tables.notice.c.data)[-3:-1] == [None, "null"]

    cast = seeded[1]
    with full.read() as here, moved.read() as there:
        elder = there.elders.get(cast.elder)
        assert elder is not None
        assert elder == here.elders.get(cast.elder)
        assert [each.id for each in there.elders.find_by_phone(PHONE)] == [cast.elder]
        assert [area.name for area in there.areas.path(cast.village)] == ["长青县", "柳河镇", "幸福村"]
        assert there.turns.of(cast.call) == here.turns.of(cast.call)
        assert there.cases.queue(50) == here.cases.queue(50)
        assert there.calls.get(cast.live_call) == here.calls.get(cast.live_call)

    assert moved.copy_to(target, IDLE) == copies  # and back to SQLite

    with moved.begin() as work:
        for table in tables.metadata.sorted_tables:
            if table.autoincrement_column is not None:
                new = work.db.rows(sa.insert(table).returning(table.c.id), a_newcomer(table, cast))[0][0]
                assert new == FIRST + MADE, table.name
    moved.close()
    postgres.drop(name)


def a_newcomer(table: sa.Table, cast: Cast) -> dict[str, Any]:
    """A row without a number, of an elder about whom nothing is unique yet."""
    row = a_row(table, FIRST + 500)
    for key in table.foreign_keys:
        row[key.parent.name] = None if key.parent.nullable else FIRST
    if row.get("elder_id"):
        row["elder_id"] = cast.quiet_elder
    del row["id"]
    return row


def test_an_interrupted_copy_leaves_the_target_empty_and_can_be_repeated(full: Store, target: Store) -> None:
    def stop(table: str, done: int, total: int) -> None:
        if done > total / 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        full.copy_to(target, IDLE, stop)
    assert rows_in(target) == {"keeper": 1}
    assert full.copy_to(target, IDLE)


def _copy_and_die(source: str, target: str) -> None:
    def die(table: str, done: int, total: int) -> None:
        if done > total * 0.9:  # everything is written, the comparison goes on
            os._exit(9)

    Store(source, [SECRET]).copy_to(Store(target, [SECRET]), IDLE, die)


def test_a_killed_copy_leaves_the_target_empty_too(full: Store, empty_postgres: str, tmp_path: Path) -> None:
    killed = multiprocessing.get_context("fork").Process(
        target=_copy_and_die, args=(str(tmp_path / "full.db"), empty_postgres)
    )
    killed.start()
    killed.join(20)
    assert killed.exitcode == 9
    target = Store(empty_postgres, [SECRET])
    assert rows_in(target) == {"keeper": 1}
    target.close()


def test_a_row_that_arrives_changed_undoes_everything(full: Store, target: Store, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "xunfang.db") as other:
        other.execute("CREATE TRIGGER spoil AFTER INSERT ON answer BEGIN UPDATE answer SET text = '好'; END")
    other.close()
    with pytest.raises(StorageError, match="table answer did not arrive as it was sent"):
        full.copy_to(target, IDLE)
    assert rows_in(target) == {"keeper": 1}


def test_nobody_writes_to_the_source_meanwhile(full: Store, target: Store, tmp_path: Path) -> None:
    refused: list[str] = []

    def write(table: str, done: int, total: int) -> None:
        if not refused:
            with sqlite3.connect(tmp_path / "full.db", timeout=0) as other:
                try:
                    other.execute("UPDATE elder SET active = 0")
                except sqlite3.OperationalError as error:
                    refused.append(str(error))
            other.close()

    full.copy_to(target, IDLE, write)
    assert refused == ["database is locked"]


def test_a_target_with_rows_is_refused(full: Store, target: Store) -> None:
    with target.begin() as work:
        work.areas.add(code="220100000000", name="长青县", level="county")
    for dry_run in (True, False):
        with pytest.raises(Conflict, match=r"not empty \(rows in area\).*--to"):
            full.copy_to(target, IDLE, dry_run=dry_run)


def test_a_running_service_is_refused_on_either_side(full: Store, target: Store) -> None:
    with target.begin() as work:
        work.db.change(sa.insert(tables.dialler), a_row(tables.dialler, 1))
    with pytest.raises(Conflict, match="still running on the target database"):
        full.copy_to(target, IDLE)
    with full.begin() as work:
        work.db.change(sa.update(tables.dialler).values(heartbeat_at=NOW - timedelta(seconds=59)))
    for dry_run in (True, False):
        with pytest.raises(Conflict, match=r"still running on the source database .* stop it first"):
            full.copy_to(target, IDLE, dry_run=dry_run)


def test_another_key_another_version_and_the_same_database_are_refused(
    full: Store, target: Store, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="name another one"):
        full.copy_to(full, IDLE)
    foreign = Store(str(tmp_path / "xunfang.db"), ["another secret only for tests, 0123"])
    with pytest.raises(StorageError, match="the target: personal data cannot be decrypted"):
        full.copy_to(foreign, IDLE)
    foreign.close()
    with sqlite3.connect(tmp_path / "xunfang.db") as other:
        other.execute("UPDATE alembic_version SET version_num = '0011'")
    other.close()
    with pytest.raises(StorageError, match=r"the target: the database .* is older"):
        full.copy_to(target, IDLE)


def test_what_postgresql_could_not_hold_is_named(sqlite_store: Store, empty_postgres: str) -> None:
    target = Store(empty_postgres, [SECRET])
    with sqlite_store.begin() as work:
        area = work.areas.add(code="220100000000", name="长" * 101, level="county")
    wanted = f"column name of row {area.id} in table area holds 101 characters, PostgreSQL takes 100"
    for dry_run in (True, False):
        with pytest.raises(StorageError, match=wanted):
            sqlite_store.copy_to(target, IDLE, dry_run=dry_run)
    assert rows_in(target) == {"keeper": 1}
    target.close()


def test_the_command_copies_into_a_database_without_tables(
    full: Store, tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres.create()
    monkeypatch.setenv("XUNFANG_STORAGE__SECRET_KEY", SECRET)
    monkeypatch.setenv("XUNFANG_STORAGE__URL", f"sqlite:///{tmp_path / 'full.db'}")
    monkeypatch.chdir(tmp_path)
    expected = {name: rows for name, rows in rows_in(full).items() if name not in mover.NOT_COPIED}
    for words in (["--dry-run"], []):
        ran = CliRunner().invoke(app, ["migrate", "--to", postgres.url(name), "--json", *words])
        assert ran.exit_code == 0, ran.output
        said = json.loads(ran.stdout)
        assert {each["table"]: each["rows"] for each in said["tables"]} == expected
        assert said["dry_run"] is bool(words)
        assert said["not_copied"] == ["dialler", "channel_lease", "web_session"]
        target = Store(postgres.url(name), [SECRET])
        if words:
            with pytest.raises(StorageError, match="no tables"):
                target.check()
        else:
            assert rows_in(target) == expected
        target.close()
    postgres.drop(name)
