"""The lexicon as data: loading, a county's overlay, checks, before and after, patterns, repair by sound."""

from __future__ import annotations

import json

import pytest

from ivr.understanding import (
    Question,
    answer_phrases,
    check,
    control_phrases,
    default_lexicon,
    diff,
    distress_phrases,
    understand,
    with_overlay,
)
from ivr.understanding.check import entry_changes
from ivr.understanding.pattern_keys import PatternError, keys_of
from ivr.understanding.patterns import PatternSet, longest_only, spellings
from ivr.understanding.phonetic import Repairer, char_cost
from ivr.understanding.service import by_rules
from xunfang.errors import BadLexicon
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit


def test_the_shipped_lexicon_has_no_problem() -> None:
    assert check(default_lexicon()) == []


def test_every_entry_says_why_it_is_there_and_where_it_is_from() -> None:
    for entry in default_lexicon().entries:
        assert entry.reason.strip(), entry.id
        assert entry.source.strip(), entry.id


ADD_FALL = """
add:
  - id: county.fall
    kind: event
    event: fall
    level: review
    say: [打了个哧溜]
    reason: local word
"""


def test_a_county_adds_its_own_word() -> None:
    text = "今早打了个哧溜"
    assert understand(text, "event").main is None
    local = with_overlay(default_lexicon(), ADD_FALL)
    assert understand(text, "event", lexicon=local).alert is Alert.REVIEW


def test_a_county_disables_an_entry_by_id() -> None:
    local = with_overlay(default_lexicon(), "disable: [plea.save, plea.wide, plea.come]")
    assert by_rules("救命", Question.ANY, local)[0].alert is Alert.NONE  # the second opinion hears it still
    assert by_rules("救命", Question.ANY, default_lexicon())[0].alert is Alert.URGENT


def test_a_county_changes_the_level_of_an_entry() -> None:
    local = with_overlay(default_lexicon(), "change: [{id: fraud.any, level: mild}]")
    assert local.by_id["fraud.any"].get("level") == "mild"
    assert default_lexicon().by_id["fraud.any"].get("level") == "review"


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("disable: [no.such]", "no entry no.such"),
        ("change: [{id: no.such}]", "no entry no.such"),
        ("remove: [fall.plain]", "only add, change and disable"),
        ("add: [{id: x, kind: event, say: [摔]}]", "reason is missing"),
        ("add: [{id: x, kind: event, event: trip, say: [摔], reason: r}]", "not one of"),
        ("add: [{id: x, kind: plea, say: ['(救'], reason: r}]", "missing \\)"),
        ("add: [{id: x, kind: plea, say: ['~'], reason: r}]", "without any fixed word"),
        ("add: [{id: fall.plain, kind: plea, say: [救], reason: r}]", "already used"),
        (
            "add: [{id: x, kind: answer, class: rich, question: economy, say: [钱], reason: r}]",
            "not an answer to",
        ),
        ("add: [{id: x, kind: plea, say: [救], reason: r, colour: red}]", "unknown field colour"),
        ("add: {", "not readable as YAML"),
    ],
)
def test_a_bad_overlay_is_refused_with_what_to_mend(overlay: str, message: str) -> None:
    with pytest.raises(BadLexicon, match=message):
        with_overlay(default_lexicon(), overlay)


def test_check_finds_conflicts_masks_and_long_phrases() -> None:
    bad = with_overlay(
        default_lexicon(),
        """
add:
  - {id: a.yes, kind: answer, question: callback, class: yes, say: [那行呗], reason: r}
  - {id: a.no, kind: answer, question: callback, class: no, say: [那行呗], reason: r}
  - {id: a.masked, kind: event, event: suicidal, level: urgent, say: [累死我了], reason: r}
  - {id: a.long, kind: plea, say: [我今天早上起来的时候就觉得身上哪儿哪儿都不舒服你们快来吧], reason: r}
""",
    )
    kinds = {(p.kind, p.entries[0]) for p in check(bad)}
    assert kinds == {("conflict", "a.yes"), ("unreachable", "a.masked"), ("too_long", "a.long")}


