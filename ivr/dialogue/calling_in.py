"""Who rings us (来电): an elder of a shared telephone says which; others are told a number, and nothing else.

Danger is heard here as everywhere: after what is announced there is a short listening, and
the interpreter looks for danger before it comes to these stages.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import closing
from ivr.dialogue.model import Because, Chose, Keys, Listen, Say, Speech, Step
from ivr.dialogue.plan import Callback, Dialplan, choice_text
from ivr.dialogue.turn import ANNOUNCED, PARTICLES, WHO, Turn
from ivr.understanding.model import Question
from xunfang.errors import BadDialplan
from xunfang.vocabulary import Alert

MAX_ASKED = 2  # how often we ask who it is before a number is read out
MAX_TOLD = 3  # how often the number is read out to somebody who asks for it again
SAY_AGAIN = frozenset({"repeat_request", "slower_louder", "not_heard"})


def words(plan: Dialplan) -> Callback:
    """BadDialplan when a county's own plan says nothing for those who ring us."""
    if plan.callback is None:
        raise BadDialplan(f"dialplan {plan.name} has no `callback`: extend shared/common.yaml, or add it")
    return plan.callback


# ---- a shared telephone ------------------------------------------------------------------------


def ask(turn: Turn, *lead: str) -> Step:
    """王奶奶。请按一。张爷爷。请按二。"""
    said = words(turn.plan)
    names: list[str] = []
    for title, press in zip(turn.state.callee.choices, said.press, strict=False):
        names += (choice_text(title), press)
    state = replace(turn.state, at=WHO)
    listen = Listen(Question.IDENTITY, WHO, turn.plan.listen.keypad, turn.plan.listen.max_answer, keypad=True)
    return turn.step(state, Say((*lead, said.which, *names)), listen)


def who(turn: Turn) -> Step:
    number = choice(turn)
    if number is not None:
        said = Say((words(turn.plan).chosen,))
        return turn.step(turn.state, said, Chose(number))
    if turn.state.misses + 1 >= MAX_ASKED:
        return tell(turn.with_state(misses=0))
    return ask(turn.with_state(misses=turn.state.misses + 1))


def choice(turn: Turn) -> int | None:
    """Which of the choices was pressed, or named, or said by its number; None: none, or more than one."""
    choices = turn.state.callee.choices
    if isinstance(turn.heard, Keys):
        pressed = [int(digit) for digit in turn.heard.digits if digit in "123456789"]
        return next((number for number in pressed if number <= len(choices)), None)
    if not isinstance(turn.heard, Speech):
        return None
    named = [number for number, title in enumerate(choices, start=1) if title in turn.bare]
    if not named:
        counted = words(turn.plan).words[: len(choices)]
        named = [number for number, each in enumerate(counted, start=1) if _says_only(turn, each)]
    return named[0] if len(named) == 1 else None


def _says_only(turn: Turn, counted: tuple[str, ...]) -> bool:
    bare = turn.bare.removeprefix("我是").rstrip(PARTICLES)
    return bare in counted


# ---- whoever is told a number ------------------------------------------------------------------


def tell(turn: Turn, *lead: str) -> Step:
    """What this caller may know, then a moment in which danger can be said."""
    state = replace(turn.state, at=ANNOUNCED, relative=True, repeats=turn.state.repeats + 1)
    said = Say((*lead, *turn.state.callee.announce))
    listen = Listen(Question.ANY, ANNOUNCED, turn.plan.listen.relative, turn.plan.listen.max_answer)
    return turn.step(state, said, listen)


def told(turn: Turn) -> Step:
    if turn.answer in SAY_AGAIN and turn.state.repeats < MAX_TOLD:
        return tell(turn)
    noted = turn.understood is not None and turn.understood.alert is not Alert.NONE
    lead = (turn.plan.closing.noted,) if noted and isinstance(turn.heard, Speech) else ()
    return closing.end(turn, Because.FINISHED, *lead, words(turn.plan).goodbye)


def begin(turn: Turn) -> Step:
    """We speak first: whoever rings us waits for our voice."""
    lead = (turn.plan.greeting.neutral, turn.plan.greeting.who)
    if turn.state.callee.choices:
        return ask(turn, *lead)
    return tell(turn, *lead)
