"""`check`: what a loaded dialplan may still do wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.check import check
from ivr.dialogue.plan import Condition, Dialplan

pytestmark = pytest.mark.unit

PLAN = dialplan.load("weekly_short")


def kinds(plan: Dialplan, **checks: object) -> set[str]:
    return {problem.kind for problem in check(plan, **checks)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "word", ["转账", "汇款", "验证码", "银行卡号", "身份证号", "保健品", "优惠", "投资", "理财"]
)
def test_no_dialplan_may_speak_of_money_or_sell(word: str) -> None:
    assert "forbidden" in kinds(replace(PLAN, go_on=f"您的{word}是多少？"))


def test_an_ambulance_may_not_be_promised() -> None:
    words = replace(PLAN.urgent, end="救护车马上就到。")
    assert "forbidden" in kinds(replace(PLAN, urgent=words))


def test_a_text_without_a_recording_is_found() -> None:
    problems = check(PLAN, has_prompt=lambda text: text != PLAN.go_on)
    assert [problem.kind for problem in problems] == ["prompt"]
    assert PLAN.go_on in str(problems[0])


def test_a_phrase_that_the_model_cannot_hear_is_named_once() -> None:
    problems = check(PLAN, can_recognise=lambda phrase: phrase != "是")
    assert [problem.kind for problem in problems] == ["phrase"]
    assert "'是'" in str(problems[0])


def test_a_text_too_long_to_remember_is_found() -> None:
    assert "length" in kinds(replace(PLAN, go_on="您慢慢说，" * 12))


def test_a_rewording_that_says_the_same_is_found() -> None:
    first = replace(PLAN.questions[0], rephrase=PLAN.questions[0].say)
    assert "repeat" in kinds(replace(PLAN, questions=(first, *PLAN.questions[1:])))


def test_a_question_that_waits_for_a_later_one_is_unreachable() -> None:
    first = replace(PLAN.questions[0], when=Condition("needs", ("yes",)))
    assert "unreachable" in kinds(replace(PLAN, questions=(first, *PLAN.questions[1:])))
