"""Who answered the duty telephone: a person, a machine, or nobody can tell; never judged by length alone."""

from __future__ import annotations

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.check import check
from ivr.dialogue.plan import Dialplan
from ivr.dialogue.screening import Sign, sign_of, told
from ivr.understanding import understand
from xunfang.vocabulary import DutyOutcome, zh

pytestmark = pytest.mark.unit

PLAN = dialplan.load("demo_short")
MACHINES = (
    "您拨打的电话已关机",
    "您拨打的用户暂时无法接通，请稍后再拨",
    "您好，我现在不方便接听，请在嘀声后留言",
    "转接到语音信箱",
    "喂，你好，我是机主的智能助理，请问您有什么事情需要我转达",
    "the number you have dialed is not available, please leave a message after the tone",
)


def sign(text: str, confidence: float | None = 0.9, tone: str | None = None) -> Sign:
    return sign_of(text, confidence, tone, PLAN.urgent.duty_words, understand)


@pytest.mark.parametrize(
    "text", ["喂", "喂，你好", "喂喂喂", "接通", "好的，接通", "我是值班的", "怎么了", "马上来啊"]
)
def test_somebody_in_a_hurry_is_a_person(text: str) -> None:
    assert sign(text) is Sign.PERSON


@pytest.mark.parametrize("text", MACHINES)
@pytest.mark.parametrize("confidence", [0.95, 0.1])
def test_a_machine_is_one_however_badly_it_was_heard(text: str, confidence: float) -> None:
    assert sign(text, confidence) is Sign.MACHINE


@pytest.mark.parametrize("greeting", ["喂", "你好", "喂，你好", "您好"])
@pytest.mark.parametrize("text", MACHINES)
def test_a_greeting_in_front_makes_no_person_of_a_machine(greeting: str, text: str) -> None:
    assert sign(f"{greeting}，{text}") is not Sign.PERSON


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("喂你好", 0.3),  # a word found in speech that could not be heard
        ("你好，我正在开会，晚点给你回电话", 0.9),  # more than a person's greeting
        ("您好，请说", 0.9),  # an assistant says so too
        ("", None),
    ],
)
def test_what_is_not_clearly_a_person_is_asked_again(text: str, confidence: float | None) -> None:
    assert sign(text, confidence) is Sign.UNSURE


@pytest.mark.parametrize("text", ["请稍候，正在为您转接", "请不要挂机"])
def test_a_switchboard_that_asks_to_wait_is_waited_for(text: str) -> None:
    assert sign(text) is Sign.UNSURE


@pytest.mark.parametrize(
    ("tone", "meant"),
    [("beep", Sign.MACHINE), ("busy", Sign.MACHINE), ("ringback", Sign.UNSURE), ("music", Sign.UNSURE)],
)
def test_a_beep_is_a_mailbox_and_music_only_a_queue(tone: str, meant: Sign) -> None:
    assert sign("", None, tone) is meant


@pytest.mark.parametrize("name", dialplan.names())
def test_no_word_that_makes_a_person_is_one_of_a_machine(name: str) -> None:
    plan = dialplan.load(name)
    assert plan.urgent.duty_words
    assert [problem for problem in check(plan) if problem.where == "urgent.duty_words"] == []


def test_a_county_that_writes_a_mailbox_into_the_words_of_a_person_is_told() -> None:
    from dataclasses import replace

    plan: Dialplan = replace(PLAN, urgent=replace(PLAN.urgent, duty_words=("喂", "请留言")))
    (problem,) = [problem for problem in check(plan) if problem.where == "urgent.duty_words"]
    assert "请留言" in problem.what


@pytest.mark.parametrize("outcome", list(DutyOutcome))
def test_the_supervisor_reads_what_came_of_each_telephone(outcome: DutyOutcome) -> None:
    assert told(2, outcome) == f"值班电话2：{zh(outcome)}"
    assert told(0, DutyOutcome.NONE_CAME) == "值班电话：全部没有人接管"
    assert told(0, DutyOutcome.NO_ANSWER) == "督导接管电话：无人接听"
