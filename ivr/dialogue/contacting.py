"""联系人: a contact is told that we could not reach the elder, and asked whether he can.

Who picks up is never the elder for us: everything he says is 家属代述 (`State.relative`). He hears
how the elder is addressed and that nobody answered, nothing else. Danger is heard as always.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import asking, closing
from ivr.dialogue.model import Because, Noise, Speech, Step
from ivr.dialogue.plan import Ask, Contacting, Dialplan, choice_text
from ivr.dialogue.turn import Turn
from ivr.understanding.model import Question
from xunfang.errors import BadDialplan

REACH = "reach"  # id of the question; answers: YES, NO, unclear
YES, NO = "yes", "no"
SHORTEST_WORD = 2  # characters: shorter ones count only when they are all that is said


def words(plan: Dialplan) -> Contacting:
    """BadDialplan when this plan is for elders only."""
    if plan.contact is None:
        raise BadDialplan(f"dialplan {plan.name} has no `contact`: take ask_contact, or add it")
    return plan.contact


def begin(turn: Turn, *lead: str) -> Step:
    said, greeting, callee = words(turn.plan), turn.plan.greeting, turn.state.callee
    who = choice_text(callee.about) if callee.about else said.somebody
    turn = turn.with_state(misses=0, repeats=0)
    opening = (*lead, greeting.neutral, greeting.who, who, said.tried, greeting.promise)
    return asking.next_question(turn, *opening)


def hear(turn: Turn, ask: Ask) -> Step:
    if isinstance(turn.heard, Noise) and turn.heard.tone == "beep" and turn.state.spoke:
        return closing.end(turn, Because.MACHINE)  # voicemail: it spoke, was not understood, now it beeps
    if isinstance(turn.heard, Speech) and turn.answer not in (YES, NO):
        if turn.understand(turn.text, Question.IDENTITY).answer == "wrong_number":
            return closing.end(turn, Because.WRONG_NUMBER, turn.plan.goodbye.wrong_number)
        turn = _in_passing(turn, ask)
    if not turn.state.spoke and turn.state.misses >= asking.MISSES_BEFORE_KEYPAD:
        return closing.end(turn, Because.SILENT, turn.plan.goodbye.silent)
    return asking.hear(turn, ask)


def _in_passing(turn: Turn, ask: Ask) -> Turn:
    """我是他儿子，联系得上: the words of an answer inside a sentence; no, when both are there. Other words
    decide nothing and are asked about once more."""
    understood = turn.understood
    assert understood is not None, "something was said"
    if understood.answer != "other":
        return turn
    meant = "unclear"
    for answer in (YES, NO):
        if turn.says(word for word in ask.means.get(answer, ()) if len(word) >= SHORTEST_WORD):
            meant = answer
    return replace(turn, understood=replace(understood, answer=meant))
