"""Going back (接着说) after a confirmation or a request: to where the call was interrupted."""

from __future__ import annotations

from ivr.dialogue import asking, calling_in, closing, opening, relative
from ivr.dialogue.model import Step
from ivr.dialogue.turn import ANNOUNCED, CLOSING, IDENTITY, OPENING, RELATIVE, WHO, Turn


def resume(turn: Turn, *lead: str) -> Step:
    """Continue at `state.back_to`; a question that has its answer by now is not asked again."""
    back_to = turn.state.back_to
    turn = turn.with_state(at=back_to, back_to="", misses=0, repeats=0)
    if back_to == OPENING:
        return opening.greet(turn, *lead)
    if back_to == RELATIVE:
        return relative.hear(turn)
    if back_to == CLOSING:
        return closing.hear(turn)
    if back_to == WHO:
        return calling_in.ask(turn, *lead)
    if back_to == ANNOUNCED:
        return calling_in.told(turn)
    ask = asking.ask_at(turn.plan, back_to)
    if ask is None or (ask.id != IDENTITY and ask.id in dict(turn.state.answers)):
        return asking.next_question(turn, *lead)
    return asking.pose(turn.with_state(misses=1), ask, *lead, text=ask.rephrase)
