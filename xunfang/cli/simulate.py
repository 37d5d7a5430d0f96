"""`xunfang simulate-year` (推演): what a year would look like, before a county begins."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from storage import Store
from xunfang import log
from xunfang.cli.output import AsJson, console, plain, print_json, print_table, stderr
from xunfang.simulate import show
from xunfang.simulate.result import YearResult
from xunfang.simulate.year import Plan, simulate, usual

MEMORY = Path("/dev/shm")  # a throw-away database needs no disk


def register(root: typer.Typer) -> None:
    root.command("simulate-year")(simulate_year)


def simulate_year(
    elders: Annotated[int, typer.Option(help="Invented elders.")] = 2000,
    year: Annotated[int, typer.Option(help="Its holidays count.")] = 2026,
    months: Annotated[int, typer.Option(help="How many, from --first-month on.")] = 12,
    first_month: Annotated[int, typer.Option()] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same year.")] = 7,
    database: Annotated[
        str | None, typer.Option(help="URL of an EMPTY database; left out: a temporary SQLite file.")
    ] = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="Write a page for reading and printing.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables of docs/simulate-year.md.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the months as a table.")] = None,
) -> None:
    """Simulate a year (推演): real planner, ladder, hours, dispatch, cases; invented telephones and people.

    Example: xunfang simulate-year --elders 200 --months 3 --html 推演.html
    """
    log.configure("ERROR", as_json=False)
    plan = usual(elders, year, months, first_month, seed)
    with ExitStack() as stack:
        url = database
        if url is None:
            place = MEMORY if MEMORY.is_dir() else None
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="xunfang-year-", dir=place))
            url = f"sqlite:///{folder}/year.db"
        store = Store(url, [secrets.token_hex(32)])
        stack.callback(store.close)
        store.migrate()
        result = _with_bar(store, plan)
    if html is not None:
        html.write_text(show.as_html(result), encoding="utf-8")
    if markdown is not None:
        markdown.write_text(show.as_markdown(result), encoding="utf-8")
    if csv is not None:
        csv.write_text(show.as_csv(result), encoding="utf-8")
    if as_json:
        print_json(
            {
                **{key: value for key, value in plain(result).items() if key != "fates"},
                "fates": {f"{mode.value}.{fate}": count for (mode, fate), count in result.fates.items()},
                "nobody_lost": result.nobody_lost,
                "seconds_per_1000_elder_months": round(result.seconds_per_1000_elder_months, 1),
            }
        )
    else:
        _print(result)
    if not result.nobody_lost:
        raise typer.Exit(1)


def _with_bar(store: Store, plan: Plan) -> YearResult:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as bar:
        days = (plan.last_day - plan.first_day).days + 1
        task = bar.add_task("推演", total=days)

        def over(day: date, calls: int) -> None:
            bar.update(task, advance=1, description=f"推演 {day}，通话 {calls}")

        return simulate(store, plan, over)


def _print(result: YearResult) -> None:
    for line in show.summary(result):
        console.print(line)
    print_table("各月", show.COLUMNS, show.month_rows(result), empty="没有一个完整的月份")
    print_table("到期巡访的下落", ("下落", "次数", "占比"), show.fate_rows(result), empty="没有到期的巡访")
    print_table("上门案件", ("类别", "件数", "每天"), show.case_rows(result), empty="没有案件")
    print_table("各时段通话", ("时段", "通话"), show.hour_rows(result), empty="没有通话")
    for line in show.disturbances(result):
        console.print(f"· {line}")
