"""The official form: every field of the record is found again in the Word file that people open."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from docx import Document
from docx.table import Table
from PIL import Image

from records import document, form_template
from records import model as form
from records.document import EMPTY, TICKED, TIED, Facts, Signatures, boxes, field_boxes, fill, render
from storage.model import Answer, Area, Case, Contact, Elder, Visitor, VisitRecord
from xunfang.errors import BadInput
from xunfang.vocabulary import CaseKind, CaseStatus, Category, Priority, VisitMode

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
SAID = {
    "visit_mode": "电话问候",
    "family_size": form.UNCHANGED,
    "expression": form.UNSEEN,
    "mobility": form.WORSE + form.BY_RELATIVE,
    "illness": form.SERIOUS,
    "illness_name": "高血压、糖尿病",
    "mood": form.UNCLEAR,
    "gas": form.SAFE,
    "water_heating": form.FAIRLY_SAFE,
    "electricity": form.UNSAFE,
    "fire": form.NOT_ASKED,
    "personal_hygiene": form.UNSEEN,
    "home_hygiene": form.UNSEEN,
    "rooms": form.UNSEEN,
    "needs": "助餐、助医",
    "advice": "上门排查用电隐患",
}
RECORD = VisitRecord(7, 1, 1, 1, VisitMode.PHONE, NOW, dict(SAID))
BEFORE = VisitRecord(
    3, 1, 2, 2, VisitMode.PHONE, datetime(2026, 11, 16, 1, tzinfo=UTC), SAID | {"mobility": form.FIRST}
)
FACTS = Facts(
    elder=Elder(
        id=1,
        name="王桂兰",
        phone="13812340001",
        id_card="11010519491231002X",
        address="三组十二号",
        categories=frozenset({Category.LIVING_ALONE}),
    ),
    areas=(
        Area(1, "220182000000", "榆树市", "county"),
        Area(2, "220182101000", "五棵树镇", "township", 1),
        Area(3, "220182101205", "幸福村", "village", 2),
    ),
    contacts=(Contact(1, 1, 1, "王强", "child", "13900000000"),),
    visitor=Visitor(1, "李巧云", "village"),
    records=(RECORD,),
    before={7: BEFORE},
    numbers={7: 5},
    cares=(
        (
            Case(
                1,
                1,
                CaseKind.CONCERN,
                Priority.HIGH,
                CaseStatus.CLOSED,
                NOW,
                NOW,
                disposition_note="更换了插座",
                closed_at=NOW,
                visited_at=NOW,
            ),
            "李巧云",
        ),
    ),
    satisfaction=(Answer(1, "satisfaction", "any", "满意", text="挺满意的"),),
    applied=("城乡低保",),
)


def tables(facts: Facts, template: Path | None = None) -> list[Table]:
    return Document(io.BytesIO(render(fill(facts, NOW, ZONE), template))).tables


@cache
def shown() -> Table:
    """The first copy of what FACTS make; read only."""
    return tables(FACTS)[0]


def rows(table: Table) -> list[list[str]]:
    """Each row's cells, a merged cell once."""
    found = []
    for row in table.rows:
        seen: list[str] = []
        last = None
        for cell in row.cells:
            if cell._tc is not last:
                seen.append(cell.text)
            last = cell._tc
        found.append(seen)
    return found


def line(table: Table, label: str) -> list[str]:
    """The cells right of a label."""
    row = next(each for each in rows(table) if label in each)
    return row[row.index(label) + 1 :]


def ticked(text: str) -> list[str]:
    return [each[1:].strip(TIED) for each in text.split("  ") if each.startswith(TICKED)]


def test_the_form_is_made_twice_one_for_the_county_one_for_the_township() -> None:
    first, second = tables(FACTS)
    assert rows(first) == rows(second)
    text = "\n".join(each.text for each in Document(io.BytesIO(render(fill(FACTS, NOW, ZONE)))).paragraphs)
    assert text.count("特殊困难老年人探访关爱服务记录表") == 2
    assert "第一份：县级民政部门存档" in text
    assert "第二份：乡镇（街道）存档" in text
    assert "{" not in text


