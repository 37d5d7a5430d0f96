"""Files that leave: tables as csv or xlsx, readable by their owner only, never half written."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from xunfang.errors import BadInput
from xunfang.ledger.columns import REASON, ROW_NUMBER, Column
from xunfang.ledger.values import CLEAR, text

FILE_MODE = 0o600
TEMPLATE_ROWS = 5000  # as far down as the drop-down lists reach
_TEXT_FORMAT = "@"
_FORMULA = tuple("=+-@")


def harmless(value: str) -> str:
    """A text that a spreadsheet would run as a formula gets a quote before it; values.text takes it off."""
    return "'" + value if value.startswith(_FORMULA) or value.startswith("'") else value


def unused(path: Path) -> Path:
    """`path`, or with -2, -3 …: a list somebody is mending is never written over."""
    number = 1
    found = path
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes its place when all went well."""
    part = path.with_name(f".{path.name}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, FILE_MODE))
        yield part
        part.replace(path)
    except OSError as error:
        raise BadInput(f"{path}：写不了文件（{error.strerror}）") from None
    finally:
        part.unlink(missing_ok=True)


def write_csv(path: Path, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    count = 0
    # Excel takes a csv for the local code page unless it begins with a BOM.
    with whole(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        for row in rows:
            writer.writerow([harmless(cell) for cell in row])
            count += 1
    return count


def write_xlsx(path: Path, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    count = 0
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("台账")
    sheet.freeze_panes = "B2"
    sheet.append(list(titles))
    for row in rows:
        sheet.append([harmless(cell) if cell else None for cell in row])
        count += 1
    with whole(path) as part:
        book.save(part)
    return count


class RefusedFile:
    """The refused rows as they came, each with its number and the reason: mend them and import this file.

    Opened with the first row.
    """

    def __init__(self, path: Path, titles: Sequence[str]) -> None:
        self.path = path
        self._titles = titles
        self._file: IO[str] | None = None
        self._writer: Any = None

    def add(self, number: int, reasons: Sequence[str], row: Sequence[object]) -> None:
        if self._file is None:
            try:
                handle = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, FILE_MODE)
            except OSError as error:
                raise BadInput(f"{self.path}：写不了文件（{error.strerror}）") from None
            self._file = os.fdopen(handle, "w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow([ROW_NUMBER, REASON, *self._titles])
        cells = ["" if cell is None else harmless(text(cell)) for cell in row]
        self._writer.writerow([number, "；".join(reasons), *cells])

    def close(self) -> Path | None:
        """Where it lies; None when nothing was refused."""
        if self._file is None:
            return None
        self._file.close()
        return self.path


def write_template(path: Path, columns: Sequence[Column]) -> None:
    """An empty ledger for a county office: text columns, drop-down lists, an explaining second sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "台账"
    sheet.freeze_panes = "B2"
    for number, column in enumerate(columns, start=1):
        letter = get_column_letter(number)
        cell = sheet.cell(1, number, column.title)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="FFDDEBF7")
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        sheet.column_dimensions[letter].width = 22 if column.as_text else 14
        if column.as_text:
            sheet.column_dimensions[letter].number_format = _TEXT_FORMAT
        if column.choices:
            choice = DataValidation("list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
            choice.add(f"{letter}2:{letter}{TEMPLATE_ROWS}")
            sheet.add_data_validation(choice)
    help_sheet = book.create_sheet("填写说明")
    for line in _explanations(columns):
        help_sheet.append(line)
    help_sheet.column_dimensions["A"].width = 24
    help_sheet.column_dimensions["B"].width = 90
    with whole(path) as part:
        book.save(part)


def _explanations(columns: Sequence[Column]) -> Iterator[list[str]]:
    yield ["总则", "一行一位老人，填在“台账”工作表。表头可以换顺序，不用的列可以删去。"]
    yield ["", "已在台账中的人按公民身份号码识别（没有号码的按姓名加联系电话），只改填写了的内容。"]
    yield ["", f"空白单元格不改动台账；要去掉联系电话、住址、类别、时段、备注，请填“{CLEAR}”。"]
    yield ["", "不合格的行不会导入，也不影响其他行；它们连同原因另存为一个 csv，改好后可直接再导入。"]
    for column in columns:
        parts = [column.hint] if column.hint else []
        parts += ["可填：" + "、".join(column.choices)] if column.choices else []
        yield [column.title, "；".join(parts)]
