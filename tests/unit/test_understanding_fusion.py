"""Rules and second opinion vote; what the vote may never do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.understanding import CONTROLS, Question, distress_phrases, understand
from ivr.understanding.alert import RANK
from ivr.understanding.fusion import SAFETY, WELL, fuse
from ivr.understanding.lexicon import default_lexicon
from ivr.understanding.model import ANSWERS
from ivr.understanding.opinion import FIELDS, shipped
from ivr.understanding.service import by_rules
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

CORPUS = Path(__file__).parents[1] / "corpus"
LEARNED = [json.loads(line) for line in (CORPUS / "train.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("phrase", distress_phrases())
def test_nothing_lowers_a_bare_cry(phrase: str) -> None:
    for question in Question:
        ruled, _, _ = by_rules(phrase, question, default_lexicon())
        assert RANK[understand(phrase, question).alert] >= RANK[ruled.alert], question


@pytest.mark.parametrize("question", sorted(SAFETY))
@pytest.mark.parametrize("word", ["没事没事", "没事", "嗯", "还行吧"])
def test_a_bare_denial_of_trouble_is_no_answer_to_a_safety_question(word: str, question: Question) -> None:
    ruled, _, _ = by_rules(word, question, default_lexicon())
    if ruled.answer == "unclear":
        assert understand(word, question).answer not in WELL


@given(st.sampled_from(LEARNED))
def test_an_urgent_of_the_rules_is_never_lowered_to_nothing(row: dict[str, str]) -> None:
    ruled, heard, calm = by_rules(row["text"], Question(row["question"]), default_lexicon())
    if ruled.alert is Alert.URGENT:
        assert fuse(ruled, heard, calm, shipped()).alert is not Alert.NONE


@given(st.text(max_size=120), st.sampled_from(list(Question)))
@settings(max_examples=60)
def test_any_text_gets_probabilities_and_only_answers_of_its_question(text: str, question: Question) -> None:
    opinion = shipped().opinion(text, question)
    assert opinion.likeliest("answer") in ANSWERS[question] | CONTROLS
    for field in FIELDS:
        assert opinion.likeliest(field) != opinion.likeliest(field, without=opinion.likeliest(field))


def test_an_urgent_that_only_the_model_hears_names_the_words() -> None:
    heard = [understand(row["text"], row["question"]) for row in LEARNED if row["alert"] == "urgent"]
    assert all(each.evidence for each in heard if each.alert is Alert.URGENT)
