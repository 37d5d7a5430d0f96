"""The shipped dialplans, and that they ask what the official form wants to know."""

from __future__ import annotations

import json

import jsonschema
import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.check import check
from ivr.dialogue.plan import Dialplan
from ivr.understanding.model import Question

pytestmark = pytest.mark.unit


@pytest.fixture(params=dialplan.names())
def plan(request: pytest.FixtureRequest) -> Dialplan:
    return dialplan.load(request.param)


def test_the_shipped_dialplans_are_these() -> None:
    assert dialplan.names() == (
        "ask_contact",
        "callback",
        "demo_short",
        "monthly_full",
        "surge_cold",
        "surge_epidemic",
        "surge_flood",
        "surge_heat",
        "weekly_short",
    )


def test_a_dialplan_bears_the_name_of_its_file(plan: Dialplan) -> None:
    assert plan.name in dialplan.names()


def test_nothing_is_wrong_with_it(plan: Dialplan) -> None:
    assert check(plan) == []


def test_the_published_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(dialplan.SCHEMA.read_text("utf-8")))


def test_danger_is_asked_about_and_the_question_wants_something_concrete(plan: Dialplan) -> None:
    if plan.contact is not None:  # he is asked about somebody else; danger is heard all the same
        assert "urgent" in plan.questions[0].keys.values()
        return
    event = plan.question("event")
    assert event is not None
    assert event.concrete
    assert "urgent" in event.keys.values()


def test_it_asks_one_thing_at_a_time(plan: Dialplan) -> None:
    for ask in (plan.identity, *plan.questions):
        for text in (ask.say, ask.rephrase, ask.concrete):
            assert text.count("？") <= 1, text


def test_every_event_of_the_lexicon_has_a_confirming_question(plan: Dialplan) -> None:
    from ivr.understanding.model import Event

    for event in Event:
        for slot in ("polarity", "subject"):
            assert plan.confirm.ask(event, slot) is not None


def test_the_weekly_visit_has_six_questions_and_the_demonstration_three() -> None:
    assert len(dialplan.load("weekly_short").questions) == 6
    assert len(dialplan.load("demo_short").questions) == 3


def test_the_monthly_visit_asks_every_item_of_the_form_that_a_telephone_can() -> None:
    """鄂 2023: 家庭人口, 行动, 疾病, 情绪, 燃气, 水暖, 用电, 消防, 需求, 满意度; 吉 2020: 经济, 特殊情况."""
    monthly = dialplan.load("monthly_full")
    assert {ask.topic for ask in monthly.questions} >= set(Question) - {Question.IDENTITY, Question.ANY}
    assert {"household", "special", "satisfaction"} <= {ask.id for ask in monthly.questions}


def test_whoever_asked_for_help_is_not_asked_whether_somebody_may_call() -> None:
    callback = dialplan.load("monthly_full").question("callback")
    assert callback is not None
    assert callback.when is not None
    assert callback.when.question == "needs"
