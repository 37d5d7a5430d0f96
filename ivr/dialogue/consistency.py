"""What the schema of a dialplan cannot say: names that must fit one another."""

from __future__ import annotations

from collections.abc import Iterable

from ivr.dialogue.plan import CONFIRM_WORD, EVENT_OF, URGENT_KEY, Ask, Dialplan
from ivr.dialogue.turn import STAGES
from ivr.understanding.model import ANSWERS, Event, Question


def answers_of(ask: Ask) -> frozenset[str]:
    """The concrete answers that a question can get, by voice or by key."""
    own = {*ask.keys.values(), *ask.means, *ask.concrete_means}
    return (ANSWERS[ask.topic] | own) - {"unclear", URGENT_KEY, CONFIRM_WORD}


def inconsistencies(plan: Dialplan) -> Iterable[str]:
    """What the schema cannot say: names that must fit one another."""
    seen: dict[str, Ask] = {}
    for number, ask in enumerate(plan.questions):
        where = f"questions/{number} ({ask.id})"
        if ask.id in STAGES:
            yield f"{where}: id: {ask.id!r} is the name of a stage; take another"
        if ask.id in seen:
            yield f"{where}: id: used twice; every question needs its own"
        allowed = ANSWERS[ask.topic] - {"unclear"}
        if ask.topic is not Question.ANY:  # an open question has no classes of its own
            for key, answer in ask.keys.items():
                if answer not in allowed | {URGENT_KEY}:
                    choice = _list(allowed | {URGENT_KEY})
                    yield f"{where}: keys/{key}: {answer!r} is no answer; allowed: {choice}"
            meant = allowed | ({CONFIRM_WORD} if ask.topic in EVENT_OF else set())
            for answer in (*ask.means, *ask.concrete_means):
                if answer not in meant:
                    yield f"{where}: means: {answer!r} is no answer; allowed: {_list(meant)}"
            for answer in ask.review_on:
                if answer not in allowed:
                    yield f"{where}: review_on: {answer!r} is no answer; allowed: {_list(allowed)}"
        if ask.when is not None:
            earlier = seen.get(ask.when.question)
            if earlier is None:
                yield (
                    f"{where}: when/question: {ask.when.question!r} is not asked before it, so the question "
                    f"can never be reached; allowed: {_list(seen) or 'nothing, it is the first'}"
                )
            else:
                possible = answers_of(earlier) | {"unclear"}
                for answer in ask.when.answers:
                    if answer not in possible:
                        yield f"{where}: when/answers: {answer!r} never comes; allowed: {_list(possible)}"
        seen[ask.id] = ask
    allowed = ANSWERS[Question.IDENTITY] - {"unclear"}
    for key, answer in plan.identity.keys.items():
        if answer not in allowed:
            yield f"identity: keys/{key}: {answer!r} is no answer; allowed: {_list(allowed)}"
    for event in plan.urgent.advice:
        if event not in set(Event):
            yield f"urgent/advice: {event!r} is no event; allowed: {_list(Event)}"


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
