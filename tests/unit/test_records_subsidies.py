"""Which benefits an elder may be entitled to: the rules, and the file they stand in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from records.subsidies import load_rules, match
from storage.model import Answer, Elder
from xunfang.errors import BadSettings
from xunfang.vocabulary import Category, Subsidy

pytestmark = pytest.mark.unit
TODAY = date(2026, 11, 23)


def said(question: str, answer: str, text: str = "", topic: str = "") -> Answer:
    return Answer(call_id=7, question=question, topic=topic or question, answer=answer, text=text)


def benefits(elder: Elder, *answers: Answer) -> set[Subsidy]:
    return {each.benefit for each in match(load_rules(), elder, answers, TODAY)}


def elder(*categories: Category, born: date | None = date(1950, 1, 1), self_caring: bool = True) -> Elder:
    return Elder(id=1, name="x", birth_date=born, categories=frozenset(categories), self_caring=self_caring)


SHORT = said("economy", "short", "不够花")


def test_nothing_said_is_no_clue() -> None:
    assert benefits(elder(), said("economy", "enough", "够花，有低保")) == set()


def test_too_little_money_is_a_clue_for_the_minimum_income() -> None:
    assert benefits(elder(), SHORT) == {Subsidy.LOW_INCOME}


def test_who_is_destitute_already_is_not_shown_what_he_has() -> None:
    assert benefits(elder(Category.DESTITUTE), SHORT, said("needs", "yes", "特困")) == set()


def test_eighty_years_count_on_the_birthday() -> None:
    assert Subsidy.ADVANCED_AGE not in benefits(elder(born=date(1946, 11, 24)), SHORT)
    assert Subsidy.ADVANCED_AGE in benefits(elder(born=date(1946, 11, 23)), SHORT)
    assert Subsidy.ADVANCED_AGE not in benefits(elder(born=None), SHORT)
    assert Subsidy.ADVANCED_AGE not in benefits(elder(born=date(1930, 1, 1)))


def test_illness_and_no_money_together() -> None:
    ill = said("illness", "yes", "有糖尿病")
    assert Subsidy.SERIOUS_ILLNESS not in benefits(elder(), ill)
    assert Subsidy.SERIOUS_ILLNESS in benefits(elder(), ill, SHORT)


def test_a_disaster_at_home() -> None:
    assert benefits(elder(), said("special", "yes", "房子漏了", "event")) == {Subsidy.TEMPORARY_RELIEF}
    assert benefits(elder(), said("event", "yes", "摔了一跤")) == set()


def test_disabled_elders() -> None:
    assert benefits(elder(Category.DISABLED)) == set()
    assert Subsidy.DISABILITY_CARE in benefits(elder(Category.DISABLED), SHORT)
    assert Subsidy.DISABILITY_CARE in benefits(elder(Category.DISABLED, Category.DESTITUTE))
    assert benefits(elder(Category.SEVERELY_DISABLED)) == {Subsidy.DISABLED_ALLOWANCES}


def test_the_evidence_says_where_and_never_what_was_said() -> None:
    (found,) = match(load_rules(), elder(), [SHORT], TODAY)
    assert found.evidence == ({"call": 7, "question": "economy", "answer": "short"},)


def test_every_benefit_of_the_policy_has_its_rule_with_its_source() -> None:
    rules = load_rules().rules
    assert {each.benefit for each in rules} == set(Subsidy)
    assert all("吉民发〔2020〕32号" in each.source and each.why for each in rules)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("format: 2", "format"),
        ("format: 1\nreopen_after: x\nbenefits: {}", "reopen_after"),
        ("format: 1\nreopen_after: 1\nbenefits: {pension: {}}", "pension"),
        ("format: 1\nreopen_after: 1\nbenefits: {low_income: {why: a, source: b}}", "everybody"),
        ("format: 1\nreopen_after: 1\nbenefits: {low_income: {why: a, source: b, any: [{age: 8}]}}", "any"),
        (
            "format: 1\nreopen_after: 1\nbenefits: {low_income: {why: a, source: b, any: [{category: old}]}}",
            "category",
        ),
        (
            "format: 1\nreopen_after: 1\n"
            "benefits: {low_income: {why: a, source: b, any: [{answer: {money: short}}]}}",
            "answer",
        ),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSettings, match=wrong):
        load_rules(file)
