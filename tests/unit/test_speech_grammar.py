from __future__ import annotations

import pytest

from ivr.speech.grammar import UNKNOWN, build, cut
from xunfang.errors import BadDialplan

pytestmark = pytest.mark.unit

WORDS = {
    "我",
    "身体",
    "身",
    "体",
    "挺",
    "好",
    "的",
    "挺好",
    "挺好的",
    "胸口",
    "疼",
    "得",
    "厉害",
    "二",
    "一二零",
    "不",
    "葡萄",
}


def knows(word: str) -> bool:
    return word in WORDS


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("我身体挺好的", ["我", "身体", "挺好的"]),
        ("胸口疼得厉害！", ["胸口", "疼", "得", "厉害"]),
        ("好，不好。", ["好", "不", "好"]),
        ("吃葡萄"[1:], ["葡萄"]),
    ],
)
def test_a_phrase_is_cut_into_the_longest_known_words(phrase: str, words: list[str]) -> None:
    assert cut(phrase, knows) == words


def test_a_greedy_cut_that_would_fail_is_not_the_last_word() -> None:
    some = {"甲乙", "甲", "乙丙"}
    assert cut("甲乙丙", some.__contains__) == ["甲", "乙丙"]


def test_a_phrase_that_cannot_be_expressed_is_named_with_its_unknown_characters() -> None:
    with pytest.raises(BadDialplan, match=r"'我不魑魅'.*'魑魅'"):
        cut("我不魑魅", knows)


@pytest.mark.parametrize("empty", ["", "。。。", " "])
def test_a_phrase_of_nothing_is_refused(empty: str) -> None:
    with pytest.raises(BadDialplan, match="nothing to recognise"):
        cut(empty, knows)


def test_a_grammar_holds_each_phrase_once_and_the_unknown_last() -> None:
    built = build(["挺好的", "挺好的。"], ["胸口疼"], ["不", "挺好的"], ["不好"], knows=knows)
    assert built == ["挺好的", "胸口 疼", "不", "不 好", UNKNOWN]


def test_one_phrase_outside_the_vocabulary_spoils_the_whole_grammar_loudly() -> None:
    with pytest.raises(BadDialplan, match="魑"):
        build(["挺好的"], ["魑"], [], [], knows=knows)
