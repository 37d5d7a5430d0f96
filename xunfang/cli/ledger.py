"""`xunfang ledger`: the ledger 台账. What is printed is for county staff: Chinese."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from storage import Work
from storage.repository_ledger import LedgerEntry
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of, stderr
from xunfang.clock import SystemClock
from xunfang.errors import BadInput, NotFound
from xunfang.ledger import exporter, files, render, writing
from xunfang.ledger.areas import AreaBook
from xunfang.ledger.columns import export_columns
from xunfang.ledger.files import LISTED_ROWS, REFUSED_SUFFIX, Imported
from xunfang.ledger.importer import CHANGED, CREATED, REFUSED, UNCHANGED, RowResult
from xunfang.ledger.matching import Moment
from xunfang.settings import Settings
from xunfang.wiring import open_store

app = typer.Typer(no_args_is_help=True, help="The ledger 台账: import, export, list and show elders.")

ACTOR_CHARS = 64
_OUTCOME_ZH = {CREATED: "新增", CHANGED: "修改", UNCHANGED: "不变", REFUSED: "不导入"}

AreaCode = Annotated[str | None, typer.Option("--area", help="Only this area and below: its 12-digit code.")]


def _actor() -> str:
    return f"user:{getpass.getuser()}"[:ACTOR_CHARS]


def _moment(settings: Settings) -> Moment:
    return Moment(SystemClock().now(), settings.zone)


def _area_id(work: Work, code: str | None) -> int | None:
    if code is None:
        return None
    area = work.areas.by_code(code)
    if area is None:
        raise NotFound("台账中没有这个行政区划代码")
    return area.id


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


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
        Path | None, typer.Option(help=f"Where refused rows go; default beside FILE: …{REFUSED_SUFFIX}.csv.")
    ] = None,
    rows: Annotated[int, typer.Option(min=0, help="Rows listed at most; 0: all.")] = LISTED_ROWS,
    as_json: AsJson = False,
) -> None:
    """Import elders from a spreadsheet. Wrong rows are refused with their reasons and stop no other row.

    Elders are recognised by ID card, else by name and phone; blank cells change nothing. An import
    that was killed can be run again. Exit code 2 when rows were refused.

    Example: xunfang ledger import 台账.xlsx --dry-run

    Example: xunfang ledger import 台账.csv --strict --create-areas --json
    """
    settings = settings_of(ctx)
    with open_store(settings) as store, _progress("检查" if dry_run else "导入") as progress:
        imported = files.import_file(
            store,
            file,
            _moment(settings),
            _actor(),
            dry_run=dry_run,
            strict=strict,
            create_areas=create_areas,
            sheet=sheet,
            refused=refused,
            listed=rows,
            progress=progress,
        )
    if as_json:
        print_json(imported)
    else:
        _print_import(imported, dry_run)
    if imported.summary.refused:
        raise typer.Exit(BadInput.exit_code)


def _print_import(imported: Imported, dry_run: bool) -> None:
    summary = imported.summary
    if imported.ignored_columns:
        stderr.print(f"[yellow]不认识的列，未导入：{escape('、'.join(imported.ignored_columns))}[/yellow]")
    # Not cut at the edge: half a reason is none.
    table = Table(
        "行", "结果", "姓名", Column("说明", overflow="fold"), title="逐行说明", title_justify="left"
    )
    for row in imported.rows:
        said = "\n".join(_said(row))
        table.add_row(str(row.row), _OUTCOME_ZH[row.outcome], escape(row.name), escape(said))
    if imported.rows:
        console.print(table)
    if imported.rows_left_out:
        console.print(f"另有 {imported.rows_left_out} 行未列出（--rows 0 列出全部）。")
    for area in summary.areas_created:
        console.print(f"{'将' if dry_run else ''}新增区划：{escape(area)}")
    would = "" if imported.written else "将"
    console.print(
        f"共 {summary.rows} 行：{would}新增 {summary.created}，{would}修改 {summary.changed}，"
        f"不变 {summary.unchanged}，不导入 {summary.refused}；需留意 {summary.with_warnings}。"
    )
    if not imported.written and not dry_run:
        console.print("[red]有不合格的行，按 --strict 的要求整份文件都没有导入。[/red]")
    if imported.refused_file is not None:
        console.print(f"不导入的行和原因在：{escape(str(imported.refused_file))}，改好后可直接导入该文件。")


def _said(row: RowResult) -> list[str]:
    return [*row.errors, *row.warnings, *row.changes]


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new file, .xlsx or .csv.")],
    full: Annotated[
        bool, typer.Option("--full", help="Phone and ID numbers in full. Who did so is put on record.")
    ] = False,
    area: AreaCode = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="Also elders no longer visited.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE when it exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Export the ledger in the columns of the template. Numbers are masked unless --full.

    Only a --full export can be imported again.

    Example: xunfang ledger export 台账.xlsx --full --area 220183101205
    """
    if file.exists() and not overwrite:
        raise BadInput(f"{file} 已经存在；换个文件名，或加 --overwrite")
    settings = settings_of(ctx)
    with open_store(settings) as store, _progress("导出") as progress:
        with store.read() as work:
            area_id = _area_id(work, area)
        exported = exporter.export(
            store,
            file,
            _moment(settings),
            _actor(),
            full=full,
            area_id=area_id,
            inactive=inactive,
            progress=progress,
        )
    if as_json:
        print_json(exported)
        return
    hidden = "" if full else "，号码已部分隐去（完整号码用 --full，会留下记录）"
    console.print(f"已导出 {exported.elders} 位老人到 {escape(str(file))}{hidden}。")


