"""Dialplans as files: what is refused, and that the message says where, what and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ivr.dialogue import dialplan
from ivr.understanding.model import Question
from xunfang.errors import BadDialplan, NotFound

pytestmark = pytest.mark.unit

QUESTION = {
    "id": "health",
    "topic": "health",
    "say": "您身体好吗？",
    "rephrase": "您身体，好，还是不好？",
    "keypad": "好，请按一。不好，请按二。",
    "keys": {"1": "same", "2": "worse"},
}


def written(folder: Path, *questions: dict[str, object], **top: object) -> Path:
    data = {"format": 1, "name": "mine", "title": "自用", "extends": "shared/common.yaml", **top}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**data, "questions": list(questions)}, allow_unicode=True), "utf-8")
    return path


def complaint(path: Path) -> str:
    with pytest.raises(BadDialplan) as refused:
        dialplan.load(path)
    return str(refused.value)


def test_a_county_can_write_its_own_dialplan_on_the_shipped_base(tmp_path: Path) -> None:
    plan = dialplan.load(written(tmp_path, QUESTION, go_on="您说吧。"))
    assert [ask.id for ask in plan.questions] == ["health"]
    assert plan.go_on == "您说吧。"
    assert plan.goodbye.finished in plan.texts()


def test_an_unknown_dialplan_names_those_there_are() -> None:
    with pytest.raises(NotFound, match="callback, demo_short, monthly_full"):
        dialplan.load("yearly")


def test_broken_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("name: [a\ntitle: b\n", "utf-8")
    assert "broken.yaml: broken YAML at line 2" in complaint(path)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gbk.yaml"
    path.write_bytes("title: 短访".encode("gbk"))
    assert "save the file as UTF-8" in complaint(path)


def test_an_unknown_topic_is_refused_with_the_topics_there_are(tmp_path: Path) -> None:
    message = complaint(written(tmp_path, {**QUESTION, "topic": "weather"}))
    assert "mine.yaml: questions/0 (health)/topic: 'weather' is not allowed" in message
    assert "water_heating" in message


def test_a_missing_wording_is_refused(tmp_path: Path) -> None:
    question = {key: value for key, value in QUESTION.items() if key != "keypad"}
    assert "questions/0 (health): missing: keypad" in complaint(written(tmp_path, question))


def test_an_unknown_key_is_refused_with_the_keys_there_are(tmp_path: Path) -> None:
    message = complaint(written(tmp_path, {**QUESTION, "sayy": "您好吗？"}))
    assert "unknown key 'sayy'; allowed: acknowledge, concrete" in message


def test_a_key_that_gives_an_impossible_answer_is_refused(tmp_path: Path) -> None:
    message = complaint(written(tmp_path, {**QUESTION, "keys": {"1": "safe", "2": "worse"}}))
    assert "keys/1: 'safe' is no answer; allowed: good, same, urgent, worse" in message


def test_an_unquoted_yes_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = written(tmp_path, QUESTION)
    path.write_text(path.read_text("utf-8") + "acknowledge:\n  yes: 好的。\n", "utf-8")
    assert "the key True is no text; put it in quotes" in complaint(path)


def test_a_question_that_can_never_be_reached_is_refused(tmp_path: Path) -> None:
    condition = {"question": "later", "answers": ["good"]}
    message = complaint(written(tmp_path, {**QUESTION, "when": condition}))
    assert "'later' is not asked before it, so the question can never be reached" in message
    second = {**QUESTION, "id": "second", "when": {"question": "health", "answers": ["safe"]}}
    assert "'safe' never comes; allowed: good, same, unclear, worse" in complaint(
        written(tmp_path, QUESTION, second)
    )


def test_two_questions_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "used twice" in complaint(written(tmp_path, QUESTION, QUESTION))


def test_a_question_named_like_a_stage_is_refused(tmp_path: Path) -> None:
    assert "name of a stage" in complaint(written(tmp_path, {**QUESTION, "id": "urgent"}))


def test_a_missing_base_is_refused(tmp_path: Path) -> None:
    assert "no file 'nothing.yaml'" in complaint(written(tmp_path, QUESTION, extends="nothing.yaml"))


def test_the_hash_follows_the_words_of_both_files(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    shipped = (dialplan.FOLDER / "shared" / "common.yaml").read_text("utf-8")
    base.write_text(shipped, "utf-8")
    path = written(tmp_path, QUESTION, extends="base.yaml")
    first = dialplan.load(path).hash
    assert len(first) == 12
    assert dialplan.load(path).hash == first
    base.write_text(shipped.replace("那就好。", "那太好了。"), "utf-8")
    assert dialplan.load(path).hash != first


def test_the_grammar_of_a_state_holds_danger_control_and_the_answers_of_its_topic() -> None:
    from ivr.understanding import answer_phrases, control_phrases, distress_phrases

    plan = dialplan.load("weekly_short")
    for topic in Question:
        phrases = dialplan.phrases(plan, topic)
        assert {*distress_phrases(), *control_phrases(), *answer_phrases(topic)} <= set(phrases)
        assert len(phrases) == len(set(phrases))
    assert "不满意" in dialplan.phrases(dialplan.load("monthly_full"), Question.ANY)
