"""`xunfang cases`: the on-site visit queue (上门队列). What is printed is for supervisors: Chinese."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from visits import service
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.clock import SystemClock
from xunfang.settings import Settings
from xunfang.wiring import open_store

app = typer.Typer(invoke_without_command=True)


def local(text: str, settings: Settings) -> str:
    return f"{datetime.fromisoformat(text).astimezone(settings.zone):%m-%d %H:%M}"


@app.callback()
def cases(
    ctx: typer.Context, limit: Annotated[int, typer.Option(min=1)] = 50, as_json: AsJson = False
) -> None:
    """The on-site visit queue 上门队列: open cases, urgent first, then by deadline.

    Example: xunfang cases --json
    """
    if ctx.invoked_subcommand is not None:
        return
    settings = settings_of(ctx)
    with open_store(settings) as store:
        queue = service.queue(store, limit, SystemClock().now())
    if as_json:
        print_json(queue)
        return
    print_queue(queue, settings)


def print_queue(queue: list[dict[str, Any]], settings: Settings) -> None:
    print_table(
        "上门队列",
        ("编号", "级别", "类别", "老人", "期限", "巡访员", "状态", "情况"),
        (
            (
                case["id"],
                case["priority_zh"],
                case["kind_zh"],
                case["elder"],
                local(case["deadline"], settings) + (" 已超时" if case.get("overdue") else ""),
                case["visitor"] or "待指派",
                case["status_zh"],
                case["summary"],
            )
            for case in queue
        ),
        empty="上门队列里没有待办案件。",
    )


@app.command()
def show(
    ctx: typer.Context, case_id: Annotated[int, typer.Argument(metavar="ID")], as_json: AsJson = False
) -> None:
    """Show one case: why it was opened, the words and seconds of audio, and its history.

    Example: xunfang cases show 3
    """
    settings = settings_of(ctx)
    with open_store(settings) as store:
        case = service.show(store, case_id, SystemClock().now())
    if as_json:
        print_json(case)
        return
    console.print(
        f"[bold]案件 {case['id']}  {case['priority_zh']} · {case['kind_zh']} · {case['status_zh']}[/bold]"
    )
    console.print(f"老人：{case['elder']}  电话：{case['phone']}  地址：{case['area']} {case['address']}")
    console.print(
        f"期限：{local(case['deadline'], settings)}"
        f"  巡访员：{case['visitor'] or '待指派'}（{case['visitor_why']}）"
    )
    console.print(f"情况：{case['summary']}")
    for evidence in case["evidence"]:
        console.print(
            "依据："
            + "  ".join(f"{key}={value}" for key, value in evidence.items() if value not in (None, ""))
        )
    for entry in case["history"]:
        console.print(f"{local(entry['at'], settings)}  {entry['actor']}  {entry['kind']}  {entry['detail']}")
