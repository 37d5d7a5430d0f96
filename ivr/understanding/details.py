"""Which needs or illnesses an utterance names (需求、病名), unless it declines them."""

from __future__ import annotations

import re

from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Question


def names_need(text: str, words: Lexicon) -> bool:
    entries, patterns = words.patterns("detail")
    return any(
        entries[h.owner].get("topic") == "need" and not _DECLINED.search(text[: h.start])
        for h in patterns.find(text)
    )


def details(text: str, question: Question, final: str, words: Lexicon) -> tuple[str, ...]:
    """Needs asked for, or illnesses named."""
    wanted = {
        (Question.NEEDS, "yes"): "need",
        (Question.CALLBACK, "yes"): "need",
        (Question.ILLNESS, "yes"): "illness",
        (Question.ILLNESS, "better"): "illness",
        (Question.HEALTH, "worse"): "illness",
    }.get((question, final))
    if wanted is None:
        return ()
    entries, patterns = words.patterns("detail")
    out: dict[str, None] = {}
    for hit in sorted(patterns.find(text), key=lambda h: h.start):
        entry = entries[hit.owner]
        if entry.get("topic") == wanted and not _DECLINED.search(text[: hit.start]):
            out[entry.get("detail")] = None
    return tuple(out)


_DECLINED = re.compile(r"(不用|不要|不需要|不缺|没有|没得|没)[^，？]{0,3}$")
