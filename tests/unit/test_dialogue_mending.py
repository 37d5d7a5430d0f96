"""Damaged phrases are read as what was probably said; a whole phrase is never read as another."""

from __future__ import annotations

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.hearing import judged
from ivr.dialogue.mending import made_of, nearest
from ivr.dialogue.model import Speech, State
from ivr.dialogue.turn import Turn
from ivr.understanding import understand
from ivr.understanding.model import Question, Understanding
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

PLAN = dialplan.load("monthly_full")
EVENT = dialplan.phrases(PLAN, Question.EVENT)


def meant(text: str, confidence: float | None, at: str = "event") -> Understanding:
    understood = judged(Turn(PLAN, State(at=at), Speech(text, confidence), understand)).understood
    assert understood is not None
    return understood


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("了好多血", "流了好多血"),
        ("快来气", "快来人"),
        ("摔倒起来", "摔倒了起不来"),
        ("心口厉害", "胸口疼得厉害"),
        ("不了了", "动不了了"),
    ],
)
def test_a_damaged_cry_for_help_rings_a_human(heard: str, said: str) -> None:
    guess = nearest(heard, EVENT)
    assert guess is not None
    assert guess.phrase == said
    assert meant(heard, 0.3).alert is Alert.URGENT


def test_typed_text_is_taken_as_it_stands() -> None:
    assert meant("了好多血", None).reasons == understand("了好多血", Question.EVENT).reasons


@pytest.mark.parametrize("text", ["没有", "没摔", "没有没有", "没有啊", "没摔过没有"])
def test_a_whole_phrase_is_never_read_as_another(text: str) -> None:
    assert made_of(text, EVENT)
    assert nearest(text, EVENT) is None
    assert meant(text, 0.9).answer == "no"


@pytest.mark.parametrize("text", ["上", "了", "今年苞米收成好卖了不少钱", "", "厉害不要听"])
def test_what_sounds_like_nothing_stays_what_it_is(text: str) -> None:
    assert nearest(text, EVENT) is None


def test_danger_wins_where_two_phrases_are_equally_near() -> None:
    guess = nearest("甲乙丁", ("甲乙丙", "甲乙戊"))
    assert guess is not None
    assert guess.phrase == "甲乙丙"


def test_a_shred_of_danger_in_a_sentence_that_was_not_heard_is_confirmed() -> None:
    understood = meant("不没我起不来喂厉害", 0.05)
    assert understood.alert is Alert.REVIEW
    assert understood.main is not None
    assert understood.main.polarity == "uncertain"
