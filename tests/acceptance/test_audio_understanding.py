"""Issue 3 from sound: unseen voices, starter model, the path of a call at file speed.

The whole table, and the same through SIP: benchmarks/audio_understanding.py, docs/understanding-audio.md.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from asr_models.manifest import STARTER_FOLDER
from ivr.speech.recogniser import Recogniser

sys.path.insert(0, str(Path(__file__).parents[1] / "corpus" / "audio"))

from items import Item, items
from measure import Outcome, at_file_speed, score

pytestmark = pytest.mark.acceptance

PHRASES = frozenset({"distress", "benign", "control"})
EVERY = 4  # of the utterances in noise and of the free sentences: enough to see a change for the worse
LEAST_RECALL = 0.95
MOST_FALSE_PER_100 = 1.0
LEAST_RECALL_IN_NOISE = 0.85  # measured 0.91 at 20 dB: the starter model does not reach 0.95 there


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser(STARTER_FOLDER)


@pytest.fixture(scope="module")
def clean_phrases(recogniser: Recogniser) -> list[Outcome]:
    return at_file_speed([item for item in items() if item.kind in PHRASES], ["clean"], recogniser)


def told(outcomes: Sequence[Outcome]) -> list[tuple[str, str, str]]:
    return [(each.item.id, each.text, each.answer) for each in outcomes]


def some(kinds: frozenset[str], every: int) -> list[Item]:
    return [item for item in items() if item.kind in kinds][::every]


def test_danger_phrases_of_unseen_voices_ring_a_human(clean_phrases: list[Outcome]) -> None:
    recall = score(clean_phrases).recall
    assert recall is not None
    assert recall >= LEAST_RECALL


def test_at_most_one_benign_answer_in_a_hundred_rings_a_human(clean_phrases: list[Outcome]) -> None:
    counted = score(clean_phrases)
    assert counted.benign >= 200
    assert counted.false_per_100 is not None
    assert counted.false_per_100 <= MOST_FALSE_PER_100


def test_an_unheard_phrase_is_never_taken_for_well(clean_phrases: list[Outcome]) -> None:
    assert told([each for each in clean_phrases if each.taken_for_well]) == []


def test_an_unheard_free_sentence_is_never_taken_for_well(recogniser: Recogniser) -> None:
    heard = at_file_speed(some(frozenset({"free"}), 2), ["clean"], recogniser)
    assert told([each for each in heard if each.taken_for_well]) == []


def test_room_noise_costs_little(recogniser: Recogniser) -> None:
    counted = score(at_file_speed(some(PHRASES, EVERY), ["20dB"], recogniser))
    assert counted.recall is not None
    assert counted.recall >= LEAST_RECALL_IN_NOISE
