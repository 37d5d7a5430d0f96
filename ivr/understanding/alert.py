"""What one judged event demands: nothing, a look today, or a human now.

Source of the rules: shared label rules of the corpus. Urgent is danger to life now, whoever
says it; anything denied, long past, far away, quoted or imagined is none; what is over, mild,
recurring or unsure is looked at by a human today.
"""

from __future__ import annotations

from dataclasses import dataclass

from ivr.understanding.model import Event, Polarity, Question, Subject, Time
from ivr.understanding.slot_model import Found, Slots
from xunfang.vocabulary import Alert

# Strong words around these make a review-level event urgent.
GRAVE_WHEN_STRONG = frozenset(
    {Event.CHEST_PAIN, Event.BREATHLESS, Event.BLEEDING, Event.NO_FOOD, Event.STROKE_SIGNS}
)
# A softener (有点, 不碍事) is believed only about these; a mouth a little crooked is a stroke.
SOFTENED = frozenset({Event.CHEST_PAIN, Event.BREATHLESS, Event.BLEEDING, Event.SEVERE_PAIN, Event.NO_FOOD})
# Never danger to life by itself.
NEVER_URGENT = frozenset({Event.FRAUD})
RANK = {Alert.NONE: 0, Alert.REVIEW: 1, Alert.URGENT: 2}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the whole utterance says beside the event."""

    question: Question
    plea: bool
    relative_speaks: bool


def weigh(found: Found, slots: Slots, around: Surroundings) -> Alert:
    if slots.media or slots.warning or slots.polarity is Polarity.ASKED:
        return Alert.NONE
    if slots.polarity is Polarity.NEGATED:
        return Alert.REVIEW if slots.near_miss else Alert.NONE
    if slots.time is Time.HYPOTHETICAL:
        veiled = found.event is Event.SUICIDAL and slots.subject is Subject.SELF
        return Alert.REVIEW if veiled or (slots.what_then and found.level == "urgent") else Alert.NONE
    if slots.polarity is Polarity.UNCERTAIN:
        return Alert.REVIEW
    if slots.time is Time.PAST:
        return Alert.REVIEW if found.event is Event.SUICIDAL else Alert.NONE
    somebody_else = slots.subject is Subject.OTHER and not around.relative_speaks
    if somebody_else and (
        slots.far or slots.time is not Time.NOW or found.level != "urgent" or slots.resolved
    ):
        return Alert.NONE
    if slots.time in (Time.HABITUAL, Time.RECENT) or found.level == "mild":
        return Alert.REVIEW
    if found.event in NEVER_URGENT:
        return Alert.REVIEW
    if slots.resolved and not around.plea:
        return Alert.REVIEW
    if found.level == "urgent":
        if found.event in SOFTENED and slots.mild and not slots.strong and not around.plea:
            return Alert.REVIEW
        return Alert.URGENT
    if around.plea and found.event is not Event.SEVERE_PAIN:
        return Alert.URGENT
    if found.event in GRAVE_WHEN_STRONG and slots.strong and not slots.mild:
        return Alert.URGENT
    if found.event is Event.FALL:  # told as happening now
        return Alert.URGENT
    return Alert.REVIEW


def worst(alerts: list[Alert]) -> Alert:
    return max(alerts, key=lambda a: RANK[a], default=Alert.NONE)
