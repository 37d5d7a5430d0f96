"""From nothing to the tables of this version and back, on both engines."""

from __future__ import annotations

import multiprocessing
import os
import socket
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from storage_cast import PHONE, SECRET, an_elder

from storage import Store, migrate
from storage.engine import database_url, open_engine
from storage.tables import metadata
from xunfang.errors import StorageError

pytestmark = pytest.mark.integration


def tables_in(url: str) -> set[str]:
    engine = open_engine(database_url(url))
    try:
        return set(sa.inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_up_down_and_up_again(empty_database: str) -> None:
    store = Store(empty_database, [SECRET])
    store.migrate()
    with store.begin() as work:
        an_elder(work)
    everything = {table.name for table in metadata.tables.values()} | {"alembic_version"}
    assert tables_in(empty_database) == everything
    migrate.downgrade(database_url(empty_database), "base")
    assert tables_in(empty_database) == {"alembic_version"}
    store.migrate()
    with store.begin() as work:
        assert work.elders.page() == []
        an_elder(work)
    store.close()


def test_migrating_twice_keeps_what_is_stored(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
    store.migrate()
    with store.read() as work:
        assert work.elders.get(elder.id) == elder


def test_the_migrations_lead_to_exactly_the_tables(database: str) -> None:
    engine = open_engine(database_url(database))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        # Autogenerate does not look at these two.
        inspector = sa.inspect(connection)
        assert [check["name"] for check in inspector.get_check_constraints("case")] == [
            "ck_case_closed_with_note"
        ]
        found = [index for table in ("call", "case", "notice") for index in inspector.get_indexes(table)]
        assert {index["name"] for index in found if _where(index)} == {
            "ix_call_live",
            "uq_call_live_plan",
            "ix_case_queue",
            "uq_case_open_elder",
            "ix_case_look",
            "ix_notice_pending",
            "ix_call_recording_kept",
            "ix_call_texts_kept",
            "ix_case_note_kept",
        }
    engine.dispose()


def _where(index: object) -> bool:
    assert isinstance(index, dict)
    return any(str(name).endswith("_where") for name in index.get("dialect_options", {}))


def _migrate_and_add(url: str, start: object, results: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    store = Store(url, [SECRET])
    store.migrate()
    with store.begin() as work:
        an_elder(work)
    results.put("done")  # type: ignore[attr-defined]


def test_processes_that_start_together_migrate_once(empty_database: str) -> None:
    spawn = multiprocessing.get_context("fork")
    start, results = spawn.Barrier(4), spawn.Queue()
    others = [spawn.Process(target=_migrate_and_add, args=(empty_database, start, results)) for _ in range(4)]
    for process in others:
        process.start()
    for process in others:
        process.join(20)
    assert [process.exitcode for process in others] == [0, 0, 0, 0]
    store = Store(empty_database, [SECRET])
    with store.read() as work:
        assert len(work.elders.page()) == 4
    store.close()


def test_a_database_without_tables_says_what_to_run(empty_database: str) -> None:
    store = Store(empty_database, [SECRET])
    with pytest.raises(StorageError, match="xunfang migrate"), store.read():
        pass
    store.close()


def test_a_database_of_a_newer_program_is_left_alone(database: str) -> None:
    engine = open_engine(database_url(database))
    with engine.connect().execution_options(xunfang_writes=True) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
    engine.dispose()
    store = Store(database, [SECRET])
    with pytest.raises(StorageError, match="newer than this program"), store.begin():
        pass
    store.close()


def test_a_server_that_is_not_there_says_so() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        store = Store(f"postgresql://clerk:geheim@127.0.0.1:{port}/county", [SECRET])
        with pytest.raises(StorageError, match="cannot be reached") as caught, store.read():
            pass
        with pytest.raises(StorageError, match="cannot be reached"):
            store.migrate()
    assert "geheim" not in str(caught.value)
    assert "geheim" not in repr(store)
    store.close()


def test_a_database_name_that_does_not_exist_says_so(postgres: object) -> None:
    store = Store(postgres.url("nowhere"), [SECRET])  # type: ignore[attr-defined]
    with pytest.raises(StorageError, match=r"storage\.url"), store.read():
        pass
    store.close()


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"this is a letter, not a database\n" * 200)
    store = Store(str(path), [SECRET])
    with pytest.raises(StorageError, match="not a database"), store.read():
        pass
    with pytest.raises(StorageError, match="not a database"):
        store.migrate()
    store.close()


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be created"):
        Store(str(tmp_path / "file" / "x.db"), [SECRET])


def test_nobody_else_on_the_machine_reads_the_ledger(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(str(tmp_path / "new" / "x.db"), [SECRET])
        store.migrate()
        with store.begin() as work:
            an_elder(work, phone=PHONE)
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert "x.db-wal" in modes
    assert set(modes.values()) == {0o600}
