"""Urgent (紧急): danger was heard. The line stays open, a human is rung, calm words are said.

What is said is only what is true: the duty people are told, somebody is sent to the door,
the family hears of it. Never an ambulance: 120 is named for the elder to dial. The call
ends when the duty person has taken over and somebody hangs up, when the elder ends it, or
some rounds of calm words after nobody could be reached. While one telephone after the other is
rung the elder hears that we go on trying, and the line is held as long as there is one to ring.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import asking, closing
from ivr.dialogue.consistency import answers_of
from ivr.dialogue.model import (
    Action,
    Because,
    Duty,
    DutyAnswered,
    DutyNext,
    Listen,
    RaiseAlert,
    RingDuty,
    Say,
    State,
    Step,
)
from ivr.dialogue.plan import Urgent
from ivr.dialogue.turn import CLOSING, CONFIRM, ENDED, URGENT, WITH_DUTY, Turn
from ivr.understanding.model import Question, Understanding

PLEA = "plea"  # stands for danger without a named event
ROUNDS_WHILE_RINGING = 12  # of calm words and listening, about 12 s each; then nobody is coming to the phone
ROUNDS_AFTER_FAILURE = 4
MOST_RINGS_AGAIN = 3  # in one call: a cry after the duty person has left, a new danger when nobody came


def _words(turn: Turn) -> Urgent:
    """To a caller of whom nobody knows where he lives, no visit to the door is promised."""
    words, other = turn.plan.urgent, turn.plan.callback
    if other is None or not turn.state.callee.stranger:
        return words
    return replace(words, duty_failed=other.duty_failed, hold_failed=other.hold_failed, end=other.end)


def danger(understood: Understanding) -> str:
    return str(understood.main.event) if understood.main else PLEA


def begin(turn: Turn, understood: Understanding) -> Step:
    """First time: tell a human and ring the duty person before any word is said."""
    words = _words(turn)
    advice = words.advice.get(danger(understood), "")
    stored: tuple[Action, ...] = ()
    ask = turn.plan.question(turn.state.at)
    if ask is not None and turn.answer in answers_of(ask):
        stored = (asking.stored(turn, ask, turn.answer),)
        turn = turn.with_state(answers=asking.with_answer(turn.state, ask.id, turn.answer))
    question = turn.state.pending_at if turn.state.at == CONFIRM else turn.state.at
    state = replace(
        turn.state,
        at=URGENT,
        urgent=True,
        ended=None,
        pending=None,
        duty=Duty.RINGING,
        rounds=0,
        relative=turn.state.relative or turn.answer == "other_person",
        alerted=(*turn.state.alerted, danger(understood)),
    )
    said = Say(tuple(part for part in (words.heard, advice, words.now) if part))
    raised = RaiseAlert(understood, CLOSING if question == ENDED else question)
    return turn.step(state, raised, *stored, RingDuty(), said, _listen(turn))


def more(turn: Turn, understood: Understanding) -> Step:
    """Danger again: a new kind is raised; the same one is answered, but never stops our own words.

    When nobody is being rung any more, a human is rung again: what we say of it must be true.
    """
    known = danger(understood) in turn.state.alerted
    if _nobody_is_rung(turn.state, known):
        return _again(turn, understood, known)
    if known:
        silent = turn.early or turn.state.at == WITH_DUTY
        return _unchanged(turn) if silent else _hold(turn)
    turn = turn.with_state(alerted=(*turn.state.alerted, danger(understood)))
    raised = RaiseAlert(understood, URGENT)
    advice = _words(turn).advice.get(danger(understood), "")
    if turn.state.at == WITH_DUTY:
        return turn.step(turn.state, raised)
    step = _hold(turn, advice)
    return replace(step, actions=(raised, *step.actions))


def _nobody_is_rung(state: State, known: bool) -> bool:
    """The duty person has left; or nobody came, and now it is something else."""
    left = state.duty is Duty.HERE and state.at != WITH_DUTY
    in_vain = state.duty is Duty.FAILED and not known
    return (left or in_vain) and state.rung_again < MOST_RINGS_AGAIN


def _again(turn: Turn, understood: Understanding, known: bool) -> Step:
    words, state = _words(turn), turn.state
    advice = words.advice.get(danger(understood), "")
    state = replace(
        state,
        at=URGENT,
        ended=None,
        duty=Duty.RINGING,
        rounds=0,
        rung_again=state.rung_again + 1,
        alerted=state.alerted if known else (*state.alerted, danger(understood)),
    )
    raised = () if known else (RaiseAlert(understood, URGENT),)
    said = Say(tuple(part for part in (words.heard, advice, words.now) if part))
    return turn.step(state, *raised, RingDuty(), said, _listen(turn))


def hear(turn: Turn) -> Step:
    if turn.early:
        return _unchanged(turn)
    if turn.answer == "goodbye":
        return closing.end(turn, Because.URGENT, _words(turn).end)
    return _hold(turn)


def duty(turn: Turn) -> Step:
    """The duty person was reached, or not yet, or not at all, or has left again."""
    if isinstance(turn.heard, DutyNext):
        return _next(turn)
    answered = isinstance(turn.heard, DutyAnswered)
    if turn.state.at == WITH_DUTY and not answered:
        if turn.state.urgent:
            return closing.end(turn, Because.URGENT, _words(turn).end)
        return closing.end(turn, Because.FINISHED, turn.plan.goodbye.finished)
    unasked = isinstance(turn.heard, DutyAnswered) and turn.heard.unasked
    ending = turn.state.at == ENDED and turn.state.urgent and answered  # he came while we said goodbye
    if turn.state.at != URGENT and not unasked and not ending:
        return _unchanged(turn)
    if answered:
        state = replace(turn.state, at=WITH_DUTY, duty=Duty.HERE, ended=None, pending=None)
        return turn.step(state, Say((_words(turn).duty_here,)))
    return _failed(turn)


def _next(turn: Turn) -> Step:
    """Said again that we go on trying; also to an elder who had been joined with a machine for a moment."""
    if not turn.state.urgent or turn.state.at not in (URGENT, WITH_DUTY):
        return _unchanged(turn)
    state = replace(turn.state, at=URGENT, duty=Duty.RINGING, rounds=0)
    return turn.step(state, Say((_words(turn).duty_next,)), _listen(turn))


def _failed(turn: Turn) -> Step:
    state = replace(turn.state, duty=Duty.FAILED, rounds=0)
    return turn.step(state, Say((_words(turn).duty_failed,)), _listen(turn))


def _hold(turn: Turn, advice: str = "") -> Step:
    words, rounds = _words(turn), turn.state.rounds
    state = replace(turn.state, at=URGENT, ended=None, rounds=rounds + 1)
    if turn.state.duty is not Duty.RINGING:
        if rounds >= ROUNDS_AFTER_FAILURE:
            return closing.end(turn, Because.URGENT, words.end)
        calm = words.hold_failed[rounds % len(words.hold_failed)]
    elif rounds >= ROUNDS_WHILE_RINGING:
        return _failed(turn)
    else:
        calm = words.hold[rounds % len(words.hold)]
    return turn.step(state, Say(tuple(part for part in (advice, calm) if part)), _listen(turn))


def _unchanged(turn: Turn) -> Step:
    return turn.step(turn.state)


def _listen(turn: Turn) -> Listen:
    return Listen(Question.ANY, URGENT, turn.plan.listen.urgent, turn.plan.listen.max_answer)