@pytest.mark.parametrize("key", [each.key for each in form.FORM if each.values])
def test_every_choice_of_the_record_is_ticked_or_said_beside_the_boxes(key: str) -> None:
    table = shown()
    value, before = line(table, form.FIELDS[key].label)[:2]
    said = SAID[key]
    plain = said.removesuffix(form.BY_RELATIVE)
    if plain in form.FIELDS[key].values:
        assert [each.split()[0] for each in ticked(value)] == [plain]
    else:
        assert ticked(value) == []
        assert value.endswith(said)
    assert (form.BY_RELATIVE in value) == (form.BY_RELATIVE in said)
    if key != "visit_mode":
        assert before == BEFORE.fields[key]


def test_what_a_telephone_did_not_learn_is_never_no_change() -> None:
    table = shown()
    for label, words in (("个人卫生", "未现场核实"), ("情绪状态", "未能确认"), ("消防安全", "本次未询问")):
        assert line(table, label)[0].endswith(words)
        assert TICKED not in line(table, label)[0]


def test_the_words_of_the_record_stand_in_their_rows() -> None:
    table = shown()
    assert line(table, "老年人服务需求")[0] == SAID["needs"]
    assert line(table, "实施关爱服务建议")[0] == SAID["advice"]
    assert "疾病名称：高血压、糖尿病" in line(table, "疾病状况")[0]
    assert line(table, "探访方式")[-1] == "上次情况\n（2026年11月16日）"
    everything = rows(table)
    assert any(row[0] == "第5次开展探访\n2026年11月23日" for row in everything)


def test_the_ledger_stands_in_the_first_sections() -> None:
    table = shown()
    assert line(table, "家庭住址")[0] == "榆树市五棵树镇幸福村三组十二号"
    assert line(table, "被探访人姓名") == ["王桂兰", "联系电话", "13812340001"]
    assert line(table, "紧急联系人") == ["王强（子女）", "联系电话", "13900000000"]
    assert ticked(line(table, "是否独居、空巢")[0]) == ["是"]
    assert ticked(line(table, "是否留守")[0]) == ["否"]
    assert ticked(line(table, "是否残疾")[0]) == []  # the ledger knows 重残 only
    assert line(table, "户主")[:3] == ["王桂兰", "女", "11010519491231002X"]
    assert ticked(line(table, "帮扶单位（组织）")[0]) == ["乡镇（街道）、村（居）民委员会"]
    assert line(table, "帮扶责任人") == ["李巧云"]
    assert line(table, "饮水是否安全")[0] == form.UNSEEN
    assert line(table, "家庭每月领取养老保险、社会救助和社会福利补贴等情况") == ["已协助申请：城乡低保"]


def test_what_was_done_and_how_content_the_elder_is() -> None:
    table = shown()
    care = next(row for row in rows(table) if row[0].startswith("第1次开展关爱"))
    assert care == [
        "第1次开展关爱\n2026年11月23日",
        "关爱服务情况：更换了插座",
        "服务人员签字（盖章）：李巧云",
    ]
    assert line(table, "老年人服务满意度评价") == ["挺满意的"]


def test_a_telephone_visit_has_no_signatures_a_visit_at_home_leaves_room_for_them() -> None:
    assert "未现场签字" in line(shown(), "探访人员（签字）")[0]
    at_home = replace(RECORD, mode=VisitMode.ON_SITE, fields=SAID | {"visit_mode": "上门探访"})
    assert line(tables(replace(FACTS, records=(at_home,)))[0], "探访人员（签字）")[0] == ""


