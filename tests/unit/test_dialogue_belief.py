"""What was hardly heard is never taken for well, and danger is never dropped for it."""

from __future__ import annotations

import pytest

from ivr.dialogue import dialplan, interpreter
from ivr.dialogue.belief import MIN_CONFIDENCE, MIN_CONFIDENCE_OF_DANGER, believed
from ivr.dialogue.model import Because, End, Listen, RaiseAlert, RingDuty, Speech, State, Step, StoreAnswer
from ivr.dialogue.turn import CONFIRM
from ivr.understanding import understand
from ivr.understanding.model import Question
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

HARDLY, WELL_HEARD = MIN_CONFIDENCE - 0.01, MIN_CONFIDENCE
PLAN = dialplan.load("monthly_full")


def said(at: str, text: str, confidence: float | None) -> Step:
    return interpreter.hear(PLAN, State(at=at, spoke=True), Speech(text, confidence))


def stored(step: Step) -> dict[str, str]:
    return {action.question: action.answer for action in step.actions if isinstance(action, StoreAnswer)}


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("event", "没有"),
        ("gas", "没问题"),
        ("electricity", "好使"),
        ("health", "挺好的"),
        ("needs", "不用"),
        ("economy", "够用"),
        ("illness", "没有"),
        ("family", "常来"),
    ],
)
def test_a_good_answer_that_was_hardly_heard_is_asked_again(question: str, text: str) -> None:
    assert stored(said(question, text, WELL_HEARD)).keys() == {question}
    again = said(question, text, HARDLY)
    assert not stored(again)
    assert [action.question for action in again.actions if isinstance(action, Listen)] == [question]


@pytest.mark.parametrize("text", ["救命", "快来人", "胸口疼", "我摔倒了起不来", "着火了"])
def test_a_cry_for_help_that_was_badly_heard_rings_a_human(text: str) -> None:
    step = said("event", text, MIN_CONFIDENCE_OF_DANGER)
    assert any(isinstance(action, RingDuty) for action in step.actions)


def test_a_plea_rings_a_human_however_badly_it_was_heard() -> None:
    assert any(isinstance(action, RingDuty) for action in said("event", "救命", 0.0).actions)


def test_danger_that_was_hardly_heard_is_never_dropped_but_confirmed() -> None:
    asked = said("event", "胸口疼", MIN_CONFIDENCE_OF_DANGER - 0.01)
    assert asked.state.at == CONFIRM
    assert not any(isinstance(action, RingDuty) for action in asked.actions)
    reply = interpreter.hear(PLAN, asked.state, Speech("是的", 0.9))
    assert any(isinstance(action, RingDuty) for action in reply.actions)
    unheard = interpreter.hear(PLAN, asked.state, Speech("[unk]", None))
    assert any(isinstance(action, RaiseAlert) for action in unheard.actions)


def test_a_complaint_that_was_hardly_heard_still_reaches_a_human() -> None:
    understood = believed(understand("不太好", Question.HEALTH), 0.01)
    assert (understood.alert, understood.answer) == (Alert.REVIEW, "worse")


@pytest.mark.parametrize("text", ["再见", "晚点打", "你打错了"])
def test_words_that_would_end_the_call_must_have_been_heard(text: str) -> None:
    at = "identity" if text == "你打错了" else "health"
    assert any(isinstance(action, End) for action in said(at, text, WELL_HEARD).actions)
    assert not any(isinstance(action, End) for action in said(at, text, HARDLY).actions)


def test_keys_and_typed_text_are_believed() -> None:
    assert stored(said("gas", "没问题", None)) == {"gas": "safe"}


def test_a_request_to_say_it_again_is_heard_at_any_confidence() -> None:
    assert believed(understand("再说一遍", Question.GAS), 0.01).answer == "repeat_request"


def test_nobody_is_lost_who_is_never_heard_well() -> None:
    """The second wording, the keypad, then a human: a bad line ends as not understood, never as well."""
    state = State(at="gas", spoke=True)
    for _ in range(12):
        step = interpreter.hear(PLAN, state, Speech("没问题", HARDLY))
        state = step.state
        assert set(stored(step).values()) <= {"unclear"}
        if state.ended:
            break
    assert state.ended is Because.UNHEARD
