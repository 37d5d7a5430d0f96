"""Opening (开头): listen first. A person says 喂, a carrier says 您拨打的电话已关机.

Only then the greeting: who is calling, that it is automatic, that it is recorded, that no
money is asked for, how to have it repeated and how to stop it for good.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import asking, closing, contacting
from ivr.dialogue.model import Because, Listen, Noise, Step
from ivr.dialogue.plan import Dialplan, greeting_text
from ivr.dialogue.turn import OPENING, Turn
from ivr.understanding.model import Question

WAITS_FOR_MUSIC = 3  # 彩铃 or ringing behind an answer: a person may still come


def listen(plan: Dialplan) -> Listen:
    return Listen(Question.ANY, OPENING, plan.listen.opening, plan.listen.max_answer)


def hear(turn: Turn) -> Step:
    if isinstance(turn.heard, Noise) and turn.heard.tone in ("ringback", "music"):
        if turn.state.misses < WAITS_FOR_MUSIC:
            return turn.step(replace(turn.state, misses=turn.state.misses + 1), listen(turn.plan))
    elif isinstance(turn.heard, Noise) and turn.heard.tone == "beep" and turn.state.spoke:
        return closing.end(turn, Because.MACHINE)  # a greeting that was not understood, then the beep
    return greet(turn)


def greet(turn: Turn, *lead: str) -> Step:
    greeting, callee = turn.plan.greeting, turn.state.callee
    if callee.contact:
        return contacting.begin(turn, *lead)
    hello = greeting_text(callee.title) if callee.title else greeting.neutral
    recorded = greeting.recorded if callee.recorded else ""
    turn, remember = asking.hearing(turn.with_state(misses=0, repeats=0))
    why = callee.why if callee.rang_us else ""
    words = (*lead, hello, greeting.who, why, recorded, greeting.promise, greeting.how)
    step = asking.pose(turn, turn.plan.identity, *words)
    return replace(step, actions=(*remember, *step.actions))
