"""Shared fixtures: `store` (a migrated database of each engine), `sqlite_store`, `postgres`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import postgres_server
import pytest
from storage_cast import SECRET
from web_kit import browser, desk, screen, seeded, shared_desk

from storage import Store

__all__ = ["browser", "desk", "screen", "seeded", "shared_desk"]  # of web_kit, for every test here


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.PostgresServer]:
    with postgres_server.running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: postgres_server.PostgresServer) -> str:
    """A migrated database to copy: faster than migrating for every test."""
    name = postgres.create()
    store = Store(postgres.url(name), [SECRET])
    store.migrate()
    store.close()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "xunfang.db"
    store = Store(str(path), [SECRET])
    store.migrate()
    store.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of its own."""
    path = tmp_path / "xunfang.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated database, once on each engine."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: postgres_server.PostgresServer = request.getfixturevalue("postgres")
    name = server.create(template=request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    server: postgres_server.PostgresServer = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = Store(database, [SECRET])
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    opened = Store(sqlite_url, [SECRET])
    yield opened
    opened.close()
