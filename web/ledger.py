"""What the console asks of the ledger 台账. The rules for rows and files live in xunfang.ledger, which stands
above the web: it is handed in as WebConfig.ledger, so that a page and an import never judge differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from storage import Store, Work
from storage.model import Area
from storage.repository_ledger import LedgerEntry

Progress = Callable[[int, int | None], None]
Cells = Mapping[str, str]  # column key (xunfang.ledger.columns) -> text


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the ledger as a field of a form. `choices`: the words it takes; empty: free text."""

    key: str
    title: str
    choices: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class NewElder:
    """What a form would add. `known`: whom the ledger has already (nothing is written)."""

    errors: dict[str, str] = field(default_factory=dict)  # column key, or "form" -> what is wrong
    warnings: tuple[str, ...] = ()
    known: tuple[int, ...] = ()
    write: Callable[[Work], int] = field(default=lambda work: 0, repr=False)  # the id of the new elder


@dataclass(frozen=True, slots=True)
class Edit:
    """What a form would change. `errors`: column key, or "form", -> what is wrong (nothing is written)."""

    errors: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    said: dict[str, str] = field(default_factory=dict)  # title -> old→new, without what is personal
    elder: dict[str, Any] = field(default_factory=dict, repr=False)  # fields of the elder that change
    write: Callable[[Work], None] = field(default=lambda work: None, repr=False)


@dataclass(frozen=True, slots=True)
class ImportedRow:
    row: int
    outcome: str  # created | changed | unchanged | refused
    name: str = field(repr=False)
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Of a file that was looked at or imported. `rows`: those with something to tell, numbers masked."""

    written: bool
    counts: Mapping[str, int]  # rows, created, changed, unchanged, refused, with_warnings
    areas_created: Sequence[str]
    ignored_columns: Sequence[str]
    rows: Sequence[ImportedRow]
    rows_left_out: int


class LedgerDesk(Protocol):
    def cells(self, entry: LedgerEntry, areas: Sequence[Area], zone: ZoneInfo, full: bool) -> Cells:
        """One elder as the columns of an export; `full`: numbers unmasked."""
        ...

    def title(self, key: str) -> str: ...

    def columns(self) -> Sequence[Column]:
        """Of the template and of an export, in this order."""
        ...

    def new(self, work: Work, cells: Cells, now: datetime, zone: ZoneInfo, within: int | None) -> NewElder:
        """`within`: nothing outside of this area is added, nor told of. Holds the ledger until the
        transaction ends, so that of two who add the same person one is told so."""
        ...

    def edit(self, work: Work, entry: LedgerEntry, cells: Cells, now: datetime, zone: ZoneInfo) -> Edit:
        """`cells`: only what was changed; an emptied one stands as the empty text."""
        ...

    def contact(self, cells: Cells) -> tuple[dict[str, Any], dict[str, str]]:
        """name, relation, phone, same_place, may_be_told -> (fields, errors)."""
        ...

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
        """`within`: rows about elders or villages outside of this area are refused."""
        ...

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
        """How many elders; audited."""
        ...

    def template(self, path: Path) -> None: ...
