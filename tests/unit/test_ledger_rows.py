"""A header, a place, a row: what a ledger file says before the ledger is asked."""

from __future__ import annotations

from datetime import date

import pytest

from storage.model import Area
from xunfang.errors import BadInput
from xunfang.ledger.areas import AreaBook, Place
from xunfang.ledger.columns import export_columns, recognise
from xunfang.ledger.rows import Draft, read_row
from xunfang.ledger.values import Wrong
from xunfang.vocabulary import Category, ConsentPurpose

pytestmark = pytest.mark.unit
TODAY = date(2026, 11, 23)
CARD = "11010519491231002X"  # a woman born 1949-12-31
AREAS = (
    Area(1, "220183000000", "德惠市", "county"),
    Area(2, "220183101000", "大青咀镇", "township", 1),
    Area(3, "220183102000", "边岗乡", "township", 1),
    Area(4, "220183101205", "幸福村", "village", 2),
    Area(5, "220183102201", "幸福村", "village", 3),
    Area(6, "220183102202", "平安社区", "village", 3),
)


def row(**cells: object) -> Draft:
    given = {"name": "王桂兰", "phone": "13812340001", "village": "平安社区"} | cells
    cells = {key.replace("__", "."): cell for key, cell in given.items() if cell is not None}
    return read_row(2, cells, AreaBook(AREAS), TODAY)


def test_every_title_of_the_template_is_recognised_as_itself() -> None:
    columns = export_columns(5)
    _, header = recognise([[column.title for column in columns]])
    assert header.keys == tuple(column.key for column in columns)
    assert header.ignored == ()


def test_the_header_is_found_below_a_title_and_by_other_names() -> None:
    index, header = recognise(
        [
            ["某县特殊困难老年人台账"],
            [None],
            ["序号", "老人姓名", "身份证号", "手机号", "村（居）", "家庭  住址", "血型"],
        ]
    )
    assert index == 2
    assert header.keys == (None, "name", "id_card", "phone", "village", "address", None)
    assert header.ignored == ("血型",)


def test_the_official_form_has_two_columns_called_telephone() -> None:
    _, header = recognise([["被探访人姓名", "联系电话", "紧急联系人", "联系电话", "是否留守"]])
    assert header.keys == ("name", "phone", "contact1.name", "contact1.phone", "is.left_behind")


def test_two_columns_of_one_meaning_are_refused() -> None:
    with pytest.raises(BadInput, match="重复"):
        recognise([["姓名", "手机", "手机号码"]])


def test_a_file_without_a_header_says_what_it_needs() -> None:
    with pytest.raises(BadInput, match="template"):
        recognise([["王桂兰", "13812340001"]])


