"""What was probably said (补听): the phrase of the grammar that a damaged one sounds most like. Pure.

A recogniser loses syllables and swaps small words: 流了好多血 arrives as 了好多血, 摔倒了起不来 as
摔倒起来, which is its opposite. What arrives so is no phrase that we listen for, and then the nearest
one by sound is the better guess. Danger first: of two phrases equally near, the earlier one of the
grammar counts, and the grammar begins with danger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ivr.understanding.phonetic import syllable

LEAST_LIKENESS = 0.66  # one syllable of three may be wrong
SHORT = 2  # syllables: so little sounds like too many phrases
LEAST_LIKENESS_OF_SHORT = 0.8
MORE_SYLLABLES = 3  # longer than the longest phrase by so much: it is no phrase at all
COST_PARTICLE = 0.5  # of a lost or added syllable that carries little
COST_ALIKE = 0.5  # of a syllable with the same beginning or the same end
PARTICLES = frozenset("了啊呀呢吧嘛的得嗯哦我也都就")
ENDINGS = frozenset("啊呀呢吧嘛嗯哦")  # added to a phrase they leave it what it is
INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")


@dataclass(frozen=True, slots=True)
class Guess:
    """`likeness`: 1 is the phrase itself."""

    phrase: str
    likeness: float


def made_of(text: str, phrases: Iterable[str]) -> bool:
    """Whether the text is nothing but phrases and endings: then it was heard as it was meant to be."""
    known = frozenset(phrases)
    longest = max(map(len, known), default=0)
    reached = [True] + [False] * len(text)
    for end in range(1, len(text) + 1):
        starts = range(max(0, end - longest), end)
        small = reached[end - 1] and end > 1 and text[end - 1] in ENDINGS
        reached[end] = small or any(reached[at] and text[at:end] in known for at in starts)
    return bool(text) and reached[-1]


def nearest(text: str, phrases: Sequence[str]) -> Guess | None:
    """None: nothing sounds like it, or it is a phrase as it stands."""
    longest = max(map(len, phrases), default=0)
    if not text or len(text) > longest + MORE_SYLLABLES or made_of(text, phrases):
        return None
    least = LEAST_LIKENESS_OF_SHORT if len(text) <= SHORT else LEAST_LIKENESS
    best: Guess | None = None
    for phrase in phrases:
        likeness = 1.0 - _cost(text, phrase) / max(len(text), len(phrase))
        if likeness >= least and (best is None or likeness > best.likeness):
            best = Guess(phrase, round(likeness, 3))
    return best


def _cost(heard: str, meant: str) -> float:
    """Edit distance in syllables."""
    row = [0.0]
    for char in meant:
        row.append(row[-1] + _weight(char))
    for wrong in heard:
        before, row = row, [row[0] + _weight(wrong)]
        for at, right in enumerate(meant):
            row.append(
                min(
                    before[at] + _unlike(wrong, right),
                    before[at + 1] + _weight(wrong),
                    row[at] + _weight(right),
                )
            )
    return row[-1]


def _weight(char: str) -> float:
    return COST_PARTICLE if char in PARTICLES else 1.0


@lru_cache(maxsize=50_000)
def _unlike(one: str, other: str) -> float:
    if one == other or syllable(one) == syllable(other) != "":
        return 0.0
    first, second = _parts(one), _parts(other)
    same_part = any(a == b != "" for a, b in zip(first, second, strict=True))
    return COST_ALIKE if same_part else 1.0


def _parts(char: str) -> tuple[str, str]:
    sound = syllable(char)
    initial = next((each for each in INITIALS if sound.startswith(each)), "")
    return initial, sound[len(initial) :]
