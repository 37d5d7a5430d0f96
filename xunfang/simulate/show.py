"""A simulated year in Chinese, for supervisors: rows for the terminal, one page of HTML, CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from io import StringIO
from zoneinfo import ZoneInfo

from storage.repository_fates import CASE, HEARD, LOST, PAUSED, REFUSED, VISITED
from xunfang.simulate.result import MonthResult, YearResult
from xunfang.vocabulary import CaseKind, zh

ZONE = ZoneInfo("Asia/Shanghai")
UNVISITED = {
    "paused": "暂停",
    "refused": "不接受",
    "on_site_pending": "待上门",
    "bad_number": "号码异常",
    "cut_short": "未完成",
    "unanswered": "未接通",
    "not_dialled": "未拨出",
}
FATE = {
    HEARD: "电话听到",
    VISITED: "上门看望",
    CASE: "有上门案件",
    PAUSED: "暂停（有原因）",
    REFUSED: "不接受巡访",
    LOST: "下落不明",
}
NOTICE_TO = {
    "duty": "值班台",
    "visitor": "巡访员",
    "contact": "紧急联系人",
    "area": "村镇值守电话",
    "webhook": "对接系统",
}
COLUMNS = (
    "月份",
    "应访",
    "已访",
    "月探访率",
    "通话",
    "接通率",
    "每小时通话",
    "最忙一小时",
    "新案件",
    "每天案件",
    "上门次数",
    "在办最多",
    "人均在办",
    "一人最多",
    "未访原因",
)


def month_rows(result: YearResult) -> Iterator[tuple[str, ...]]:
    for each in result.months:
        yield (
            each.month,
            str(each.due),
            str(each.visited),
            "—" if each.rate is None else f"{each.rate:.1%}",
            str(each.calls),
            f"{each.picked_up / each.calls:.0%}" if each.calls else "—",
            f"{each.calls_an_hour:.1f}",
            str(each.busiest_hour),
            str(sum(each.cases.values())),
            f"{each.cases_a_day:.1f}",
            str(each.on_site),
            str(each.open_most),
            f"{each.caseload_mean:.1f}",
            str(each.caseload_most),
            "，".join(f"{UNVISITED[key]}{count}" for key, count in each.unvisited.items()) or "无",
        )


def case_rows(result: YearResult) -> Iterator[tuple[str, str, str]]:
    """Kind, cases of the year, cases a day."""
    total: Counter[str] = Counter()
    for month in result.months:
        total.update(month.cases)
    days = sum(month.days for month in result.months)
    for kind, count in total.most_common():
        yield zh(CaseKind(kind)), str(count), f"{count / days:.2f}"


def fate_rows(result: YearResult) -> Iterator[tuple[str, str, str]]:
    total: Counter[str] = Counter()
    for (_, fate), count in result.fates.items():
        total[fate] += count
    for fate, name in FATE.items():
        if total[fate] or fate == LOST:
            yield name, str(total[fate]), f"{total[fate] / max(1, result.periods):.2%}"


def hour_rows(result: YearResult) -> Iterator[tuple[str, str]]:
    for hour, calls in result.by_hour.items():
        yield f"{hour:02d}:00", str(calls)


def summary(result: YearResult) -> tuple[str, ...]:
    rates = [each.rate for each in result.months if each.rate is not None]
    lost = (
        f"无人遗漏：{result.periods}个到期巡访，每个都有下落。"
        if result.nobody_lost
        else f"有遗漏：{len(result.lost)}个到期巡访查不到下落，计划编号见 JSON 的 lost。"
    )
    least, most = (f"{min(rates):.1%}", f"{max(rates):.1%}") if rates else ("—", "—")
    return (
        f"虚拟县：{result.elders}位老人，{result.villages}个村，{result.first_day} 至 {result.last_day}，"
        f"随机种子 {result.seed}。",
        lost,
        f"月探访率 {least} 至 {most}（分母为全部应访老人，含暂停、拒绝、须上门的）。",
        f"共拨打 {result.calls} 次，接通 {result.answered_share:.0%}；上门 {result.on_site} 次；"
        f"新开案件 {result.cases} 件，办结 {result.closed} 件；暂停 {result.pauses} 人次。",
        f"给联系人打电话 {result.contacts} 次；老人回电 {result.rang_us} 次，因此办结案件 "
        f"{result.closed_by_callback} 件；发出通知 {_notices(result)}。",
        f"用时 {result.seconds:.0f} 秒，每千人·月 {result.seconds_per_1000_elder_months:.1f} 秒。",
    )


def _notices(result: YearResult) -> str:
    """590 条（值班台 310、巡访员 280）"""
    told = {NOTICE_TO[to]: result.notices[to] for to in NOTICE_TO if result.notices[to]}
    total = sum(told.values())
    by = "、".join(f"{name} {count}" for name, count in told.items())
    return f"{total} 条（{by}）" if total else "0 条"


def disturbances(result: YearResult) -> Iterator[str]:
    for each in result.disturbances:
        yield f"{each.at.astimezone(ZONE):%Y-%m-%d %H:%M} {each.what}"


def as_csv(result: YearResult) -> str:
    """With a byte order mark, so that spreadsheets know it is UTF-8."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(month_rows(result))
    return "\ufeff" + text.getvalue()


