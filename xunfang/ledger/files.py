"""A ledger file on disk into the ledger, with the report a person needs: `import_file`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from storage import Store
from xunfang.ledger import importer, writing
from xunfang.ledger.importer import UNCHANGED, RowResult, Summary
from xunfang.ledger.matching import Moment
from xunfang.ledger.reading import Row, open_table

REFUSED_SUFFIX = "-未导入"
LISTED_ROWS = 200

Progress = Callable[[int, int | None], None]


@dataclass(slots=True)
class Imported:
    """`rows`: those with something to tell: wrong, doubtful and, in a dry run, what would be written."""

    written: bool = False
    summary: Summary = field(default_factory=Summary)
    ignored_columns: tuple[str, ...] = ()
    refused_file: Path | None = None
    rows: list[RowResult] = field(default_factory=list)
    rows_left_out: int = 0


def refused_path(path: Path) -> Path:
    return writing.unused(path.with_name(f"{path.stem}{REFUSED_SUFFIX}.csv"))


def import_file(
    store: Store,
    path: Path,
    moment: Moment,
    actor: str,
    *,
    dry_run: bool = False,
    strict: bool = False,
    create_areas: bool = False,
    within: int | None = None,
    sheet: str | None = None,
    refused: Path | None = None,
    listed: int = LISTED_ROWS,
    progress: Progress = lambda done, total: None,
) -> Imported:
    """Import a file, or only look at it (`dry_run`).

    `strict`: look at the whole file first and write nothing when any row is wrong.
    `within`: only this area and below it; rows about others are refused.
    `refused`: where refused rows go; without it beside the file, and nowhere in a dry run.
    `listed`: how many rows the result tells of at most; 0: all.
    Raises BadInput when the file cannot be read at all.
    """
    report = refused or (None if dry_run else refused_path(path))

    def go(only_look: bool) -> Imported:
        result = Imported(written=not only_look)
        with open_table(path, sheet) as table:
            result.ignored_columns = table.header.ignored
            bad = writing.RefusedFile(report, table.header.titles) if report else None
            done = 0

            def on_row(row: RowResult, cells: Row) -> None:
                nonlocal done
                done += 1
                progress(done, table.total)
                if bad is not None and row.errors:
                    bad.add(row.row, row.errors, cells)
                if not (row.errors or row.warnings or (dry_run and row.outcome != UNCHANGED)):
                    return
                if listed and len(result.rows) >= listed:
                    result.rows_left_out += 1
                else:
                    result.rows.append(row)

            job = importer.Job(
                store,
                moment,
                actor,
                on_row,
                dry_run=only_look,
                create_areas=create_areas,
                within=within,
            )
            try:
                result.summary = importer.run(table, job)
            finally:
                result.refused_file = bad.close() if bad else None
        return result

    if strict and not dry_run:
        looked = go(only_look=True)
        if looked.summary.refused:
            return looked
    return go(only_look=dry_run)
