"""The shapes that pass between finding an event, reading its slots and weighing it. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.understanding.model import Event, Polarity, Question, Subject, Time

WINDOW_CHARS = 14  # how far before an event its negation may stand
HYPOTHETICAL_CHARS = 26  # 要是 may stand a clause before the event


@dataclass(frozen=True, slots=True)
class Found:
    """An event seen at `start:end` of the normalised text."""

    event: Event
    start: int
    end: int
    entry: str
    level: str
    polarity: str = ""
    time: str = ""
    subject: str = ""
    gap: str = ""
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Slots:
    polarity: Polarity
    time: Time
    subject: Subject
    near_miss: bool = False
    media: bool = False
    warning: bool = False
    resolved: bool = False
    mild: bool = False
    strong: bool = False
    far: bool = False
    what_then: bool = False  # imagined only by what follows (着了火我往哪儿跑): it may be real


Judged = tuple[Found, Slots]


@dataclass(frozen=True, slots=True)
class Place:
    """An event and the text around it."""

    text: str
    found: Found
    start: int  # of the clause
    end: int
    before: str
    after: str
    far_before: str
    question: Question
    plea: bool
