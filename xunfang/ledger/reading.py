"""A ledger file as rows: xlsx (streamed) or csv (UTF-8 with or without BOM, UTF-16, GB 18030)."""

from __future__ import annotations

import codecs
import csv
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from xunfang.errors import BadInput
from xunfang.ledger.ahead import read_ahead
from xunfang.ledger.columns import HEADER_WITHIN_ROWS, Header, recognise

_CHUNK = 1 << 20
READ_AHEAD_BYTES = 1 << 20  # an xlsx from about 10,000 rows on: worth a second process
_DELIMITERS = (",", "\t", ";", "，")
_OLE = b"\xd0\xcf\x11\xe0"  # .xls of old, and xlsx under a password

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """`rows`: (number as the spreadsheet shows it, cells), once, blank rows left out."""

    header: Header
    rows: Iterator[tuple[int, Row]]
    total: int | None  # rows of the file, about; None when the file does not say


@contextmanager
def open_table(path: Path, sheet: str | None = None) -> Iterator[Table]:
    """Raises BadInput (Chinese: a clerk reads it) for whatever cannot be read."""
    if not path.is_file():
        raise BadInput(f"没有这个文件：{path}")
    kind = path.suffix.lower()
    if kind in (".xlsx", ".xlsm"):
        with _xlsx(path, sheet) as table:
            yield table
    elif kind in (".csv", ".txt", ".tsv"):
        with _csv(path) as table:
            yield table
    else:
        raise BadInput(f"{path.name}：只能读 .xlsx 和 .csv 文件；旧的 .xls 请先另存为 .xlsx")


def _table(numbered: Iterator[tuple[int, Row]], total: int | None) -> Table:
    first = list(islice(numbered, HEADER_WITHIN_ROWS))
    index, header = recognise([row for _, row in first])
    rows = ((number, row) for number, row in chain(first[index + 1 :], numbered) if not _blank(row))
    return Table(header, rows, max(0, total - first[index][0]) if total else None)


def _blank(row: Row) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


@contextmanager
def _xlsx(path: Path, sheet: str | None) -> Iterator[Table]:
    large = path.stat().st_size >= READ_AHEAD_BYTES
    rows = read_ahead(xlsx_rows, path, sheet) if large else xlsx_rows(path, sheet)
    with closing(rows):
        total, _ = next(rows)
        yield _table(rows, total or None)


def xlsx_rows(path: Path, sheet: str | None) -> Generator[tuple[int, Row]]:
    """First (how many rows the sheet says it has, or 0), then its rows: opening it twice takes seconds."""
    with _book(path, sheet) as page:
        yield page.max_row or 0, ()
        # Some programs write a wrong size into the sheet, and rows beyond it would be lost.
        page.reset_dimensions()
        yield from enumerate(page.iter_rows(values_only=True), start=1)


@contextmanager
def _book(path: Path, sheet: str | None) -> Iterator[Any]:
    with path.open("rb") as file:
        if file.read(len(_OLE)) == _OLE:
            raise BadInput(f"{path.name}：文件有密码，或是旧的 .xls 格式；请去掉密码并另存为 .xlsx")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError):
        raise BadInput(f"{path.name}：不是完好的 .xlsx 文件，请在表格软件中打开并重新保存") from None
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise BadInput(f"{path.name}：没有名为“{sheet}”的工作表，现有：{'、'.join(book.sheetnames)}")
        yield book[sheet] if sheet is not None else book.worksheets[0]
    finally:
        book.close()


@contextmanager
def _csv(path: Path) -> Iterator[Table]:
    encoding, lines = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline()
        file.seek(0)
        delimiter = max(_DELIMITERS, key=first.count)
        yield _table(_csv_rows(csv.reader(file, delimiter=delimiter), path), lines)


def _csv_rows(reader: Any, path: Path) -> Iterator[tuple[int, Row]]:
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            yield number, row
    except csv.Error:
        raise BadInput(f"{path.name}：第 {number + 1} 行起不是完好的 csv，请在表格软件中重新保存") from None


def _encoding(path: Path) -> tuple[str, int]:
    """(encoding, number of lines). UTF-8 only when all of it is: GB 18030 text never is by chance."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        decoder = codecs.getincrementaldecoder(encoding)()
        lines = 0
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    lines += chunk.count(b"\n")
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding, lines
    raise BadInput(f"{path.name}：文字编码无法识别，请另存为 UTF-8 的 csv 或 .xlsx")
