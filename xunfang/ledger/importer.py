"""A file into the ledger, batch by batch.

Each batch is one transaction: a killed import leaves whole batches behind, and running it again
finds those rows unchanged and goes on: the result is the same. A refused row stops nobody.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from storage import Store, Work
from storage.model import Elder
from storage.repository_ledger import LedgerEntry
from xunfang.ledger.applying import Beside, write_beside
from xunfang.ledger.areas import AreaBook
from xunfang.ledger.matching import Changes, Known, Moment, Seen, changes, created_with
from xunfang.ledger.reading import Row, Table
from xunfang.ledger.rows import Draft, read_row

BATCH_ROWS = 500  # one transaction each, short enough for calls to write between them
COLLECT_AFTER_OBJECTS = 200_000
OUTSIDE = "村：不在您的管辖范围内"

CREATED, CHANGED, UNCHANGED, REFUSED = "created", "changed", "unchanged", "refused"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row, or would. Numbers are masked in every text."""

    row: int
    outcome: str  # created | changed | unchanged | refused
    name: str = field(repr=False)
    elder_id: int | None = None
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(slots=True)
class Summary:
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    with_warnings: int = 0
    areas_created: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Job:
    """One import. `on_row` hears of each row in order, with its cells as they came."""

    store: Store
    moment: Moment
    actor: str
    on_row: Callable[[RowResult, Row], None]
    dry_run: bool = False
    create_areas: bool = False
    within: int | None = None  # an area: nothing outside of it is touched


@dataclass(slots=True)
class _Decided:
    draft: Draft
    cells: Row
    entry: LedgerEntry | None = None
    changes: Changes = field(default_factory=Changes)
    elder_id: int | None = None

    @property
    def outcome(self) -> str:
        if self.draft.errors:
            return REFUSED
        if self.entry is None:
            return CREATED
        return CHANGED if self.changes.any else UNCHANGED


def run(table: Table, job: Job) -> Summary:
    """Read the whole table into the ledger (or only look, when `dry_run`)."""
    with _rare_collection():
        return _run(table, job)


