"""Opting out (不要再打): a wish that is confirmed once, kept, and ends the call kindly.

Unconfirmed (silence, unclear twice): this call ends, nothing is withdrawn, a human looks.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import closing, relative, resuming
from ivr.dialogue.model import Because, Listen, Remember, Say, Speech, Step, StoreAnswer
from ivr.dialogue.turn import OPT_OUT, Turn
from ivr.understanding.model import Question


def begin(turn: Turn) -> Step:
    state = replace(turn.state, back_to=turn.state.at, at=OPT_OUT, misses=0)
    return turn.step(state, Say((turn.plan.opt_out.say,)), _listen(turn))


def hear(turn: Turn) -> Step:
    if relative.says_stop(turn):
        return relative.stop(turn)
    if wants_out(turn):
        store = StoreAnswer(OPT_OUT, Question.ANY, OPT_OUT, (), turn.text, turn.confidence, turn.source)
        step = closing.end(turn, Because.OPT_OUT, turn.plan.goodbye.opt_out)
        return replace(step, actions=(Remember(OPT_OUT), store, *step.actions))
    if turn.says(turn.plan.opt_out.no_words):
        return resuming.resume(turn, turn.plan.opt_out.kept)
    if turn.state.misses:
        return closing.end(turn, Because.REFUSED, turn.plan.goodbye.refused)
    state = replace(turn.state, misses=1)
    return turn.step(state, Say((turn.plan.opt_out.rephrase,)), _listen(turn))


def wants_out(turn: Turn) -> bool:
    if not isinstance(turn.heard, Speech):
        return False
    if turn.answer == "opt_out":
        return True
    words = turn.plan.opt_out
    if turn.says(words.no_words):
        return False
    return turn.says_only(words.yes_words) or turn.says(word for word in words.yes_words if len(word) > 1)


def _listen(turn: Turn) -> Listen:
    return Listen(Question.ANY, OPT_OUT, turn.plan.listen.confirm, turn.plan.listen.max_answer)
