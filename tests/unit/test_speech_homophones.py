"""Phrases that share a word must not run into one another, and what is heard reads as it was meant."""

from __future__ import annotations

import pytest

from ivr.speech.grammar import whole_share
from ivr.speech.homophones import Words, homophones, keep_apart

pytestmark = pytest.mark.unit


def alike(words: Words, at: int) -> tuple[str, ...]:
    return homophones(words, at, toned=False)


def paths(phrases: list[Words]) -> set[Words]:
    """Every sentence that a bigram of words over these phrases allows without backing off."""
    follows: dict[str, set[str]] = {}
    for words in phrases:
        for one, other in zip(("<s>", *words), (*words, "</s>"), strict=True):
            follows.setdefault(one, set()).add(other)
    found: set[Words] = set()
    open_ends: list[Words] = [()]
    while open_ends:
        said = open_ends.pop()
        for word in follows[said[-1] if said else "<s>"]:
            if word == "</s>":
                found.add(said)
            elif len(said) < 8:
                open_ends.append((*said, word))
    return found


PHRASES: list[Words] = [
    tuple("快来人"),
    tuple("上不来气"),
    tuple("叫不醒"),
    tuple("下不来床"),
    tuple("快来人啊"),
]


def test_without_homophones_phrases_run_into_one_another() -> None:
    assert tuple("快来气") in paths(PHRASES)
    assert tuple("下不醒") in paths(PHRASES)


def test_with_homophones_only_what_was_written_can_be_heard() -> None:
    apart, stands_for = keep_apart(PHRASES, alike)
    heard = {tuple(stands_for.get(word, word) for word in words) for words in paths(apart)}
    assert heard == set(PHRASES)


def test_a_stand_in_is_no_word_of_the_grammar() -> None:
    apart, stands_for = keep_apart(PHRASES, alike)
    assert not set(stands_for) & {word for words in PHRASES for word in words}
    assert [tuple(stands_for.get(word, word) for word in words) for words in apart] == PHRASES


def test_words_that_go_on_alike_keep_one_spelling() -> None:
    apart, stands_for = keep_apart([tuple("着火了"), tuple("冒烟了")], alike)
    assert apart == [tuple("着火了"), tuple("冒烟了")]
    assert not stands_for


def test_where_homophones_run_out_the_first_phrases_are_still_apart() -> None:
    apart, stands_for = keep_apart(PHRASES, lambda words, at: ["莱"] if words[at] == "来" else [])
    assert stands_for == {"莱": "来"}
    assert tuple("快来气") not in {
        tuple(stands_for.get(word, word) for word in words) for words in paths(apart)
    }


def test_a_model_that_hears_tones_gets_homophones_of_the_same_tone() -> None:
    words = tuple("上不来气")
    assert "莱" in homophones(words, 2, toned=True)
    assert "赖" not in homophones(words, 2, toned=True)
    assert "赖" in homophones(words, 2, toned=False)


def test_a_word_of_several_characters_has_no_homophones() -> None:
    assert homophones(("救护车",), 0, toned=False) == ()


@pytest.mark.parametrize(
    ("text", "share"),
    [("没有", 1.0), ("没有没有", 1.0), ("我忙没有了", 0.4), ("好多", 0.0), ("", 0.0)],
)
def test_shreds_of_phrases_are_told_from_whole_ones(text: str, share: float) -> None:
    assert whole_share(text, {"没有", "好多了", "不要"}) == share
