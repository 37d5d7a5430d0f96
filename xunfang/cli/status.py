"""`xunfang status`: what the service is doing now, for people in Chinese, for machines as JSON."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scheduler.breaker import BreakerState
from scheduler.status import DiallerStatus, Status, status
from xunfang.cli.output import AsJson, console, print_json, settings_of
from xunfang.clock import SystemClock
from xunfang.settings import Settings
from xunfang.vocabulary import zh
from xunfang.wiring import dispatch_config, open_store, policy

WATCH_S = 2.0
_BREAKER = {
    BreakerState.CLOSED.value: "正常",
    BreakerState.OPEN.value: "已断开",
    BreakerState.HALF_OPEN.value: "试拨",
}


def register(root: typer.Typer) -> None:
    root.command("status")(show)


def show(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option(help="Refresh every two seconds until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """What the service is doing now: who dials, channels, what waits, the day's coverage, open cases.

    Example: xunfang status --watch
    """
    settings = settings_of(ctx)
    with open_store(settings) as store:
        rules = policy(settings)
        dialling = dispatch_config(settings, rules)

        def now() -> Status:
            at = SystemClock().now()
            return status(store, at, rules, dialling.lease, dialling.admission.channels)

        if as_json:
            print_json(now())
        elif not watch:
            console.print(_page(now(), settings))
        else:
            with Live(_page(now(), settings), console=console, auto_refresh=False) as live:
                try:
                    while True:
                        time.sleep(WATCH_S)
                        live.update(_page(now(), settings), refresh=True)
                except KeyboardInterrupt:
                    return


def _page(seen: Status, settings: Settings) -> RenderableType:
    lines = [
        f"{_local(seen.at, settings)}  {'拨打时段内' if seen.open_now else '不在拨打时段'}",
        f"通道 {seen.channels_used}/{seen.channels}　待拨 {seen.ready}　稍后再拨 {seen.later}",
        f"本期应访 {seen.today.due}，已访到 {seen.today.heard}{_share(seen)}；今日通话 {seen.today.calls}："
        f"完成 {seen.today.completed}，未接通 {seen.today.missed}，线路故障 {seen.today.trunk_failures}，"
        f"进行中 {seen.today.live}",
        f"上门案件 未办结 {seen.cases_open}，紧急 {seen.cases_urgent}，超期 {seen.cases_overdue}",
        _planned(seen, settings),
    ]
    parts: list[RenderableType] = [Text(line) for line in lines]
    if seen.warning:
        parts.append(Text(f"注意：{seen.warning}", style="bold yellow"))
    parts.append(_diallers(seen) if seen.diallers else Text("没有拨号机在运行；用 xunfang run 启动服务。"))
    return Group(*parts)


def _diallers(seen: Status) -> Table:
    table = Table(title="拨号机", title_justify="left")
    for column in ("名称", "状态", "通话", "识别延迟", "线路", "心跳"):
        table.add_column(column, no_wrap=True)
    for each in seen.diallers:
        row = each.dialler
        table.add_row(
            row.name,
            _state(each),
            f"{row.live}/{row.capacity}",
            f"{row.lag_ms:.0f} 毫秒",
            _BREAKER.get(row.breaker, row.breaker),
            f"{each.silent_s:.0f} 秒前",
        )
    return table


def _state(each: DiallerStatus) -> str:
    return "失联" if each.lapsed else zh(each.dialler.state)


def _share(seen: Status) -> str:
    return f"（{100 * seen.today.heard / seen.today.due:.1f}%）" if seen.today.due else ""


def _planned(seen: Status, settings: Settings) -> str:
    last = seen.planned
    if last is None:
        return "尚未生成过计划；用 xunfang run 或 xunfang plan。"
    if last.ended_at is None:
        return f"计划生成中，始于 {_local(last.began_at, settings)}"
    created = last.detail.get("created", 0)
    return f"上次生成计划 {_local(last.ended_at, settings)}，新增 {created}"


def _local(at: datetime, settings: Settings) -> str:
    return f"{at.astimezone(ZoneInfo(settings.timezone)):%Y-%m-%d %H:%M:%S}"
