"""Builds the shipped Word template of the official form (特殊困难老年人探访关爱服务记录表).

The layout is that of the annex of Hubei 2023. Run it only to start anew: the template is then a file like
any other, edited in Word (its tags: docs/form.md).

    python -m records.form_template records/templates/visit_record.docx
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from docx import Document
from docx.document import Document as DocumentType
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

from records.model import FORM

SONG, HEI = "宋体", "黑体"
TITLE_PT, TEXT_PT = 15.0, 8.5
ROW_CM = 0.57
COLUMNS = 12  # every row of the form is drawn on this grid
WIDTH_CM = 18.0
CELL_MARGIN_TWIPS = 50  # left and right; four letters then fit into one column of the grid
MARGIN_CM = (1.1, 1.1, 1.5, 1.5)  # top, bottom, left, right

# (columns of the grid, text, is it a label)
Cell = tuple[int, str, bool]


def label(columns: int, text: str) -> Cell:
    return columns, text, True


def value(columns: int, text: str) -> Cell:
    return columns, text, False


# Rows of 五 without the first column (第 次开展探访), grouped as in the annex.
_VISIT_GROUPS = ("家庭状况", "健康状况", "精神状态", "安全情况", "卫生状况", "居住环境")


def build(file: Path) -> None:
    document = Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = map(Cm, MARGIN_CM)
    _font(document)
    _text(document, "{%p for copy in copies %}")
    _text(document, "特殊困难老年人探访关爱服务记录表", size=TITLE_PT, middle=True, font=HEI, bold=True)
    _text(document, "{{ date }}　　　{{ copy.title }}", right=True)
    table = document.add_table(rows=0, cols=COLUMNS)
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    _narrow_margins(table)
    _about_the_elder(table)
    _household(table)
    _living(table)
    _help_so_far(table)
    _visits(table)
    _care(table)
    _text(document, "备注：此表一式两份，可复印，县级民政部门、乡镇（街道）各存档一份。")
    _text(document, "{{ notes }}")
    _text(document, "{%p if not copy.last %}")
    # 分页: the next copy begins on a new page.
    _text(document, "").paragraph_format.page_break_before = True
    _text(document, "{%p endif %}")
    _text(document, "{%p endfor %}")
    for paragraph in document.paragraphs:
        paragraph.paragraph_format.space_after = Pt(0)
    document.core_properties.author = "xunfang"
    document.core_properties.title = "特殊困难老年人探访关爱服务记录表"
    document.save(str(file))


def _about_the_elder(table: Table) -> None:
    _heading(table, "一、探访对象基本情况")
    _row(
        table,
        label(2, "家庭住址"),
        value(6, "{{ elder.place }}"),
        label(2, "是否居住在户籍所在地"),
        value(2, "{{ elder.at_registered_place }}"),
    )
    _row(
        table,
        label(2, "被探访人姓名"),
        value(4, "{{ elder.name }}"),
        label(2, "联系电话"),
        value(4, "{{ elder.phone }}"),
    )
    _row(
        table,
        label(2, "紧急联系人"),
        value(4, "{{ contact.name }}"),
        label(2, "联系电话"),
        value(4, "{{ contact.phone }}"),
    )
    _row(
        table,
        label(2, "是否残疾"),
        value(2, "{{ elder.disabled }}"),
        label(2, "残疾人证号"),
        value(2, "{{ elder.disability_card }}"),
        label(2, "是否独居、空巢"),
        value(2, "{{ elder.alone }}"),
    )
    _row(
        table,
        label(2, "是否留守"),
        value(2, "{{ elder.left_behind }}"),
        label(2, "是否失能"),
        value(2, "{{ elder.incapable }}"),
        label(2, "是否计划生育特殊家庭老年人"),
        value(2, "{{ elder.family_planning }}"),
    )


def _household(table: Table) -> None:
    _heading(table, "二、家庭基本情况")
    widths = (1, 2, 1, 3, 1, 2, 2)
    titles = ("序号", "姓名", "性别", "公民身份号码", "与户主关系", "健康状况", "是否为低保对象/特困人员")
    _row(table, *(label(width, title) for width, title in zip(widths, titles, strict=True)))
    _row(table, value(COLUMNS, "{%tr for person in household %}"))
    keys = ("number", "name", "sex", "id_card", "relation", "health", "relief")
    _row(table, *(value(width, f"{{{{ person.{key} }}}}") for width, key in zip(widths, keys, strict=True)))
    _row(table, value(COLUMNS, "{%tr endfor %}"))


def _living(table: Table) -> None:
    _heading(table, "三、家庭生活条件")
    _row(
        table,
        label(2, "饮水是否安全"),
        value(2, "{{ living.water }}"),
        label(2, "生活用电是否安全"),
        value(2, "{{ living.electricity }}"),
        label(2, "住房是否安全"),
        value(2, "{{ living.housing }}"),
    )
    _row(
        table,
        label(2, "家庭每月收入（元）"),
        value(2, "{{ living.income }}"),
        label(4, "家庭每月领取养老保险、社会救助和社会福利补贴等情况"),
        value(4, "{{ living.benefits }}"),
    )


def _help_so_far(table: Table) -> None:
    _heading(table, "四、已享受帮扶情况")
    _row(
        table,
        label(2, "帮扶单位（组织）"),
        value(7, "{{ help.organisations }}"),
        label(1, "帮扶责任人"),
        value(2, "{{ help.person }}"),
    )
    _row(table, label(2, "帮扶措施"), value(10, "{{ help.measures }}"))


def _visits(table: Table) -> None:
    _heading(table, "五、探访情况")
    _row(table, value(COLUMNS, "{%tr for visit in visits %}"))
    first = len(table.rows)
    _row(
        table,
        label(1, "第{{ visit.number }}次开展探访\n{{ visit.date }}"),
        label(2, "探访方式"),
        value(7, "{{ visit.visit_mode.boxes }}"),
        label(2, "上次情况\n{{ visit.before.date }}"),
    )
    for group in _VISIT_GROUPS:
        fields = [each for each in FORM if each.group == group and each.key != "illness_name"]
        began = len(table.rows)
        for each in fields:
            tag = f"{{{{ visit.{each.key}.boxes }}}}"
            before = f"{{{{ visit.before.{each.key} }}}}"
            _row(table, label(1, ""), label(1, group), label(1, each.label), value(7, tag), value(2, before))
        _merge(table, began, len(table.rows) - 1, 1, group)
    _row(
        table,
        label(1, ""),
        label(2, "老年人服务需求"),
        value(7, "{{ visit.needs }}"),
        value(2, "{{ visit.before.needs }}"),
    )
    _row(table, label(1, ""), label(2, "实施关爱服务建议"), value(9, "{{ visit.advice }}"))
    _row(
        table,
        label(1, ""),
        label(2, "探访人员（签字）"),
        value(2, "{{ visit.visitor_signature }}"),
        label(2, "被探访人（签字）"),
        value(2, "{{ visit.elder_signature }}"),
        label(1, "信息录入人（签字）"),
        value(2, "{{ visit.entered_by }}"),
    )
    _merge(table, first, len(table.rows) - 1, 0, "第{{ visit.number }}次开展探访\n{{ visit.date }}")
    _row(table, value(COLUMNS, "{%tr endfor %}"))


def _care(table: Table) -> None:
    _heading(table, "六、关爱服务情况")
    _row(table, value(COLUMNS, "{%tr for care in cares %}"))
    _row(
        table,
        label(2, "第{{ care.number }}次开展关爱\n{{ care.date }}"),
        value(6, "关爱服务情况：{{ care.done }}"),
        value(4, "服务人员签字（盖章）：{{ care.by }}"),
    )
    _row(table, value(COLUMNS, "{%tr endfor %}"))
    _row(table, label(2, "老年人服务满意度评价"), value(10, "{{ satisfaction }}"))


def _heading(table: Table, text: str) -> None:
    _row(table, label(COLUMNS, text))
    cell = table.rows[-1].cells[0]
    cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.LEFT
    cell.paragraphs[0].runs[0].bold = True


def _row(table: Table, *cells: Cell) -> None:
    assert sum(columns for columns, _, _ in cells) == COLUMNS
    row = table.add_row()  # type: ignore[no-untyped-call]
    row.height = Cm(ROW_CM)
    grid = row.cells
    for cell in grid:
        cell.width = Cm(WIDTH_CM / COLUMNS)
    at = 0
    for columns, text, is_label in cells:
        cell = grid[at] if columns == 1 else grid[at].merge(grid[at + columns - 1])
        _write(cell, text, is_label)
        at += columns


def _merge(table: Table, first: int, last: int, column: int, text: str) -> None:
    """One tall cell over the rows first..last."""
    cell = table.cell(first, column)
    if last > first:
        cell = cell.merge(table.cell(last, column))
    for extra in cell.paragraphs[1:]:
        extra._p.getparent().remove(extra._p)
    _write(cell, text, True)


def _write(cell: _Cell, text: str, is_label: bool) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    paragraph.text = text
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if is_label else WD_ALIGN_PARAGRAPH.LEFT
    paragraph.paragraph_format.space_after = Pt(0)


def _narrow_margins(table: Table) -> None:
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(CELL_MARGIN_TWIPS))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.append(margins)


def _text(
    document: DocumentType,
    text: str,
    *,
    size: float = TEXT_PT,
    middle: bool = False,
    right: bool = False,
    font: str = SONG,
    bold: bool = False,
) -> Paragraph:
    paragraph = document.add_paragraph()
    run = paragraph.add_run(text)
    run.font.size = Pt(size)
    run.bold = bold
    _chinese(run._element, font)
    if middle:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    elif right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    return paragraph


def _font(document: DocumentType) -> None:
    style = document.styles["Normal"]
    style.font.name = SONG
    style.font.size = Pt(TEXT_PT)
    _chinese(style.element, SONG)
    style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.line_spacing = 1.0


def _chinese(element: object, font: str) -> None:
    """The font of Chinese letters is an attribute of its own (w:eastAsia)."""
    properties = element.get_or_add_rPr()  # type: ignore[attr-defined]
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.append(fonts)
    fonts.set(qn("w:eastAsia"), font)
    fonts.set(qn("w:ascii"), font)
    fonts.set(qn("w:hAnsi"), font)


def main(arguments: Sequence[str]) -> None:
    build(Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
