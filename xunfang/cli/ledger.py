"""`xunfang ledger`: the ledger 台账. What is printed is for county staff: Chinese."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from storage import Work
from storage.model import Area
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of, stderr
from xunfang.clock import SystemClock
from xunfang.errors import BadInput, NotFound
from xunfang.ledger import exporter, importer, render, writing
from xunfang.ledger.areas import AreaBook
from xunfang.ledger.columns import export_columns
from xunfang.ledger.importer import CHANGED, CREATED, REFUSED, RowResult, Summary
from xunfang.ledger.matching import Moment
from xunfang.ledger.reading import Row, open_table
from xunfang.settings import Settings
from xunfang.wiring import open_store

app = typer.Typer(no_args_is_help=True, help="The ledger 台账: import, export, list and show elders.")

REFUSED_SUFFIX = "-未导入"
EXIT_REFUSED = BadInput.exit_code
_OUTCOMES = {CREATED: "新增", CHANGED: "修改", REFUSED: "不导入"}
_AREA_HELP = "Only this area and below: its 12-digit code."

AreaCode = Annotated[str | None, typer.Option("--area", help=_AREA_HELP)]


def actor() -> str:
    return f"user:{getpass.getuser()}"[:64]


def moment_of(settings: Settings) -> Moment:
    return Moment(SystemClock().now(), settings.zone)


def area_of(work: Work, code: str | None) -> Area | None:
    if code is None:
        return None
    area = work.areas.by_code(code)
    if area is None:
        raise NotFound(f"台账中没有行政区划代码 {code}")
    return area


@contextmanager
def progress_bar(title: str, total: int | None) -> Iterator[Any]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    ) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, whole=total: bar.update(task, completed=done, total=whole)


class _Listing:
    """Rows worth telling: what is wrong, and in a dry run what would be written."""

    def __init__(self, keep: int, dry_run: bool) -> None:
        self._keep = keep or None
        self._dry_run = dry_run
        self.rows: list[RowResult] = []
        self.left_out = 0

    def hear(self, result: RowResult) -> None:
        telling = result.errors or result.warnings or (self._dry_run and result.outcome in _OUTCOMES)
        if not telling:
            return
        if self._keep is not None and len(self.rows) >= self._keep:
            self.left_out += 1
        else:
            self.rows.append(result)


@app.command("import")
def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=".xlsx or .csv with a header row, see `template`.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is wrong and what would be written.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing at all when any row is wrong.")
    ] = False,
    create_areas: Annotated[
        bool, typer.Option("--create-areas", help="Add unknown villages that come with their 12-digit code.")
    ] = False,
    sheet: Annotated[str | None, typer.Option(help="Worksheet; default the first.")] = None,
    refused: Annotated[
        Path | None, typer.Option(help=f"Where refused rows go; default FILE{REFUSED_SUFFIX}.csv.")
    ] = None,
    rows: Annotated[int, typer.Option(min=0, help="Rows listed at most; 0: all.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Import elders from a spreadsheet. Wrong rows are refused with their reasons and stop no other row.

    Elders are recognised by ID card, else by name and phone; blank cells change nothing. A killed import
    can be run again. Exit code 2 when rows were refused.

    Example: xunfang ledger import 台账.xlsx --dry-run

    Example: xunfang ledger import 台账.csv --strict --create-areas --json
    """
    settings = settings_of(ctx)
    moment = moment_of(settings)
    listing = _Listing(rows, dry_run)
    keep_refused = not dry_run or refused is not None
    target = refused or writing.unused(file.with_name(f"{file.stem}{REFUSED_SUFFIX}.csv"))

    with open_store(settings) as store:

        def go(only_look: bool, title: str, listing: _Listing, report: Path | None) -> tuple[Summary, Path | None]:
            with open_table(file, sheet) as table, progress_bar(title, table.total) as bar:
                if table.header.ignored and listing is shown_listing:
                    stderr.print(f"[yellow]不认识的列，未导入：{'、'.join(table.header.ignored)}[/yellow]")
                bad = writing.RefusedFile(report, table.header.titles) if report else None
                done = 0

                def on_row(result: RowResult, cells: Row) -> None:
                    nonlocal done
                    done += 1
                    bar(done)
                    listing.hear(result)
                    if bad and result.errors:
                        bad.add(result.row, result.errors, cells)

                job = importer.Job(
                    store, moment, actor(), on_row, dry_run=only_look, create_areas=create_areas
                )
                try:
                    summary = importer.run(table, job)
                finally:
                    written = bad.close() if bad else None
                return summary, written

        shown_listing = listing
        report = target if keep_refused else None
        wrote = False
        if strict and not dry_run:
            looked = _Listing(rows, dry_run=False)
            shown_listing = looked
            summary, refused_file = go(True, "检查", looked, report)
            listing = looked
            if not summary.refused:
                listing = shown_listing = _Listing(rows, dry_run=False)
                summary, refused_file = go(False, "导入", listing, None)
                wrote = True
        else:
            summary, refused_file = go(dry_run, "检查" if dry_run else "导入", listing, report)
            wrote = not dry_run

    if as_json:
        print_json(
            {
                "written": wrote,
                "summary": summary,
                "refused_file": refused_file,
                "rows": listing.rows,
                "rows_left_out": listing.left_out,
            }
        )
    else:
        _print_import(summary, listing, wrote, refused_file)
    if summary.refused:
        raise typer.Exit(EXIT_REFUSED)