def as_html(result: YearResult) -> str:
    most = max((each.busiest_hour for each in result.months), default=0)
    parts = [
        "<!doctype html><html lang='zh-CN'><meta charset='utf-8'><title>巡访推演</title>",
        "<style>body{font:16px/1.6 'Noto Sans CJK SC',sans-serif;max-width:75rem;margin:2rem auto;",
        "padding:0 1rem}table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #999;",
        "padding:.25rem .6rem;text-align:right}td:last-child{text-align:left}</style>",
        "<h1>巡访推演：一年里会怎样</h1>",
        *(f"<p>{escape(line)}</p>" for line in summary(result)),
        _table("各月", COLUMNS, tuple(month_rows(result))),
        _chart(result.months),
        _table("到期巡访的下落", ("下落", "次数", "占比"), tuple(fate_rows(result))),
        _table("上门案件", ("类别", "件数", "每天"), tuple(case_rows(result))),
        _table("各时段通话", ("时段", "通话"), tuple(hour_rows(result))),
        f"<p>最忙一小时 {most} 次通话。</p><h2>期间的意外</h2><ul>",
        *(f"<li>{escape(line)}</li>" for line in disturbances(result)),
        "</ul></html>",
    ]
    return "\n".join(parts)


def as_markdown(result: YearResult) -> str:
    """What docs/simulate-year.md shows."""
    parts = [
        *(f"{line}\n" for line in summary(result)),
        _markdown(COLUMNS, tuple(month_rows(result))),
        "每小时通话：每个有通话的日子按 8 小时服务时间平均。在办：一天结束时还没有办结的案件。\n",
        "### 到期巡访的下落\n",
        _markdown(("下落", "次数", "占比"), tuple(fate_rows(result))),
        "### 上门案件\n",
        _markdown(("类别", "件数", "每天"), tuple(case_rows(result))),
        "### 各时段通话\n",
        _markdown(("时段", "通话"), tuple(hour_rows(result))),
        "### 期间的意外\n",
        *(f"- {line}" for line in disturbances(result)),
    ]
    return "\n".join(parts) + "\n"


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th scope='col'>{escape(each)}</th>" for each in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _chart(months: Sequence[MonthResult]) -> str:
    """月探访率 by month, from 90 % up: what matters is how much is missing. Numbers stand in the table."""
    width, height, floor = 60, 160, 0.9
    bars = []
    for place, each in enumerate(months):
        tall = height * max(0.0, (each.rate or 0) - floor) / (1 - floor)
        x = place * width
        box = f"x='{x + 10}' y='{height - tall:.0f}' width='{width - 20}' height='{tall:.0f}'"
        name = f"x='{x + width // 2}' y='{height + 18}' text-anchor='middle'"
        bars.append(f"<rect {box} fill='#26a'/><text {name}>{escape(each.month[5:])}月</text>")
    size = f"width='{width * len(months)}' height='{height + 30}'"
    return f"<svg role='img' aria-label='各月月探访率，纵轴从90%起' {size}>{''.join(bars)}</svg>"
