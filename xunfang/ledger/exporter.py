"""The ledger out to a file: the columns of the template, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from storage import Store
from storage.repository_ledger import LedgerEntry
from xunfang.errors import BadInput
from xunfang.ledger import render, writing
from xunfang.ledger.areas import AreaBook
from xunfang.ledger.columns import CONTACT_GROUPS, export_columns
from xunfang.ledger.matching import Moment

PAGE = 500


@dataclass(frozen=True, slots=True)
class Exported:
    path: Path
    elders: int
    full: bool


def export(
    store: Store,
    path: Path,
    moment: Moment,
    actor: str,
    *,
    full: bool = False,
    area_id: int | None = None,
    inactive: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Exported:
    """Write all active elders (of an area). `full`: numbers unmasked; both kinds are audited, before the file
    is there. `progress(done, total)`. Raises BadInput for a file name of another kind.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise BadInput(f"{path.name}：导出文件名要以 .csv 或 .xlsx 结尾")
    with store.begin() as work:
        kind_of_entry = "ledger.exported_full" if full else "ledger.exported_masked"
        work.audit.write(moment.now, actor, kind_of_entry, "ledger", {"area": area_id, "file": kind[1:]})
    with store.read() as work:
        areas = AreaBook(work.ledger.areas())
        columns = export_columns(max(CONTACT_GROUPS, work.ledger.most_contacts(area_id)))
        total = work.ledger.count(area_id)

    def rows() -> Iterator[list[str]]:
        for done, entry in enumerate(entries(store, area_id), start=1):
            progress(done, total)
            if inactive or entry.elder.active:
                cells = render.cells(entry, areas, moment.zone, full)
                yield [cells.get(column.key, "") for column in columns]

    write = writing.write_xlsx if kind == ".xlsx" else writing.write_csv
    written = write(path, [column.title for column in columns], rows())
    return Exported(path, written, full)


def entries(store: Store, area_id: int | None = None) -> Iterator[LedgerEntry]:
    """Every elder by id; each page is a short transaction, so that calls go on meanwhile."""
    after_id = 0
    while True:
        with store.read() as work:
            page = work.ledger.page(after_id, PAGE, area_id)
        if not page:
            return
        yield from page
        after_id = page[-1].elder.id
