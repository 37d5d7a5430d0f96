"""What a supervisor reads as the reason: Chinese throughout, with the machine's name in front."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ivr.understanding import default_lexicon, understand
from ivr.understanding.wording import named, words
from visits.evidence import reason as shown
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit
TRAIN = Path(__file__).parent.parent / "corpus" / "train.jsonl"
LATIN = re.compile("[a-z]{2,}")


def test_every_reason_in_the_corpus_is_chinese_behind_its_name() -> None:
    ids = set(default_lexicon().by_id)
    for line in TRAIN.read_text("utf-8").splitlines():
        row = json.loads(line)
        for reason in understand(row["text"], row["question"]).reasons:
            assert not LATIN.search(words(reason)), reason
            assert shown(reason) == words(reason)
            found = named(reason)
            if found is not None and "." in found[0]:
                assert found[0] in ids


@pytest.mark.parametrize(
    ("text", "question", "name", "level"),
    [
        ("我摔倒了起不来了", "event", "up.cannot", Alert.URGENT),
        ("救命啊", "any", "plea.save", Alert.URGENT),
        ("不太好", "health", "answer: worse", Alert.REVIEW),
        ("别再打电话了", "any", "control: opt_out", Alert.REVIEW),
    ],
)
def test_a_machine_finds_the_name_and_the_level(text: str, question: str, name: str, level: Alert) -> None:
    assert (name, level) in [named(reason) for reason in understand(text, question).reasons]


def test_silence_and_announcements_are_told_in_chinese_and_name_nothing() -> None:
    assert understand("").reasons == ("什么也没说",)
    (reason,) = understand("您拨打的电话已关机").reasons
    assert reason == "运营商或机器播报：关机"
    assert named(reason) is None


def test_the_days_are_told_to_the_supervisor() -> None:
    meant = understand("我两三天没吃饭了", "any")
    assert any("两三天（2–3 天）" in reason for reason in meant.reasons)