@app.command()
def template(
    file: Annotated[Path, typer.Argument(help="A new file, .xlsx.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE when it exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write an empty ledger to fill in, with drop-down lists and an explaining second sheet.

    Example: xunfang ledger template 台账模板.xlsx
    """
    if file.suffix.lower() != ".xlsx":
        raise BadInput(f"{file.name}：模板文件名要以 .xlsx 结尾")
    if file.exists() and not overwrite:
        raise BadInput(f"{file} 已经存在；换个文件名，或加 --overwrite")
    columns = export_columns()
    writing.write_template(file, columns)
    if as_json:
        print_json({"file": file, "columns": [column.title for column in columns]})
    else:
        console.print(f"模板在 {escape(str(file))}，填好后用 xunfang ledger import 导入。")


@app.command("list")
def list_elders(
    ctx: typer.Context,
    area: AreaCode = None,
    after: Annotated[int, typer.Option(min=0, help="Go on after this number 编号.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List elders by number, a page at a time. Phone and ID numbers are masked.

    Example: xunfang ledger list --area 220183101205 --limit 20

    Example: xunfang ledger list --after 20 --json
    """
    settings = settings_of(ctx)
    with open_store(settings) as store, store.read() as work:
        area_id = _area_id(work, area)
        areas = AreaBook(work.ledger.areas())
        page = work.ledger.page(after, limit, area_id)
        total = work.ledger.count(area_id)
    rows = [_as_json(entry, areas, settings, full=False) for entry in page]
    if as_json:
        print_json({"total": total, "elders": rows, "next_after": page[-1].elder.id if page else None})
        return
    print_table(
        f"台账（共 {total} 人）",
        ("编号", "姓名", "电话", "村", "类别", "巡访", "状态"),
        (
            (
                entry.elder.id,
                escape(entry.elder.name),
                row["联系电话"],
                escape(str(row["村"])),
                row["类别"],
                f"{row['巡访方式']} {row['频次']}",
                _state(entry),
            )
            for entry, row in zip(page, rows, strict=True)
        ),
        empty="台账里还没有人。用 xunfang ledger import 导入，或用 xunfang ledger template 生成模板。",
    )
    if len(page) == limit:
        console.print(f"下一页：xunfang ledger list --after {page[-1].elder.id}")


@app.command()
def show(
    ctx: typer.Context,
    elder_id: Annotated[int, typer.Argument(metavar="ID", help="编号, as in `list`.")],
    full: Annotated[
        bool, typer.Option("--full", help="Phone and ID numbers in full. Who did so is put on record.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one elder with contacts, first visitor and consents.

    Example: xunfang ledger show 3
    """
    settings = settings_of(ctx)
    with open_store(settings) as store:
        with store.read() as work:
            elder = work.elders.get(elder_id)
            if elder is None:
                raise NotFound(f"台账中没有编号 {elder_id}")
            areas = AreaBook(work.ledger.areas())
            (entry,) = work.ledger.entries([elder])
        if full:
            with store.begin() as work:
                work.audit.write(_moment(settings).now, _actor(), "number.revealed", f"elder:{elder_id}")
    row = _as_json(entry, areas, settings, full)
    if as_json:
        print_json(row)
        return
    print_table(
        f"编号 {elder_id}（{_state(entry)}）",
        ("项目", "内容"),
        ((title, escape(str(value))) for title, value in row.items() if value not in ("", None)),
        empty="",
    )


def _as_json(entry: LedgerEntry, areas: AreaBook, settings: Settings, full: bool) -> dict[str, object]:
    """The columns of an export, by title, with the number of the elder."""
    cells = render.cells(entry, areas, settings.zone, full)
    columns = export_columns(len(entry.contacts))
    return {
        "编号": entry.elder.id,
        **{column.title: cells.get(column.key, "") for column in columns},
    }


def _state(entry: LedgerEntry) -> str:
    elder = entry.elder
    if not elder.active:
        return "停用"
    if elder.paused_until is not None:
        return f"暂停至 {elder.paused_until}"
    return "在册"
