"""What was heard becomes what is believed in one place: a recording is judged as a call would judge it."""

from __future__ import annotations

import pytest

from ivr.dialogue import dialplan, interpreter
from ivr.dialogue.belief import doubted
from ivr.dialogue.hearing import as_heard, meaning, stage_of
from ivr.dialogue.model import Noise, Silence, Speech, State
from ivr.dialogue.turn import OPENING, UNKNOWN
from ivr.understanding import understand
from ivr.understanding.model import Question
from xunfang.errors import BadInput
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

PLAN = dialplan.load("monthly_full")
HEARD = ["挺好的", "没有", "了好多血", "摔倒起来", "救命", "不太好", "胸口疼", "漏气", UNKNOWN, "再说一遍"]


@pytest.mark.parametrize("confidence", [None, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("text", HEARD)
def test_a_recording_is_believed_exactly_as_far_as_a_call(text: str, confidence: float | None) -> None:
    for question in Question:
        at = stage_of(PLAN, question)
        said = as_heard(text, confidence, words=True)
        in_a_call = interpreter.hear(PLAN, State(at=at), said).understood
        assert meaning(PLAN, at, said, understand) == in_a_call


def test_a_good_answer_that_was_hardly_heard_is_doubted_and_says_so() -> None:
    surely, hardly = (meaning(PLAN, "gas", Speech("没问题", sure), understand) for sure in (0.9, 0.3))
    assert surely is not None
    assert hardly is not None
    assert (surely.answer, doubted(surely)) == ("safe", False)
    assert (hardly.answer, doubted(hardly)) == ("unclear", True)


def test_a_damaged_cry_is_read_by_its_sound() -> None:
    heard = meaning(PLAN, "event", Speech("了好多血", 0.5), understand)
    assert heard is not None
    assert heard.alert is Alert.URGENT
    assert any(reason.startswith("heard as") for reason in heard.reasons)


def test_a_voice_a_tone_and_a_cough_are_told_apart() -> None:
    assert as_heard("挺好", 0.9, words=True) == Speech("挺好", 0.9)
    assert as_heard("", None, words=True, during_prompt=True) == Speech(UNKNOWN, None, True)
    assert as_heard("", None, words=False, tone="busy") == Noise("busy")
    assert as_heard("", None, words=False) == Silence()
    assert meaning(PLAN, "gas", Noise("busy"), understand) is None
    assert meaning(PLAN, "gas", Silence(), understand) is None


def test_a_question_that_the_dialplan_does_not_ask_is_named_with_those_it_asks() -> None:
    weekly = dialplan.load("weekly_short")
    assert stage_of(weekly, Question.ANY) == OPENING
    assert stage_of(weekly, Question.GAS) == "gas"
    with pytest.raises(BadInput, match="nothing about economy: it asks about identity, health"):
        stage_of(weekly, Question.ECONOMY)
