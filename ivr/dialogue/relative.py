"""Somebody else on the line (他人接听): nothing about the elder is disclosed.

Only that it is a care call that will come again. What they tell of their own accord is kept
as 家属代述; when they fetch the elder, we wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ivr.dialogue import asking, closing
from ivr.dialogue.model import Action, Because, Listen, Say, Speech, Step, StoreAnswer
from ivr.dialogue.turn import BEFORE_IDENTITY, OPT_OUT, RELATIVE, Turn
from ivr.understanding.model import ANSWERS, Question
from xunfang.vocabulary import Alert, AnswerSource

MAX_WAITS = 2  # how often we wait for the elder to be fetched
TOO_SHORT_TO_TELL = 4  # characters: a bare 没有 tells nothing about the elder
WAITING = "handover"  # State.back_to while somebody fetches the elder


def begin(turn: Turn) -> Step:
    turn = turn.with_state(relative=True, at=RELATIVE, misses=0, repeats=0)
    told = _volunteered(turn)
    return _prepend(_wait(turn) if _is_fetching(turn) else _explain(turn), told)


def _explain(turn: Turn) -> Step:
    listen = Listen(Question.IDENTITY, RELATIVE, turn.plan.listen.relative, turn.plan.listen.max_answer)
    return turn.step(turn.state, Say((turn.plan.other_person.say,)), listen)


def hear(turn: Turn) -> Step:
    other = turn.plan.other_person
    if turn.answer == "self":
        turn = turn.with_state(relative=False, back_to="")
        step = asking.next_question(turn, turn.plan.acknowledgement(turn.plan.identity, "self"))
        return _prepend(step, (asking.stored(turn, turn.plan.identity, "self"),))
    if turn.answer == "wrong_number":
        return closing.end(turn, Because.WRONG_NUMBER, turn.plan.goodbye.wrong_number)
    if _is_fetching(turn) and turn.state.repeats < MAX_WAITS:
        return _wait(turn)
    if turn.state.back_to == WAITING and isinstance(turn.heard, Speech) and not asking.is_quiet(turn):
        return asking.pose(turn.with_state(back_to="", misses=0), turn.plan.identity)  # a new voice, perhaps
    told = _volunteered(turn)
    flagged = turn.understood is not None and turn.understood.alert is not Alert.NONE
    lead = (other.noted,) if told or flagged else ()
    return _prepend(closing.end(turn, Because.OTHER_PERSON, *lead, other.goodbye), told)


def again(turn: Turn) -> Step:
    """They did not hear: once more, then goodbye."""
    if turn.state.repeats >= MAX_WAITS:
        return closing.end(turn, Because.OTHER_PERSON, turn.plan.other_person.goodbye)
    return _explain(turn.with_state(back_to="", repeats=turn.state.repeats + 1))


def says_stop(turn: Turn) -> bool:
    """别再打了, said by somebody who says that he is not the elder: 我是他女儿，你们别再打了.

    The wish wins over who says it (ivr.understanding.controls), so what stands before it, and what stands
    after it, is read alone. Once the elder has said who he is, only 我是… makes it another voice.
    """
    if turn.answer != OPT_OUT or not isinstance(turn.heard, Speech):
        return False
    if turn.state.relative:
        return True
    if turn.state.at not in BEFORE_IDENTITY and "我是" not in turn.bare:
        return False
    text = turn.text
    before = (text[:at] for at in range(len(text) - 1, 0, -1))
    after = (text[at:] for at in range(1, len(text)))
    return any(_who(turn, parts) == "other_person" for parts in (before, after))


def _who(turn: Turn, parts: Iterable[str]) -> str:
    """Who the longest part without the wish says that he is."""
    answers = (turn.understand(part, Question.IDENTITY).answer for part in parts)
    return next((answer for answer in answers if answer != OPT_OUT), "")


def stop(turn: Turn) -> Step:
    """A relative's word is below the elder's own: it is kept as such, nothing is withdrawn, and a human
    asks the elder (scheduler.settle)."""
    turn = turn.with_state(relative=True, at=RELATIVE)
    said = StoreAnswer(OPT_OUT, Question.ANY, OPT_OUT, (), turn.text, turn.confidence, AnswerSource.RELATIVE)
    other = turn.plan.other_person
    step = closing.end(turn, Because.OTHER_PERSON, other.noted, other.goodbye)
    return _prepend(step, (*_volunteered(turn), said))


def _is_fetching(turn: Turn) -> bool:
    return isinstance(turn.heard, Speech) and turn.says(turn.plan.other_person.handover_words)


def _wait(turn: Turn) -> Step:
    state = replace(turn.state, back_to=WAITING, repeats=turn.state.repeats + 1)
    listen = Listen(Question.IDENTITY, RELATIVE, turn.plan.listen.handover, turn.plan.listen.max_answer)
    return turn.step(state, Say((turn.plan.other_person.wait,)), listen)


def _volunteered(turn: Turn) -> tuple[Action, ...]:
    """Answers for those questions that a relative may speak to, when they say something definite."""
    if not isinstance(turn.heard, Speech) or len(turn.bare) < TOO_SHORT_TO_TELL:
        return ()
    told: list[Action] = []
    for ask in turn.plan.questions:
        if ask.topic not in turn.plan.other_person.volunteers:
            continue
        understood = turn.understand(turn.text, ask.topic)
        if understood.answer in ANSWERS[ask.topic] - {"unclear"}:
            told.append(
                StoreAnswer(
                    ask.id, ask.topic, understood.answer, understood.details, turn.text, turn.confidence,
                    AnswerSource.RELATIVE,
                )
            )  # fmt: skip
    return tuple(told)


def _prepend(step: Step, actions: tuple[Action, ...]) -> Step:
    return replace(step, actions=(*actions, *step.actions))
