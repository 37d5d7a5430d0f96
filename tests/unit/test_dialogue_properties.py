"""What holds for every conversation, whatever is heard."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.dialogue import dialplan
from ivr.dialogue.interpreter import MAX_TURNS, hear, hung_up, start
from ivr.dialogue.model import (
    Action,
    Because,
    Callee,
    DutyAnswered,
    DutyFailed,
    DutyNext,
    End,
    Heard,
    Keys,
    Listen,
    Noise,
    RaiseAlert,
    Say,
    Silence,
    Speech,
)
from ivr.dialogue.plan import greeting_text
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

PLANS = [dialplan.load(name) for name in dialplan.names()]
CALLEE = Callee("李爷爷")
WORDS = [
    "喂",
    "是我",
    "我是他儿子",
    "我去叫他",
    "打错了",
    "挺好的",
    "不好",
    "没有",
    "有",
    "是",
    "不是",
    "没事没事",
    "差点摔了",
    "摔没摔？",
    "昨天摔了一跤",
    "救命",
    "我胸口疼得厉害",
    "厨房着火了",
    "啊？",
    "再说一遍",
    "大点声",
    "嗯嗯",
    "我忙着呢，晚点打",
    "以后别打了",
    "找个真人来",
    "再见",
    "您拨打的电话已关机",
    "今天天气不错",
    "……",
    "",
]

heard = st.one_of(
    st.builds(Speech, text=st.sampled_from(WORDS), during_prompt=st.booleans()),
    st.builds(Keys, digits=st.sampled_from(["1", "2", "3", "9", "#", ""]), during_prompt=st.booleans()),
    st.just(Silence()),
    st.builds(Noise, tone=st.sampled_from(["busy", "ringback", "beep", "music"])),
    st.just(DutyAnswered()),
    st.just(DutyNext()),
    st.just(DutyFailed()),
)


def acts(actions: tuple[Action, ...], kind: type[Action]) -> list[Action]:
    return [action for action in actions if isinstance(action, kind)]


@settings(max_examples=300, deadline=None)
@given(plan=st.sampled_from(PLANS), sounds=st.lists(heard, max_size=40))
def test_every_step_speaks_only_known_texts_and_then_listens_or_ends(plan, sounds: list[Heard]) -> None:  # type: ignore[no-untyped-def]
    known = {*plan.texts(), greeting_text(CALLEE.title)}
    step = start(plan, CALLEE)
    for sound in sounds:
        step = hear(plan, step.state, sound)
        said = {text for action in acts(step.actions, Say) for text in action.texts}  # type: ignore[union-attr]
        assert said <= known
        if step.actions and step.state.at not in ("with_duty",):
            assert isinstance(step.actions[-1], (Listen, End))
        assert len(acts(step.actions, Listen)) + len(acts(step.actions, End)) <= 1
        if acts(step.actions, End):
            break


@settings(max_examples=300, deadline=None)
@given(plan=st.sampled_from(PLANS), sounds=st.lists(heard, max_size=40))
def test_every_kind_of_danger_that_was_heard_is_raised(plan, sounds: list[Heard]) -> None:  # type: ignore[no-untyped-def]
    step = start(plan, CALLEE)
    dangers: set[str] = set()
    raised: set[str] = set()
    for sound in sounds:
        step = hear(plan, step.state, sound)
        meant = step.understood
        if meant is not None and meant.alert is Alert.URGENT:
            dangers.add(str(meant.main.event) if meant.main else "plea")
        for action in acts(step.actions, RaiseAlert):
            understanding = action.understanding  # type: ignore[union-attr]
            if understanding.alert is Alert.URGENT:
                raised.add(str(understanding.main.event) if understanding.main else "plea")
                assert understanding.evidence
        if acts(step.actions, End):
            break
    assert dangers <= raised
    if raised and step.state.at != "with_duty":
        assert hung_up(plan, step.state) is Because.URGENT


@settings(max_examples=100, deadline=None)
@given(
    plan=st.sampled_from(PLANS),
    sounds=st.lists(heard, max_size=30),
    tail=st.one_of(st.just(Silence()), st.builds(Speech, text=st.sampled_from(WORDS))),
)
def test_every_call_ends(plan, sounds: list[Heard], tail: Heard) -> None:  # type: ignore[no-untyped-def]
    """Whatever came before: if from now on the same thing is heard for ever, the call ends by itself."""
    step = start(plan, CALLEE)
    for sound in [*sounds, *[tail] * (MAX_TURNS + 50)]:
        step = hear(plan, step.state, sound)
        if acts(step.actions, End) or step.state.at == "with_duty":  # there two people speak; they end it
            return
    pytest.fail(f"still at {step.state.at}")


def test_a_television_that_talks_into_every_prompt_does_not_hold_the_line_for_ever() -> None:
    step = start(PLANS[0], CALLEE)
    for _ in range(MAX_TURNS + 1):
        step = hear(PLANS[0], step.state, Speech("今天天气不错", during_prompt=True))
    assert acts(step.actions, End) == [End(Because.TOO_LONG)]


@given(sounds=st.lists(heard, max_size=10))
@settings(max_examples=50, deadline=None)
def test_hearing_is_pure_and_its_state_can_be_sent_to_another_process(sounds: list[Heard]) -> None:
    plan = PLANS[0]
    step = start(plan, CALLEE)
    for sound in sounds:
        state = step.state
        step = hear(plan, state, sound)
        assert hear(plan, pickle.loads(pickle.dumps(state)), sound) == step
