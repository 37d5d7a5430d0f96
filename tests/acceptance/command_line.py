"""Running `xunfang` as people do: a process of its own, nothing of this test's environment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from xunfang.cli import main; main()")
CLI_S = 120.0  # a command that dials nobody; the machine may be busy
END_S = 60.0  # from a signal to the end of a process

Found = TypeVar("Found")


def environment(**more: str) -> dict[str, str]:
    """This checkout's code, and no XUNFANG_ variable of whoever runs the tests."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("XUNFANG_")}
    return plain | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | more


def xunfang(
    *words: str | Path, cwd: Path, stdin: str = "", timeout: float = CLI_S, **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        cwd=cwd,
        env=environment(**more),
        input=stdin,
        text=True,
        capture_output=True,
        timeout=timeout,
    )


@contextmanager
def running(*words: str | Path, cwd: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that goes on beside the test, at the latest until here; its output: cwd/out and cwd/err."""
    with (cwd / "out").open("wb") as out, (cwd / "err").open("wb") as err:
        process = subprocess.Popen(
            [*COMMAND, *map(str, words)], cwd=cwd, env=environment(**more), stdout=out, stderr=err
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()


def until(look: Callable[[], Found | None], within: float, what: str) -> Found:
    """What `look` finds; AssertionError saying `what` did not come."""
    end = time.monotonic() + within
    while (found := look()) is None:
        assert time.monotonic() < end, f"{what} within {within:.0f} s"
        time.sleep(0.1)
    return found


# ---- processes, as /proc shows them ------------------------------------------------------------


def children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return sorted(found)


def lines_of(service: int) -> list[int]:
    """The line processes of a running service: what its fork server has forked."""
    servers = [child for child in children(service) if b"multiprocessing.forkserver" in _command(child)]
    return [line for server in servers for line in children(server)]


def open_files(pid: int) -> set[str]:
    try:
        return {os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:  # it has ended, or has closed one meanwhile
        return set()


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
