"""Identity (身份): nothing about the elder is said before the elder is on the line."""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import asking, closing, relative
from ivr.dialogue.model import Because, Noise, Step
from ivr.dialogue.turn import Turn
from xunfang.vocabulary import AnswerSource


def hear(turn: Turn) -> Step:
    identity, bye = turn.plan.identity, turn.plan.goodbye
    if isinstance(turn.heard, Noise) and turn.heard.tone == "beep" and turn.state.spoke:
        return closing.end(turn, Because.MACHINE)  # voicemail: it spoke, was not understood, now it beeps
    store = asking.stored(turn, identity, turn.answer)
    match turn.answer:
        case "self":
            turn = turn.with_state(relative=False)
            store = asking.stored(turn, identity, turn.answer)
            step = asking.next_question(turn, turn.plan.acknowledgement(identity, turn.answer))
        case "other_person":
            store = replace(store, source=AnswerSource.RELATIVE)
            step = relative.begin(turn)
        case "wrong_number":
            step = closing.end(turn, Because.WRONG_NUMBER, bye.wrong_number)
        case "refuse":
            step = closing.end(turn, Because.REFUSED, bye.refused)
        case _:
            return asking.hear(turn, identity)
    return replace(step, actions=(store, *step.actions))
