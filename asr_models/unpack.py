"""Unpacking a model archive that came over the network: nothing in it is trusted.

Everything is checked before the first byte is written: paths that leave the folder,
links and other special files, encryption, doubles, and archives that swell beyond
reason. Then it is unpacked beside its place and moved there in one step.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from asr_models import sums
from xunfang.errors import ModelError

SUMS = "files.sha256"  # written into each unpacked model
MOST_FILES = 2_000  # the large model has about 30
MOST_BYTES = 16 * 1024**3
MOST_SWELLING = 30  # times the archive; models pack to about half
SPARE_BYTES = 200 * 1024**2  # to be left on the disk
COPY_BYTES = 1024 * 1024


def install(archive: Path, target: Path) -> Path:
    """Unpack `archive` as the model folder `target`; an older one is replaced only at the end.

    ModelError when the archive is broken, dangerous or no model: `target` is untouched then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpack-") as scratch:
        fresh = Path(scratch) / "model"
        try:
            with zipfile.ZipFile(archive) as opened:
                _unpack(opened, archive, fresh)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise ModelError(f"{archive.name} is no complete zip file; fetch it again") from error
        except OSError as error:
            raise ModelError(
                f"{archive.name} cannot be unpacked into {target.parent}: {error.strerror}"
            ) from error
        root = _model_root(fresh, archive)
        sums.write_list(root, root / SUMS)
        if target.exists():
            target.rename(Path(scratch) / "old")
        root.rename(target)
    return target


def _unpack(opened: zipfile.ZipFile, archive: Path, fresh: Path) -> None:
    members = opened.infolist()
    _check_size(members, archive, fresh.parent)
    paths = [_safe_path(member, archive) for member in members]
    files = [path for member, path in zip(members, paths, strict=True) if not member.is_dir()]
    if len(set(files)) != len(files):
        raise ModelError(f"{archive.name} holds the same path twice; it is not unpacked")
    for member, path in zip(members, paths, strict=True):
        place = fresh / path
        if member.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(member) as source, place.open("xb") as out:
            shutil.copyfileobj(source, out, COPY_BYTES)


def _check_size(members: list[zipfile.ZipInfo], archive: Path, disk: Path) -> None:
    total = sum(member.file_size for member in members)  # zipfile never writes more than is declared
    if len(members) > MOST_FILES or total > min(
        MOST_BYTES, MOST_SWELLING * archive.stat().st_size + COPY_BYTES
    ):
        raise ModelError(
            f"{archive.name} would unpack to {len(members)} files and {total} bytes; "
            "that is no model and is refused"
        )
    free = shutil.disk_usage(disk).free
    if total + SPARE_BYTES > free:
        raise ModelError(
            f"{archive.name} needs {total} bytes unpacked, but only {free} are free in {disk.parent}"
        )


def _safe_path(member: zipfile.ZipInfo, archive: Path) -> PurePosixPath:
    name = member.filename
    path = PurePosixPath(name)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if (
        "\\" in member.orig_filename
        or ":" in name
        or path.is_absolute()
        or ".." in path.parts
        or not path.parts
    ):
        raise ModelError(f"{archive.name} holds a path that leads outside its folder; it is not unpacked")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ModelError(f"{archive.name} holds a link or special file; it is not unpacked")
    if member.flag_bits & 0x1:
        raise ModelError(f"{archive.name} is encrypted; it is not unpacked")
    return path


def _model_root(fresh: Path, archive: Path) -> Path:
    """Archives have one folder at the top; the model is that folder, or the archive itself."""
    tops = sorted(fresh.iterdir()) if fresh.is_dir() else []
    for root in (fresh, *(top for top in tops if len(tops) == 1 and top.is_dir())):
        nested = (root / "am" / "final.mdl").is_file() and (root / "conf").is_dir()
        flat = (root / "final.mdl").is_file() and (root / "mfcc.conf").is_file()
        if nested or flat:
            return root
    raise ModelError(f"{archive.name} holds no Vosk model (no am/final.mdl); it is not installed")
