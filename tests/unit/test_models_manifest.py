from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from asr_models import manifest, sums, unpack
from asr_models.manifest import STARTER_FOLDER, STARTER_SUMS, Kind
from xunfang.errors import ModelError, NotFound

pytestmark = pytest.mark.unit

MODEL = {
    "vosk-model-x/am/final.mdl": b"weights" * 100,
    "vosk-model-x/conf/mfcc.conf": b"--sample-frequency=16000\n",
    "vosk-model-x/README": b"hello",
}


def archive(
    folder: Path, files: dict[str, bytes] | None = None, extra: list[zipfile.ZipInfo] | None = None
) -> Path:
    path = folder / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in (MODEL if files is None else files).items():
            out.writestr(name, content)
        for info in extra or []:
            out.writestr(info, b"/etc/passwd")
    return path


def test_the_manifest_lists_the_starter_first_and_the_small_model_as_published() -> None:
    entries = manifest.read()
    assert [entry.kind for entry in entries] == [Kind.STARTER, Kind.SMALL, Kind.LARGE]
    small = manifest.find("vosk-model-small-cn-0.22", entries)
    assert small.size == 43_898_754
    assert small.sha256 == "3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba"
    assert manifest.find("vosk-model-cn-0.22", entries).sha256 is None


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match=r"known are: starter, vosk-model-small-cn-0\.22"):
        manifest.find("whisper", manifest.read())


def row(**changed: str) -> str:
    fields = {"name": "x", "kind": "small", "url": "u", "licence": ""} | changed
    lines = [f'{key} = "{value}"' for key, value in fields.items()]
    return "\n".join(["[[model]]", "sample_rate = 8000", "runtime_grammar = true", *lines, ""])


def test_a_sound_row_is_read(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(row(), "utf-8")
    assert [entry.name for entry in manifest.read(path)] == ["x"]


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "[[model]\n",
        row(name="../x"),
        row(kind="tiny"),
        row(url=""),
        row(sha256="12"),
        row(colour="red"),
        row() + row(),
    ],
)
def test_a_broken_manifest_is_refused(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(broken, "utf-8")
    with pytest.raises(ModelError, match="manifest"):
        manifest.read(path)


def test_each_file_of_the_shipped_starter_is_as_it_was_listed() -> None:
    files = [path for path in STARTER_FOLDER.rglob("*") if path.is_file()]
    assert sums.check_list(STARTER_FOLDER, STARTER_SUMS) == len(files) == 8


def test_a_model_is_unpacked_without_its_outer_folder_and_with_a_list_of_checksums(tmp_path: Path) -> None:
    place = unpack.install(archive(tmp_path), tmp_path / "models" / "x")
    assert (place / "am" / "final.mdl").read_bytes() == MODEL["vosk-model-x/am/final.mdl"]
    assert sums.check_list(place, place / unpack.SUMS) == 3
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["x"]


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def fifo(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFIFO | 0o666) << 16
    return info


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (zipfile.ZipInfo("../../escaped"), "leads outside"),
        (zipfile.ZipInfo("vosk-model-x/../../escaped"), "leads outside"),
        (zipfile.ZipInfo("/tmp/escaped"), "leads outside"),
        (zipfile.ZipInfo("C:/escaped"), "leads outside"),
        (zipfile.ZipInfo("vosk-model-x\\..\\escaped"), "leads outside"),
        (link("vosk-model-x/link"), "link or special file"),
        (fifo("vosk-model-x/pipe"), "link or special file"),
    ],
)
def test_an_archive_that_reaches_outside_is_refused_before_anything_is_written(
    tmp_path: Path, extra: zipfile.ZipInfo, said: str
) -> None:
    models = tmp_path / "models"
    path = archive(tmp_path, extra=[extra])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ModelError, match=said):
        unpack.install(path, models / "x")
    assert [found for found in sorted(tmp_path.rglob("*")) if found not in (*before, models)] == []


def test_the_same_path_twice_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as out:
        out.writestr("vosk-model-x/README", b"another")
    with pytest.raises(ModelError, match="twice"):
        unpack.install(path, tmp_path / "x")


def test_a_bomb_is_refused_by_its_declared_size(tmp_path: Path) -> None:
    path = archive(tmp_path, MODEL | {"vosk-model-x/zeros": b"\0" * 50_000_000})
    assert path.stat().st_size < 100_000
    with pytest.raises(ModelError, match="refused"):
        unpack.install(path, tmp_path / "x")


def test_a_file_that_says_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, MODEL | {"vosk-model-x/big": os.urandom(50_000)})
    data = path.read_bytes()
    path.write_bytes(data.replace((50_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(ModelError):
        unpack.install(path, tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_zip_is_no_complete_zip(tmp_path: Path, share: float) -> None:
    path = archive(tmp_path, MODEL | {"vosk-model-x/big": os.urandom(50_000)})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ModelError, match="no complete zip"):
        unpack.install(path, tmp_path / "x")


def test_a_damaged_byte_inside_is_found_and_the_old_model_stays(tmp_path: Path) -> None:
    place = unpack.install(archive(tmp_path), tmp_path / "x")
    path = archive(tmp_path, MODEL | {"vosk-model-x/am/final.mdl": os.urandom(5000)})
    data = bytearray(path.read_bytes())
    data[2000] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ModelError, match="no complete zip"):
        unpack.install(path, place)
    assert sums.check_list(place, place / unpack.SUMS) == 3
    assert (place / "am" / "final.mdl").read_bytes() == MODEL["vosk-model-x/am/final.mdl"]


def test_a_zip_of_something_else_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no Vosk model"):
        unpack.install(archive(tmp_path, {"letters/a.txt": b"a"}), tmp_path / "x")
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    (tmp_path / "empty.zip").write_bytes(empty.getvalue())
    with pytest.raises(ModelError, match="no Vosk model"):
        unpack.install(tmp_path / "empty.zip", tmp_path / "x")


def test_a_newer_archive_replaces_the_whole_model(tmp_path: Path) -> None:
    place = unpack.install(archive(tmp_path), tmp_path / "x")
    newer = {"am/final.mdl": b"new", "conf/mfcc.conf": b""}
    unpack.install(archive(tmp_path, newer), place)
    assert (place / "am" / "final.mdl").read_bytes() == b"new"
    assert not (place / "README").exists()


def test_a_changed_and_a_missing_file_are_named(tmp_path: Path) -> None:
    place = unpack.install(archive(tmp_path), tmp_path / "x")
    (place / "am" / "final.mdl").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"am/final\.mdl has changed"):
        sums.check_list(place, place / unpack.SUMS)
    (place / "am" / "final.mdl").unlink()
    with pytest.raises(ModelError, match=r"am/final\.mdl is missing"):
        sums.check_list(place, place / unpack.SUMS)
    (place / unpack.SUMS).write_text("garbage\n")
    with pytest.raises(ModelError, match="damaged"):
        sums.check_list(place, place / unpack.SUMS)
