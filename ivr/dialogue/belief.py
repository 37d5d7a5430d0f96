"""How far an utterance is believed (可信): by how surely the words were heard, not by what they say. Pure.

A recogniser always finds some phrase of its grammar in what somebody says. 没有 found in a sentence
that it could not hear must not become "no danger": nobody would ask again. The other way round there
is no rule: danger is acted on however badly it was heard.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.understanding.model import Understanding
from xunfang.vocabulary import Alert

MIN_CONFIDENCE = 0.6  # of the recogniser, 0-1; docs/understanding-audio.md shows what it buys
# Believed however badly they were heard: they only make us say something again, or wait.
HARMLESS = frozenset(
    {
        "unclear",
        "repeat_request",
        "slower_louder",
        "not_heard",
        "backchannel",
        "silence_noise",
        "machine",
        "carrier_announcement",
    }
)


def believed(understood: Understanding, confidence: float | None) -> Understanding:
    """Hardly heard and nothing alarming in it: unclear, so that it is asked again.

    `confidence` None (typed text, keys, models that give none) is full confidence.
    """
    hardly_heard = confidence is not None and confidence < MIN_CONFIDENCE
    if not hardly_heard or understood.alert is not Alert.NONE or understood.answer in HARMLESS:
        return understood
    return replace(
        understood, answer="unclear", reasons=(*understood.reasons, f"hardly heard: {understood.answer}")
    )
