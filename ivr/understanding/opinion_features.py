"""What the second opinion looks at: n-grams of characters and of sounds, and the question.

Taken from the normalised text without pauses, so that the particles, politeness and punctuation
which `text.normalise` takes away change nothing. Sounds are `phonetic.sound`: what a recogniser
confuses looks alike here.
"""

from __future__ import annotations

from itertools import pairwise

from ivr.understanding.model import Question
from ivr.understanding.phonetic import sound

MAX_CHARS = 80  # an opinion about a novel is worth nothing, and costs time
CHAR_GRAMS = 3  # and sounds by twos and threes
_PAUSES = str.maketrans("", "", "，？ ")


def features(normalised: str, question: Question) -> list[str]:
    """Keys of the features that are present; a key that occurs twice is there twice.

    Sounds are joined by blanks, which no text holds here."""
    text = normalised.translate(_PAUSES)[:MAX_CHARS]
    chars = f"^{text}$"
    sounds = ["^", *map(sound, text), "$"]
    size = len(chars)
    found = [f"q:{question.value}", *chars]
    for length in range(2, CHAR_GRAMS + 1):
        found += [chars[at : at + length] for at in range(size - length + 1)]
    pairs = [one + " " + other for one, other in pairwise(sounds)]
    found += pairs
    found += [pair + " " + third for pair, third in zip(pairs, sounds[2:], strict=False)]
    return found
