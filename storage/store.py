"""The database as the rest of the house sees it: `with store.begin() as work: work.calls.get(7)`."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa

from storage import leader, migrate, mover, rotation
from storage.db import Db
from storage.engine import WRITES, database_url, open_engine
from storage.failures import translated
from storage.tables import keeper
from storage.types import use_vault
from storage.vault import Vault
from storage.work import Work
from xunfang.errors import BadInput, StorageError

_PROOF = "key_proof"
_PROOF_TEXT = "xunfang"


@contextmanager
def _about_the_target() -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        raise StorageError(f"the target: {error}") from None


class Store:
    """One per process; safe to use from several threads. Opening it touches nothing yet.

    `secret_keys`: newest first (storage.vault). Errors are StorageError or BadSettings.
    """

    def __init__(self, url: str, secret_keys: Sequence[str], echo: bool = False) -> None:
        self._vault = Vault(secret_keys)
        self._url = database_url(url)
        self._engine = open_engine(self._url, echo)
        use_vault(self._engine, self._vault)
        self._pid = os.getpid()
        self._checked = False
        self._mine = threading.local()
        # SQLite lets one writer in and makes the others poll; inside a process they queue here instead.
        self._writer: threading.Lock | None = threading.Lock() if self.dialect == "sqlite" else None

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    @property
    def url(self) -> str:
        """For messages: the password is hidden."""
        return sa.make_url(self._url).render_as_string(hide_password=True)

    @property
    def dialect(self) -> str:
        """sqlite | postgresql"""
        return self._engine.dialect.name

    @property
    def vault(self) -> Vault:
        """To seal and sign what leaves the house and comes back: cursors, held forms, door plates."""
        return self._vault

    def migrate(self) -> None:
        """Bring the tables to this version. Idempotent; several processes may call it at once."""
        migrate.upgrade(self._url)
        with translated(), self._engine.connect().execution_options(**{WRITES: True}) as connection:
            db = Db(connection, self._vault)
            db.change(db.insert(keeper).values(name=_PROOF, value=_PROOF_TEXT).on_conflict_do_nothing())
            connection.commit()
        self.check()

    def check(self) -> None:
        """Raises StorageError when the database is unreachable, not of this version, or of another key."""
        with translated(), self._engine.connect() as connection:
            migrate.require_newest(connection)
            proof = Db(connection, self._vault).row(sa.select(keeper.c.value).where(keeper.c.name == _PROOF))
        if proof is None:
            raise StorageError("the database has no key yet: run `xunfang migrate` (Store.migrate())")
        self._checked = True

    def rotate_keys(self) -> int:
        """Rewrite everything encrypted under the newest key; then the old keys can be taken away.

        Works in small transactions while the service runs, can be interrupted and repeated.
        Leave the old key in the list for one more day: the daily cap looks at the calls of that day.
        Returns the number of rows rewritten.
        """
        return rotation.rotate(self)

    def copy_to(
        self,
        target: Store,
        idle: mover.Idle,
        told: mover.Told = lambda table, done, total: None,
        dry_run: bool = False,
    ) -> list[mover.TableCopy]:
        """Copy everything (storage.mover) into a database that has no rows, or no tables yet.

        All of it or nothing. `dry_run`: only say what would be copied; a bare target stays bare.
        """
        if self.url == target.url:
            raise BadInput("the target is the database that is configured: name another one for --to")
        self.check()
        with _about_the_target():
            bare = target._is_bare()
            if bare and not dry_run:
                target.migrate()
            if not (bare and dry_run):
                target.check()
        if dry_run:
            seen = None if bare else target._engine
            return mover.look(self._engine, seen, target.dialect, self._vault, idle, told)
        return mover.copy(self._engine, target._engine, self._vault, idle, told)

    def _is_bare(self) -> bool:
        with translated(), self._engine.connect() as connection:
            return migrate.is_bare(connection)

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """One writing transaction: all of it or, when anything is raised inside, nothing."""
        if getattr(self._mine, "writing", False):
            raise StorageError("a transaction is already open in this thread: hand its `work` down instead")
        self._mine.writing = True
        shared: Work | None = getattr(self._mine, "shared", None)
        try:
            if shared is not None:
                with shared.db.savepoint():
                    yield shared
            elif self._writer is None:
                with self._transaction(writes=True) as work:
                    yield work
            else:
                with self._writer, self._transaction(writes=True) as work:
                    yield work
        finally:
            self._mine.writing = False

    @contextmanager
    def read(self) -> Iterator[Work]:
        """A view of one moment; writing inside raises StorageError."""
        shared: Work | None = getattr(self._mine, "shared", None)
        if shared is not None:
            yield shared
            return
        with self._transaction(writes=False) as work:
            yield work

    @contextmanager
    def together(self) -> Iterator[None]:
        """For simulations: all that this thread does inside is one transaction, each `begin` a savepoint.
        Nobody else may write meanwhile; what fails outside of a `begin` takes everything with it."""
        with self._transaction(writes=True) as work:
            self._mine.shared = work
            try:
                yield
            finally:
                self._mine.shared = None

    @contextmanager
    def leading(self, name: str, wait: bool = False) -> Iterator[bool]:
        """Whether this process leads in `name` while the block runs; `wait` for one's turn instead."""
        with leader.leading(self._engine, name, wait) as leads:
            yield leads

    def clock_skew_s(self, now: datetime) -> float:
        """Seconds by which `now` is ahead of the database server's clock."""
        return leader.clock_skew_s(self._engine, now)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _transaction(self, writes: bool) -> Iterator[Work]:
        self._leave_parent_connections()
        if not self._checked:
            self.check()
        with (
            translated(),
            self._engine.connect().execution_options(**{WRITES: writes}) as connection,
            connection.begin(),
        ):
            yield Work(Db(connection, self._vault))

    def _leave_parent_connections(self) -> None:
        """After a fork the parent's connections are not ours to use or to close."""
        if self._pid != os.getpid():
            self._engine.dispose(close=False)
            self._pid = os.getpid()
            self._mine = threading.local()
            self._writer = threading.Lock() if self._writer is not None else None
