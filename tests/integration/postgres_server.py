"""A real PostgreSQL for the tests: its own data folder, a free loopback port, gone at the end.

PostgreSQL refuses to run as root, so root hands it to the user `postgres` of the Debian package.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

USER = "xunfang"
_FOLDER = "xunfang-pg-"  # and then the process whose server it is
_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
# Tests prove what a killed *client* leaves behind, not a power cut: skip the waits for the disk.
# And a server in a county's own time zone, to see that UTC comes back all the same.
_OPTIONS = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=16MB "
    "-c timezone=Asia/Shanghai"
)


class PostgresServer:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._databases = 0

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template1") -> str:
        """The name of a fresh database."""
        self._databases += 1
        name = f"test_{self._databases}"
        # FILE_COPY: the quicker of the two ways for a database this small.
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def drop(self, database: str) -> None:
        self.execute(f"DROP DATABASE {database} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running() -> Iterator[PostgresServer]:
    """Start, yield, stop. Skips the test when the server is not installed."""
    if not _BINARIES:
        pytest.skip("PostgreSQL is not installed: `apt-get install postgresql-15`")
    binaries = _BINARIES[0]
    _clean_up_after_the_killed()
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    port = _free_port()
    data = folder / "data"

    def run(*command: str) -> None:
        done = subprocess.run(
            [*as_user, *command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command[0]} failed: {done.stdout}{done.stderr}"

    try:
        run(
            f"{binaries}/initdb", "-D", str(data), "-U", USER, "--auth=trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        options = f"-p {port} -h 127.0.0.1 -k {folder} {_OPTIONS}"
        # The log goes to a file: a server that keeps our pipe open would never let `run` return.
        run(f"{binaries}/pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield PostgresServer(folder, port)
        finally:
            run(f"{binaries}/pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clean_up_after_the_killed() -> None:
    """A run that was killed could not stop its server: whoever comes next does, and removes its folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        owner = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if not owner.isdigit() or Path(f"/proc/{owner}").exists():
            continue
        with contextlib.suppress(OSError, ValueError):  # stopped already, or another user's
            server = int((folder / "data" / "postmaster.pid").read_text("utf-8").partition("\n")[0])
            if str(folder).encode() in Path(f"/proc/{server}/cmdline").read_bytes():
                os.kill(server, signal.SIGQUIT)  # an immediate stop
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
