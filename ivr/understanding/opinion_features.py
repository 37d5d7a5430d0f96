"""What the second opinion looks at: n-grams of characters and of sounds, and the question.

Taken from the normalised text without pauses, so that the particles, politeness and punctuation
which `text.normalise` takes away change nothing. Sounds are `phonetic.sound`: what a recogniser
confuses looks alike here.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import ahocorasick

from ivr.understanding.model import Question
from ivr.understanding.phonetic import code_of_sound, encode, sound

MAX_CHARS = 80  # an opinion about a novel is worth nothing, and costs time
_QUESTION = "q:"
CHAR_GRAMS = 3  # and sounds by twos and threes


def _bare(normalised: str) -> str:
    return normalised.replace("，", "").replace("？", "").replace(" ", "")[:MAX_CHARS]


def features(normalised: str, question: Question) -> list[str]:
    """Keys of the features that are present; a key that occurs twice is there twice.

    Sounds are joined by blanks, which no text holds here."""
    text = _bare(normalised)
    chars = f"^{text}$"
    sounds = ["^", *map(sound, text), "$"]
    size = len(chars)
    found = [f"{_QUESTION}{question.value}", *chars]
    for length in range(2, CHAR_GRAMS + 1):
        found += [chars[at : at + length] for at in range(size - length + 1)]
    pairs = [one + " " + other for one, other in pairwise(sounds)]
    found += pairs
    found += [pair + " " + third for pair, third in zip(pairs, sounds[2:], strict=False)]
    return found


class KnownFeatures:
    """The features that a model knows, found in two passes over the utterance instead of one look-up each.

    `rows` gives the numbers of the known ones among `features`, in no particular order.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._chars = ahocorasick.Automaton()
        self._sounds = ahocorasick.Automaton()
        self._questions: dict[str, int] = {}
        for row, key in enumerate(keys):
            if key.startswith(_QUESTION):
                self._questions[key.removeprefix(_QUESTION)] = row
            elif " " in key:
                self._sounds.add_word("".join(map(code_of_sound, key.split(" "))), row)
            else:
                self._chars.add_word(key, row)
        self._chars.make_automaton()
        self._sounds.make_automaton()

    def rows(self, normalised: str, question: Question) -> list[int]:
        text = _bare(normalised)
        rows = [row for _, row in self._chars.iter(f"^{text}$")]
        rows += [row for _, row in self._sounds.iter(f"^{encode(text)}$")]
        if question in self._questions:
            rows.append(self._questions[question])
        return rows
