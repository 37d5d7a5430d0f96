"""Confirming (确认): one question for a danger word that stays open, then a human decides.

Open is: uncertain or asked (差点摔, 摔没摔？), nobody named (摔了), or no time said (摔了一跤).
The question and where its answers lead are data (`confirm` in the dialplan).
"""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import asking, resuming, urgent
from ivr.dialogue.consistency import answers_of
from ivr.dialogue.model import Action, Listen, RaiseAlert, Say, Speech, State, Step
from ivr.dialogue.plan import Dialplan, SlotQuestion
from ivr.dialogue.turn import CONFIRM, FIRST_QUESTION, RELATIVE, Turn
from ivr.understanding.model import Event, Polarity, Question, Subject, Time, Understanding
from xunfang.vocabulary import Alert

SAY_AGAIN = frozenset({"repeat_request", "slower_louder", "not_heard"})


def open_slot(plan: Dialplan, understood: Understanding) -> str:
    """The slot that one question could close: polarity, subject, time; empty when none is open."""
    main = understood.main
    if understood.alert is not Alert.REVIEW or main is None:
        return ""
    if main.polarity in (Polarity.UNCERTAIN, Polarity.ASKED):
        return _if_asked(plan, main.event, "polarity")
    if main.polarity is not Polarity.AFFIRMED:
        return ""
    if main.subject is Subject.UNKNOWN:
        return _if_asked(plan, main.event, "subject")
    timeless = not any(word in understood.text for word in plan.confirm.time_words)
    if main.time is Time.RECENT and main.subject is Subject.SELF and timeless:
        return _if_asked(plan, main.event, "time")
    return ""


def _if_asked(plan: Dialplan, event: Event, slot: str) -> str:
    return slot if plan.confirm.ask(event, slot) else ""


def begin(turn: Turn, slot: str) -> Step:
    """Ask about the open slot; an answer to the question that was asked is kept meanwhile."""
    stored: tuple[Action, ...] = ()
    ask = asking.ask_at(turn.plan, turn.state.at)
    if ask is not None and ask is not turn.plan.identity and turn.answer in answers_of(ask):
        stored = (asking.stored(turn, ask, turn.answer),)
        turn = turn.with_state(answers=asking.with_answer(turn.state, ask.id, turn.answer), lost=0)
    back_to = turn.state.at
    if ask is turn.plan.identity and turn.answer == "self":
        stored, back_to = (asking.stored(turn, ask, "self"),), FIRST_QUESTION
    elif ask is turn.plan.identity and turn.answer == "other_person":
        turn, back_to = turn.with_state(relative=True), RELATIVE
    state = replace(
        turn.state,
        at=CONFIRM,
        back_to=back_to,
        pending=turn.understood,
        pending_at=turn.state.at,
        slot=slot,
        repeats=0,
    )
    return turn.step(state, *stored, *_question(turn.plan, state))


def hear(turn: Turn) -> Step:
    if turn.answer in SAY_AGAIN and not turn.state.repeats:
        turn, remember = asking.hearing(turn.with_state(repeats=1))
        return turn.step(turn.state, *remember, *_question(turn.plan, turn.state))
    pending = turn.state.pending
    if pending is None:  # cannot be: begin() set it
        return resuming.resume(turn)
    verdict = _verdict(turn, _slot_question(turn.plan, turn.state))
    if verdict is Alert.URGENT:
        return urgent.begin(turn, _confirmed(pending, turn.text))
    raised: list[Action] = []
    if verdict is Alert.REVIEW:
        raised.append(RaiseAlert(pending, turn.state.pending_at))
    reply = turn.understood
    if reply is not None and reply.alert is Alert.REVIEW and (reply.main or verdict is Alert.NONE):
        raised.append(RaiseAlert(reply, CONFIRM))
    turn, stored = _settled(turn, verdict)
    acknowledge = turn.plan.acknowledge
    lead = acknowledge.get("default", "") if verdict is Alert.NONE else acknowledge.get("worse", "")
    step = resuming.resume(turn.with_state(pending=None, slot="", repeats=0), lead)
    return replace(step, actions=(*raised, *stored, *step.actions))


def may_interrupt(turn: Turn) -> bool:
    return turn.answer in ("yes", "no") or bool(turn.understood and turn.understood.main)


def _slot_question(plan: Dialplan, state: State) -> SlotQuestion:
    main = state.pending.main if state.pending else None
    found = plan.confirm.ask(main.event, state.slot) if main else None
    return found or plan.confirm.default["polarity"]


def _question(plan: Dialplan, state: State) -> tuple[Action, ...]:
    listen = Listen(Question.EVENT, CONFIRM, plan.listen.confirm, plan.listen.max_answer)
    return Say((_slot_question(plan, state).say,)), listen


def _verdict(turn: Turn, question: SlotQuestion) -> Alert:
    """What the reply makes of the open danger. Unclear, silent, evading: a human looks (REVIEW)."""
    understood = turn.understood
    if not isinstance(turn.heard, Speech) or understood is None:
        return Alert.REVIEW
    leads = {"urgent": Alert.URGENT, "review": Alert.REVIEW, "clear": Alert.NONE}
    main = understood.main
    if main is not None and main.polarity is Polarity.NEGATED:
        clearable = turn.state.slot == "polarity" and "clear" in (question.yes, question.no)
        return Alert.NONE if clearable and understood.alert is Alert.NONE else Alert.REVIEW
    if main is not None and understood.alert is Alert.REVIEW:
        asserts = (
            turn.state.slot == "polarity" and main.polarity is Polarity.AFFIRMED and main.time is Time.NOW
        )
        return leads[question.yes] if asserts or open_slot(turn.plan, understood) else Alert.REVIEW
    if turn.says_only(turn.plan.confirm.no_words):
        return leads[question.no]
    if turn.says_only(turn.plan.confirm.yes_words) or understood.answer == "yes":
        return leads[question.yes]
    if understood.answer == "no" and question.no != "urgent":  # 没什么事 is no "I cannot get up"
        return leads[question.no]
    return Alert.REVIEW


def _confirmed(pending: Understanding, reply: str) -> Understanding:
    return replace(
        pending,
        alert=Alert.URGENT,
        reasons=(*pending.reasons, "confirmed by a question"),
        evidence=tuple(part for part in (*(pending.evidence or (pending.text,)), reply) if part),
    )


def _settled(turn: Turn, verdict: Alert) -> tuple[Turn, tuple[Action, ...]]:
    """The answer to an event question that the confirmation has decided."""
    ask = turn.plan.question(turn.state.pending_at)
    given = dict(turn.state.answers)
    if ask is None or ask.topic is not Question.EVENT:
        return turn, ()
    if verdict is Alert.REVIEW and ask.id not in given:
        answer = "yes"
    elif verdict is Alert.NONE and given.get(ask.id) == "yes":
        answer = "no"
    else:
        return turn, ()
    turn = turn.with_state(answers=asking.with_answer(turn.state, ask.id, answer))
    return turn, (asking.stored(turn, ask, answer),)
