"""联系人: what a contact is told and asked, and that nothing he says is taken for the elder's word. Pure."""

from __future__ import annotations

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.interpreter import hear, hung_up, start
from ivr.dialogue.model import (
    Because,
    Callee,
    End,
    Keys,
    RaiseAlert,
    Remember,
    RingDuty,
    Say,
    Silence,
    Speech,
    State,
    Step,
    StoreAnswer,
)
from xunfang.errors import BadDialplan
from xunfang.vocabulary import Alert, AnswerSource, Speaker

pytestmark = pytest.mark.unit

PLAN = dialplan.load("ask_contact")
CONTACT = Callee(contact=True, about="王奶奶", recorded=False, stranger=True)


def talk(*heard: str | Silence | Keys, callee: Callee = CONTACT) -> list[Step]:
    steps = [start(PLAN, callee)]
    for each in heard:
        steps.append(hear(PLAN, steps[-1].state, Speech(each) if isinstance(each, str) else each))
    return steps


def said(steps: list[Step]) -> str:
    return "".join(
        text for step in steps for action in step.actions if isinstance(action, Say) for text in action.texts
    )


def of(steps: list[Step], kind: type) -> list:  # type: ignore[type-arg]
    return [action for step in steps for action in step.actions if isinstance(action, kind)]


def answer(*heard: str | Silence | Keys) -> str:
    found = of(talk(*heard), StoreAnswer)
    return found[-1].answer if found else ""


def test_he_hears_who_is_calling_that_it_is_automatic_and_how_the_elder_is_addressed() -> None:
    told = said(talk("喂"))
    for part in ("民政部门的自动巡访电话", "王奶奶", "没有联系上", "您今天，能联系上老人吗？"):
        assert part in told
    assert "会录音" not in told


def test_of_an_elder_whose_title_cannot_be_said_he_hears_no_name() -> None:
    told = said(talk("喂", callee=Callee(contact=True, recorded=False, stranger=True)))
    assert "您家里的老人。" in told
    assert "奶奶" not in told


def test_nothing_about_health_is_ever_said_to_a_contact() -> None:
    own = {*PLAN.questions[0].acknowledge.values(), PLAN.questions[0].say, PLAN.greeting.who}
    assert PLAN.contact is not None
    own |= {PLAN.contact.tried, PLAN.contact.somebody}
    assert not [text for text in own for word in ("病", "摔", "疼", "药", "身体", "地址") if word in text]


@pytest.mark.parametrize(
    "words", ["能", "能联系上", "我是他儿子，他在我家呢", "行，我去看看", "我打电话问问"]
)
def test_he_says_that_he_can(words: str) -> None:
    assert answer("喂", words) == "yes"


@pytest.mark.parametrize(
    "words", ["不能", "联系不上", "我是他儿子，我也打不通", "我在外地，回不去", "没人接"]
)
def test_he_says_that_he_cannot(words: str) -> None:
    assert answer("喂", words) == "no"


def test_a_yes_and_a_no_in_one_sentence_are_a_no() -> None:
    assert answer("喂", "我打电话了，他没接") == "no"


def test_words_that_decide_nothing_are_asked_about_then_the_keypad_then_unclear() -> None:
    steps = talk("喂", "今天天气不错", "下雨了", "天晴了", "又下雨了")
    assert of(steps, StoreAnswer)[-1].answer == "unclear"
    assert of(steps, End)[-1].because is Because.UNHEARD
    assert answer("喂", "今天天气不错", "下雨了", Keys("1")) == "yes"


def test_every_answer_is_a_relatives() -> None:
    steps = talk("喂", "能联系上", "没有了")
    assert {each.source for each in of(steps, StoreAnswer)} == {AnswerSource.RELATIVE}
    assert {each.speaker for each in steps[1:]} == {Speaker.RELATIVE}
    assert of(steps, End)[-1].because is Because.FINISHED


def test_danger_is_heard_from_him_as_from_everybody() -> None:
    steps = talk("喂", "她摔倒了起不来")
    assert of(steps, RaiseAlert)[-1].understanding.alert is Alert.URGENT
    assert of(steps, RingDuty)
    assert "到您家去" not in said(steps), "where he lives nobody knows"


@pytest.mark.parametrize("before", [(), ("喂",), ("喂", "能联系上")])
def test_he_may_ask_to_be_left_and_withdraws_nothing_of_the_elders(before: tuple[str, ...]) -> None:
    steps = talk(*before, "以后别再打了")
    assert of(steps, Remember) == []
    assert of(steps, StoreAnswer)[-1].question == "opt_out"
    assert of(steps, StoreAnswer)[-1].source is AnswerSource.RELATIVE
    assert of(steps, End)[-1].because is not Because.OPT_OUT


def test_a_wrong_number_is_apologised_to() -> None:
    assert of(talk("喂", "你打错了"), End)[-1].because is Because.WRONG_NUMBER


def test_a_carrier_that_speaks_after_our_question_is_no_contact() -> None:
    end = of(talk("喂", "您拨打的电话已关机"), End)[-1]
    assert (end.because, end.announcement) == (Because.ANNOUNCEMENT, "powered_off")


def test_nobody_there_is_silence() -> None:
    assert of(talk(Silence(), Silence(), Silence(), Silence()), End)[-1].because is Because.SILENT


def test_who_hangs_up_before_he_answers_has_said_nothing() -> None:
    assert hung_up(PLAN, talk("喂", "今天天气不错")[-1].state) is Because.HUNG_UP
    assert hung_up(PLAN, talk("喂", "能联系上")[-1].state) is Because.FINISHED


def test_a_dialplan_for_elders_is_not_spoken_to_contacts() -> None:
    weekly = dialplan.load("weekly_short")
    with pytest.raises(BadDialplan, match="ask_contact"):
        hear(weekly, State(callee=CONTACT, relative=True), Speech("喂"))
