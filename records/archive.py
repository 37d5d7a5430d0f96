"""The forms of a whole area as one zip, made while it is being sent: never all of them in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from records import document, pdf

if TYPE_CHECKING:
    from storage import Store

BATCH = 20  # elders read, and converted by one run of LibreOffice
WORD, PDF = "docx", "pdf"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`area_id`: this area and everything below it. Only active elders have a form."""

    area_id: int | None
    kind: str = WORD
    template: Path | None = None
    photos: Path | None = None  # folder of the signatures


class _Outlet(io.RawIOBase):
    """Takes what zipfile writes and hands it on; it cannot go back, and zipfile knows how to do without."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        held = bytes(data)  # type: ignore[call-overload]
        self._waiting.append(held)
        self._written += len(held)
        return len(held)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        held = b"".join(self._waiting)
        self._waiting.clear()
        return held


def zipped(
    store: Store,
    wanted: Wanted,
    now: datetime,
    zone: ZoneInfo,
    told: Callable[[int], None] = lambda count: None,
) -> Iterator[bytes]:
    """Pieces of the zip. `told` hears how many forms are done. File names hold ids, no names.

    A PDF that cannot be made raises BadInput before anything was sent.
    """
    outlet, after, done = _Outlet(), 0, 0
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:  # a docx is compressed already
        while True:
            made, after, last = _batch(store, wanted, now, zone, after)
            if wanted.kind == PDF:
                made = pdf.to_pdf(made)
            for name, body in made.items():
                info = zipfile.ZipInfo(f"{name}.{wanted.kind}", now.astimezone(zone).timetuple()[:6])
                archive.writestr(info, body)
                done += 1
                told(done)
                yield outlet.take()
            if last:
                break
    yield outlet.take()


def _batch(
    store: Store, wanted: Wanted, now: datetime, zone: ZoneInfo, after: int
) -> tuple[dict[str, bytes], int, bool]:
    """(name -> Word file, id of the last elder, whether there are no more). Read and filled in one go, laid
    out after the transaction is over."""
    with store.read() as work:
        elders = work.elders.page(after, BATCH, wanted.area_id)
        facts = [document.gather(work, each.id, photos=wanted.photos) for each in elders if each.active]
    made = {
        f"{each.areas[-1].code if each.areas else 'no-area'}-{each.elder.id}": document.render(
            document.fill(each, now, zone), wanted.template
        )
        for each in facts
    }
    return made, elders[-1].id if elders else after, len(elders) < BATCH
