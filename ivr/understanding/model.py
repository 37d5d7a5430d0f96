"""What was meant: the shapes that understanding (语义判断) returns. Pure data, no rules.

Every danger or health event that an utterance speaks of becomes a `Judgement` with four
slots (event, polarity, time, subject) and the span of text that says so. An utterance as a
whole gets one `Alert`, one answer class for the question that was asked, and the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from xunfang.vocabulary import Alert


class Event(StrEnum):
    FALL = "fall"
    CHEST_PAIN = "chest_pain"
    BREATHLESS = "breathless"
    CANNOT_GET_UP = "cannot_get_up"
    BLEEDING = "bleeding"
    FIRE = "fire"
    GAS_LEAK = "gas_leak"
    SUICIDAL = "suicidal"
    UNCONSCIOUS = "unconscious"
    POISONING = "poisoning"
    VIOLENCE = "violence"
    FRAUD = "fraud"
    NO_FOOD = "no_food"
    LOST = "lost"
    STROKE_SIGNS = "stroke_signs"
    SEVERE_PAIN = "severe_pain"


class Polarity(StrEnum):
    AFFIRMED = "affirmed"
    NEGATED = "negated"
    UNCERTAIN = "uncertain"
    ASKED = "asked"


class Time(StrEnum):
    NOW = "now"
    RECENT = "recent"
    PAST = "past"
    HABITUAL = "habitual"
    HYPOTHETICAL = "hypothetical"


class Subject(StrEnum):
    """Seen from the person who is speaking."""

    SELF = "self"
    SPOUSE = "spouse"
    OTHER = "other"
    UNKNOWN = "unknown"


class Question(StrEnum):
    """What the utterance answers. ANY: said outside a question (call opening, barge-in, closing)."""

    IDENTITY = "identity"
    HEALTH = "health"
    MOOD = "mood"
    MOBILITY = "mobility"
    ILLNESS = "illness"
    GAS = "gas"
    WATER_HEATING = "water_heating"
    ELECTRICITY = "electricity"
    FIRE = "fire"
    NEEDS = "needs"
    FAMILY = "family"
    ECONOMY = "economy"
    EVENT = "event"
    CALLBACK = "callback"
    ANY = "any"


# Answers that may come at any time, whatever was asked.
CONTROLS: frozenset[str] = frozenset(
    {
        "repeat_request",
        "slower_louder",
        "busy_later",
        "opt_out",
        "ask_human",
        "not_heard",
        "backchannel",
        "goodbye",
        "machine",
        "carrier_announcement",
        "silence_noise",
    }
)

# The classes that each question adds to CONTROLS; "other" (a person said something that answers
# nothing) is only for Question.ANY.
ANSWERS: dict[Question, frozenset[str]] = {
    Question.IDENTITY: frozenset({"self", "other_person", "wrong_number", "refuse", "unclear"}),
    Question.HEALTH: frozenset({"good", "same", "worse", "unclear"}),
    Question.MOOD: frozenset({"good", "same", "worse", "unclear"}),
    Question.MOBILITY: frozenset({"good", "same", "worse", "unclear"}),
    Question.ILLNESS: frozenset({"none", "yes", "better", "unclear"}),
    Question.GAS: frozenset({"safe", "unsafe", "partly", "unclear"}),
    Question.WATER_HEATING: frozenset({"safe", "unsafe", "partly", "unclear"}),
    Question.ELECTRICITY: frozenset({"safe", "unsafe", "partly", "unclear"}),
    Question.FIRE: frozenset({"safe", "unsafe", "partly", "unclear"}),
    Question.NEEDS: frozenset({"no", "yes", "unclear"}),
    Question.FAMILY: frozenset({"visits", "calls_only", "neglected", "alone", "unclear"}),
    Question.ECONOMY: frozenset({"enough", "short", "unclear"}),
    Question.EVENT: frozenset({"no", "yes", "unclear"}),
    Question.CALLBACK: frozenset({"yes", "no", "unclear"}),
    Question.ANY: frozenset({"other", "unclear"}),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One event with its four slots. `start:end` index into the utterance's text."""

    event: Event
    polarity: Polarity
    time: Time
    subject: Subject
    start: int
    end: int
    evidence: str  # the words that say so, as heard
    entry: str  # id of the lexicon entry that matched
    cost: float = 0.0  # 0 = literal; grows with homophone or damage repairs


@dataclass(frozen=True, slots=True)
class Understanding:
    """Everything that one utterance meant.

    `main` is the judgement the alert rests on (None when no event was spoken of);
    `details` names needs (meals, bathing, ...) or the illness; `evidence` is never
    empty when `alert` is URGENT; `announcement` is the carrier's message
    (a CallDisposition value: powered_off, suspended, ...) when answer is
    carrier_announcement or machine.
    """

    text: str
    question: Question
    alert: Alert
    answer: str
    judgements: tuple[Judgement, ...] = ()
    main: Judgement | None = None
    plea: bool = False
    details: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    announcement: str | None = None
