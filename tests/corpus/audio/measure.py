"""What is understood from the sound of the corpus: one `Outcome` per utterance, counted in a `Score`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from items import Item, pcm

from ivr.dialogue import dialplan, hearing
from ivr.dialogue.plan import Dialplan
from ivr.session.rehearsal import Answered, hear_answer
from ivr.speech import audio
from ivr.speech.endpointer import TAIL_MS
from ivr.speech.grammar import bare
from ivr.speech.recogniser import Recogniser
from ivr.understanding import understand
from ivr.understanding.model import Question, Understanding
from sip_test_harness.audio import room_noise, speech_level
from xunfang.vocabulary import Alert

PLAN = "monthly_full"
LEAD_MS = 400  # the line is open before somebody speaks
CONDITIONS: dict[str, float | None] = {"clean": None, "20dB": 20.0, "10dB": 10.0}  # speech above room noise
# An answer after which nobody is sent and nothing is asked again.
WELL: dict[Question, frozenset[str]] = {
    Question.HEALTH: frozenset({"good", "same"}),
    Question.MOOD: frozenset({"good", "same"}),
    Question.MOBILITY: frozenset({"good", "same"}),
    Question.ILLNESS: frozenset({"none", "better"}),
    Question.GAS: frozenset({"safe"}),
    Question.WATER_HEATING: frozenset({"safe"}),
    Question.ELECTRICITY: frozenset({"safe"}),
    Question.FIRE: frozenset({"safe"}),
    Question.NEEDS: frozenset({"no"}),
    Question.FAMILY: frozenset({"visits", "calls_only"}),
    Question.ECONOMY: frozenset({"enough"}),
    Question.EVENT: frozenset({"no"}),
    Question.CALLBACK: frozenset({"no"}),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    item: Item
    condition: str
    text: str
    confidence: float | None
    alert: str
    answer: str

    @property
    def exact(self) -> bool:
        return self.text == bare(self.item.text)

    @property
    def right(self) -> bool:
        return self.answer == self.item.answer

    @property
    def taken_for_well(self) -> bool:
        """The worst that can happen: something else was said, and all is thought to be well."""
        well = WELL.get(Question(self.item.question), frozenset())
        if self.exact or self.alert != Alert.NONE or self.answer not in well:
            return False  # heard word for word: what the words mean is measured on text
        if self.item.alert == Alert.URGENT:
            return True
        return self.item.answer is not None and self.item.answer not in well


@cache
def the_plan() -> Dialplan:
    return dialplan.load(PLAN)


def meaning(plan: Dialplan, ask: str, text: str, confidence: float | None = None) -> Understanding:
    """What a call takes the words for when they answer this question."""
    understood = hearing.meaning(plan, ask, hearing.as_heard(text, confidence, words=True), understand)
    assert understood is not None  # something was said
    return understood


def outcome(item: Item, condition: str, text: str, confidence: float | None) -> Outcome:
    """What the dialogue makes of the words: judged, and believed only as far as they were heard."""
    meant = meaning(the_plan(), item.ask, text, confidence)
    return Outcome(item, condition, text, confidence, str(meant.alert), meant.answer)


def _outcome(item: Item, condition: str, heard: Answered) -> Outcome:
    """Nothing heard at all, or only a tone: the call says nothing of it and asks again."""
    meant = heard.understood
    alert, answer = (Alert.NONE, "unclear") if meant is None else (meant.alert, meant.answer)
    return Outcome(item, condition, heard.text, heard.confidence, str(alert), answer)


def on_the_line(item: Item, condition: str) -> bytes:
    """The utterance with the room around it: before, beneath, and until the answer counts as over."""
    spoken = audio.silence(LEAD_MS) + pcm(item) + audio.silence(TAIL_MS + LEAD_MS)
    above_db = CONDITIONS[condition]
    if above_db is None:
        return spoken
    samples = audio.to_samples(spoken).astype(np.float64)
    noise = np.resize(np.roll(room_noise(), zlib.crc32(item.id.encode())), samples.size)
    level = speech_level(pcm(item)) * 10 ** (-above_db / 20)
    wide = np.clip(np.round(samples + noise * level), -audio.FULL_SCALE, audio.FULL_SCALE - 1)
    return wide.astype("<i2").tobytes()


def at_file_speed(
    chosen: Iterable[Item],
    conditions: Sequence[str],
    recogniser: Recogniser,
    progress: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """The path of a call without the network: A-law, endpointer, the question's grammar, judgement."""
    done = []
    for item in chosen:
        for condition in conditions:
            sound = on_the_line(item, condition)
            heard = hear_answer(sound, recogniser, the_plan(), item.ask, understand)
            done.append(_outcome(item, condition, heard))
            progress()
    return done


@dataclass(frozen=True, slots=True)
class Score:
    """Shares are None where nothing of the kind was spoken."""

    utterances: int
    urgent: int
    urgent_heard: int
    urgent_asked: int  # not urgent at once, but a confirming question or a human looks
    urgent_lost: int
    benign: int
    false_urgent: int
    answers: int
    answers_right: int
    answers_unclear: int  # asked again
    exact: int
    taken_for_well: int

    @property
    def recall(self) -> float | None:
        return self.urgent_heard / self.urgent if self.urgent else None

    @property
    def false_per_100(self) -> float | None:
        return 100 * self.false_urgent / self.benign if self.benign else None


def score(outcomes: Iterable[Outcome]) -> Score:
    each = list(outcomes)
    urgent = [o for o in each if o.item.alert == Alert.URGENT]
    benign = [o for o in each if o.item.alert != Alert.URGENT and o.item.kind != "distress"]
    answers = [o for o in benign if o.item.kind != "control" and o.item.answer is not None]
    return Score(
        utterances=len(each),
        urgent=len(urgent),
        urgent_heard=sum(o.alert == Alert.URGENT for o in urgent),
        urgent_asked=sum(o.alert == Alert.REVIEW for o in urgent),
        urgent_lost=sum(o.alert == Alert.NONE for o in urgent),
        benign=len(benign),
        false_urgent=sum(o.alert == Alert.URGENT for o in benign),
        answers=len(answers),
        answers_right=sum(o.right for o in answers),
        answers_unclear=sum(not o.right and o.answer == "unclear" for o in answers),
        exact=sum(o.exact for o in each),
        taken_for_well=sum(o.taken_for_well for o in each),
    )
