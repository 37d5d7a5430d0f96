"""One cell of a ledger: what it means, and what a clerk is told when it means nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import hours
from scheduler.hours import Window
from xunfang.ledger import numbers, values, weekdays
from xunfang.ledger.values import Wrong
from xunfang.vocabulary import Cadence, Category, VisitMode

pytestmark = pytest.mark.unit
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("cell", "dialled"),
    [
        ("13812340001", "13812340001"),
        (13812340001, "13812340001"),
        (13812340001.0, "13812340001"),
        (" 138 1234 0001 ", "13812340001"),
        ("138-1234-0001", "13812340001"),
        ("１３８１２３４０００１", "13812340001"),
        ("+86 13812340001", "13812340001"),
        ("008613812340001", "13812340001"),
        ("0431-88881234", "043188881234"),
        ("（0431）88881234", "043188881234"),
        (43188881234, "043188881234"),  # a spreadsheet took the 0 away
        ("+86 431 8888 1234", "043188881234"),
        ("010-62001234", "01062001234"),
    ],
)
def test_a_number_is_stored_as_it_is_dialled(cell: object, dialled: str) -> None:
    assert numbers.phone(cell) == dialled


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1381234000", "11 位"),
        ("12345678901", "号段"),
        ("88881234", "区号"),
        ("400-820-8820", "不是有效"),
        ("138****0001", "完整号码"),
        ("13812340001、13812340002", "一个号码"),
        ("0431-88881234转801", "分机"),
        ("+1 650 253 0000", "不是中国大陆"),
        ("没有", "不是电话号码"),
    ],
)
def test_a_number_that_cannot_be_dialled_says_why(cell: object, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        numbers.phone(cell)


@given(st.integers(10_000_000_000, 19_999_999_999))
def test_the_short_way_for_mobile_numbers_agrees_with_the_library(number: int) -> None:
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(str(number), "CN"))
    except phonenumbers.NumberParseException:
        kind = phonenumbers.PhoneNumberType.UNKNOWN
    mobile = kind == phonenumbers.PhoneNumberType.MOBILE
    assert bool(numbers._MOBILE.fullmatch(str(number))) == mobile


def test_an_id_card_is_checked_by_its_last_digit() -> None:
    assert numbers.id_card("11010519491231002x") == "11010519491231002X"
    assert numbers.id_card("１１０１０５１９４９１２３１００２Ｘ") == "11010519491231002X"
    with pytest.raises(Wrong, match="校验位"):
        numbers.id_card("110105194912310021")


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_mistyped_digit_of_an_id_card_is_always_noticed(place: int, step: int) -> None:
    card = "11010519491231002X"
    typed = card[:place] + str((int(card[place]) + step) % 10) + card[place + 1 :]
    with pytest.raises(Wrong):
        numbers.id_card(typed)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (110105194912310021.0, "文本"),  # the spreadsheet has rounded it
        (110105194912310021, "文本"),
        ("110105491231002", "15 位旧号码"),
        ("1101051949123100", "现为 16 位"),
        ("110105****1231002X", "完整号码"),
        ("11010519490231002X", "校验位"),
        ("1101O519491231002X", "数字"),
    ],
)
def test_an_id_card_that_cannot_be_says_why(cell: object, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        numbers.id_card(cell)


def test_a_birthday_that_never_was_is_noticed_behind_a_right_check_digit() -> None:
    from stdnum.cn import ric

    stem = "11010519490231002"
    with pytest.raises(Wrong, match="出生日期不存在"):
        numbers.id_card(stem + ric.calc_check_digit(stem + "0"))


@pytest.mark.parametrize(
    "cell",
    [
        "1949-12-31",
        "1949/12/31",
        "1949.12.31",
        "1949年12月31日",
        "19491231",
        19491231,
        datetime(1949, 12, 31),  # noqa: DTZ001 - a spreadsheet knows no zones
    ],
)
def test_a_date_is_read_however_it_is_written(cell: object) -> None:
    assert values.day(cell, TODAY) == date(1949, 12, 31)


@pytest.mark.parametrize(
    ("cell", "said"),
    [("1949", "不是日期"), ("1949-02-30", "不存在"), ("2027-01-01", "在今天之后"), ("1849-01-01", "以前")],
)
def test_a_date_that_cannot_be_says_why(cell: object, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        values.day(cell, TODAY)


def test_categories_are_a_set_and_know_their_other_names() -> None:
    assert values.categories("独居、高龄") == {Category.LIVING_ALONE, Category.ADVANCED_AGE}
    assert values.categories("失能（含失智）,计划生育特殊家庭") == {
        Category.DISABLED,
        Category.FAMILY_PLANNING_SPECIAL,
    }
    assert values.categories("独居\n空巢") == {Category.LIVING_ALONE, Category.EMPTY_NEST}
    assert values.categories("无") == frozenset()
    with pytest.raises(Wrong, match="可填：独居、空巢"):
        values.categories("独居、孤寡")


@pytest.mark.parametrize(
    ("cell", "windows"),
    [
        ("09:00-11:00", ("09:00-11:00",)),
        ("15:00~17:00；9：00—11：00", ("09:00-11:00", "15:00-17:00")),
        ("9点至11点半、14点30分到16点", ("09:00-11:30", "14:30-16:00")),
        ("周一至周五 15:00-17:00", ("mon-fri 15:00-17:00",)),
        ("周一至周五 9:00-11:00、15:00-17:00", ("mon-fri 09:00-11:00", "mon-fri 15:00-17:00")),
        ("每天 9:00-11:00、工作日15:00-17:00", ("09:00-11:00", "mon-fri 15:00-17:00")),
        ("星期二、四 9点到10点", ("tue,thu 09:00-10:00",)),
        ("周一三五9:00-10:00；周末 9:00-10:00", ("mon,wed,fri 09:00-10:00", "sat,sun 09:00-10:00")),
        ("礼拜一到礼拜三、周日 08:30-09:30", ("mon-wed,sun 08:30-09:30",)),
    ],
)
def test_hours_are_put_in_order(cell: str, windows: tuple[str, ...]) -> None:
    assert values.windows(cell) == windows


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("上午", "样子"),
        ("25:00-26:00", "时刻"),
        ("11:00-09:00", "早于"),
        ("09:00-11:00、10:00-12:00", "重叠"),
        ("周一至周五 09:00-11:00、每天 10:00-12:00", "重叠"),
        ("周五至周一 09:00-11:00", "星期"),
        ("周一、周三", "没有写时段"),
    ],
)
def test_hours_that_cannot_be_say_why(cell: str, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        values.windows(cell)


@given(st.dictionaries(st.integers(0, 20), st.sets(st.integers(0, 6), min_size=1), min_size=1, max_size=4))
def test_hours_that_were_exported_are_read_back_the_same(days_at: dict[int, set[int]]) -> None:
    found = [Window(hour * 60, hour * 60 + 30, frozenset(days_at[hour])) for hour in sorted(days_at)]
    windows = tuple(hours.written(each) for each in found)
    assert values.windows(weekdays.shown(windows)) == windows


def test_words_of_yes_and_no_and_of_care() -> None:
    assert [values.yes_no(cell) for cell in ("是", "√", True, 1, "良好")] == [True] * 5
    assert [values.yes_no(cell) for cell in ("否", "不同意", False, 0, "欠佳", "一般")] == [False] * 6
    assert values.self_caring("能自理") is True
    assert [values.self_caring(cell) for cell in ("半自理", "不能", "失能")] == [False] * 3
    with pytest.raises(Wrong, match="是 或 否"):
        values.yes_no("也许")


def test_words_of_the_field() -> None:
    assert (values.mode("电话问候"), values.mode("上门探访")) == (VisitMode.PHONE, VisitMode.ON_SITE)
    assert (values.cadence("每周"), values.cadence("季访")) == (Cadence.WEEKLY, Cadence.QUARTERLY)
    assert (values.relation("大儿子"), values.relation("老伴"), values.relation("村委会")) == (
        "child",
        "relative",
        "village",
    )


def test_a_name_keeps_its_dot_and_loses_its_blanks() -> None:
    assert values.person("李　四") == "李四"
    assert values.person("阿依古丽·买买提") == "阿依古丽·买买提"
    assert values.person("\ufeff王桂兰\u200b") == "王桂兰"
    with pytest.raises(Wrong, match="数字"):
        values.person("王桂兰2")


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.dates(), st.datetimes()))
def test_no_cell_brings_a_reader_down(cell: object) -> None:
    readers = (
        numbers.phone,
        numbers.id_card,
        values.categories,
        values.windows,
        values.yes_no,
        values.person,
    )
    for read in (*readers, lambda each: values.day(each, TODAY), numbers.area_code, values.relation):
        with suppress(Wrong):
            read(cell)
