"""The ledger for the console's pages (web.ledger.LedgerDesk): the same readers as for a row of a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from storage import Store, Work
from storage.model import Area, Elder, Visitor
from storage.repository_ledger import LedgerEntry
from web.ledger import Cells, Edit, ImportedRow, ImportReport, Progress
from xunfang.ledger import exporter, files, matching, render, writing
from xunfang.ledger.areas import AreaBook
from xunfang.ledger.columns import export_columns, title_of
from xunfang.ledger.matching import Changes, Moment
from xunfang.ledger.rows import CONTACT_READERS, Draft, read_row
from xunfang.ledger.values import CLEAR, Wrong

CHANGED = "已修改"
AREA_KEY = "area_code"
_AREA_TITLE = "村"
# Titles whose old and new value may stand in the audit and on a page: nothing personal.
_OPEN_TITLES = frozenset(
    title_of(key) for key in ("sex", "categories", "self_caring", "good_health", "mode", "cadence", "windows")
) | {_AREA_TITLE}
_CONTACT_TITLES = {"name": "姓名", "relation": "关系", "phone": "电话"}


class Desk:
    def cells(self, entry: LedgerEntry, areas: Sequence[Area], zone: ZoneInfo, full: bool) -> Cells:
        return render.cells(entry, AreaBook(areas), zone, full)

    def title(self, key: str) -> str:
        return title_of(key)

    def edit(self, work: Work, entry: LedgerEntry, cells: Cells, now: datetime, zone: ZoneInfo) -> Edit:
        """A row of a file about this elder would be judged the same; only that he is known already."""
        moment, areas, elder = Moment(now, zone), AreaBook(work.ledger.areas()), entry.elder
        given = {key: text or CLEAR for key, text in cells.items()}
        known = {"name": elder.name}
        # A row must say who is meant: by what the ledger has, as far as it is not being changed.
        known |= {"phone": elder.phone} if elder.phone else {"id_card": elder.id_card or ""}
        draft = read_row(0, known | given, areas, moment.today)
        found = matching.changes(draft, entry, areas, moment)
        _twins(work, draft, elder, found)
        errors: dict[str, str] = {}
        keys = {title_of(key): key for key in cells} | {_AREA_TITLE: AREA_KEY}
        for error in draft.errors:
            title, colon, what = error.partition("：")
            key = keys.get(title) if colon else None
            errors.setdefault(key or "form", what if key else error)
        said = {title: change if title in _OPEN_TITLES else CHANGED for title, change in found.said.items()}
        return Edit(errors, tuple(draft.warnings), said, found.elder, _writer(entry, found))

    def contact(self, cells: Cells) -> tuple[dict[str, Any], dict[str, str]]:
        fields: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for name, text in cells.items():
            if not text:
                errors[name] = f"请填写联系人{_CONTACT_TITLES[name]}"
                continue
            try:
                fields[name] = CONTACT_READERS[name](text)
            except Wrong as wrong:
                errors[name] = str(wrong)
        return fields, errors

    def import_file(
        self,
        store: Store,
        path: Path,
        now: datetime,
        zone: ZoneInfo,
        actor: str,
        *,
        dry_run: bool,
        create_areas: bool,
        within: int | None,
        refused: Path | None,
        progress: Progress,
    ) -> ImportReport:
        made = files.import_file(
            store,
            path,
            Moment(now, zone),
            actor,
            dry_run=dry_run,
            create_areas=create_areas,
            within=within,
            refused=refused,
            progress=progress,
        )
        counts = ("rows", "created", "changed", "unchanged", "refused", "with_warnings")
        rows = [
            ImportedRow(each.row, each.outcome, each.name, each.errors, each.warnings, each.changes)
            for each in made.rows
        ]
        return ImportReport(
            written=made.written,
            counts={name: getattr(made.summary, name) for name in counts},
            areas_created=made.summary.areas_created,
            ignored_columns=made.ignored_columns,
            rows=rows,
            rows_left_out=made.rows_left_out,
        )

    def export_file(
        self,
        store: Store,
        path: Path,
        now: datetime,
        zone: ZoneInfo,
        actor: str,
        *,
        full: bool,
        area_id: int | None,
    ) -> int:
        return exporter.export(store, path, Moment(now, zone), actor, full=full, area_id=area_id).elders

    def template(self, path: Path) -> None:
        writing.write_template(path, export_columns())


def _twins(work: Work, draft: Draft, elder: Elder, found: Changes) -> None:
    """The same person twice is refused by the import too."""
    card = found.elder.get("id_card")
    other = work.elders.find_by_id_card(card) if card else None
    if other is not None and other.id != elder.id:
        draft.errors.append(f"{title_of('id_card')}：台账中另一位老人（编号 {other.id}）已登记此号码")
    if "phone" in found.elder or "name" in found.elder:
        name, phone = found.elder.get("name", elder.name), found.elder.get("phone", elder.phone)
        alike = [each for each in work.elders.find_by_phone(phone) if each.name == name] if phone else []
        if others := [str(each.id) for each in alike if each.id != elder.id]:
            draft.warnings.append(f"台账中另有同名同号码的人（编号 {'、'.join(others[:3])}），请核对是否重复")


def _writer(entry: LedgerEntry, found: Changes) -> Callable[[Work], None]:
    def write(work: Work) -> None:
        elder = entry.elder
        if found.elder:
            work.elders.update(elder.id, **found.elder)
        work.ledger.change_visitors(found.visitors)
        if found.new_visitor:
            area_id = found.elder.get("area_id", elder.area_id)
            new = Visitor(id=0, elder_id=elder.id, area_id=area_id, **found.new_visitor)
            work.ledger.add_visitors([new])
        if found.note is not None:
            work.ledger.put_notes({elder.id: found.note})

    return write
