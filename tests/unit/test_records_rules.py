"""Answers → the official form and the risk level."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr.understanding import default_lexicon
from ivr.understanding.model import ANSWERS, Question
from records import model as form
from records.model import AlertFact
from records.rules import assess, fill_form, next_baseline, open_topics, plain, worries
from storage.model import Answer
from xunfang.vocabulary import Alert, AnswerSource, Risk, VisitMode

pytestmark = pytest.mark.unit

EVERYTHING_FINE = {"mobility": "usual", "mood": "usual", "illness": "good"}


def said(topic: str, answer: str, *details: str, source: AnswerSource = AnswerSource.SELF) -> Answer:
    return Answer(
        call_id=1, question=topic, topic=topic, answer=answer, details=details, text="……", source=source
    )


def filled(*answers: Answer, baseline: dict[str, str] | None = None) -> dict[str, str]:
    return fill_form(answers, baseline, VisitMode.PHONE)


def test_every_line_of_the_form_has_a_value() -> None:
    assert set(filled()) == {each.key for each in form.FORM}


def test_what_a_telephone_cannot_see_is_never_unchanged() -> None:
    values = filled(said("health", "good"), baseline=EVERYTHING_FINE)
    for key in ("expression", "personal_hygiene", "home_hygiene", "rooms"):
        assert values[key] == "未现场核实"


def test_what_was_not_asked_is_said_so() -> None:
    assert filled(baseline=EVERYTHING_FINE)["mobility"] == "本次未询问"
    assert filled(baseline=EVERYTHING_FINE)["gas"] == "本次未询问"


@pytest.mark.parametrize("topic", [each.topic.value for each in form.FORM if each.topic is not None])
def test_unclear_is_never_unchanged(topic: str) -> None:
    key = form.FIELD_OF[topic].key
    assert filled(said(topic, "unclear"), baseline=EVERYTHING_FINE)[key] == "未能确认"


@pytest.mark.parametrize(
    ("answer", "before", "value"),
    [
        ("same", "usual", "无变化"),
        ("good", "usual", "无变化"),
        ("good", "bad", "较好"),
        ("worse", "usual", "较差"),
        ("worse", "bad", "较差"),
        ("same", "bad", "无变化"),
        ("good", None, "首次记录"),
        ("same", None, "首次记录"),
        ("worse", None, "较差"),
    ],
)
def test_values_are_relative_to_the_last_visit(answer: str, before: str | None, value: str) -> None:
    baseline = None if before is None else {"mood": before}
    assert filled(said("mood", answer), baseline=baseline)["mood"] == value


@pytest.mark.parametrize(
    ("answer", "baseline", "value"),
    [
        (said("illness", "none"), {"illness": "bad"}, "转好"),
        (said("illness", "none"), {"illness": "good"}, "无变化"),
        (said("illness", "none"), {}, "首次记录"),
        (said("illness", "better"), {}, "转好"),
        (said("illness", "yes", "感冒"), {"illness": "good"}, "严重"),
        (said("illness", "yes", "高血压"), {"illness": "bad", "illness_name": "高血压"}, "无变化"),
        (said("illness", "yes", "感冒"), {"illness": "bad", "illness_name": "高血压"}, "严重"),
        (said("illness", "yes"), {"illness": "bad", "illness_name": ""}, "严重"),
        (said("health", "same"), {"illness": "good"}, "无变化"),
        (said("health", "worse"), {"illness": "good"}, "未能确认"),
    ],
)
def test_illness_is_judged_by_what_was_known(answer: Answer, baseline: dict[str, str], value: str) -> None:
    assert filled(answer, baseline=baseline)["illness"] == value


def test_an_illness_named_when_health_was_asked_counts() -> None:
    answer = said("health", "worse", "高血压")
    values = filled(answer, baseline={"illness": "good"})
    assert (values["illness"], values["illness_name"]) == ("严重", "高血压")
    assert next_baseline((answer,), {})["illness_name"] == "高血压"


def event(question: str, answer: str) -> Answer:
    return replace(said("event", answer), question=question)


def test_questions_that_share_a_topic_are_kept_apart() -> None:
    answers = (event("event", "no"), event("household", "unclear"), event("special", "yes"))
    assert filled(*answers)["family_size"] == "未能确认"
    assert open_topics(answers) == ("家庭人口",)
    assert worries(answers) == ("家中近期有难事、变故或受灾",)
    assert worries((event("event", "yes"),)) == ("近期有摔倒、胸口疼等情况",)


def test_the_size_of_the_family() -> None:
    assert filled(event("household", "no"))["family_size"] == "首次记录"
    known = next_baseline((event("household", "no"),), {})
    assert filled(event("household", "no"), baseline=known)["family_size"] == "无变化"
    assert filled(event("household", "yes"), baseline=known)["family_size"] == "有变化，待核实"
    assert filled()["family_size"] == "本次未询问"


def test_every_need_that_can_be_understood_has_its_chinese_term() -> None:
    entries = default_lexicon().of_kind("detail")
    needs = {each.get("detail") for each in entries if each.get("topic") == "need"}
    assert needs == set(form.NEEDS_ZH)


def test_an_illness_has_its_name() -> None:
    assert filled(said("illness", "yes", "感冒", "咳嗽"))["illness_name"] == "感冒、咳嗽"
    assert filled(said("illness", "yes"))["illness_name"] == "未能确认"
    assert filled(said("illness", "none"))["illness_name"] == "无"


@pytest.mark.parametrize(("answer", "value"), [("safe", "安全"), ("partly", "较安全"), ("unsafe", "不安全")])
def test_safety_is_absolute(answer: str, value: str) -> None:
    assert filled(said("gas", answer))["gas"] == value


def test_a_relatives_word_is_marked_and_ranks_below_the_elders_own() -> None:
    theirs = said("mood", "worse", source=AnswerSource.RELATIVE)
    assert filled(theirs)["mood"] == "较差（家属代述）"
    own = replace(said("mood", "good"), question="mood_again")
    values = filled(theirs, own, baseline={"mood": "usual"})
    assert values["mood"] == "无变化"
    assessed = assess((theirs, own), (), values)
    assert assessed.risk is Risk.ATTENTION
    assert "情绪低落（家属代述）" in assessed.reasons


def test_a_contradiction_takes_the_worse_reading() -> None:
    answers = (said("mood", "worse"), replace(said("mood", "good"), question="mood_again"))
    assert filled(*answers)["mood"] == "较差"
    assert filled(*reversed(answers))["mood"] == "较差"


def test_a_clear_answer_closes_an_unclear_one() -> None:
    answers = (said("gas", "unclear"), replace(said("gas", "safe"), question="gas_again"))
    assert filled(*answers)["gas"] == "安全"
    assert open_topics(answers) == ()
    assert open_topics(answers[:1]) == ("燃气安全",)


def test_needs_are_written_in_the_words_of_the_form() -> None:
    assert filled(said("needs", "yes", "meals", "bathing"))["needs"] == "助餐、助浴"
    assert filled(said("needs", "no"))["needs"] == "无"
    assert "助餐" in filled(said("needs", "yes", "meals"))["advice"]


def test_values_stay_within_what_the_form_allows() -> None:
    ours = {form.UNSEEN, form.UNCLEAR, form.NOT_ASKED, form.FIRST}
    for each in form.FORM:
        if each.topic is None or not each.values:
            continue
        for answer in ANSWERS[each.topic]:
            for source in (AnswerSource.SELF, AnswerSource.RELATIVE):
                for level in (None, "good", "usual", "bad"):
                    baseline = {} if level is None else {each.topic.value: level}
                    value = filled(said(each.topic, answer, source=source), baseline=baseline)[each.key]
                    assert plain(value) in {*each.values, *ours}, (each.key, answer, level)


def test_the_baseline_outlives_a_call_that_learnt_nothing() -> None:
    before = {"mood": "bad", "illness": "bad", "illness_name": "感冒"}
    assert next_baseline((said("mood", "unclear"),), before) == before
    after = next_baseline((said("mood", "good"), said("illness", "none"), said("needs", "yes")), before)
    assert after == {"mood": "good", "illness": "good", "illness_name": ""}


def test_a_well_visit_is_normal() -> None:
    answers = (said("health", "good"), said("gas", "safe"))
    assert assess(answers, (), filled(*answers)).risk is Risk.NORMAL


def test_an_urgent_alert_makes_an_urgent_visit_with_the_quote_first() -> None:
    alert = AlertFact(Alert.URGENT, text="胸口疼得厉害")
    answers = (said("family", "neglected"),)
    assessed = assess(answers, (alert,), filled(*answers))
    assert assessed.risk is Risk.URGENT
    assert "胸口疼得厉害" in assessed.reasons[0]
    assert "家人很少看望问候" in assessed.reasons


def test_a_review_alert_needs_attention() -> None:
    assert assess((), (AlertFact(Alert.REVIEW, text="前几天摔了一下"),), filled()).risk is Risk.ATTENTION


def test_bad_recognition_is_no_risk_and_no_weakness_of_the_elder() -> None:
    answers = tuple(replace(said(each, "unclear"), confidence=0.05) for each in ("health", "mood", "gas"))
    values = filled(*answers)
    assessed = assess(answers, (), values)
    assert assessed.risk is Risk.NORMAL
    assert values["expression"] == "未现场核实"
    assert all("反应" not in each and "表达" not in each for each in assessed.reasons)
    assert any(each.startswith("未能确认") for each in assessed.reasons)


def test_every_answer_class_of_a_topic_is_known() -> None:
    """A class that nobody maps would silently become 未能确认."""
    for topic in (each.topic for each in form.FORM if each.topic is not None):
        for answer in ANSWERS[topic] - {"unclear"}:
            value = filled(said(topic, answer, "x"))[form.FIELD_OF[topic].key]
            assert value != form.UNCLEAR, (topic, answer)
    assert Question.HEALTH.value not in form.FIELD_OF
