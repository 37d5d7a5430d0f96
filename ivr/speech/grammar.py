"""Runtime grammars: cutting phrases into the words that a model knows. Pure.

Vosk builds a bigram over the phrases it is given, so utterances that join phrases
(喂你好，我挺好的) are heard too. A word outside the model's vocabulary is dropped by Vosk
without an error: the phrase would then be heard as something else. Hence a phrase that
cannot be expressed in full is a BadDialplan that names it.

`[unk]` is always in: it soaks up what the grammar does not expect, so that it is not bent
into one of the phrases.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable

from xunfang.errors import BadDialplan

UNKNOWN = "[unk]"
LONGEST_WORD = 8  # characters; longer words are not in the vocabularies we met

Knows = Callable[[str], bool]


def bare(phrase: str) -> str:
    """The phrase as it is spoken: without punctuation, blanks and marks."""
    kept = (c for c in phrase if not unicodedata.category(c).startswith(("P", "Z", "C", "S")))
    return "".join(kept).lower()


def cut(phrase: str, knows: Knows) -> list[str]:
    """Cut into the fewest words the model knows, the longest first; BadDialplan if impossible.

    Fewest words by dynamic programming: a greedy cut would give up where the last
    character alone is unknown but a word ending in it is known.
    """
    text = bare(phrase)
    if not text:
        raise BadDialplan(f"the phrase {phrase!r} has nothing to recognise; remove it or write Chinese words")
    best: list[list[str] | None] = [None] * len(text) + [[]]  # best cut of text[at:]
    for at in range(len(text) - 1, -1, -1):
        for size in range(min(LONGEST_WORD, len(text) - at), 0, -1):
            rest = best[at + size]
            word = text[at : at + size]
            shortest = best[at]
            if rest is not None and (shortest is None or len(rest) + 1 < len(shortest)) and knows(word):
                best[at] = [word, *rest]
    whole = best[0]
    if whole is None:
        strangers = "".join(dict.fromkeys(c for c in text if not knows(c)))
        raise BadDialplan(
            f"the phrase {phrase!r} cannot be recognised by this model: it does not know {strangers!r}; "
            "write it with other words or use a larger model"
        )
    return whole


def whole_share(text: str, phrases: Collection[str]) -> float:
    """How much of the text (0-1) is made of whole phrases; the rest are pieces of others."""
    longest = max(map(len, phrases), default=0)
    covered = [0]
    for end in range(1, len(text) + 1):
        starts = range(max(0, end - longest), end)
        whole = (covered[at] + end - at for at in starts if text[at:end] in phrases)
        covered.append(max(covered[-1], *whole, 0))
    return covered[-1] / len(text) if text else 0.0


def build(
    question: Iterable[str],
    distress: Iterable[str],
    control: Iterable[str],
    announcements: Iterable[str],
    *,
    knows: Knows,
) -> list[str]:
    """The grammar of one listening state, ready for the recogniser: blanks between words, `[unk]` last."""
    phrases = dict.fromkeys((*question, *distress, *control, *announcements))
    return [*dict.fromkeys(" ".join(cut(phrase, knows)) for phrase in phrases if phrase != UNKNOWN), UNKNOWN]
