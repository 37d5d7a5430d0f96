"""`xunfang cases`: the on-site visit queue (上门队列). What is printed is for supervisors: Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

import typer

from visits import service
from xunfang.cli.case_contacts import register_contacts
from xunfang.cli.case_steps import register_steps
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.cli.review import register_review
from xunfang.clock import SystemClock
from xunfang.settings import Settings
from xunfang.vocabulary import CaseLevel, zh
from xunfang.wiring import open_store

app = typer.Typer(invoke_without_command=True)
register_steps(app)
register_contacts(app)
register_review(app)

# What repeats for as long as nobody acts.
REPEATING = frozenset({"case.reminded", "no_notice_sent", "duplicate_suppressed"})


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
                _status(case),
                case["summary"],
            )
            for case in queue
        ),
        empty="上门队列里没有待办案件。",
    )


def _status(case: dict[str, Any]) -> str:
    rung = "" if case["level"] is None else f"（已上报{zh(CaseLevel(case['level']))}级）"
    return f"{case['status_zh']}{rung}"


@app.command()
def show(
    ctx: typer.Context, case_id: Annotated[int, typer.Argument(metavar="ID")], as_json: AsJson = False
) -> None:
    """Show one case: why it was opened, the words and seconds of audio, and its history.

    Example: xunfang cases show 3
    """
    settings = settings_of(ctx)
    with open_store(settings) as store:
        case = service.show(store, case_id, SystemClock().now(), settings.timezone)
    if as_json:
        print_json(case)
        return
    _print_case(case, settings)


def _print_case(case: dict[str, Any], settings: Settings) -> None:
    """For a supervisor's eyes: who, by when, why with the words and seconds, and what was done."""
    late = " 已超时" if case["overdue"] and case["closed_at"] is None else ""
    _line(f"案件 {case['id']}  {case['priority_zh']} · {case['kind_zh']} · {_status(case)}", style="bold")
    _line(f"老人：{case['elder']}  电话：{case['phone']}  地址：{case['area']} {case['address']}")
    why = f"（{case['visitor_why']}）" if case["visitor_why"] else ""
    _line(f"期限：{local(case['deadline'], settings)}{late}  巡访员：{case['visitor'] or '待指派'}{why}")
    if case["closed_at"] is None:
        _line(f"可派：{'、'.join(_candidate(each) for each in case['candidates']) or '无登记的巡访员'}")
    for number, line in enumerate(case["summary"].splitlines()):
        _line(f"{'　　　' if number else '情况：'}{line}")
    if case["evidence_zh"]:
        _line("依据：")
    for number, sentence in enumerate(case["evidence_zh"], start=1):
        _line(f"  {number}. {sentence}")
    if case["disposition_note"]:
        _line(f"处置情况：{case['disposition_note']}")
    _line("经过：")
    for times, entry in _runs(case["history"]):
        again = f"（共{times}次，所示为最近一次）" if times > 1 else ""
        _line(f"  {local(entry['at'], settings)}  {entry['actor_zh']}  {entry['text']}{again}")


def _candidate(visitor: dict[str, Any]) -> str:
    asked = "，已推辞或未回应" if visitor["asked"] else ""
    return f"{visitor['name']}（编号{visitor['id']}{asked}）"


def _line(text: str, style: str | None = None) -> None:
    """What people wrote is never read as markup."""
    console.print(text, style=style, markup=False, highlight=False)


def _runs(history: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(how often, the last) of every entry. Between two steps, reminders that say the same are one line:
    those of a whole night must not hide what was done."""
    for repeats, stretch in groupby(history, key=lambda entry: entry["kind"] in REPEATING):
        if not repeats:
            yield from ((1, entry) for entry in stretch)
            continue
        same: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for entry in stretch:
            same.setdefault((entry["actor"], entry["text"]), []).append(entry)
        yield from ((len(entries), entries[-1]) for entries in same.values())
