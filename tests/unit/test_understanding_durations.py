"""Spoken lengths and points of time: what they come to in days, and what they decide."""

from __future__ import annotations

import pytest
from cn2an import an2cn
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.understanding import Time, default_lexicon, understand, with_overlay
from ivr.understanding.durations import days_within, length, number, spoken_times
from xunfang.errors import BadLexicon
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

UNITS = st.sampled_from([("天", 1), ("个礼拜", 7), ("个星期", 7), ("个月", 30), ("年", 365), ("宿", 1)])
TEXT = st.text(
    alphabet=st.sampled_from("零一二两三十百千万半几多来把个俩仨天月年周礼拜前了大昨今夜顿，没吃12"),
    max_size=40,
)


@given(count=st.integers(min_value=1, max_value=9999), unit=UNITS)
@settings(max_examples=200, deadline=None)
def test_a_number_that_is_spoken_comes_back_as_so_many_days(count: int, unit: tuple[str, int]) -> None:
    words = f"{an2cn(count)}{unit[0]}"
    (spoken,) = spoken_times(f"我{words}没出门了")
    assert (spoken.least, spoken.most) == (count * unit[1], count * unit[1])
    assert spoken.words == words
    assert not spoken.ago


@given(count=st.integers(min_value=1, max_value=99), more=st.sampled_from(["多", "来"]))
@settings(max_examples=100, deadline=None)
def test_a_hedge_never_makes_a_length_shorter(count: int, more: str) -> None:
    bounds = length(f"{an2cn(count)}{more}天")
    assert bounds is not None
    assert bounds[0] == count
    assert count < bounds[1] <= 2 * count


@given(text=TEXT)
@settings(max_examples=300, deadline=None)
def test_any_babble_of_numbers_is_read_or_left_alone(text: str) -> None:
    for spoken in spoken_times(text):
        assert text[spoken.start : spoken.end] == spoken.words
        assert 0 <= spoken.least <= spoken.most
        assert spoken.words in spoken.chinese()


@pytest.mark.parametrize(
    ("words", "least", "most"),
    [
        ("三天", 3, 3),
        ("半个月", 15, 15),
        ("两三天", 2, 3),
        ("三五天", 3, 5),
        ("一个来月", 30, 39),
        ("十来天", 10, 13),
        ("个把礼拜", 7, 14),
        ("二十多天", 20, 30),
        ("一个半月", 45, 45),
        ("两天半", 2.5, 2.5),
        ("俩月", 60, 60),
        ("仨礼拜", 21, 21),
        ("十七八天", 17, 18),
        ("好几天", 4, 9),
        ("三天三夜", 3, 3),
        ("12天", 12, 12),
        ("一整天", 1, 1),
    ],
)
def test_hedges_become_a_range_of_days(words: str, least: float, most: float) -> None:
    (spoken,) = spoken_times(words)
    assert (spoken.least, spoken.most, spoken.ago) == (least, most, False)


@pytest.mark.parametrize(
    ("words", "least"),
    [
        ("大前天", 3),
        ("昨儿后半夜", 1),
        ("半年前", 182.5),
        ("前几天", 2),
        ("个把月前", 30),
        ("三年以前", 1095),
        ("去年", 365),
    ],
)
def test_points_of_time_lie_so_many_days_back(words: str, least: float) -> None:
    (spoken,) = spoken_times(words)
    assert spoken.ago
    assert spoken.least == least


@pytest.mark.parametrize(
    "words", ["三月", "半夜", "有一天", "第三天", "每天", "以前天天", "三点", "一个人", "十五"]
)
def test_dates_hours_and_counts_are_no_lengths(words: str) -> None:
    assert spoken_times(words) == ()


def test_what_is_no_number_is_none() -> None:
    assert number("天") is None
    assert length("天天") is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("大前天摔了一跤", Time.RECENT),
        ("昨儿后半夜摔的", Time.RECENT),
        ("个把礼拜前摔过", Time.RECENT),
        ("头二十来天摔的", Time.RECENT),
        ("一个来月前摔的", Time.RECENT),
        ("半年前摔过", Time.PAST),
        ("仨月前摔过一回", Time.PAST),
        ("十来年前摔过", Time.PAST),
        ("七几年摔过", Time.PAST),
    ],
)
def test_a_fall_so_long_ago_is_recent_or_past_by_its_days(text: str, time: Time) -> None:
    main = understand(text, "event").main
    assert main is not None
    assert main.time is time


@pytest.mark.parametrize(
    "text", ["三天没吃了", "两三天没吃饭了", "一天半没吃东西了", "饿了个把礼拜了", "我整整一天没吃饭"]
)
def test_days_without_food_are_urgent(text: str) -> None:
    assert understand(text, "any").alert is Alert.URGENT


@pytest.mark.parametrize("text", ["早上没吃", "一顿没吃", "半天没吃饭了", "三个小时没吃东西了"])
def test_a_meal_missed_is_no_emergency(text: str) -> None:
    assert understand(text, "any").alert is not Alert.URGENT


@pytest.mark.parametrize("text", ["半个月没人来", "一个来月没人来了", "二十多天没见着人", "俩月没人进门了"])
def test_weeks_without_anybody_are_neglect(text: str) -> None:
    meant = understand(text, "family")
    assert (meant.answer, meant.alert) == ("neglected", Alert.REVIEW)


def test_a_county_may_set_how_many_days_without_food_are_urgent() -> None:
    overlay = "change: [{id: food.days, days: 2}, {id: food.lasting, days: 2}]"
    county = with_overlay(default_lexicon(), overlay)
    entry = county.by_id["food.lasting"]
    assert entry.told_in("三天没吃", 0, 4)
    assert not entry.told_in("一天没吃", 0, 4)
    assert days_within("一天没吃", 0, 4) == 1


def test_days_that_are_no_number_are_refused() -> None:
    with pytest.raises(BadLexicon, match="days"):
        with_overlay(default_lexicon(), "change: [{id: food.days, days: 三}]")
