"""Personas, scenarios and the demo village: what ships is sound, and mistakes are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sip_test_harness import audio, voices
from sip_test_harness.formats import (
    list_personas,
    list_scenarios,
    load_demo_village,
    load_persona,
    load_scenario,
    persona_from,
)
from sip_test_harness.model import Does, Via
from xunfang.errors import BadScenario, NotFound
from xunfang.vocabulary import CallDisposition

pytestmark = pytest.mark.unit

GOOD: dict[str, Any] = {
    "number": "13900000077",
    "name": "某某",
    "sex": "female",
    "voice": "zf_xiaoni",
    "story": "试一试",
    "attempts": [{"does": "answer"}],
}


def with_attempt(**attempt: Any) -> dict[str, Any]:
    return GOOD | {"attempts": [attempt]}


def test_every_shipped_persona_and_scenario_loads() -> None:
    assert len(list_personas()) >= 13
    assert {scenario.id for scenario in list_scenarios()} >= {"quick", "distress", "carrier", "faults"}


def test_every_behaviour_has_a_persona() -> None:
    shown = {attempt.does for persona in list_personas() for attempt in persona.attempts}
    assert shown == set(Does) - {Does.MANUAL}


def test_announcements_come_early_and_behind_an_answer() -> None:
    ways = {a.via for p in list_personas() for a in p.attempts if a.does is Does.ANNOUNCEMENT}
    assert ways == {Via.EARLY, Via.ANSWER}


def test_the_demo_village_has_thirteen_elders_with_different_lives() -> None:
    elders = load_demo_village().elders
    assert len(elders) == 13
    assert len({elder.persona.number for elder in elders}) == 13
    assert len({elder.persona.name for elder in elders}) == 13
    assert len({elder.persona.story for elder in elders}) == 13
    assert all(elder.first_visitor.phone for elder in elders)


def test_everything_that_is_said_has_a_recording_in_its_own_voice() -> None:
    missing = [line for line in voices.lines_of(list_personas()) if line not in voices.index()]
    assert missing == []


def test_every_recording_is_telephone_audio_that_starts_at_once_and_does_not_clip() -> None:
    for line, file in voices.index().items():
        samples = abs(audio.samples(audio.read_wav(voices.VOICES / file)))
        assert 8_000 < samples.max() < 30_000, line.text
        assert samples[:3200].max() > 300, line.text  # within 0.4 s


def test_elders_speak_only_with_voices_the_recogniser_never_heard() -> None:
    elders = [
        persona for persona in list_personas() if persona.id != "duty"
    ]  # nobody recognises the duty person
    assert {persona.voice for persona in elders} == {"zm_yunyang", "zf_xiaoni"}


def test_the_last_attempt_repeats_for_ever() -> None:
    persona = load_persona("busy_then_answers")
    assert [persona.attempt(nth).does for nth in (1, 2, 9)] == [Does.BUSY, Does.ANSWER, Does.ANSWER]


def test_like_takes_over_the_replies_of_another_after_ones_own() -> None:
    own, other = load_persona("meals").attempts[0], load_persona("well").attempts[0]
    assert own.replies[1:] == other.replies
    assert own.replies[0].say == ("需要送饭",)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (with_attempt(does="dances"), r"attempts\[0\].does: 'dances' is not one of"),
        (with_attempt(does="manual"), "manual"),
        (with_attempt(does="announcement"), "needs message"),
        (with_attempt(does="early_hangup"), "hang_up_after_s"),
        (with_attempt(does="answer", replies=[{"say": "是我"}]), r"replies\[0\]"),
        (with_attempt(does="answer", replies=[{"when": "("}]), "needs say, press or hang_up"),
        (with_attempt(does="answer", replies=[{"when": "(", "say": "好"}]), "no valid regular expression"),
        (with_attempt(does="answer", replies=[{"when": "x", "say": "好", "barge_ms": 5}]), "barge_ms"),
        (with_attempt(does="answer", like="nobody"), "there is no persona 'nobody'"),
        (with_attempt(does="answer", loss_percent=200), "loss_percent"),
        (GOOD | {"number": "abc"}, "number"),
        (GOOD | {"attempts": []}, "attempts"),
        ({key: value for key, value in GOOD.items() if key != "voice"}, "'voice' is a required property"),
    ],
)
def test_a_wrong_persona_is_refused_with_the_place(data: dict[str, Any], told: str) -> None:
    with pytest.raises(BadScenario, match=told):
        persona_from(data)


def test_a_file_that_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("number: '1\nname: [", "utf-8")
    with pytest.raises(BadScenario, match=r"broken.yaml: not valid YAML at line \d"):
        load_persona("broken", tmp_path)


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(NotFound, match=r"no persona 'nobody'.*busy_then_answers"):
        load_persona("nobody")
    with pytest.raises(NotFound, match=r"no scenario 'nothing'.*quick"):
        load_scenario("nothing")


def test_two_personas_with_one_number_are_refused(tmp_path: Path) -> None:
    text = "number: '139'\nname: a\nsex: male\nvoice: zm_yunyang\nstory: a\nattempts: [{does: busy}]\n"
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    with pytest.raises(BadScenario, match="one and two have the same number"):
        list_personas(tmp_path)


def test_like_in_a_circle_is_refused(tmp_path: Path) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        (tmp_path / f"{name}.yaml").write_text(
            f"number: '139'\nname: a\nsex: male\nvoice: zm_yunyang\nstory: a\n"
            f"attempts: [{{does: answer, like: {other}}}]\n",
            "utf-8",
        )
    with pytest.raises(BadScenario, match="one → two → one"):
        load_persona("one", tmp_path)


def test_a_scenario_names_dispositions_of_the_vocabulary_only(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("about: a\ncalls: [{persona: well, expect: {disposition: failed}}]\n", "utf-8")
    with pytest.raises(BadScenario, match=r"odd.yaml: calls\[0\].expect.disposition: 'failed'"):
        load_scenario(path)
    path.write_text("about: a\ncalls: [{persona: nobody}]\n", "utf-8")
    with pytest.raises(BadScenario, match=r"odd.yaml: no persona 'nobody'"):
        load_scenario(path)


def test_a_scenario_keeps_the_order_of_its_calls() -> None:
    scenario = load_scenario("quick")
    assert [call.persona.id for call in scenario.calls] == ["well", "busy_then_answers", "powered_off"]
    assert scenario.calls[1].expect.disposition is CallDisposition.BUSY
    assert scenario.dialplan == "demo_short"
