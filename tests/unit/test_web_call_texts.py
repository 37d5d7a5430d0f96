"""A turn as the page shows it: marked words, slots and the way, in Chinese."""

from __future__ import annotations

from typing import Any

import pytest

from storage.model import Answer, Turn
from web.texts import answers, calls
from xunfang.vocabulary import Alert, Speaker

pytestmark = pytest.mark.unit


def said(text: str, alert: Alert = Alert.NONE, question: str = "health", **found: Any) -> Turn:
    judged = {"judgements": [found], "reasons": ["answer: worse"]} if found else {}
    return Turn(1, 1, Speaker.ELDER, text, question, 0.9, 3.0, 4.0, alert, judged)


def pieces(turn: Turn) -> list[tuple[str, bool, bool]]:
    (line,) = calls.lines([turn], [])
    return [(each.text, each.mark, each.danger) for each in line.pieces]


def test_the_words_of_an_event_are_marked_where_they_were_said() -> None:
    turn = said("没事，摔倒了呀", Alert.URGENT, evidence="摔倒了", start=3, end=6, event="fall")
    assert pieces(turn) == [("没事，", False, False), ("摔倒了", True, True), ("呀", False, False)]


def test_a_span_that_does_not_fit_is_looked_for_and_nothing_is_marked_when_it_is_not_there() -> None:
    moved = said("哎呀摔倒了", evidence="摔倒了", start=0, end=3, event="fall")
    assert pieces(moved) == [("哎呀", False, False), ("摔倒了", True, False)]
    assert pieces(said("挺好", evidence="摔倒了", start=0, end=3)) == [("挺好", False, False)]
    assert pieces(said("挺好", start="x", end=None)) == [("挺好", False, False)]
    assert pieces(said("")) == []


def test_slots_are_words_and_what_is_unknown_stands_as_it_is() -> None:
    fell = {"event": "fall", "subject": "spouse", "time": "past", "polarity": "negated", "evidence": "没摔"}
    (line,) = calls.lines([said("没摔", **fell)], [])
    assert (line.judged[0].event, line.judged[0].slots) == ("摔倒", ("老伴", "过去", "说没有"))
    strange = {"event": "new_kind", "subject": "x", "time": None, "polarity": "affirmed"}
    (line,) = calls.lines([said("？", **strange)], [])
    assert (line.judged[0].event, line.judged[0].slots) == ("new_kind", ("x", "确有其事"))


def test_the_way_names_each_stage_once_with_its_answer_and_its_worst_alert() -> None:
    turns = [
        said("是我", question="identity"),
        said("不太好", Alert.REVIEW),
        said("嗯"),
        said("没了", question="county_question"),
    ]
    given = {"health": Answer(1, "health", "health", "worse")}
    steps = calls.way(turns, given)
    assert [(each.question, each.answer, each.alert) for each in steps] == [
        ("核对身份", "", Alert.NONE),
        ("身体状况", "不如以前", Alert.REVIEW),
        ("county_question", "", Alert.NONE),
    ]


def test_every_answer_and_every_end_has_its_word() -> None:
    from ivr.dialogue.model import Because
    from ivr.understanding.model import ANSWERS

    for known in ANSWERS.values():
        assert all(answers.answer(each) != each for each in known)
    assert all(calls.because(each) != each for each in Because)
