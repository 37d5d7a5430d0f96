"""The indicators as a spreadsheet: one sheet of numbers, one of what they mean."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from records.indicator_table import COUNTS, GROUPS, RATES, Count, Rate, definitions
from records.indicators import Report

FONT = "宋体"
NUMBERS, MEANINGS, PAUSES = "指标", "指标定义", "暂停原因"
FIRST_ROW = 4  # of the data; above: title, groups, titles
AREA_WIDTH, CODE_WIDTH, NUMBER_WIDTH = 24, 15, 11
LEVEL_ZH = {"all": "全部", "county": "县", "township": "乡镇", "village": "村", "none": ""}
NO_RATE = "—"


def workbook(report: Report, zone: ZoneInfo) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    style = {"font_name": FONT, "font_size": 10, "border": 1, "valign": "vcenter"}
    formats = {
        "title": book.add_format({"font_name": FONT, "font_size": 16, "bold": True}),
        "note": book.add_format({"font_name": FONT, "font_size": 9, "font_color": "#555555"}),
        "head": book.add_format(
            style | {"bold": True, "bg_color": "#E8EEF7", "text_wrap": True, "align": "center"}
        ),
        "text": book.add_format(style),
        "wrap": book.add_format(style | {"text_wrap": True}),
        "number": book.add_format(style | {"num_format": "#,##0"}),
        "%": book.add_format(style | {"num_format": "0.0%"}),
        "分钟": book.add_format(style | {"num_format": "0.0"}),
        "none": book.add_format(style | {"align": "right"}),
    }
    _numbers(book.add_worksheet(NUMBERS), report, formats, zone)
    _pauses(book.add_worksheet(PAUSES), report, formats)
    _meanings(book.add_worksheet(MEANINGS), formats)
    book.set_properties({"title": f"巡访指标 {report.month.text}"})
    book.close()
    return out.getvalue()


def _numbers(sheet: Worksheet, report: Report, formats: dict[str, object], zone: ZoneInfo) -> None:
    sheet.write(0, 0, f"{report.total.name} {report.month.title} 巡访指标", formats["title"])
    made = f"{report.made_at.astimezone(zone):%Y-%m-%d %H:%M}"
    sheet.write(
        1, 0, f"制表时间：{made}。分母为零的比率显示为“{NO_RATE}”。含义见“{MEANINGS}”。", formats["note"]
    )
    for column, title in enumerate(("区划", "代码", "级别")):
        sheet.merge_range(FIRST_ROW - 2, column, FIRST_ROW - 1, column, title, formats["head"])
    column, columns = 3, list[tuple[int, Count | Rate]]()
    for group in GROUPS:
        rates = [each for each in RATES if each.group == group]
        counts = [each for each in COUNTS if each.group == group]
        members: list[Count | Rate] = [*rates, *counts]
        last = column + len(members) - 1
        sheet.merge_range(FIRST_ROW - 2, column, FIRST_ROW - 2, last, group, formats["head"])
        for each in members:
            sheet.write(FIRST_ROW - 1, column, f"{each.title}（{each.unit}）", formats["head"])
            columns.append((column, each))
            column += 1
    for number, row in enumerate(report.rows, start=FIRST_ROW):
        sheet.write_string(number, 0, "　" * row.depth + row.name, formats["text"])
        sheet.write_string(number, 1, row.code, formats["text"])
        sheet.write_string(number, 2, LEVEL_ZH.get(row.level, row.level), formats["text"])
        for at, each in columns:
            if isinstance(each, Count):
                sheet.write_number(number, at, row.count(each.key), formats["number"])
            elif (value := row.rate(each)) is None:
                sheet.write_string(number, at, NO_RATE, formats["none"])
            else:
                sheet.write_number(number, at, value, formats[each.unit])
    sheet.freeze_panes(FIRST_ROW, 3)
    sheet.set_row(FIRST_ROW - 1, 32)
    sheet.set_column(0, 0, AREA_WIDTH)
    sheet.set_column(1, 1, CODE_WIDTH)
    sheet.set_column(2, column - 1, NUMBER_WIDTH)
    sheet.autofilter(FIRST_ROW - 1, 0, FIRST_ROW + len(report.rows) - 1, column - 1)
    sheet.set_landscape()
    sheet.repeat_rows(FIRST_ROW - 2, FIRST_ROW - 1)


def _pauses(sheet: Worksheet, report: Report, formats: dict[str, object]) -> None:
    for column, title in enumerate(("区划", "代码", "暂停原因", "人数")):
        sheet.write(0, column, title, formats["head"])
    number = 1
    for row in report.rows:
        for reason, elders in sorted(row.pauses.items()):
            sheet.write_string(number, 0, "　" * row.depth + row.name, formats["text"])
            sheet.write_string(number, 1, row.code, formats["text"])
            sheet.write_string(number, 2, reason, formats["text"])
            sheet.write_number(number, 3, elders, formats["number"])
            number += 1
    sheet.set_column(0, 0, AREA_WIDTH)
    sheet.set_column(1, 1, CODE_WIDTH)
    sheet.set_column(2, 2, 40)
    sheet.freeze_panes(1, 0)


def _meanings(sheet: Worksheet, formats: dict[str, object]) -> None:
    for column, title in enumerate(("类别", "指标", "单位", "含义")):
        sheet.write(0, column, title, formats["head"])
    for number, row in enumerate(definitions(), start=1):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text, formats["wrap"])
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, 20)
    sheet.set_column(2, 2, 8)
    sheet.set_column(3, 3, 90)
    sheet.freeze_panes(1, 0)
