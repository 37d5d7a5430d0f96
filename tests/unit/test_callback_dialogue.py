"""What is said to whoever rings us: who it is decides, and danger is heard whoever it is."""

from __future__ import annotations

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.interpreter import hear, start
from ivr.dialogue.model import (
    Because,
    Callee,
    Chose,
    DutyFailed,
    End,
    Heard,
    Keys,
    Listen,
    RaiseAlert,
    RingDuty,
    Say,
    Silence,
    Speech,
    Step,
)
from ivr.dialogue.plan import Callback, greeting_text
from ivr.telephony import headers
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

PLAN = dialplan.load("callback")
VISIT = dialplan.load("weekly_short")
TITLES = ("王奶奶", "张爷爷")
NUMBER = "043181230011"


def words() -> Callback:
    assert PLAN.callback is not None
    return PLAN.callback


def talk(callee: Callee, *heard: Heard) -> list[Step]:
    steps = [start(PLAN, callee)]
    for each in heard:
        steps.append(hear(PLAN, steps[-1].state, each))
    return steps


def said(step: Step) -> str:
    return "".join(text for action in step.actions if isinstance(action, Say) for text in action.texts)


def of(step: Step, kind: type) -> list[object]:
    return [action for action in step.actions if isinstance(action, kind)]


def stranger(*announce: str) -> Callee:
    return Callee(recorded=False, announce=announce or (words().number,), stranger=True)


def shared() -> Callee:
    return Callee(recorded=False, choices=TITLES, announce=(words().no_number,))


# ---- an elder ------------------------------------------------------------------------------------


def test_an_elder_who_rings_is_greeted_at_once_and_told_why_we_had_called() -> None:
    why = words().why["morning"]
    step = start(VISIT, Callee("王奶奶", rang_us=True, why=why))
    text = said(step)
    assert text.startswith(greeting_text("王奶奶"))
    assert VISIT.greeting.who in text
    assert why in text
    assert text.endswith(VISIT.identity.say), "who it is comes before any question"


def test_the_visit_goes_on_where_an_earlier_call_had_stopped() -> None:
    callee = Callee("王奶奶", rang_us=True, why=words().why["unfinished"], answered=("health", "event"))
    step = hear(VISIT, start(VISIT, callee).state, Speech("是我"))
    mood = VISIT.question("mood")
    assert mood is not None
    assert said(step).endswith(mood.say)


def test_nothing_but_the_greeting_is_said_before_it_is_known_who_rings() -> None:
    step = hear(VISIT, start(VISIT, Callee("王奶奶", rang_us=True)).state, Speech("我是他儿子"))
    assert step.state.relative
    assert not any(ask.say in said(step) for ask in VISIT.questions)


# ---- a shared telephone ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "number"),
    [
        (Keys("1"), 1),
        (Keys("2"), 2),
        (Keys("2", during_prompt=True), 2),
        (Speech("二", 0.9), 2),
        (Speech("第一个", 0.9), 1),
        (Speech("我是张爷爷", 0.9), 2),
        (Speech("王奶奶呀", 0.9), 1),
    ],
)
def test_who_of_a_shared_telephone_it_is_can_be_pressed_and_said(heard: Heard, number: int) -> None:
    asked, answered = talk(shared(), heard)
    assert all(title in said(asked) for title in TITLES)
    assert [each.number for each in of(answered, Chose) if isinstance(each, Chose)] == [number]
    assert of(answered, End) == []


@pytest.mark.parametrize("heard", [Silence(), Keys("7"), Speech("嗯", 0.9), Speech("王奶奶张爷爷", 0.9)])
def test_who_stays_unclear_hears_a_number_after_the_second_question(heard: Heard) -> None:
    steps = talk(shared(), heard, heard)
    assert of(steps[1], Chose) == of(steps[2], Chose) == []
    assert words().which in said(steps[1])
    assert words().no_number in said(steps[2])
    (end,) = of(hear(PLAN, steps[2].state, Silence()), End)
    assert isinstance(end, End)
    assert end.because is Because.FINISHED


# ---- everybody else --------------------------------------------------------------------------------


def test_a_stranger_hears_a_number_and_nothing_about_anybody() -> None:
    digits = words().read_out(NUMBER)
    told, bye = talk(stranger(words().number, *digits), Silence())
    assert said(told) == PLAN.greeting.neutral + PLAN.greeting.who + words().number + "".join(digits)
    assert said(bye) == words().goodbye
    assert len(of(told, Listen)) == 1, "there is a moment in which danger can be said"


def test_a_number_is_read_digit_by_digit_with_yao_for_one() -> None:
    assert words().read_out("0431-812") == ("零。", "四。", "三。", "幺。", "八。", "幺。", "二。")


def test_the_number_is_said_again_on_request_but_not_for_ever() -> None:
    steps = talk(stranger(), *[Speech("再说一遍", 0.9)] * 4)
    assert [words().number in said(step) for step in steps] == [True, True, True, False, False]


@pytest.mark.parametrize("callee", [stranger(), shared()])
def test_a_cry_for_help_rings_the_duty_person_whoever_it_is(callee: Callee) -> None:
    _, step = talk(callee, Speech("救命啊", 0.9))
    (raised,) = of(step, RaiseAlert)
    assert isinstance(raised, RaiseAlert)
    assert raised.understanding.alert is Alert.URGENT
    assert len(of(step, RingDuty)) == 1


def test_nobody_is_sent_to_a_stranger_whose_home_nobody_knows() -> None:
    steps = talk(stranger(), Speech("救命啊", 0.9), DutyFailed(), *[Silence()] * 6)
    text = "".join(map(said, steps))
    assert "派人" not in text
    assert words().end in text
    at_home = "".join(map(said, talk(shared(), Speech("救命啊", 0.9), DutyFailed())))
    assert "派人到您家去" in at_home


# ---- whose number it is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "number"),
    [
        ("13900000001", "13900000001"),
        ("013900000001", "13900000001"),
        ("+8613900000001", "+8613900000001"),
        ("8643181230011", "+8643181230011"),
        ("043181230011", "043181230011"),
        ("anonymous", ""),
        ("unavailable", ""),
        ("１３９", ""),
    ],
)
def test_the_number_of_a_caller_is_brought_to_how_the_ledger_is_searched(user: str, number: str) -> None:
    assert headers.caller_number(user) == number


def test_what_the_carrier_asserts_comes_before_what_the_caller_says() -> None:
    invite = (
        "INVITE sip:96100@1.2.3.4 SIP/2.0\r\nFrom: <sip:110@x>;tag=1\r\n"
        "P-Asserted-Identity: <sip:13900000001@carrier>\r\nContact: <sip:x@1.2.3.4:5071>\r\n\r\n"
    )
    assert headers.from_user(invite) == "13900000001"
    assert headers.contact_uri(invite) == "sip:x@1.2.3.4:5071"