def test_diff_shows_each_changed_sentence_before_and_after() -> None:
    local = with_overlay(default_lexicon(), ADD_FALL)
    corpus = [
        {"id": "d1", "question": "event", "text": "今早打了个哧溜"},
        {"id": "d2", "question": "economy", "text": "够花"},
    ]
    (change,) = diff(default_lexicon(), local, corpus)
    assert change.id == "d1"
    assert change.before["event"] is None
    assert change.after["event"] == "fall"


def test_what_an_overlay_did_to_the_entries_is_told_by_id() -> None:
    base = default_lexicon()
    fall = base.by_id["fall.plain"]
    overlay = f"""
change:
  - {{id: fall.plain, say: {json.dumps([*fall.say[1:], "撂那儿"], ensure_ascii=False)}, level: urgent}}
  - {{id: fraud.any, reason: another reason}}
disable: [plea.wide]
""" + ADD_FALL.replace("\nadd:", "add:", 1)
    changes = {each.id: each for each in entry_changes(base, with_overlay(base, overlay))}
    assert {ident: each.how for ident, each in changes.items()} == {
        "county.fall": "added",
        "fall.plain": "changed",
        "plea.wide": "disabled",
    }, "an entry whose meaning is the same is not listed"
    changed = changes["fall.plain"]
    assert changed.before == {"level": fall.get("level"), "say": [fall.say[0]]}
    assert changed.after == {"level": "urgent", "say": ["撂那儿"]}
    assert changes["plea.wide"].after == {}
    assert entry_changes(base, base) == []


def test_grammar_phrases_are_short_and_judged_as_meant() -> None:
    assert len(distress_phrases()) >= 40
    for phrase in distress_phrases():
        assert len(phrase) <= 8
        assert understand(phrase, "any").alert is not Alert.NONE, phrase
    assert len(control_phrases()) >= 25
    for question in Question:
        phrases = answer_phrases(question)
        if question is not Question.ANY:
            assert len(phrases) >= 15, question
        assert all(len(p) <= 8 for p in phrases)


def test_patterns_find_gaps_choices_and_clause_edges() -> None:
    found = PatternSet([(0, "胸口~(疼|痛)"), (1, "^没有$")])
    assert [(h.owner, h.gap) for h in found.find("胸口有点痛")] == [(0, "有点")]
    assert found.find("胸口好，腿痛") == []
    assert [h.owner for h in found.find("啥，没有，真的")] == [1]
    assert found.find("没有钱") == []


def test_keys_are_words_the_pattern_cannot_do_without() -> None:
    assert keys_of("(煤气|天然气)~漏") == frozenset({"煤气", "天然气"})
    with pytest.raises(PatternError):
        keys_of("摔?")


def test_the_longest_match_wins_inside_one_question() -> None:
    found = PatternSet([(0, "够"), (1, "不够")])
    assert [h.owner for h in longest_only(found.find("不够"))] == [1]


def test_spellings_write_out_the_alternatives() -> None:
    assert set(spellings("(煤|天然)气漏了?")) == {"煤气漏", "煤气漏了", "天然气漏", "天然气漏了"}
    assert set(spellings("胸口~疼得慌")) == {"胸口", "疼得慌"}


def test_repair_keeps_to_what_sounds_alike_and_to_ordinary_words() -> None:
    made = Repairer(["着火了", "卖了"], ["买了"])
    assert made.repair("屋里着货了").text == "屋里着火了"
    assert made.repair("菜买了").text == "菜买了"
    assert made.repair("着凉了").text == "着凉了"


def test_the_cost_of_a_character_grows_with_the_distance_in_sound() -> None:
    assert char_cost("摔", "摔") == 0
    assert 0 < char_cost("甩", "摔") < char_cost("山", "三")
    assert char_cost("火", "水") == float("inf")
