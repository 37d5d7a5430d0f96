"""The visit queue as a spreadsheet. Numbers stay masked: a file leaves the house."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter

from storage.model.wall import CaseRow
from visits import watch
from web.config import WebConfig
from web.texts.times import at_full, left
from xunfang.log import mask
from xunfang.vocabulary import zh

MOST_ROWS = 20_000  # of one file
FONT = "宋体"
_HEAD_ROW = 2
_COLUMNS = (
    ("案件", 8),
    ("级别", 8),
    ("类别", 14),
    ("状态", 10),
    ("地区", 16),
    ("老人", 10),
    ("电话", 14),
    ("巡访员", 12),
    ("为什么是他", 18),
    ("立案", 19),
    ("上门期限", 19),
    ("期限情况", 14),
    ("上报到", 8),
    ("情况摘要", 48),
    ("转介", 14),
    ("处置情况", 48),
    ("办结", 19),
)


def workbook(rows: Sequence[CaseRow], tab: str, now: datetime, config: WebConfig) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("上门队列")
    head = book.add_format({"font_name": FONT, "bold": True, "border": 1, "bg_color": "#E8EEF7"})
    text = book.add_format({"font_name": FONT, "border": 1, "text_wrap": True, "valign": "top"})
    title = book.add_format({"font_name": FONT, "bold": True, "font_size": 14})
    sheet.write_string(0, 0, f"上门队列（{tab}）{at_full(now, config.zone)}，{len(rows)}件", title)
    for column, (name, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(_HEAD_ROW, column, name, head)
    for line, row in enumerate(rows, start=_HEAD_ROW + 1):
        for column, value in enumerate(_cells(row, now, config)):
            sheet.write_string(line, column, value, text)  # never as a formula: "=…" in a note is text
    sheet.freeze_panes(_HEAD_ROW + 1, 0)
    if rows:
        sheet.autofilter(_HEAD_ROW, 0, _HEAD_ROW + len(rows), len(_COLUMNS) - 1)
    book.close()
    return out.getvalue()


def _cells(row: CaseRow, now: datetime, config: WebConfig) -> tuple[str, ...]:
    case, zone = row.case, config.zone
    if case.closed_at is not None:
        clock = "按期办结" if case.closed_at <= case.deadline else "超期办结"
    elif case.status in watch.UNVISITED:
        clock = left(case.deadline, now)
    else:
        clock = f"办结{left(watch.due(case, config.deadlines), now)}"
    referred = zh(case.referred_to) if case.referred_to else ""
    if case.report_category is not None:
        referred += f"：{zh(case.report_category)}"
    return (
        str(case.id),
        zh(case.priority),
        zh(case.kind),
        zh(case.status),
        row.area,
        row.name,
        mask(row.phone),
        row.visitor or "尚无",
        case.visitor_why,
        at_full(case.opened_at, zone),
        at_full(case.deadline, zone),
        clock,
        zh(case.level) if case.level else "",
        case.summary,
        referred,
        case.disposition_note,
        at_full(case.closed_at, zone),
    )
