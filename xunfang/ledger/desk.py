"""The ledger for the console's pages (web.ledger.LedgerDesk): the same readers as for a row of a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from storage import Store, Work
from storage.model import Area, Elder
from storage.repository_ledger import LedgerEntry
from web.ledger import Cells, Column, Edit, ImportedRow, ImportReport, NewElder, Progress
from xunfang.ledger import exporter, files, importer, matching, render, writing
from xunfang.ledger.applying import Beside, write_beside
from xunfang.ledger.areas import AreaBook
from xunfang.ledger.columns import CONTACT_KEYS, export_columns, title_of
from xunfang.ledger.matching import Changes, Known, Moment
from xunfang.ledger.rows import CONTACT_READERS, Draft, read_row
from xunfang.ledger.values import CLEAR, Wrong

CHANGED = "已修改"
OUTSIDE = "不在您的管辖范围内：请核对村，或请上级登记"
KNOWN = "已有此人，没有重复登记。要改动请打开他的台账。"
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

    def columns(self) -> Sequence[Column]:
        return [Column(each.key, each.title, each.choices, each.hint) for each in export_columns()]

    def new(self, work: Work, cells: Cells, now: datetime, zone: ZoneInfo, within: int | None) -> NewElder:
        """A row of a file that says the same would be judged the same."""
        work.ledger.lock()
        moment, areas = Moment(now, zone), AreaBook(work.ledger.areas())
        draft = read_row(0, {key: text for key, text in cells.items() if text}, areas, moment.today)
        known = _known(work, draft)
        if within is not None and importer.outside(draft, known, areas, within):
            return NewElder({AREA_KEY: OUTSIDE})  # not even that he is known elsewhere
        found = matching.changes(draft, None, areas, moment)
        errors = _errors(draft, cells)
        if known is not None:
            return NewElder({**errors, "form": KNOWN}, known=(known.id,))

        def write(work: Work) -> int:
            (id,) = work.ledger.add_elders([Elder(id=0, **found.elder)])
            write_beside(work, [Beside(id, found.elder.get("area_id"), found)])
            return id

        return NewElder(errors, tuple(draft.warnings), write=write)

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
        errors = _errors(draft, cells)
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


def _known(work: Work, draft: Draft) -> Elder | None:
    """Whom of the ledger the draft means; more than one is said in it."""
    card, pair = draft.elder.get("id_card"), draft.pair
    by_card = work.ledger.with_id_cards([card] if card else [])
    return Known(by_card, work.ledger.with_phones([pair[1]] if pair else [])).match(draft)


def _errors(draft: Draft, keys: Collection[str]) -> dict[str, str]:
    """By the field of the form that an error is about."""
    key_of: dict[str, str] = {title_of(key): key for key in keys} | {_AREA_TITLE: AREA_KEY}
    for key in keys:
        if key in CONTACT_KEYS and CONTACT_KEYS[key][1] == "name":  # what is wrong with a contact as a whole
            key_of[f"紧急联系人{CONTACT_KEYS[key][0]}"] = key
    errors: dict[str, str] = {}
    for error in draft.errors:
        title, colon, what = error.partition("：")
        about = key_of.get(title) if colon else None
        errors.setdefault(about or "form", what if about else error)
    return errors


def _writer(entry: LedgerEntry, found: Changes) -> Callable[[Work], None]:
    def write(work: Work) -> None:
        elder = entry.elder
        if found.elder:
            work.elders.update(elder.id, **found.elder)
        write_beside(work, [Beside(elder.id, found.elder.get("area_id", elder.area_id), found)])

    return write
