"""What may be said at any time (随时): again, slower, later, never again, a human please, goodbye."""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import asking, closing, opting_out, relative, resuming
from ivr.dialogue.model import Because, Listen, Say, State, Step
from ivr.dialogue.turn import CLOSING, IDENTITY, OPENING, RELATIVE, Turn
from ivr.understanding.model import Question

SAY_AGAIN = frozenset({"repeat_request", "slower_louder", "not_heard"})
# Said while we speak, these stop us; 啊？ and 喂？ do not, because the words are still coming.
MAY_INTERRUPT = frozenset(
    {"repeat_request", "slower_louder", "busy_later", "opt_out", "ask_human", "goodbye"}
)
NOT_A_PERSON = frozenset({"machine", "carrier_announcement"})
BEFORE_A_PERSON = frozenset({OPENING, IDENTITY, RELATIVE})


def hear(turn: Turn) -> Step | None:
    """None: it was no control (or means nothing special at this stage)."""
    if turn.answer in NOT_A_PERSON:
        return _not_a_person(turn)
    if relative.says_stop(turn):
        return relative.stop(turn)
    if (
        turn.state.relative
        and not turn.state.callee.contact
        and turn.answer in ("busy_later", "ask_human", "goodbye")
    ):
        return relative.hear(turn)  # a relative cannot decide for the elder; what matters is flagged
    match turn.answer:
        case "busy_later" if _just_a_moment(turn):
            return _wait(turn)
        case "busy_later":
            return closing.end(turn, Because.ASKED_LATER, turn.plan.goodbye.later)
        case "opt_out":
            return opting_out.begin(turn)
        case "ask_human":
            return _human(turn)
        case "goodbye":
            return closing.end(turn, closing.outcome(turn.plan, turn.state), turn.plan.goodbye.finished)
        case answer if answer in SAY_AGAIN:
            return _again(turn)
    return None


def before_a_person(state: State) -> bool:
    """A contact is asked at once, without an identity: for him it is until something was answered."""
    return state.at in BEFORE_A_PERSON or (state.callee.contact and not state.answers)


def _not_a_person(turn: Turn) -> Step | None:
    """A carrier's voice or a machine, as long as nobody has shown to be a person by an answer."""
    if not before_a_person(turn.state) or turn.understood is None:
        return None
    if turn.answer == "machine":
        return closing.end(turn, Because.MACHINE, announcement=turn.understood.announcement)
    return closing.end(turn, Because.ANNOUNCEMENT, announcement=turn.understood.announcement)


def _just_a_moment(turn: Turn) -> bool:
    """等一下 alone is no 晚点打: the elder turns down the television, or fetches the other ear."""
    at = turn.state.at
    patient = turn.state.repeats < asking.MAX_REPEATS and (at == OPENING or asking.ask_at(turn.plan, at))
    return bool(patient) and turn.says_only(turn.plan.other_person.wait_words)


def _wait(turn: Turn) -> Step:
    ask = asking.ask_at(turn.plan, turn.state.at)
    topic = ask.topic if ask else Question.ANY
    listen = Listen(topic, turn.state.at, turn.plan.listen.handover, turn.plan.listen.max_answer)
    state = replace(turn.state, repeats=turn.state.repeats + 1)
    return turn.step(state, Say((turn.plan.other_person.wait,)), listen)


def _again(turn: Turn) -> Step | None:
    if turn.state.at == RELATIVE:
        return relative.again(turn)
    if turn.state.at == CLOSING:
        return closing.again(turn)
    ask = asking.ask_at(turn.plan, turn.state.at)
    return asking.again(turn, ask) if ask else None


def _human(turn: Turn) -> Step:
    """Promised once; whoever asks again wants no machine at all."""
    bye = turn.plan.goodbye
    if turn.state.human_asked:
        return closing.end(turn, Because.FINISHED, bye.with_human)
    if turn.state.at == CLOSING:
        return closing.end(turn, Because.FINISHED, turn.plan.ask_human, bye.finished)
    turn = replace(turn, state=replace(turn.state, human_asked=True, back_to=turn.state.at))
    return resuming.resume(turn, turn.plan.ask_human)
