"""What must hold for any text: urgency survives politeness, denial creates none, everything ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.understanding import ANSWERS, CONTROLS, Question, understand
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit
ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent.parent / "corpus" / "train.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
URGENT = [(r["text"], r["question"]) for r in ROWS if r["alert"] == "urgent"]
CALM = [(r["text"], r["question"]) for r in ROWS if r["alert"] == "none" and r["event"] is None]

DENIED = st.sampled_from(
    ["没摔，", "没有摔过，", "不胸闷，", "没着火，", "煤气没漏，", "没有流血，", "没被骗，", "没迷路，"]
)
POLITE_BEFORE = st.sampled_from(
    ["", "麻烦你们了，", "哎呀，", "不好意思啊，", "同志啊，", "嗯……", "那个，", "喂，"]
)
POLITE_AFTER = st.sampled_from(
    ["", "啊", "呀", "……", "，谢谢你们", "，麻烦你们了", "，给你们添麻烦了", "，唉", "哦"]
)
TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("我你他摔疼没不了着火气煤漏救命老伴胸口喘血药死活昨天现在要是怕电视里说，。？ "),
        st.characters(min_codepoint=0x20, max_codepoint=0xFFFF, exclude_categories=["Cs"]),
    ),
    max_size=80,
)


@given(case=st.sampled_from(CALM), denied=DENIED)
@settings(max_examples=150, deadline=None)
def test_a_denial_in_front_never_creates_an_alert(case: tuple[str, str], denied: str) -> None:
    text, question = case
    assert understand(denied, question).alert is Alert.NONE
    assert understand(denied + text, question).alert is not Alert.URGENT


@given(case=st.sampled_from(URGENT), before=POLITE_BEFORE, after=POLITE_AFTER)
@settings(max_examples=250, deadline=None)
def test_politeness_particles_and_pauses_never_remove_an_urgent(
    case: tuple[str, str], before: str, after: str
) -> None:
    text, question = case
    assert understand(before + text + after, question).alert is Alert.URGENT


@given(case=st.sampled_from(URGENT))
@settings(max_examples=100, deadline=None)
def test_what_is_urgent_stays_urgent_with_the_recognisers_spacing(case: tuple[str, str]) -> None:
    text, question = case
    assert understand(" ".join(text), question).alert is Alert.URGENT


@given(text=TEXT, question=st.sampled_from(list(Question)))
@settings(max_examples=300, deadline=2000)
def test_any_text_ends_in_valid_classes_and_urgent_has_evidence(text: str, question: Question) -> None:
    meant = understand(text, question)
    assert meant.answer in ANSWERS[question] | CONTROLS
    if meant.alert is Alert.URGENT:
        assert meant.evidence
    for judgement in meant.judgements:
        assert 0 <= judgement.start <= judgement.end <= len(text)
        assert text[judgement.start : judgement.end] == judgement.evidence


@given(text=st.text(alphabet="不没是疼摔了，要是怕", min_size=200, max_size=900))
@settings(max_examples=40, deadline=3000)
def test_long_babble_ends_in_finite_time(text: str) -> None:
    assert understand(text, Question.HEALTH).text == text
