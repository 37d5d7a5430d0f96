"""What the second opinion looks at: n-grams of characters and of sounds, alone and beside the question.

Taken from the normalised text without pauses, so that particles, politeness and punctuation that
`text.normalise` takes away change nothing.
"""

from __future__ import annotations

from ivr.understanding.model import Question
from ivr.understanding.phonetic import sound

MAX_CHARS = 80  # an opinion about a novel is worth nothing, and costs time
CHAR_GRAMS = 4
SOUND_GRAMS = 3
PAUSES = str.maketrans("", "", "，？ ")


def features(normalised: str, question: Question) -> set[str]:
    """Keys of the features that are present."""
    text = normalised.translate(PAUSES)[:MAX_CHARS]
    asked = question.value
    chars = f"^{text}$"
    sounds = ["^", *map(sound, text), "$"]
    found = {f"q:{asked}", f"w:{asked}:{text}"}
    size = len(chars)
    for start in range(size):
        for length in range(1, min(CHAR_GRAMS, size - start) + 1):
            gram = chars[start : start + length]
            found.add(gram)
            if length <= 2:
                found.add(f"{asked}:{gram}")
        for length in range(2, min(SOUND_GRAMS, size - start) + 1):
            found.add("s:" + "".join(sounds[start : start + length]))
    return found
