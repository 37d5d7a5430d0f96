"""Sheets of door plates as PDF. One plate is A6: four on a sheet of A4, or one on a sheet of its own size.

The font is embedded, cut down to the characters that are printed: an office PC shows and prints the same as
this machine. It is made by web/assets/font.py; a character that it lacks is printed as 〓, seen and not lost.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import segno
from fpdf import FPDF

FONT = Path(__file__).parent.parent / "fonts" / "noto-sans-sc.woff"
A6 = (105.0, 148.0)  # mm
A4 = (210.0, 297.0)
PER_A4 = 4
QR_MM = 68.0
MARGIN_MM = 5.0  # left free beside a line
TITLE = "巡访门牌"
HINT = "巡访员上门时请扫码签到"
CARE = "本牌不含个人信息，遗失或损坏请告知村（居）委会"
ABSENT = "〓"  # the printers' sign for a character that is not in the font
DASH_MM, GAP_MM, GREY = 0.7, 1.0, 153  # of the lines to cut along


@dataclass(frozen=True, slots=True)
class Printed:
    url: str
    number: str
    place: str


def sheets(plates: Sequence[Printed], size: str) -> bytes:
    """`size`: a4 (four on each, with lines to cut along) or a6."""
    paper, each = (A6, 1) if size == "a6" else (A4, PER_A4)
    pdf = FPDF(unit="mm", format=paper)
    pdf.set_auto_page_break(False)
    pdf.set_title(TITLE)
    pdf.set_lang("zh-CN")
    pdf.add_font("sc", fname=FONT)
    pdf.set_font("sc")
    known = pdf.fonts["sc"].cmap  # type: ignore[union-attr]
    for start in range(0, len(plates), each):
        pdf.add_page()
        for at, plate in enumerate(plates[start : start + each]):
            _plate(pdf, known, plate, at % 2 * A6[0], at // 2 * A6[1])
        if each > 1:
            _cuts(pdf)
    return bytes(pdf.output())


def _plate(pdf: FPDF, known: Container[int], plate: Printed, left: float, top: float) -> None:
    """One A6 with its upper left corner there; the heights are those of baselines, in mm from the bottom."""
    bottom = top + A6[1]
    lines = (
        (TITLE, 30.0, 124.0),
        (plate.place, 15.0, 112.0),
        (f"编号 {plate.number}", 18.0, 28.0),
        (HINT, 13.0, 19.0),
        (CARE, 8.5, 11.0),
    )
    for text, size, height in lines:
        shown = "".join(each if ord(each) in known else ABSENT for each in text)
        _centred(pdf, shown, size, left + A6[0] / 2, bottom - height)
    _qr(pdf, plate.url, left + (A6[0] - QR_MM) / 2, bottom - 38 - QR_MM)


def _qr(pdf: FPDF, url: str, left: float, top: float) -> None:
    """Level M: a fifteenth may be dirty. The quiet zone of four modules is within QR_MM."""
    rows = list(segno.make(url, error="m", micro=False).matrix_iter(border=4))
    module = QR_MM / len(rows)
    for down, row in enumerate(rows):
        at = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                pdf.rect(left + at * module, top + down * module, length * module, module, style="F")
            at += length


def _centred(pdf: FPDF, text: str, size: float, middle: float, baseline: float) -> None:
    """One line, made smaller where it would not fit."""
    pdf.set_font_size(size)
    wide = pdf.get_string_width(text)
    room = A6[0] - 2 * MARGIN_MM
    if wide > room:
        pdf.set_font_size(size * room / wide)
        wide = room
    pdf.text(middle - wide / 2, baseline, text)


def _cuts(pdf: FPDF) -> None:
    """Thin dashes between the four."""
    pdf.set_draw_color(GREY)
    pdf.set_line_width(0.1)
    pdf.set_dash_pattern(dash=DASH_MM, gap=GAP_MM)
    pdf.line(A4[0] / 2, 0, A4[0] / 2, A4[1])
    pdf.line(0, A6[1], A4[0], A6[1])
    pdf.set_dash_pattern()
