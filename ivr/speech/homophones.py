"""Keeping the phrases of a grammar apart by writing equal sounds differently (同音字). Pure.

Vosk makes a bigram of words out of a grammar, and most words of spoken Chinese are one character.
With 上不来气, 快来人 and 叫不醒 in it, 快来气 and 下不醒 are as likely as what was said: whatever
follows 来 anywhere may follow it everywhere. Measured: a quarter of the danger phrases was lost so.

So a word that goes on differently in another phrase is written there with a homophone that the
model also knows (快 莱 人), and what is heard is turned back. To the ear nothing changes: only
characters with a single reading stand in for others.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from pypinyin import Style, pinyin
from pypinyin.constants import PINYIN_DICT

COMMON = "gb2312"  # characters outside it are in no vocabulary we met

Words = tuple[str, ...]
Alike = Callable[[Words, int], Iterable[str]]
"""Other spellings of the word at this place of the phrase, the best first."""


def keep_apart(phrases: Sequence[Words], alike: Alike) -> tuple[list[Words], dict[str, str]]:
    """The phrases with some words rewritten, and what each rewritten word stands for.

    Earlier phrases are served first: where homophones run out, late ones share the last.
    """
    futures: dict[Words, set[Words]] = defaultdict(set)
    for words in phrases:
        for at in range(len(words)):
            futures[words[: at + 1]].add(words[at + 1 :])
    taken = {word for words in phrases for word in words}
    spelled: dict[tuple[str, frozenset[Words]], str] = {}  # a word and the ways it goes on -> spelling
    latest: dict[str, str] = {}
    stands_for: dict[str, str] = {}

    def spell(words: Words, at: int) -> str:
        word = words[at]
        key = word, frozenset(futures[words[: at + 1]])
        if key not in spelled:
            spelling = latest.get(word, word)
            if word in latest:
                spelling = next((other for other in alike(words, at) if other not in taken), spelling)
            if spelling not in taken:
                taken.add(spelling)
                stands_for[spelling] = word
            spelled[key] = latest[word] = spelling
        return spelled[key]

    return [tuple(spell(words, at) for at in range(len(words))) for words in phrases], stands_for


def homophones(words: Words, at: int, *, toned: bool) -> tuple[str, ...]:
    """Characters that sound like this one-character word as it is read in its phrase, same tone first.

    `toned`: the model tells tones apart, so only the same tone will do.
    """
    word = words[at]
    if len(word) != 1:
        return ()
    readings = pinyin([*"".join(words)], style=Style.TONE)
    reading = readings[len("".join(words[:at]))][0]
    alike = [(c, r) for c, r in _sounding().get(_toneless(reading), ()) if c != word]
    alike.sort(key=lambda pair: pair[1] != reading)
    return tuple(c for c, r in alike if r == reading or not toned)


@cache
def _sounding() -> dict[str, tuple[tuple[str, str], ...]]:
    """Toneless syllable -> common characters with only that reading, and the reading."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for code, readings in PINYIN_DICT.items():
        character = chr(code)
        if "," in readings or not _is_common(character):
            continue
        found[_toneless(readings)].append((character, readings))
    return {syllable: tuple(sorted(some)) for syllable, some in found.items()}


def _is_common(character: str) -> bool:
    try:
        character.encode(COMMON)
    except UnicodeEncodeError:
        return False
    return True


def _toneless(reading: str) -> str:
    """Without the tone mark; the dots of ü stay."""
    parts = unicodedata.normalize("NFD", reading)
    return "".join(c for c in parts if c == "\u0308" or not unicodedata.combining(c))
