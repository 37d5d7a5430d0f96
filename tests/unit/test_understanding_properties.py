"""What must hold for any text: urgency survives politeness, denial creates none, everything ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.understanding import ANSWERS, CONTROLS, Question, default_lexicon, understand
from ivr.understanding import text as clean
from ivr.understanding.cues import cues_of
from ivr.understanding.opinion_features import KnownFeatures, features
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


@given(text=st.text(alphabet="我摔了疼不，。？！、,? ~啊", max_size=24))
@settings(max_examples=300, deadline=None)
def test_the_short_way_to_one_clean_line_is_the_long_way(text: str) -> None:
    pairs = clean._collapse(clean._chars(text))
    assert clean._unified(text) == ("".join(char for char, _ in pairs), [at for _, at in pairs])


@given(row=st.sampled_from(ROWS))
@settings(max_examples=150, deadline=None)
def test_a_model_finds_in_an_utterance_the_features_it_was_taught(row: dict[str, str]) -> None:
    text, question = clean.normalise(row["text"]).text, Question(row["question"])
    if not re.search("[a-z]", text):  # letters have no sound
        wanted = features(text, question)
        keys = sorted(set(wanted[::2]))  # a model knows only some
        number = {key: row for row, key in enumerate(keys)}
        found = KnownFeatures(keys).rows(text, question)
        assert sorted(found) == sorted(number[key] for key in wanted if key in number)


@given(row=st.sampled_from(ROWS))
@settings(max_examples=150, deadline=None)
def test_a_cue_that_is_put_aside_would_not_have_matched(row: dict[str, str]) -> None:
    text = clean.normalise(row["text"]).text
    every = cues_of(default_lexicon())
    some = every.heard_in(text)
    for name in every.patterns:
        for start in range(0, len(text), 5):
            wanted = getattr(every, name).search(text[start:])
            found = getattr(some, name).search(text[start:])
            assert (wanted is None) == (found is None), name