def test_a_village_is_found_by_code_or_by_names_with_or_without_their_endings() -> None:
    book = AreaBook(AREAS)
    assert book.find(Place(code="220183101205")) == 4
    assert book.find(Place(county="德惠市", township="大青咀镇", village="幸福村")) == 4
    assert book.find(Place(township="边岗", village="幸福村委会")) == 5
    assert book.find(Place(village="平安")) == 6


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(village="幸福村"), "不止一个"),
        (Place(village="光明村"), "没有“光明村”这个村"),
        (Place(township="大青咀镇", village="平安社区"), "大青咀镇下没有"),
        (Place(county="农安县", village="平安社区"), "没有“农安县”这个县"),
        (Place(county="德惠市", township="边岗乡"), "没有填写村"),
        (Place(code="220183101205", village="平安社区"), "不符"),
        (Place(code="220183999999", village="新村"), "--create-areas"),
    ],
)
def test_a_place_that_is_not_one_village_says_why(place: Place, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        AreaBook(AREAS).find(place)


def test_new_villages_are_made_with_their_parents_when_asked_for() -> None:
    book = AreaBook(AREAS, may_create=True)
    place = Place("220183103201", "德惠市", "天台镇", "新立村")
    new = book.find(place)
    assert new < 0
    assert book.find(place) == new
    assert [(area.code, area.name, area.level) for area in book.created] == [
        ("220183103000", "天台镇", "township"),
        ("220183103201", "新立村", "village"),
    ]
    assert book.describe(new) == "德惠市天台镇新立村"
    book.stored({area.id: 100 + at for at, area in enumerate(book.created)})
    assert book.describe(book.find(place)) == "德惠市天台镇新立村"
    assert book.find(place) == 101


def test_a_new_village_under_a_code_of_another_township_is_refused() -> None:
    with pytest.raises(Wrong, match="不符"):
        AreaBook(AREAS, may_create=True).find(Place("220183101299", "德惠市", "边岗乡", "新立村"))


def test_a_place_that_only_a_refused_row_named_is_forgotten() -> None:
    book = AreaBook(AREAS, may_create=True)
    book.find(Place("220183103201", "德惠市", "天台镇", "新立村"))
    book.stored({})
    with pytest.raises(Wrong, match="没有"):
        book.find(Place(village="新立村"))


def test_sex_and_birthday_come_from_the_id_card() -> None:
    draft = row(id_card=CARD)
    assert (draft.elder["sex"], draft.elder["birth_date"]) == ("F", date(1949, 12, 31))
    assert draft.errors == []


def test_a_card_of_a_county_founded_after_the_birth_is_nothing_strange() -> None:
    assert row(id_card="220183194001050014").warnings == []
    assert row(id_card="990101194001050018").errors == []
    assert "区县代码" in row(id_card="990101194001050018").warnings[0]


def test_sex_and_birthday_must_agree_with_the_id_card() -> None:
    draft = row(id_card=CARD, sex="男", birth_date="1950-01-01")
    assert [error.split("：")[0] for error in draft.errors] == ["出生日期", "性别"]


def test_all_that_is_wrong_in_a_row_is_said_at_once() -> None:
    draft = row(name=" ", phone="123", cadence="天天", contact1__phone="7")
    assert [error.split("：")[0] for error in draft.errors] == [
        "联系电话",
        "频次",
        "姓名",
        "紧急联系人1电话",
    ]


def test_somebody_without_card_and_number_cannot_be_recognised_again() -> None:
    assert any("至少要填一项" in error for error in row(phone=None).errors)


def test_blank_cells_say_nothing_and_a_word_takes_away() -> None:
    draft = row(address="  ", note="清空", categories="清空", sex="清空")
    assert "address" not in draft.elder
    assert draft.note == ""
    assert draft.elder["categories"] == frozenset()
    assert draft.errors == ["性别：这一列不能清空"]


def test_the_yes_no_columns_of_the_official_form_are_categories() -> None:
    draft = row(**{"is.living_alone": "是", "is.left_behind": "否"})
    assert draft.flags == {Category.LIVING_ALONE: True, Category.LEFT_BEHIND: False}


def test_consents_have_their_own_date_or_the_common_one() -> None:
    draft = row(
        **{
            "consent.phone_visit": "同意",
            "consent.phone_visit.date": "2026-03-01",
            "consent.recording": "否",
            "consent.date": "2026-02-01",
            "consent.family_notice.date": "2026-02-02",
        }
    )
    assert draft.consents == {
        ConsentPurpose.PHONE_VISIT: (True, date(2026, 3, 1)),
        ConsentPurpose.RECORDING: (False, date(2026, 2, 1)),
    }
    assert draft.errors == ["同意通知家属：填了日期，但没有填 是 或 否"]


def test_what_is_doubtful_is_a_warning_and_no_obstacle() -> None:
    draft = row(categories="失能", self_caring="能", good_health="否", mode="电话巡访")
    assert draft.errors == []
    assert [warning.split("：")[0] for warning in draft.warnings] == ["能否自理", "巡访方式"]


def test_no_message_repeats_a_whole_number() -> None:
    draft = row(phone="1381234000", id_card="110105194912310021", contact1__phone="1391111")
    text = "".join([*draft.errors, *draft.warnings])
    assert draft.errors
    assert not any(number in text for number in ("1381234000", "110105194912310021", "1391111"))
