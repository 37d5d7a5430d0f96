"""The conversation (对话): pure functions from what was heard to what to do.

Order of every turn: danger, then the duty person, then the end of the line, then what stays
open, then requests that may come at any time, then the stage's own question. A Step
without actions means: go on as you were. After `DutyAnswered` there is no `Listen`: the
bridge stays open until somebody hangs up. A `Say` before an `End` may still be interrupted
by danger; then the new Step replaces the `End`.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import (
    asking,
    calling_in,
    closing,
    confirming,
    contacting,
    controls,
    identity,
    opening,
    opting_out,
    relative,
    urgent,
)
from ivr.dialogue.hearing import judged
from ivr.dialogue.model import (
    Because,
    Callee,
    DutyAnswered,
    DutyFailed,
    DutyNext,
    Heard,
    Keys,
    Noise,
    RaiseAlert,
    Silence,
    Speech,
    State,
    Step,
)
from ivr.dialogue.plan import Dialplan
from ivr.dialogue.turn import (
    ANNOUNCED,
    CLOSING,
    CONFIRM,
    ENDED,
    IDENTITY,
    OPENING,
    OPT_OUT,
    RELATIVE,
    URGENT,
    WHO,
    WITH_DUTY,
    Turn,
    Understand,
)
from ivr.understanding import understand as really_understand
from ivr.understanding.model import Question
from xunfang.vocabulary import Alert

MAX_TURNS = 200  # heard in one call; no visit comes near it, a television beside the phone may
NO_PERSON = controls.NOT_A_PERSON | {"silence_noise"}
CONFIRMABLE = frozenset({OPENING, IDENTITY, RELATIVE, CLOSING, WHO, ANNOUNCED})  # and every question


def start(plan: Dialplan, callee: Callee | None = None) -> Step:
    """The call was answered: listen before speaking. Who rings us waits for our voice: speak."""
    callee = callee or Callee()
    if callee.choices or callee.announce or callee.rang_us:
        state = State(callee=callee, slow=callee.slow)
        turn = Turn(plan, state, Silence(), really_understand)
        at_once = bool(callee.choices or callee.announce)
        return calling_in.begin(turn) if at_once else opening.greet(turn)
    return Step(State(callee=callee, slow=callee.slow, relative=callee.contact), (opening.listen(plan),))


def hear(plan: Dialplan, state: State, heard: Heard, understand: Understand = really_understand) -> Step:
    """One thing heard -> what to do now. Total: any state, anything heard, no exception."""
    turn = judged(Turn(plan, replace(state, turns=state.turns + 1), heard, understand))
    if isinstance(heard, (DutyAnswered, DutyNext, DutyFailed)):
        return urgent.duty(turn)
    understood = turn.understood
    if isinstance(heard, (Speech, Keys)) and turn.answer not in NO_PERSON:
        turn = turn.with_state(spoke=True)
    if understood is not None and understood.alert is Alert.URGENT:
        a_human_is_there = turn.state.urgent or turn.state.at == WITH_DUTY
        return urgent.more(turn, understood) if a_human_is_there else urgent.begin(turn, understood)
    if turn.state.at == WITH_DUTY:
        return turn.step(turn.state)
    if turn.state.at == ENDED:
        return _after_goodbye(turn)
    if isinstance(heard, Noise) and heard.tone == "busy":
        return _line_closed(turn)
    if turn.state.at == URGENT:
        return urgent.hear(turn)
    if turn.state.turns > MAX_TURNS:
        return closing.end(turn, Because.TOO_LONG, plan.goodbye.unheard)
    if turn.early and not _counts(turn):
        return turn.step(turn.state)
    return _review(turn, _answered(turn))


def hung_up(plan: Dialplan, state: State) -> Because:
    """The other side ended the call: what it came to."""
    return closing.outcome(plan, state)


def left_open(state: State) -> tuple[RaiseAlert, ...]:
    """Alerts that waited for a confirming question when the call broke off: raise them now."""
    if state.at != CONFIRM or state.pending is None:
        return ()
    return (RaiseAlert(state.pending, state.pending_at),)


def _answered(turn: Turn) -> Step:
    at = turn.state.at
    if turn.understood is not None and (at in CONFIRMABLE or turn.plan.question(at)):
        slot = confirming.open_slot(turn.plan, turn.understood)
        if slot:
            return confirming.begin(turn, slot)
    if at == CONFIRM:
        return confirming.hear(turn)
    if at == OPT_OUT:
        return opting_out.hear(turn)
    if at == ANNOUNCED:
        return calling_in.told(turn)
    if at == WHO:
        return calling_in.who(turn)
    return controls.hear(turn) or _stage(turn)


def _stage(turn: Turn) -> Step:
    at = turn.state.at
    if at == OPENING:
        return opening.hear(turn)
    if at == IDENTITY:
        return identity.hear(turn)
    if at == RELATIVE:
        return relative.hear(turn)
    ask = turn.plan.question(at)
    if at == CLOSING or ask is None:
        return closing.hear(turn)
    if turn.state.callee.contact:
        return contacting.hear(turn, ask)
    return _somebody_else(turn) or asking.hear(turn, ask)


def _somebody_else(turn: Turn) -> Step | None:
    """Somebody took the telephone from the elder: 我是他儿子. Only when they say so themselves."""
    if turn.answer != "unclear" or "我是" not in turn.bare:
        return None
    who = turn.understand(turn.text, Question.IDENTITY)
    return relative.begin(turn) if who.answer == "other_person" else None


def _after_goodbye(turn: Turn) -> Step:
    """Said into our goodbye: what a human must hear of is kept, then the goodbye is said again."""
    understood, ended = turn.understood, turn.state.ended
    if understood is None or understood.alert is Alert.NONE or ended is None or turn.state.turns > MAX_TURNS:
        return turn.step(turn.state)
    words = (turn.plan.closing.noted, turn.plan.goodbye.finished)
    step = closing.end(turn, ended, *words)
    return replace(step, actions=(RaiseAlert(understood, CLOSING), *step.actions))


def _line_closed(turn: Turn) -> Step:
    """Busy tone: the other side is gone. Before anybody spoke it is the carrier's answer."""
    if not turn.state.spoke and not turn.state.urgent:
        return closing.end(turn, Because.ANNOUNCEMENT, announcement="busy")
    return closing.end(turn, closing.outcome(turn.plan, turn.state))


def _review(turn: Turn, step: Step) -> Step:
    """A human looks today. While it waits for its confirming question it is not raised yet."""
    waits = step.state.at == CONFIRM and step.state.pending is turn.understood
    if turn.understood is None or turn.understood.alert is not Alert.REVIEW:
        return step
    if waits or turn.state.at == CONFIRM:
        return step
    return replace(step, actions=(RaiseAlert(turn.understood, turn.state.at), *step.actions))


def _counts(turn: Turn) -> bool:
    """Whether what was said into our own words is acted on: requests and concrete answers, not 嗯嗯."""
    at = turn.state.at
    if turn.understood is not None and turn.understood.alert is not Alert.NONE:
        return True
    if turn.answer in controls.NOT_A_PERSON:
        return controls.before_a_person(turn.state)
    if turn.answer in controls.MAY_INTERRUPT:
        return True
    if at == CONFIRM:
        return confirming.may_interrupt(turn)
    if at == RELATIVE:
        return turn.answer in ("self", "wrong_number")
    if at == WHO:
        return calling_in.choice(turn) is not None
    ask = asking.ask_at(turn.plan, at)
    return ask is not None and asking.may_interrupt(turn, ask)
