"""`xunfang` typed many times: each command a process of its own, forked from one that has done the imports.

They take seconds of a core and are the same for every command. What is typed once is still started from
nothing (command_line.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Warm:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, *words: str | Path, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        files = [cwd / f".typed-{name}" for name in ("in", "out", "err")]
        files[0].write_text(stdin, "utf-8")
        order = {"words": [*map(str, words)], "cwd": str(cwd), "files": [*map(str, files)]}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = self._process.stdout.readline()
        assert code, "the process that forks the commands has ended"
        out, err = (file.read_text("utf-8") for file in files[1:])
        return subprocess.CompletedProcess([*map(str, words)], int(code), out, err)


@contextmanager
def warm(environment: dict[str, str]) -> Iterator[Warm]:
    """What runs `xunfang` in this environment."""
    with subprocess.Popen(
        [sys.executable, __file__],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Warm(process)  # its standard input closes after this: it ends


def _serve() -> None:
    from xunfang.cli import main

    for line in sys.stdin:
        order = json.loads(line)
        if (child := os.fork()) == 0:
            _become(order)
            main()
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(order: dict[str, list[str]]) -> None:
    os.chdir(str(order["cwd"]))
    for number, file in enumerate(order["files"]):
        opened = os.open(file, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if number else 0), 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.argv = ["xunfang", *order["words"]]


if __name__ == "__main__":
    _serve()
