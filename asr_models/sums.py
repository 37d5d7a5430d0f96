"""Checksums: of a zip before it is unpacked, and of each file of a model that lies on disk.

A list has the form of `sha256sum`: 64 hex digits, two blanks, path relative to the model.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from xunfang.errors import ModelError

LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_list(folder: Path, to: Path) -> None:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != to)
    to.write_text(
        "".join(f"{of_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths), "utf-8"
    )


def check_list(folder: Path, listed: Path) -> int:
    """Number of files that are as they should be; ModelError names the first that is not."""
    try:
        lines = listed.read_text("utf-8").splitlines()
    except OSError as error:
        raise ModelError(
            f"{folder.name}: its list of checksums {listed.name} is missing; fetch it again"
        ) from error
    wanted = [match.groups() for line in lines if (match := LINE.fullmatch(line))]
    if len(wanted) != len(lines) or not wanted:
        raise ModelError(f"{folder.name}: its list of checksums {listed.name} is damaged; fetch it again")
    for digest, name in wanted:
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{folder.name}: the file {name} is missing; fetch it again")
        if of_file(path) != digest:
            raise ModelError(f"{folder.name}: the file {name} has changed; fetch it again")
    return len(wanted)
