"""The models of this installation: which are there, which is in use, and how one becomes it.

    <folder>/NAME/          an unpacked model, with its files.sha256
    <folder>/NAME.zip.part  a download that was broken off
    <folder>/current        the name of the model in use; without it the starter is used

The starter lies in the program itself and is never copied or deleted. `use` runs a
self-test first and replaces `current` in one step: whatever goes wrong, the model in use
stays. Whether a model can recognise is not known here: the self-test is passed in.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asr_models import fetch, manifest, sums, unpack
from asr_models.manifest import STARTER, STARTER_FOLDER, STARTER_SUMS, Kind, ModelEntry
from xunfang.errors import BadInput, ModelError

POINTER = "current"

SelfTest = Callable[[Path], object]
"""Given a model folder; raises ModelError when the model cannot be used."""


@dataclass(frozen=True, slots=True)
class Listed:
    entry: ModelEntry
    installed: bool
    current: bool


@dataclass(frozen=True, slots=True)
class InUse:
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Fetched:
    """`checked_by` "size" means: nobody vouches for the content; tell the person so."""

    name: str
    path: Path
    checked_by: str
    warning: str = ""


class ModelLibrary:
    def __init__(self, folder: Path, entries: tuple[ModelEntry, ...] | None = None) -> None:
        self._folder = folder
        self._entries = manifest.read() if entries is None else entries

    def list(self) -> tuple[Listed, ...]:
        """Every known model; also when the one in use is missing."""
        chosen = self._chosen()
        return tuple(
            Listed(entry, self._place(entry).is_dir(), entry.name == chosen) for entry in self._entries
        )

    def current(self) -> InUse:
        """The model to load. ModelError when it was chosen but is no longer there."""
        name = self._chosen()
        return InUse(name, self.path(name))

    def path(self, name: str) -> Path:
        """Folder of an installed model."""
        entry = manifest.find(name, self._entries)
        place = self._place(entry)
        if not place.is_dir():
            raise ModelError(
                f"the model {name} is not installed; run: xunfang models fetch {name}, "
                f"or: xunfang models use {STARTER}"
            )
        return place

    def fetch(
        self,
        name: str,
        progress: fetch.Progress | None = None,
        *,
        from_file: Path | None = None,
        sha256: str | None = None,
    ) -> Fetched:
        """Download (or take `from_file`), check, unpack. The model in use stays in use."""
        entry = manifest.find(name, self._entries)
        if entry.kind is Kind.STARTER:
            raise BadInput(f"the model {name} is shipped with the program and needs no fetching")
        archive = from_file or fetch.download(entry, self._folder, progress)
        checked = None
        try:
            checked = fetch.check(entry, archive, sha256)
            place = unpack.install(archive, self._place(entry))
        except ModelError:
            vouched = (
                checked is not None and checked.by == "sha256"
            )  # then a full disk or the like is at fault
            if from_file is None and not vouched:
                archive.unlink(missing_ok=True)  # never resumed, never tried again
            raise
        if from_file is None:
            archive.unlink(missing_ok=True)
        warning = ""
        if checked.by == "size":
            warning = (
                f"{name} has no published checksum: only its size ({checked.size} bytes) and the zip's own "
                "check were compared. Give --sha256 to be sure of the content."
            )
        return Fetched(name, place, checked.by, warning)

    def verify(self, name: str) -> int:
        """Compare every file with its checksum; returns their number. ModelError names what differs."""
        place = self.path(name)
        return sums.check_list(place, STARTER_SUMS if place == STARTER_FOLDER else place / unpack.SUMS)

    def use(self, name: str, self_test: SelfTest) -> InUse:
        """Make `name` the model in use, after its files and its recognition have been tested."""
        place = self.path(name)
        self.verify(name)
        self_test(place)
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".{POINTER}.{os.getpid()}.part"
        part.write_text(name + "\n", "utf-8")
        part.replace(self._folder / POINTER)
        return InUse(name, place)

    def _place(self, entry: ModelEntry) -> Path:
        return STARTER_FOLDER if entry.kind is Kind.STARTER else self._folder / entry.name

    def _chosen(self) -> str:
        try:
            name = (self._folder / POINTER).read_text("utf-8").strip()
        except FileNotFoundError:
            return STARTER
        if name not in {entry.name for entry in self._entries}:
            raise ModelError(
                f"{self._folder / POINTER} names no known model; run: xunfang models use {STARTER}"
            )
        return name
