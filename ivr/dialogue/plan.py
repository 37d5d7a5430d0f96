"""Shapes of a dialplan (话术). Frozen; `ivr.dialogue.dialplan` reads them from YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ivr.understanding.model import Event, Question

URGENT_KEY = "urgent"  # the answer of a key that rings a human at once
CONFIRM_WORD = "confirm"  # the answer of words in `means` that must be asked about once more
EVENT_OF: Mapping[Question, Event] = {Question.GAS: Event.GAS_LEAK, Question.FIRE: Event.FIRE}


@dataclass(frozen=True, slots=True)
class Condition:
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `concrete`: how a polite 没事没事 is asked once for something definite."""

    id: str
    topic: Question
    say: str
    rephrase: str
    keypad: str
    keys: Mapping[str, str]
    concrete: str = ""
    essential: bool = True
    review_on: tuple[str, ...] = ()
    acknowledge: Mapping[str, str] = field(default_factory=dict)
    phrases: tuple[str, ...] = ()
    means: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # answer -> words of this question
    concrete_means: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # ... of its concrete wording
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Seconds:
    opening: float
    answer: float
    keypad: float
    confirm: float
    relative: float
    handover: float
    closing: float
    urgent: float
    max_answer: float


@dataclass(frozen=True, slots=True)
class Greeting:
    neutral: str
    who: str
    recorded: str
    promise: str
    how: str


@dataclass(frozen=True, slots=True)
class OtherPerson:
    say: str
    wait: str
    noted: str
    goodbye: str
    handover_words: tuple[str, ...]
    wait_words: tuple[str, ...]
    volunteers: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class OptOut:
    say: str
    rephrase: str
    kept: str
    advertised: tuple[str, ...]
    no_words: tuple[str, ...]
    yes_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    finished: str
    later: str
    refused: str
    wrong_number: str
    unheard: str
    silent: str
    opt_out: str
    with_human: str


@dataclass(frozen=True, slots=True)
class Closing:
    say: str
    noted: str


@dataclass(frozen=True, slots=True)
class SlotQuestion:
    """`yes` and `no`: where that answer leads (urgent, review, clear)."""

    say: str
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Confirm:
    yes_words: tuple[str, ...]
    no_words: tuple[str, ...]
    time_words: tuple[str, ...]
    default: Mapping[str, SlotQuestion]
    events: Mapping[str, Mapping[str, SlotQuestion]]

    def ask(self, event: Event, slot: str) -> SlotQuestion | None:
        return self.events.get(event, {}).get(slot) or self.default.get(slot)


@dataclass(frozen=True, slots=True)
class Urgent:
    """`duty_ask`: what whoever answers the duty telephone hears, `duty_words`: what he may say instead of
    pressing 1; `take_over_ask`: the same for a supervisor who takes a call over (接管)."""

    heard: str
    now: str
    advice: Mapping[str, str]
    hold: tuple[str, ...]
    duty_here: str
    duty_next: str
    duty_failed: str
    hold_failed: tuple[str, ...]
    end: str
    duty_ask: str
    duty_words: tuple[str, ...]
    take_over_ask: str


@dataclass(frozen=True, slots=True)
class Callback:
    """What is said to whoever rings us (来电).

    `why`: by when we last rang (morning, afternoon, yesterday, before, unfinished, due) and `none`.
    `press`: behind each name of a shared telephone; `words`: how that number is said. `digits`: of a
    telephone number, read one by one. The last three replace those of `urgent` for a caller of whom
    nobody knows where he lives.
    """

    why: Mapping[str, str]
    which: str
    press: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    chosen: str
    on_line: str
    tried: str
    number: str
    again: str
    no_number: str
    danger: str
    digits: Mapping[str, str]
    goodbye: str
    duty_failed: str
    hold_failed: tuple[str, ...]
    end: str

    def texts(self) -> Iterable[str]:
        yield from (*self.why.values(), self.which, *self.press, self.chosen, self.on_line, self.tried)
        yield from (self.number, self.again, self.no_number, self.danger, *self.digits.values())
        yield from (self.goodbye, self.duty_failed, *self.hold_failed, self.end)

    def read_out(self, number: str) -> tuple[str, ...]:
        """A telephone number as prompts, digit by digit; other characters are not read."""
        return tuple(self.digits[digit] for digit in number if digit in self.digits)


@dataclass(frozen=True, slots=True)
class Contacting:
    """What is said to a contact (联系人) before he is asked. `somebody`: for a title that cannot be said."""

    tried: str
    somebody: str


@dataclass(frozen=True, slots=True)
class Dialplan:
    name: str
    title: str
    hash: str
    listen: Seconds
    greeting: Greeting
    identity: Ask
    other_person: OtherPerson
    acknowledge: Mapping[str, str]
    go_on: str
    ask_human: str
    opt_out: OptOut
    goodbye: Goodbye
    closing: Closing
    confirm: Confirm
    urgent: Urgent
    questions: tuple[Ask, ...]
    callback: Callback | None = None  # a county's plan without one asks its questions, but answers no call
    contact: Contacting | None = None  # only of a plan for contacts

    def question(self, question_id: str) -> Ask | None:
        return next((ask for ask in self.questions if ask.id == question_id), None)

    def acknowledgement(self, ask: Ask, answer: str) -> str:
        default = self.acknowledge.get("default", "")
        return (
            ask.acknowledge.get(answer)
            or self.acknowledge.get(answer)
            or ask.acknowledge.get("default", default)
        )

    def texts(self) -> tuple[str, ...]:
        """Every text it can ever say, once each, except greetings by title."""
        return tuple(dict.fromkeys((*self._normal_texts(), *self.slow_texts())))

    def slow_texts(self) -> tuple[str, ...]:
        """Texts for somebody who did not hear or understand: rendered slower."""
        asks = (self.identity, *self.questions)
        slow = [text for ask in asks for text in (ask.rephrase, ask.concrete, ask.keypad)]
        return tuple(dict.fromkeys(text for text in (*slow, self.opt_out.rephrase) if text))

    def _normal_texts(self) -> Iterable[str]:
        greet, other, bye, urgent = self.greeting, self.other_person, self.goodbye, self.urgent
        yield from (greet.neutral, greet.who, greet.recorded, greet.promise, greet.how)
        for ask in (self.identity, *self.questions):
            yield ask.say
            yield from ask.acknowledge.values()
        yield from self.acknowledge.values()
        yield from (self.go_on, self.ask_human, self.closing.say, self.closing.noted)
        yield from (other.say, other.wait, other.noted, other.goodbye, self.opt_out.say, self.opt_out.kept)
        yield from (bye.finished, bye.later, bye.refused, bye.wrong_number)
        yield from (bye.unheard, bye.silent, bye.opt_out, bye.with_human)
        for slots in (self.confirm.default, *self.confirm.events.values()):
            yield from (slot.say for slot in slots.values())
        yield from (urgent.heard, urgent.now, *urgent.advice.values(), *urgent.hold, urgent.duty_here)
        yield from (urgent.duty_next, urgent.duty_failed, *urgent.hold_failed, urgent.end)
        yield from (urgent.duty_ask, urgent.take_over_ask)
        if self.callback is not None:
            yield from self.callback.texts()
        if self.contact is not None:
            yield from (self.contact.tried, self.contact.somebody)


def choice_text(title: str) -> str:
    """How a name is offered to the caller of a shared telephone; rendered beside the greetings."""
    return f"{title}。"


def greeting_text(title: str) -> str:
    """How a callee is addressed; the prompts of all titles are rendered with this very text."""
    return f"{title}，您好。"
