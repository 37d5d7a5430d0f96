"""The list of known recognition models (语音识别模型): `models.toml`, read and checked."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from xunfang.errors import ModelError, NotFound

HERE = Path(__file__).parent
MANIFEST = HERE / "models.toml"
STARTER = "starter"
STARTER_FOLDER = HERE / "starter"
STARTER_SUMS = HERE / "starter.sha256"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # becomes a folder name
SHA256 = re.compile(r"[0-9a-f]{64}")


class Kind(StrEnum):
    STARTER = "starter"
    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """`size` in bytes and `sha256` are of the zip; None: not published. `sample_rate` in Hz."""

    name: str
    kind: Kind
    sample_rate: int
    runtime_grammar: bool
    licence: str
    url: str | None = None
    sha256: str | None = None
    size: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"bad name {self.name!r}")
        if self.sha256 is not None and not SHA256.fullmatch(self.sha256):
            raise ValueError(f"{self.name}: sha256 must be 64 hex digits")
        if self.kind is not Kind.STARTER and not self.url:
            raise ValueError(f"{self.name}: url is missing")


def read(path: Path = MANIFEST) -> tuple[ModelEntry, ...]:
    try:
        rows = tomllib.loads(path.read_text("utf-8"))["model"]
        entries = tuple(ModelEntry(**{**row, "kind": Kind(row["kind"])}) for row in rows)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model manifest {path} is broken: {error}") from error
    names = [entry.name for entry in entries]
    if len(set(names)) != len(names):
        raise ModelError(f"the model manifest {path} is broken: a name occurs twice")
    return entries


def find(name: str, entries: tuple[ModelEntry, ...]) -> ModelEntry:
    for entry in entries:
        if entry.name == name:
            return entry
    raise NotFound(f"no model {name!r}; known are: {', '.join(entry.name for entry in entries)}")
