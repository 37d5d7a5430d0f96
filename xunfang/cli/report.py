"""`xunfang report`: the indicators of a month, the official form, subsidy clues, summaries."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from records import archive, document, indicators, pdf, sheet, subsidies
from records.indicator_table import RATES, UNVISITED
from records.indicators import Row
from storage import Store, Work
from visits import summary
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of, stderr
from xunfang.clock import SystemClock
from xunfang.errors import BadInput, NotFound
from xunfang.settings import Settings
from xunfang.vocabulary import SubsidyStatus, zh
from xunfang.wiring import form_template, open_store, subsidy_rules_file

ACTOR = "user:cli"
FORM_MADE = "form.made"
LISTED = 200

app = typer.Typer(
    no_args_is_help=True, help="Indicators 指标, the official form 记录表, subsidy clues, summaries."
)

AreaCode = Annotated[
    str | None, typer.Option("--area", metavar="CODE", help="This area and everything below it.")
]


@app.command()
def month(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="YYYY-MM")],
    area: AreaCode = None,
    xlsx: Annotated[Path | None, typer.Option(help="Write a spreadsheet with the definitions.")] = None,
    as_json: AsJson = False,
) -> None:
    """The indicators of a month by county, township and village; what they mean: docs/indicators.md.

    Example: xunfang report month 2026-11 --area 220182101000 --xlsx 2026-11.xlsx
    """
    settings = settings_of(ctx)
    wanted = indicators.month_of(which, settings.zone)
    with open_store(settings) as store, store.read() as work:
        made = indicators.report(work, wanted, SystemClock().now(), _area(work, area))
    if xlsx is not None:
        _save(xlsx, sheet.workbook(made, settings.zone))
    if as_json:
        print_json(indicators.as_json(made))
    elif xlsx is not None:
        console.print(f"已写入 {xlsx}")
    else:
        _print_rows(f"{made.total.name} {wanted.title}", made.rows)


def _print_rows(title: str, rows: tuple[Row, ...]) -> None:
    columns = ("区划", "应访", "已访", RATES[0].title, "案件", RATES[1].title, "未访原因")
    print_table(
        title,
        columns,
        (
            (
                "　" * row.depth + row.name,
                row.count("due"),
                row.count("visited"),
                _percent(row.rate(RATES[0])),
                row.count("cases"),
                _percent(row.rate(RATES[1])),
                "、".join(f"{each.title}{row.count(each.key)}" for each in UNVISITED if row.count(each.key)),
            )
            for row in rows
        ),
        empty="台账里还没有区划。",
    )


def _percent(rate: float | None) -> str:
    return sheet.NO_RATE if rate is None else f"{rate:.1%}"


@app.command()
def form(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="A .docx or .pdf for one elder, a .zip for an area.")],
    elder: Annotated[int | None, typer.Option(metavar="ID", help="One elder.")] = None,
    area: AreaCode = None,
    as_pdf: Annotated[bool, typer.Option("--pdf", help="In the zip: PDF instead of Word.")] = False,
    as_json: AsJson = False,
) -> None:
    """The official form 特殊困难老年人探访关爱服务记录表, two copies each, filled from the last visit.

    Example: xunfang report form --elder 12 --out 12.docx
    """
    if (elder is None) == (area is None):
        raise BadInput("说明是一位老人（--elder 编号）还是一个区划（--area 代码）")
    settings, now = settings_of(ctx), SystemClock().now()
    with open_store(settings) as store:
        if elder is not None:
            done = _one(store, settings, elder, out, now)
        else:
            done = _many(store, settings, area, out, as_pdf, now)
    if as_json:
        print_json({"file": out, "elders": done})
    else:
        console.print(f"已写入 {out}：{done} 位老人，每位一式两份")


def _one(store: Store, settings: Settings, elder: int, out: Path, now: datetime) -> int:
    kind = out.suffix.removeprefix(".").lower()
    if kind not in (archive.WORD, archive.PDF):
        raise BadInput("一位老人的记录表存成 .docx 或 .pdf")
    with store.begin() as work:
        context = document.fill(
            document.gather(work, elder, photos=settings.path(settings.doorstep.photos)), now, settings.zone
        )
        work.audit.write(now, ACTOR, FORM_MADE, f"elder:{elder}", {"kind": kind})
    made = document.render(context, form_template(settings))
    _save(out, pdf.to_pdf({"form": made})["form"] if kind == archive.PDF else made)
    return 1


def _many(store: Store, settings: Settings, code: str | None, out: Path, as_pdf: bool, now: datetime) -> int:
    kind = archive.PDF if as_pdf else archive.WORD
    with store.begin() as work:
        area_id = _area(work, code)
        work.audit.write(now, ACTOR, FORM_MADE, f"area:{area_id}", {"kind": kind})
    wanted = archive.Wanted(area_id, kind, form_template(settings), settings.path(settings.doorstep.photos))
    bar = Progress(SpinnerColumn(), TextColumn("{task.description}"), console=stderr, transient=True)
    done = 0
    with bar:
        task = bar.add_task("正在生成记录表")

        def told(count: int) -> None:
            nonlocal done
            done = count
            bar.update(task, description=f"正在生成记录表：{count} 份")

        part = out.with_name(out.name + ".part")
        try:
            with part.open("wb") as file:
                for piece in archive.zipped(store, wanted, now, settings.zone, told):
                    file.write(piece)
            part.replace(out)
        except OSError as error:
            raise BadInput(f"无法写入 {out}：{error.strerror}") from None
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return done


@app.command("subsidies")
def subsidy_clues(
    ctx: typer.Context,
    area: AreaCode = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Look at all records again, as after a change of the rules.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look for benefits that elders may be entitled to (补贴线索), and list those nobody has checked.

    Example: xunfang report subsidies --area 220182101205
    """
    settings = settings_of(ctx)
    rules = subsidies.load_rules(subsidy_rules_file(settings))
    with open_store(settings) as store:
        subsidies.sweep(store, rules, SystemClock().now(), settings.zone, anew)
        with store.read() as work:
            clues = work.subsidies.page(status=SubsidyStatus.NEW, area_id=_area(work, area), limit=LISTED)
    if as_json:
        print_json(clues)
        return
    print_table(
        "补贴线索（待核实）",
        ("编号", "老人编号", "项目", "依据"),
        ((each.id, each.elder_id, zh(each.benefit), each.why) for each in clues),
        empty="没有待核实的补贴线索。",
    )


@app.command("summary")
def month_summary(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="YYYY-MM")],
    area: AreaCode = None,
    as_json: AsJson = False,
) -> None:
    """Write the month's summaries 每月小结 into the outbox: to contacts by consent, to villages as numbers.

    Example: xunfang report summary 2026-11
    """
    settings = settings_of(ctx)
    wanted, now = indicators.month_of(which, settings.zone), SystemClock().now()
    with open_store(settings) as store:
        with store.read() as work:
            area_id = _area(work, area)
        told = summary.send_all(store, wanted, now, settings.zone, ACTOR, area_id)
    if as_json:
        print_json(told)
        return
    console.print(
        f"待发送 {told.sent} 条；未发 {told.not_sent} 人（原因已记入审计）；本月已发过 {told.again} 处"
    )


def _area(work: Work, code: str | None) -> int | None:
    if code is None:
        return None
    found = work.areas.by_code(code)
    if found is None:
        raise NotFound(f"没有代码为 {code} 的区划")
    return found.id


def _save(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise BadInput(f"无法写入 {file}：{error.strerror}") from None
