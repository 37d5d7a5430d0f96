"""Fetching over real HTTP from a server on loopback that can break off, and using what was fetched."""

from __future__ import annotations

import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from asr_models import fetch
from asr_models.library import ModelLibrary
from asr_models.manifest import STARTER_FOLDER, Kind, ModelEntry
from ivr.speech.selftest import self_test
from xunfang.errors import BadInput, ModelError, NotFound

pytestmark = pytest.mark.integration

NAME = "vosk-model-test"


@dataclass
class Shelf:
    """What the server gives out, and what it was asked for."""

    content: bytes = b""
    etag: str = '"v1"'
    break_after: list[int] = field(
        default_factory=list
    )  # bytes of the body sent before hanging up, per request
    ranges: bool = True
    status: int = 200
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{NAME}.zip"


def handler_for(shelf: Shelf) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            shelf.asked.append(wanted)
            start = 0
            if wanted and shelf.ranges and self.headers.get("If-Range", shelf.etag) == shelf.etag:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
            total = len(shelf.content)
            if shelf.status != 200:
                self.send_response(shelf.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if start >= total:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{total}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            self.send_header("Content-Length", str(total - start))
            self.send_header("ETag", shelf.etag)
            self.end_headers()
            body = shelf.content[start:]
            if shelf.break_after:
                self.wfile.write(body[: shelf.break_after.pop(0)])
                self.close_connection = True
                return
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    stand = Shelf()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(stand))
    stand.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield stand
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def good_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter model as an archive of the kind that is published, with something to weigh."""
    path = tmp_path_factory.mktemp("zip") / f"{NAME}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as out:
        for file in sorted(STARTER_FOLDER.rglob("*")):
            if file.is_file():
                out.write(file, f"{NAME}/{file.relative_to(STARTER_FOLDER)}")
        out.writestr(f"{NAME}/ivector/noise", os.urandom(1000))
    return path


def entry_for(content: bytes, url: str, *, sha256: str | None = "", size: int | None = -1) -> ModelEntry:
    return ModelEntry(
        NAME,
        Kind.SMALL,
        8000,
        True,
        "test",
        url,
        hashlib.sha256(content).hexdigest() if sha256 == "" else sha256,
        len(content) if size == -1 else size,
    )


def library(folder: Path, *entries: ModelEntry) -> ModelLibrary:
    starter = ModelEntry("starter", Kind.STARTER, 8000, True, "CC BY-SA 4.0")
    return ModelLibrary(folder, (starter, *entries))


def test_a_model_is_fetched_with_progress_tested_and_used(
    shelf: Shelf, good_zip: Path, tmp_path: Path
) -> None:
    shelf.content = good_zip.read_bytes()
    shelves = library(tmp_path, entry_for(shelf.content, shelf.url))
    progress: list[tuple[int, int | None]] = []
    fetched = shelves.fetch(NAME, lambda done, total: progress.append((done, total)))
    assert fetched.checked_by == "sha256"
    assert fetched.warning == ""
    assert progress[-1] == (len(shelf.content), len(shelf.content))
    assert progress == sorted(progress)
    assert shelves.current().name == "starter"
    assert shelves.verify(NAME) == 9
    assert shelves.use(NAME, self_test).path == tmp_path / NAME
    assert library(tmp_path, entry_for(shelf.content, shelf.url)).current().name == NAME
    assert [(row.entry.name, row.installed, row.current) for row in shelves.list()] == [
        ("starter", True, False),
        (NAME, True, True),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {NAME, "current"}


def test_a_broken_download_goes_on_where_it_stopped(shelf: Shelf, good_zip: Path, tmp_path: Path) -> None:
    shelf.content = good_zip.read_bytes()
    shelf.break_after = [1_000_000, 2_000_000]
    fetched = library(tmp_path, entry_for(shelf.content, shelf.url)).fetch(NAME)
    assert shelf.asked == ["", "bytes=1000000-", "bytes=3000000-"]
    assert fetched.checked_by == "sha256"


def test_a_download_that_brings_nothing_more_gives_up_and_resumes_at_the_next_call(
    shelf: Shelf, good_zip: Path, tmp_path: Path
) -> None:
    shelf.content = good_zip.read_bytes()
    shelf.break_after = [1_000_000, 0]
    shelves = library(tmp_path, entry_for(shelf.content, shelf.url))
    with pytest.raises(ModelError, match=r"broke off after 1000000 bytes.*run it again to resume"):
        shelves.fetch(NAME)
    assert not (tmp_path / NAME).exists()
    assert shelves.fetch(NAME).checked_by == "sha256"
    assert shelf.asked[-1] == "bytes=1000000-"


@pytest.mark.parametrize("changed", ["version", "no ranges"])
def test_a_server_that_changed_the_file_or_knows_no_ranges_sends_it_anew(
    shelf: Shelf, good_zip: Path, tmp_path: Path, changed: str
) -> None:
    shelf.content = good_zip.read_bytes()
    shelf.break_after = [1_000_000, 0]
    shelves = library(tmp_path, entry_for(shelf.content, shelf.url))
    with pytest.raises(ModelError):
        shelves.fetch(NAME)
    if changed == "version":
        shelf.etag = '"v2"'
    else:
        shelf.ranges = False
    assert shelves.fetch(NAME).checked_by == "sha256"


def test_a_partial_file_that_does_not_fit_any_more_is_named(
    shelf: Shelf, good_zip: Path, tmp_path: Path
) -> None:
    shelf.content = good_zip.read_bytes()[:1000]
    (tmp_path / f"{NAME}.zip.part").write_bytes(b"x" * 2000)
    with pytest.raises(ModelError, match=r"delete vosk-model-test\.zip\.part"):
        library(tmp_path, entry_for(good_zip.read_bytes(), shelf.url)).fetch(NAME)


def test_a_server_that_refuses_or_is_not_there_says_how_to_go_on(
    shelf: Shelf, good_zip: Path, tmp_path: Path
) -> None:
    shelf.status = 404
    with pytest.raises(ModelError, match=r"answers 404.*--from FILE"):
        library(tmp_path, entry_for(b"x", shelf.url)).fetch(NAME)
    nowhere = entry_for(b"x", "http://127.0.0.1:9/model.zip")
    with pytest.raises(ModelError, match=r"ConnectError.*--from FILE"):
        library(tmp_path, nowhere).fetch(NAME)


def test_a_wrong_checksum_is_refused_before_unpacking_and_not_kept(
    shelf: Shelf, good_zip: Path, tmp_path: Path
) -> None:
    shelf.content = good_zip.read_bytes()
    shelves = library(tmp_path, entry_for(shelf.content, shelf.url, sha256="0" * 64))
    with pytest.raises(ModelError, match="wrong sha256"):
        shelves.fetch(NAME)
    assert list(tmp_path.iterdir()) == []


def test_a_local_zip_is_checked_the_same_way_and_left_where_it_is(good_zip: Path, tmp_path: Path) -> None:
    content = good_zip.read_bytes()
    shelves = library(tmp_path, entry_for(content, "http://127.0.0.1:9/x"))
    assert shelves.fetch(NAME, from_file=good_zip).checked_by == "sha256"
    assert good_zip.exists()
    short = tmp_path / "short.zip"
    short.write_bytes(content[:5_000_000])
    with pytest.raises(ModelError, match=f"5000000 bytes.*should have {len(content)}"):
        shelves.fetch(NAME, from_file=short)
    with pytest.raises(NotFound, match="no file"):
        shelves.fetch(NAME, from_file=tmp_path / "none.zip")
    assert shelves.verify(NAME) == 9


def test_a_model_without_published_checksum_is_never_trusted_silently(good_zip: Path, tmp_path: Path) -> None:
    content = good_zip.read_bytes()
    shelves = library(tmp_path, entry_for(content, "http://127.0.0.1:9/x", sha256=None, size=None))
    fetched = shelves.fetch(NAME, from_file=good_zip)
    assert fetched.checked_by == "size"
    assert "--sha256" in fetched.warning
    by_hand = shelves.fetch(NAME, from_file=good_zip, sha256=hashlib.sha256(content).hexdigest().upper())
    assert by_hand.checked_by == "sha256"
    with pytest.raises(ModelError, match="wrong sha256"):
        shelves.fetch(NAME, from_file=good_zip, sha256="1" * 64)
    with pytest.raises(BadInput, match="64 hex digits"):
        shelves.fetch(NAME, from_file=good_zip, sha256="abc")


def test_a_broken_model_is_not_used_and_the_old_one_stays(good_zip: Path, tmp_path: Path) -> None:
    """The archive is whole and its checksum right, but the model in it cannot be loaded."""
    broken_zip = tmp_path / "broken.zip"
    with zipfile.ZipFile(good_zip) as whole, zipfile.ZipFile(broken_zip, "w") as out:
        for info in whole.infolist():
            content = whole.read(info)
            out.writestr(info.filename, content[:1000] if info.filename.endswith("final.mdl") else content)
    folder = tmp_path / "models"
    shelves = library(folder, entry_for(broken_zip.read_bytes(), "http://127.0.0.1:9/x"))
    shelves.fetch(NAME, from_file=broken_zip)
    with pytest.raises(ModelError):
        shelves.use(NAME, self_test)
    assert shelves.current().name == "starter"
    assert shelves.current().path == STARTER_FOLDER


def test_a_model_whose_files_changed_on_disk_is_not_used(good_zip: Path, tmp_path: Path) -> None:
    shelves = library(tmp_path, entry_for(good_zip.read_bytes(), "http://127.0.0.1:9/x"))
    shelves.fetch(NAME, from_file=good_zip)
    (tmp_path / NAME / "conf" / "model.conf").write_text("--beam=1\n")
    tested: list[Path] = []
    with pytest.raises(ModelError, match=r"conf/model\.conf has changed"):
        shelves.use(NAME, tested.append)
    assert tested == []
    assert shelves.current().name == "starter"


def test_a_chosen_model_that_disappeared_is_an_error_and_not_silently_another(
    good_zip: Path, tmp_path: Path
) -> None:
    shelves = library(tmp_path, entry_for(good_zip.read_bytes(), "http://127.0.0.1:9/x"))
    with pytest.raises(ModelError, match=f"xunfang models fetch {NAME}"):
        shelves.use(NAME, lambda _: None)
    (tmp_path / "current").write_text(NAME)
    with pytest.raises(ModelError, match="not installed"):
        shelves.current()
    (tmp_path / "current").write_text("rubbish")
    with pytest.raises(ModelError, match="xunfang models use starter"):
        shelves.current()
    shelves.use("starter", lambda _: None)
    assert shelves.current().path == STARTER_FOLDER


def test_the_starter_is_never_fetched(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="shipped with the program"):
        library(tmp_path).fetch("starter")
    with pytest.raises(BadInput, match="shipped with the program"):
        fetch.download(ModelEntry("starter", Kind.STARTER, 8000, True, ""), tmp_path)
