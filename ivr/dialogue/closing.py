"""Closing (结束): the last open word, and every way a call may end."""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue.model import Action, Because, End, Listen, Say, Speech, State, Step
from ivr.dialogue.plan import Dialplan
from ivr.dialogue.turn import CLOSING, ENDED, OPT_OUT, WITH_DUTY, Turn
from ivr.understanding.model import Question
from xunfang.vocabulary import Alert


def begin(turn: Turn, *lead: str) -> Step:
    """All has been asked: one more open word, because the real thing is often said last."""
    if not anything_answered(turn.state):
        return unheard(turn)
    state = replace(turn.state, at=CLOSING)
    words = tuple(part for part in (*lead, turn.plan.closing.say) if part)
    return turn.step(state, Say(words), _listen(turn.plan))


def hear(turn: Turn) -> Step:
    noted = turn.understood is not None and turn.understood.alert is not Alert.NONE
    lead = (turn.plan.closing.noted,) if noted and isinstance(turn.heard, Speech) else ()
    return end(turn, Because.FINISHED, *lead, turn.plan.goodbye.finished)


def again(turn: Turn) -> Step:
    if turn.state.repeats:
        return end(turn, Because.FINISHED, turn.plan.goodbye.finished)
    state = replace(turn.state, repeats=1)
    return turn.step(state, Say((turn.plan.closing.say,)), _listen(turn.plan))


def _listen(plan: Dialplan) -> Listen:
    return Listen(Question.ANY, CLOSING, plan.listen.closing, plan.listen.max_answer)


def end(turn: Turn, because: Because, *words: str, announcement: str | None = None) -> Step:
    """Say the last words and hang up. Danger heard meanwhile opens the call again (interpreter.hear)."""
    state = replace(turn.state, at=ENDED, ended=because, pending=None)
    said: tuple[Action, ...] = (Say(words),) if words else ()
    return turn.step(state, *said, End(because, announcement))


def unheard(turn: Turn) -> Step:
    return end(turn, Because.UNHEARD, turn.plan.goodbye.unheard)


def nobody_known(turn: Turn) -> Step:
    """Who is on the line stayed open after every wording of the question."""
    if turn.state.relative:
        return end(turn, Because.OTHER_PERSON, turn.plan.other_person.goodbye)
    if not turn.state.spoke:
        return end(turn, Because.SILENT, turn.plan.goodbye.silent)
    return unheard(turn)


def anything_answered(state: State) -> bool:
    return bool(state.callee.answered) or any(answer != "unclear" for _, answer in state.answers)


def everything_asked(plan: Dialplan, state: State) -> bool:
    """All that matters has an answer or was given up (a condition that was not met does not matter)."""
    given = dict(state.answers)
    return all(
        ask.id in given or ask.id in state.callee.answered or not ask.essential or ask.when is not None
        for ask in plan.questions
    )


def outcome(plan: Dialplan, state: State) -> Because:
    """What the call came to when the other side ends it now."""
    if state.ended is not None:
        return state.ended
    if state.urgent:
        return Because.URGENT
    if state.at == WITH_DUTY:
        return Because.FINISHED  # a supervisor took the call over and they have spoken
    if not state.spoke:
        return Because.SILENT
    if state.relative and not state.callee.contact:
        return Because.OTHER_PERSON
    if state.at == OPT_OUT:
        return Because.REFUSED  # said so, and hung up before the confirming question was answered
    if everything_asked(plan, state) and anything_answered(state):
        return Because.FINISHED
    return Because.HUNG_UP
