"""What the village says is what the system hears: every reply, through G.711 and the starter model.

The village would be useless for showing the whole system if its elders spoke words that the small model
mistakes; and a change of dialplan that leaves an elder without an answer is noticed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import asr_models
from ivr.dialogue import dialplan
from ivr.dialogue.plan import Ask, Dialplan
from ivr.speech import audio
from ivr.speech.recogniser import Recogniser
from ivr.understanding import understand
from ivr.understanding.model import Question, Understanding
from sip_test_harness import load_persona, voices
from sip_test_harness.model import Does
from sip_test_harness.script import Script
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.integration

PLANS = ("demo_short", "weekly_short", "monthly_full")
FINE = {"self", "good", "same", "none", "safe", "no", "visits", "enough", "other"}


STARTER = Path(asr_models.__file__).parent / "starter"
LONG_ENOUGH_MS = 5000


@cache
def recogniser() -> Recogniser:
    return Recogniser(STARTER)


def questions(plan: Dialplan) -> Iterator[tuple[str, Question, str]]:
    """(what is asked, its topic, a text that asks it)."""
    asks: list[tuple[str, Ask]] = [("identity", plan.identity), *((ask.id, ask) for ask in plan.questions)]
    for name, ask in asks:
        for text in (ask.say, ask.rephrase, ask.concrete):
            if text:
                yield name, ask.topic, text


@cache
def heard(plan: str, topic: Question, line: voices.Line) -> Understanding:
    """What the system makes of a line spoken in answer to a question of the topic."""
    stream = recogniser().open(dialplan.phrases(dialplan.load(plan), topic))
    pcm = audio.silence(300) + audio.through_alaw(voices.spoken(line)) + audio.silence(800)
    for at in range(0, len(pcm), 1600):
        stream.feed(pcm[at : at + 1600])
    return understand(stream.finish().text, topic)


def replies(persona_id: str, prompt: str) -> list[voices.Line]:
    """What the persona says to a prompt, asked for the first time, in its last kind of call."""
    persona = load_persona(persona_id)
    attempt = persona.attempts[-1]
    assert attempt.does is Does.ANSWER
    script = Script(attempt)
    script.paused(prompt)
    reply = script.due(0, LONG_ENOUGH_MS, busy=False)
    parts = reply.say if reply else ()
    return [voices.Line(persona.voice, persona.speed, part) for part in parts if isinstance(part, str)]


def misheard(persona_id: str, plan: str) -> list[tuple[str, str, str, str, Alert]]:
    """(question, said, understood as ...) for every answer that is not a plain good one."""
    wrong = []
    for name, topic, prompt in questions(dialplan.load(plan)):
        lines = replies(persona_id, prompt)
        assert lines, f"{persona_id} has nothing to say to {prompt}"
        for line in lines:
            meant = heard(plan, topic, line)
            if meant.answer not in FINE or meant.alert is not Alert.NONE:
                wrong.append((name, line.text, meant.text, meant.answer, meant.alert))
    return wrong


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("persona", ["well", "busy_then_answers"])
def test_the_healthy_are_understood_in_every_question_of_every_dialplan(persona: str, plan: str) -> None:
    assert misheard(persona, plan) == []


def meanings(persona_id: str, part_of_question: str) -> list[Understanding]:
    plan = "demo_short"
    return [
        heard(plan, topic, line)
        for _, topic, prompt in questions(dialplan.load(plan))
        if part_of_question in prompt
        for line in replies(persona_id, prompt)
    ]


def test_the_fallen_are_urgent_before_anything_else_was_asked() -> None:
    assert [meant.alert for meant in meanings("fell", "本人吗")] == [Alert.URGENT] * 2


def test_chest_pain_comes_after_it_was_nothing() -> None:
    first, *_ = meanings("chest_pain", "身体好吗")
    assert first.alert is Alert.NONE
    assert {meant.alert for meant in meanings("chest_pain", "摔")} == {Alert.URGENT}


def test_requests_refusals_and_relatives_are_what_they_say() -> None:
    assert {(m.answer, m.alert, m.details) for m in meanings("meals", "帮忙")} == {
        ("yes", Alert.REVIEW, ("meals",))
    }
    assert {m.answer for m in meanings("opt_out", "本人吗")} == {"opt_out"}
    assert {m.answer for m in meanings("daughter_answers", "本人吗")} == {"other_person"}
    assert {m.answer for m in meanings("hard_of_hearing", "身体好吗")} == {"not_heard"}
    assert {m.answer for m in meanings("hard_of_hearing", "摔过")} == {"repeat_request"}
