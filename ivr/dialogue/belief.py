"""How far an utterance is believed (可信): by how surely the words were heard. Pure.

A recogniser always finds some phrase of its grammar in what somebody says. 没有 found in a sentence
that it could not hear must not become "no danger": nobody would ask again. So a harmless answer that
was hardly heard is asked again. Danger that was hardly heard is never dropped: it is confirmed by one
question, and rings a human when the reply says so; a plea (救命) rings at once, however badly heard.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.understanding.model import Polarity, Understanding
from xunfang.vocabulary import Alert

MIN_CONFIDENCE = 0.6  # of the recogniser, 0-1; docs/understanding-audio.md shows what it buys
MIN_CONFIDENCE_OF_DANGER = 0.2  # below, the words of danger are shreds in a sentence that was not heard
HARDLY_HEARD = "hardly heard: "  # a reason; what follows is what was not believed
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
    """Hardly heard: what sounds well becomes unclear, danger becomes a question.

    `confidence` None (typed text, keys, models that give none) is full confidence.
    """
    if confidence is None:
        return understood
    if understood.alert is Alert.URGENT:
        return _in_doubt(understood) if confidence < MIN_CONFIDENCE_OF_DANGER else understood
    harmless = understood.alert is not Alert.NONE or understood.answer in HARMLESS
    if harmless or confidence >= MIN_CONFIDENCE:
        return understood
    return replace(
        understood, answer="unclear", reasons=(*understood.reasons, f"{HARDLY_HEARD}{understood.answer}")
    )


def _in_doubt(understood: Understanding) -> Understanding:
    """Danger that one question must confirm; without an event there is no such question."""
    main = understood.main
    if understood.plea or main is None:
        return understood
    return replace(
        understood,
        alert=Alert.REVIEW,
        answer="unclear",
        main=replace(main, polarity=Polarity.UNCERTAIN),
        reasons=(*understood.reasons, f"{HARDLY_HEARD}danger"),
    )


def doubted(understood: Understanding) -> bool:
    """`believed` has taken something back."""
    return any(reason.startswith(HARDLY_HEARD) for reason in understood.reasons)
