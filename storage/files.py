"""Files outside the database that nobody reads without its row: each has a key of its own, kept encrypted
in the row (so that keys are rotated with the database, and a removed row leaves only noise on the disk)."""

from __future__ import annotations

import glob
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from xunfang.errors import NotFound, StorageError

OWNER_ONLY_FOLDER, OWNER_ONLY = 0o700, 0o600


@dataclass(frozen=True, slots=True)
class Kept:
    file: str  # name inside the folder
    secret: str


@dataclass(frozen=True, slots=True)
class SealedFiles:
    folder: Path

    def put(self, data: bytes) -> Kept:
        """Raises StorageError when the disk does not take it; then nothing is left behind."""
        key = Fernet.generate_key()
        name = f"{secrets.token_hex(16)}.sealed"
        path = self.folder / name
        try:
            self.folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
                file.write(Fernet(key).encrypt(data))
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StorageError(f"cannot keep a photo in {self.folder}: {error.strerror}") from None
        return Kept(name, key.decode())

    def get(self, kept: Kept) -> bytes:
        """NotFound when the file is gone, StorageError when it was changed."""
        try:
            data = (self.folder / Path(kept.file).name).read_bytes()
        except OSError:
            raise NotFound("这张照片的文件已不在") from None
        try:
            return Fernet(kept.secret.encode()).decrypt(data)
        except InvalidToken:
            raise StorageError(f"the file {kept.file} was changed or is of another row") from None

    def remove(self, file: str) -> None:
        (self.folder / Path(file).name).unlink(missing_ok=True)


PEAKS_SUFFIX = ".peaks.json"  # beside a recording: computed from it


def recording_files(folder: Path, recording: str) -> tuple[Path, Path] | None:
    """The recording and its peaks; None for a path that leaves the folder."""
    root = folder.resolve()
    path = (root / recording).resolve()
    if not path.is_relative_to(root):
        return None
    return path, path.with_name(path.name + PEAKS_SUFFIX)


def remove_recording(folder: Path, recording: str) -> bool:
    """The recording and what was computed from it. False: it was gone already. Raises OSError."""
    files = recording_files(folder, recording)
    if files is None:
        return False
    there = files[0].exists()
    for path in (*files, *files[1].parent.glob(f"{glob.escape(files[1].name)}.*")):
        path.unlink(missing_ok=True)
    return there