@contextmanager
def _rare_collection() -> Iterator[None]:
    """A batch holds no cycles and dies as a whole; looking for some among it took a sixth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _run(table: Table, job: Job) -> Summary:
    summary, seen, today = Summary(), Seen(), job.moment.today
    with job.store.read() as work:
        areas = AreaBook(work.ledger.areas(), may_create=job.create_areas)
    if not job.dry_run:
        _audit(job, "ledger.import_started", {})
    while batch := list(islice(table.rows, BATCH_ROWS)):
        drafts = [
            _Decided(read_row(number, table.header.cells(row), areas, today), row) for number, row in batch
        ]
        if job.dry_run:
            with job.store.read() as work:
                _decide(work, drafts, areas, seen, job)
            summary.areas_created = [areas.describe(area.id) for area in areas.created]
        else:
            with job.store.begin() as work:
                work.ledger.lock()
                _decide(work, drafts, areas, seen, job)
                new_areas = _store_areas(work, areas, drafts)
                _apply(work, drafts, job)
            areas.stored(new_areas)
            summary.areas_created += [areas.describe(id) for id in new_areas.values()]
        for decided in drafts:
            _report(decided, summary, job)
    if not job.dry_run:
        _audit(job, "ledger.imported", _counts(summary))
    return summary


def _counts(summary: Summary) -> dict[str, Any]:
    names = ("rows", "created", "changed", "unchanged", "refused")
    return {name: getattr(summary, name) for name in names} | {"areas": len(summary.areas_created)}


def _audit(job: Job, kind: str, detail: dict[str, Any]) -> None:
    with job.store.begin() as work:
        work.audit.write(job.moment.now, job.actor, kind, "ledger", detail)


def _decide(work: Work, batch: Sequence[_Decided], areas: AreaBook, seen: Seen, job: Job) -> None:
    """Fill in who each row is and what it changes; the facts of the whole batch come in six queries."""
    drafts = [decided.draft for decided in batch]
    by_card = work.ledger.with_id_cards(
        {draft.elder["id_card"] for draft in drafts if "id_card" in draft.elder}
    )
    by_phone = work.ledger.with_phones({draft.pair[1] for draft in drafts if draft.pair})
    known = Known(by_card, by_phone)
    targets = [known.match(draft) for draft in drafts]
    found = {elder.id: elder for elder in targets if elder is not None}
    entries = {entry.elder.id: entry for entry in work.ledger.entries(list(found.values()))}
    for decided, elder in zip(batch, targets, strict=True):
        if job.within is not None and outside(decided.draft, elder, areas, job.within):
            # Nothing is said about who lives elsewhere, not even that he is known.
            decided.draft.errors[:], decided.draft.warnings[:], elder = [OUTSIDE], [], None
        seen.refuse_twin(decided.draft, elder)
        decided.entry = entries[elder.id] if elder else None
        decided.elder_id = elder.id if elder else None
        decided.changes = changes(decided.draft, decided.entry, areas, job.moment)
        if not decided.draft.errors:
            seen.accept(decided.draft, elder)


def outside(draft: Draft, elder: Elder | None, areas: AreaBook, within: int) -> bool:
    """Whom the row means lives elsewhere, or shall."""
    places = [elder.area_id] if elder is not None else []
    if "area_id" in draft.elder:
        places.append(draft.elder["area_id"])
    return any(within not in {each.id for each in areas.path(place).values()} for place in places)


def _store_areas(work: Work, areas: AreaBook, batch: Sequence[_Decided]) -> dict[int, int]:
    """Create the areas that accepted rows need; id below zero -> id."""
    wanted = {
        area.id
        for decided in batch
        if decided.outcome in (CREATED, CHANGED)
        for area in areas.path(decided.changes.elder.get("area_id")).values()
    }
    real: dict[int, int] = {}
    for area in areas.created:
        if area.id in wanted:
            parent = real.get(area.parent_id, area.parent_id) if area.parent_id else None
            stored = work.areas.add(code=area.code, name=area.name, level=area.level, parent_id=parent)
            real[area.id] = stored.id
    for decided in batch:
        area_id = decided.changes.elder.get("area_id")
        if area_id in real:
            decided.changes.elder["area_id"] = real[area_id]
    return real


def _apply(work: Work, batch: Sequence[_Decided], job: Job) -> None:
    new = [decided for decided in batch if decided.outcome == CREATED]
    ids = work.ledger.add_elders([Elder(id=0, **decided.changes.elder) for decided in new])
    for decided, id in zip(new, ids, strict=True):
        decided.elder_id = id
    old = [decided for decided in batch if decided.outcome == CHANGED]
    work.ledger.change_elders(
        {
            decided.elder_id: decided.changes.elder
            for decided in old
            if decided.changes.elder and decided.elder_id
        }
    )
    write_beside(work, [_beside(decided) for decided in (*new, *old)])
    work.ledger.write_audit(
        job.moment.now,
        job.actor,
        [
            (
                f"elder.{decided.outcome}",
                f"elder:{decided.elder_id}",
                {"by": "import", "row": decided.draft.row, "fields": list(decided.changes.said)},
            )
            for decided in (*new, *old)
        ],
    )


def _beside(decided: _Decided) -> Beside:
    known = decided.entry.elder.area_id if decided.entry else None
    assert decided.elder_id is not None
    return Beside(decided.elder_id, decided.changes.elder.get("area_id", known), decided.changes)


def _report(decided: _Decided, summary: Summary, job: Job) -> None:
    draft, outcome = decided.draft, decided.outcome
    summary.rows += 1
    setattr(summary, outcome, getattr(summary, outcome) + 1)
    summary.with_warnings += bool(draft.warnings)
    said: tuple[str, ...] = ()
    if outcome == CHANGED:
        said = tuple(f"{title}：{what}" for title, what in decided.changes.said.items())
    elif outcome == CREATED:
        said = (created_with(decided.changes.elder),)
    job.on_row(
        RowResult(
            row=draft.row,
            outcome=outcome,
            name=draft.name,
            elder_id=decided.elder_id,
            errors=tuple(draft.errors),
            warnings=tuple(draft.warnings),
            changes=said,
        ),
        decided.cells,
    )