def test_signatures_given_at_the_door_are_pictures_on_the_form() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (60, 20), "white").save(picture, "PNG")
    at_home = replace(RECORD, mode=VisitMode.ON_SITE)
    given = {RECORD.id: Signatures(visitor=picture.getvalue(), elder=picture.getvalue())}
    facts = replace(FACTS, records=(at_home,), signatures=given)
    opened = Document(io.BytesIO(render(fill(facts, NOW, ZONE))))
    assert len(opened.inline_shapes) == 2 * len(document.COPIES)
    assert "{" not in "".join(line(opened.tables[0], "探访人员（签字）"))


def test_a_picture_that_is_none_is_said() -> None:
    facts = replace(
        FACTS,
        records=(replace(RECORD, mode=VisitMode.ON_SITE),),
        signatures={RECORD.id: Signatures(elder=b"no picture")},
    )
    with pytest.raises(BadInput, match="签字"):
        render(fill(facts, NOW, ZONE))


def test_who_was_never_visited_gets_the_empty_form() -> None:
    table = tables(replace(FACTS, records=(), before={}, numbers={}))[0]
    assert TICKED not in line(table, "燃气安全")[0]
    assert form.NOT_ASKED not in line(table, "燃气安全")[0]


def test_several_visits_stand_below_one_another() -> None:
    facts = replace(FACTS, records=(RECORD, BEFORE), numbers={7: 5, 3: 4})
    found = [row[0] for row in rows(tables(facts)[0]) if "次开展探访" in row[0]]
    assert list(dict.fromkeys(each.split("\n")[0] for each in found)) == ["第4次开展探访", "第5次开展探访"]


@pytest.mark.parametrize(
    "name", ["<b>王</b>", "a & b", "'; DROP TABLE elder; --", "{{ 7 * 7 }}", "王\x00\x0b兰"]
)
def test_a_name_is_never_read_as_markup(name: str) -> None:
    facts = replace(FACTS, elder=replace(FACTS.elder, name=name))
    found = line(tables(facts)[0], "被探访人姓名")[0]
    assert found == name.replace("\x00", "").replace("\x0b", "")


def test_boxes() -> None:
    assert boxes(("是", "否"), "否") == f"{EMPTY}{TIED}是  {TICKED}{TIED}否"
    assert ticked(field_boxes("family_size", "增加2人")) == ["增加 2 人"]
    assert ticked(field_boxes("family_size", form.CHANGED)) == []
    assert field_boxes("family_size", form.CHANGED).endswith(form.CHANGED)


def test_the_shipped_template_is_what_the_builder_builds(tmp_path: Path) -> None:
    built = tmp_path / "form.docx"
    form_template.main([str(built)])
    shipped = [rows(each) for each in Document(str(document.TEMPLATE)).tables]
    assert shipped == [rows(each) for each in Document(str(built)).tables]


def test_an_edited_template_is_used(tmp_path: Path) -> None:
    own = tmp_path / "own.docx"
    edited = Document(str(document.TEMPLATE))
    edited.add_paragraph("榆树市民政局制：{{ elder.name }}")
    edited.save(str(own))
    made = Document(io.BytesIO(render(fill(FACTS, NOW, ZONE), own)))
    assert made.paragraphs[-1].text == "榆树市民政局制：王桂兰"


@pytest.mark.parametrize(
    "tag", ["{{ elder.nmae }}", "{% for %}", "{{ elder.name.__class__.__mro__[1].__subclasses__() }}"]
)
def test_a_wrong_tag_is_said_in_chinese_and_is_never_a_program(tmp_path: Path, tag: str) -> None:
    own = tmp_path / "own.docx"
    edited = Document(str(document.TEMPLATE))
    edited.add_paragraph(tag)
    edited.save(str(own))
    with pytest.raises(BadInput, match=r"own\.docx 的标签有误"):
        render(fill(FACTS, NOW, ZONE), own)


def test_a_file_that_is_no_word_file_is_said_so(tmp_path: Path) -> None:
    own = tmp_path / "own.docx"
    own.write_bytes(b"")
    for file in (own, tmp_path / "missing.docx"):
        with pytest.raises(BadInput, match="不是可用的 Word 文件"):
            render(fill(FACTS, NOW, ZONE), file)
