"""Sheets of door plates as PDF, drawn by hand: a title, a village, a number and a QR need no PDF library.

Chinese is set in the font every PDF reader brings for Adobe-GB1 (it is not embedded, ISO 32000-1, 9.7.5.2),
digits in Helvetica. One plate is A6: four on a sheet of A4, or one on a sheet of its own size.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import segno

MM = 72 / 25.4  # points
A6 = (105.0, 148.0)  # mm
A4 = (210.0, 297.0)
PER_A4 = 4
QR_MM = 68.0
TITLE = "巡访门牌"
HINT = "巡访员上门时请扫码签到"
CARE = "本牌不含个人信息，遗失或损坏请告知村（居）委会"
_DIGIT_EM, _NARROW_EM = 0.556, 0.278  # Helvetica; 556 is also near enough for the few letters there are
_NARROW = frozenset(" .,:;!|'()-")


@dataclass(frozen=True, slots=True)
class Printed:
    url: str
    number: str
    place: str


def sheets(plates: Sequence[Printed], size: str) -> bytes:
    """`size`: a4 (four on each, with lines to cut along) or a6."""
    if size == "a6":
        pages = [_plate(each, 0, 0) for each in plates]
        return _document(pages, A6)
    pages = []
    for start in range(0, len(plates), PER_A4):
        four = enumerate(plates[start : start + PER_A4])
        drawn = [_plate(each, at % 2 * A6[0], (1 - at // 2) * A6[1]) for at, each in four]
        pages.append("".join([*drawn, _cuts()]))
    return _document(pages, A4)


def _plate(plate: Printed, left: float, bottom: float) -> str:
    """Content stream of one A6 with its lower left corner there, in mm."""
    middle = left + A6[0] / 2
    return (
        _centred(TITLE, 30, middle, bottom + 124)
        + _centred(plate.place, 15, middle, bottom + 112)
        + _qr(plate.url, middle - QR_MM / 2, bottom + 38)
        + _centred(f"编号 {plate.number}", 18, middle, bottom + 28)
        + _centred(HINT, 13, middle, bottom + 19)
        + _centred(CARE, 8.5, middle, bottom + 11)
    )


def _qr(url: str, left: float, bottom: float) -> str:
    """Level M: a fifteenth may be dirty. The quiet zone of four modules is within QR_MM."""
    rows = list(segno.make(url, error="m", micro=False).matrix_iter(border=4))
    module = QR_MM * MM / len(rows)
    drawn = []
    for down, row in enumerate(rows):
        at = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                x, y = left * MM + at * module, bottom * MM + (len(rows) - 1 - down) * module
                drawn.append(f"{x:.3f} {y:.3f} {length * module:.3f} {module:.3f} re")
            at += length
    return "\n".join(drawn) + "\nf\n"


def _centred(text: str, size: float, middle: float, baseline: float) -> str:
    """One line, made smaller where it would not fit."""
    wide = _em(text) * size
    room = (A6[0] - 10) * MM
    size = size * min(1.0, room / wide) if wide else size
    x = middle * MM - _em(text) * size / 2
    parts = [f"BT {x:.2f} {baseline * MM:.2f} Td"]
    for run in re.findall(r"[ -~]+|[^ -~]+", text):
        if run.isascii():
            escaped = re.sub(r"([\\()])", r"\\\1", run)
            parts.append(f"/H {size:.2f} Tf ({escaped}) Tj")
        else:
            parts.append(f"/S {size:.2f} Tf <{run.encode('utf-16-be').hex()}> Tj")
    return " ".join(parts) + " ET\n"


def _em(text: str) -> float:
    return sum(1.0 if each > "~" else _NARROW_EM if each in _NARROW else _DIGIT_EM for each in text)


def _cuts() -> str:
    """Thin dashes between the four."""
    across, up = A4[0] / 2 * MM, A6[1] * MM
    return (
        f"q 0.6 G 0.3 w [2 3] 0 d {across:.2f} 0 m {across:.2f} {A4[1] * MM:.2f} l S "
        f"0 {up:.2f} m {A4[0] * MM:.2f} {up:.2f} l S Q\n"
    )


def _document(pages: Sequence[str], paper: tuple[float, float]) -> bytes:
    """Objects 1 to 5 are the same in each file: catalogue, page tree, fonts."""
    first = 7
    kids = " ".join(f"{first + 2 * at} 0 R" for at in range(len(pages)))
    box = f"[0 0 {paper[0] * MM:.2f} {paper[1] * MM:.2f}]"
    song = "/STSong-Light"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /Lang (zh-CN) >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} /MediaBox {box} "
        "/Resources << /Font << /S 3 0 R /H 6 0 R >> >> >>",
        f"<< /Type /Font /Subtype /Type0 /BaseFont {song} /Encoding /UniGB-UCS2-H "
        "/DescendantFonts [4 0 R] >>",
        f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont {song} /DW 1000 /FontDescriptor 5 0 R "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
        f"<< /Type /FontDescriptor /FontName {song} /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 "
        "/Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for at, content in enumerate(pages):
        objects.append(f"<< /Type /Page /Parent 2 0 R /Contents {first + 2 * at + 1} 0 R >>")
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}endstream")
    out = bytearray(b"%PDF-1.4\n%\xe5\xb7\xa1\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return bytes(out + end.encode("ascii"))
