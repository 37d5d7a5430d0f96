"""Asking (提问): the questions one by one, and what happens when no answer comes.

Silence or an unclear answer: the question in other words, slower (for a safety question that
was answered by a polite 没事没事: once for something concrete); then the keypad; then it is
kept as unclear and the call goes on. Two questions given up in a row: a human must ask.
"""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue import closing
from ivr.dialogue.consistency import answers_of
from ivr.dialogue.model import Action, Keys, Listen, Remember, Say, Silence, State, Step, StoreAnswer
from ivr.dialogue.plan import Ask, Dialplan
from ivr.dialogue.turn import IDENTITY, Turn
from ivr.understanding.model import Question
from xunfang.vocabulary import Alert, AnswerSource

MISSES_BEFORE_KEYPAD = 2
MAX_REPEATS = 3  # on one question, when the elder asks to hear it again
QUESTIONS_LOST_IN_A_ROW = 2
SAFETY = frozenset(
    {Question.EVENT, Question.GAS, Question.WATER_HEATING, Question.ELECTRICITY, Question.FIRE}
)
NOT_HEARD_IS_HARD_OF_HEARING = 2  # one 啊？ is anybody's


def ask_at(plan: Dialplan, at: str) -> Ask | None:
    """The question of a stage: identity is one too."""
    return plan.identity if at == IDENTITY else plan.question(at)


def pose(turn: Turn, ask: Ask, *lead: str, text: str = "", keypad: bool = False) -> Step:
    """Say the question and listen. Without `text`: in the wording this elder needs."""
    plan, state = turn.plan, turn.state
    words = text or (ask.rephrase if state.slow else ask.say)
    state = replace(state, at=ask.id, concretely=words == ask.concrete)
    seconds = plan.listen.keypad if keypad else plan.listen.answer
    listen = Listen(ask.topic, ask.id, seconds, plan.listen.max_answer, keypad)
    return turn.step(state, Say((*(part for part in lead if part), words)), listen)


def next_question(turn: Turn, *lead: str) -> Step:
    """The first question that is still open, or the closing."""
    turn = turn.with_state(misses=0, repeats=0, encouraged=False)
    for ask in turn.plan.questions:
        if _is_due(turn.state, ask):
            return pose(turn, ask, *lead)
    return closing.begin(turn, *lead)


def _is_due(state: State, ask: Ask) -> bool:
    given = dict(state.answers)
    if ask.id in given or ask.id in state.callee.answered:
        return False
    if ask.when is None or ask.when.question not in given:
        return True  # an answer from an earlier call is not known here: better asked than missed
    return given[ask.when.question] in ask.when.answers


def hear(turn: Turn, ask: Ask) -> Step:
    if turn.answer in answers_of(ask):
        return accept(turn, ask)
    if turn.answer == "backchannel" and not turn.state.encouraged:
        listen = Listen(ask.topic, ask.id, turn.plan.listen.answer, turn.plan.listen.max_answer)
        return turn.step(replace(turn.state, encouraged=True), Say((turn.plan.go_on,)), listen)
    return missed(turn, ask)


def accept(turn: Turn, ask: Ask) -> Step:
    """A concrete answer: keep it, say that it was heard, go on."""
    store = stored(turn, ask, turn.answer)
    turn = turn.with_state(answers=with_answer(turn.state, ask.id, turn.answer), lost=0)
    step = next_question(turn, turn.plan.acknowledgement(ask, turn.answer))
    return replace(step, actions=(store, *step.actions))


def stored(turn: Turn, ask: Ask, answer: str) -> StoreAnswer:
    return StoreAnswer(
        question=ask.id,
        topic=ask.topic,
        answer=answer,
        details=turn.understood.details if turn.understood else (),
        text=turn.understood.text if turn.understood else "",
        confidence=turn.confidence,
        source=AnswerSource.KEYPAD if isinstance(turn.heard, Keys) else turn.source,
    )


def with_answer(state: State, question: str, answer: str) -> tuple[tuple[str, str], ...]:
    return (*(pair for pair in state.answers if pair[0] != question), (question, answer))


def missed(turn: Turn, ask: Ask) -> Step:
    misses = turn.state.misses + 1
    turn = turn.with_state(misses=misses)
    if misses < MISSES_BEFORE_KEYPAD:
        evaded = bool(turn.bare) and turn.answer == "unclear"  # understood, but it said nothing definite
        return pose(turn, ask, text=(ask.concrete if evaded else "") or ask.rephrase)
    if misses == MISSES_BEFORE_KEYPAD:
        return pose(turn, ask, text=ask.keypad, keypad=True)
    if ask.id == IDENTITY:
        return closing.nobody_known(turn)
    return _give_up(turn, ask)


def _give_up(turn: Turn, ask: Ask) -> Step:
    store = stored(turn, ask, "unclear")
    lost = turn.state.lost + 1
    turn = turn.with_state(answers=with_answer(turn.state, ask.id, "unclear"), lost=lost)
    if lost >= QUESTIONS_LOST_IN_A_ROW:
        step = closing.unheard(turn)
    else:
        step = next_question(turn, turn.plan.acknowledge.get("unclear", ""))
    return replace(step, actions=(store, *step.actions))


def again(turn: Turn, ask: Ask) -> Step:
    """The elder wants to hear it again, slower or louder: in other words and slower, never just louder."""
    if turn.state.repeats >= MAX_REPEATS:
        return missed(turn, ask)
    turn, remember = hearing(turn)
    step = pose(turn.with_state(repeats=turn.state.repeats + 1), ask, text=ask.rephrase)
    return replace(step, actions=(*remember, *step.actions))


def hearing(turn: Turn) -> tuple[Turn, tuple[Action, ...]]:
    """Whether this turn shows that the elder hears badly: slower from now on, and in later calls."""
    not_heard = turn.state.not_heard + (turn.answer == "not_heard")
    hard = turn.answer == "slower_louder" or not_heard >= NOT_HEARD_IS_HARD_OF_HEARING
    new = hard and not turn.state.slow and not turn.state.relative
    turn = turn.with_state(not_heard=not_heard, slow=turn.state.slow or hard)
    return turn, (Remember("hard_of_hearing"),) if new else ()


def may_interrupt(turn: Turn, ask: Ask) -> bool:
    """Whether an answer that came before the end of the prompt counts.

    A bare early 没有 may still belong to the last question, or be politeness: for the first
    wording of a safety question it must name what it denies.
    """
    if isinstance(turn.heard, Keys):
        return turn.answer in answers_of(ask)
    if turn.answer not in answers_of(ask) or turn.understood is None:
        return False
    if ask.topic is Question.ANY:
        return False
    names_it = bool(turn.understood.judgements or turn.understood.details)
    benign = turn.understood.alert is Alert.NONE
    return not (ask.topic in SAFETY and benign and not names_it and turn.state.misses == 0)


def is_quiet(turn: Turn) -> bool:
    """Nothing was said in this turn."""
    return isinstance(turn.heard, Silence) or turn.answer == "silence_noise"
