"""Downloading a model archive: streamed to disk, resumed after a break, checked before use.

What was downloaded so far lies in `NAME.zip.part`; `NAME.zip.etag` remembers of which
version of the file. A resumed download asks for the rest by Range and for the same version
by If-Range: a server that has changed the file, or knows no ranges, sends all of it anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from asr_models import sums
from asr_models.manifest import SHA256, ModelEntry
from xunfang.errors import BadInput, ModelError, NotFound

TIMEOUT = httpx.Timeout(30.0, connect=15.0)  # seconds; read: between two pieces of data
ATTEMPTS = 4  # of one call, as long as each brings something; then the person decides
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Progress = Callable[[int, int | None], None]
"""(bytes on disk, bytes in all or None when unknown): called after each piece."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An archive that may be unpacked. `by` says how sure that is; show it when it is "size"."""

    path: Path
    size: int
    by: Literal["sha256", "size"]


class _Broken(Exception):
    """The connection broke; what came is on disk."""


def download(
    entry: ModelEntry, folder: Path, progress: Progress | None = None, *, client: httpx.Client | None = None
) -> Path:
    """The whole archive as a file in `folder`, not yet checked. Run again to resume."""
    if entry.url is None:
        raise BadInput(f"the model {entry.name} is shipped with the program and needs no fetching")
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f"{entry.name}.zip"
    if whole.exists():  # fetched and good, but it could not be unpacked the last time
        return whole
    part, etag = folder / f"{entry.name}.zip.part", folder / f"{entry.name}.zip.etag"
    own = client or httpx.Client(timeout=TIMEOUT, follow_redirects=True)
    try:
        for attempt in range(1, ATTEMPTS + 1):
            before = part.stat().st_size if part.exists() else 0
            try:
                _transfer(own, entry, part, etag, progress)
            except _Broken as broken:
                have = part.stat().st_size if part.exists() else 0
                if have > before and attempt < ATTEMPTS:
                    continue
                raise ModelError(
                    f"the download of {entry.name} broke off after {have} bytes ({broken}); "
                    "run it again to resume, or fetch the zip elsewhere and use --from FILE"
                ) from broken.__cause__
            break
    finally:
        if client is None:
            own.close()
    part.replace(whole)
    etag.unlink(missing_ok=True)
    return whole


def _transfer(
    client: httpx.Client, entry: ModelEntry, part: Path, etag: Path, progress: Progress | None
) -> None:
    have = part.stat().st_size if part.exists() else 0
    if entry.size is not None and have == entry.size:
        return
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if etag.exists():
            headers["If-Range"] = etag.read_text("ascii")
    try:
        with client.stream("GET", str(entry.url), headers=headers) as response:
            start, total = _where(response, entry, have)
            if start is None:
                return
            tag = response.headers.get("ETag", "")
            if tag.startswith('"') and tag.isascii():  # a weak one does not vouch for the bytes
                etag.write_text(tag, "ascii")
            else:
                etag.unlink(missing_ok=True)
            with part.open("r+b" if start else "wb") as out:
                out.seek(start)
                done = start
                for piece in response.iter_raw():
                    out.write(piece)
                    done += len(piece)
                    if progress:
                        progress(done, total)
        if total is not None and done < total:
            raise _Broken("the server ended early")
    except httpx.HTTPError as error:
        raise _Broken(type(error).__name__) from error
    except OSError as error:
        raise ModelError(f"{part} cannot be written: {error.strerror}") from error


def _where(response: httpx.Response, entry: ModelEntry, have: int) -> tuple[int | None, int | None]:
    """(offset the body starts at, or None when all is here already; size of the whole or None)."""
    if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and have:
        whole = response.headers.get("Content-Range", "").rpartition("/")[2]
        if whole == str(have):
            return None, have
        raise ModelError(
            f"the partial download of {entry.name} does not fit the server's file any more; "
            f"delete {entry.name}.zip.part in the models folder and run it again"
        )
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != have:
            raise ModelError(
                f"the server of {entry.name} answers a resumed download wrongly; use --from FILE"
            )
        return have, None if match[2] == "*" else int(match[2])
    if response.status_code != httpx.codes.OK:
        raise ModelError(
            f"the server answers {response.status_code} for {entry.name}; try later, or use --from FILE"
        )
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else entry.size


def check(entry: ModelEntry, archive: Path, sha256: str | None = None) -> Checked:
    """Size and checksum before anything is unpacked. `sha256` as given by hand goes before the manifest's."""
    if not archive.is_file():
        raise NotFound(f"no file {archive}")
    wanted = sha256.strip().lower() if sha256 else entry.sha256
    if wanted is not None and not SHA256.fullmatch(wanted):
        raise BadInput("--sha256 takes 64 hex digits")
    size = archive.stat().st_size
    if entry.size is not None and size != entry.size:
        raise ModelError(
            f"{archive.name} has {size} bytes, {entry.name} should have {entry.size}: "
            "it is incomplete or another file; fetch it again"
        )
    if wanted is None:
        return Checked(archive, size, "size")
    if sums.of_file(archive) != wanted:
        raise ModelError(
            f"{archive.name} has the wrong sha256: it is damaged or another file; fetch it again"
        )
    return Checked(archive, size, "sha256")
