"""The endpointer over drawn voice: `#` is a voiced frame of 20 ms, `.` an unvoiced one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.speech.audio import FRAME_MS
from ivr.speech.endpointer import (
    BARGE_IN_MS,
    LONGEST_TAIL_MS,
    ONSET_MS,
    ONSET_WINDOW_MS,
    RESUME_MS,
    SHORTEST_TAIL_MS,
    Endpointer,
    Event,
    NoSpeech,
    SpeechEnded,
    SpeechStarted,
    TooLong,
    clamp_tail,
)

pytestmark = pytest.mark.unit


class Drawn:
    def is_speech(self, frame: bytes) -> bool:
        return frame == b"#"


def voice(ms: int) -> str:
    return "#" * (ms // FRAME_MS)


def pause(ms: int) -> str:
    return "." * (ms // FRAME_MS)


def run(endpointer: Endpointer, drawing: str) -> list[tuple[int, Event]]:
    """(time of the frame's end in ms, event) of all that happened."""
    events = []
    for mark in drawing:
        event = endpointer.push(mark.encode())
        if event is not None:
            events.append((endpointer.now_ms, event))
    return events


def listening(
    tail_ms: int = 1600, no_speech_s: float | None = 6.0, max_answer_s: float = 20.0, barge_in: bool = False
) -> Endpointer:
    return Endpointer(Drawn(), tail_ms, no_speech_s, max_answer_s, barge_in=barge_in)


def kinds(events: list[tuple[int, Event]]) -> list[type[Event]]:
    return [type(event) for _, event in events]


def test_an_answer_ends_when_the_tail_is_over_and_its_length_excludes_the_tail() -> None:
    events = run(listening(), pause(500) + voice(800) + pause(2000))
    assert events == [
        (500 + ONSET_MS, SpeechStarted(500)),
        (1300 + 1600, SpeechEnded(500, 1300, 800)),
    ]


def test_a_pause_shorter_than_the_tail_stays_one_answer_and_a_longer_one_makes_two() -> None:
    spoken = voice(600) + pause(1200) + voice(600) + pause(1600)
    assert kinds(run(listening(tail_ms=1600), spoken)) == [SpeechStarted, SpeechEnded]
    impatient = listening(tail_ms=1000)
    first = run(impatient, spoken[: (600 + 1200) // FRAME_MS])
    impatient.arm()
    second = run(impatient, spoken[(600 + 1200) // FRAME_MS :])
    assert kinds(first) == kinds(second) == [SpeechStarted, SpeechEnded]


def test_a_click_is_no_speech() -> None:
    assert kinds(run(listening(), (voice(60) + pause(300)) * 20)) == [NoSpeech]


def test_a_short_yes_is_speech() -> None:
    assert kinds(run(listening(), pause(400) + voice(160) + pause(1600))) == [SpeechStarted, SpeechEnded]


def test_a_blip_in_the_tail_does_not_prolong_it() -> None:
    events = run(listening(), voice(500) + pause(1000) + voice(40) + pause(1000))
    assert events[-1] == (500 + 1600, SpeechEnded(0, 500, 500))


def test_silence_is_reported_when_the_waiting_time_is_over() -> None:
    assert run(listening(no_speech_s=3.0), pause(9000)) == [(3000, NoSpeech(3000))]


def test_a_syllable_that_begins_in_the_last_moment_is_waited_for() -> None:
    events = run(listening(no_speech_s=3.0), pause(2960) + voice(400) + pause(1600))
    assert kinds(events) == [SpeechStarted, SpeechEnded]


def test_an_endless_answer_is_cut_at_the_limit() -> None:
    assert run(listening(max_answer_s=5.0), voice(9000))[-1] == (5000, TooLong(0, 5000))


def test_nothing_more_happens_until_it_is_armed_again() -> None:
    endpointer = listening()
    run(endpointer, voice(500) + pause(1600))
    assert run(endpointer, voice(2000)) == []


def test_a_backchannel_under_a_prompt_is_no_barge_in_but_a_sentence_is() -> None:
    assert run(listening(barge_in=True), pause(1000) + voice(BARGE_IN_MS - 60) + pause(60_000)) == []
    assert kinds(run(listening(barge_in=True), pause(1000) + voice(900))) == [SpeechStarted]


def test_who_begins_in_the_last_word_of_a_prompt_is_heard_from_the_beginning() -> None:
    endpointer = listening(barge_in=True)
    assert run(endpointer, pause(1000) + voice(100)) == []
    endpointer.arm()
    assert run(endpointer, voice(400))[0][1] == SpeechStarted(1000)


def test_an_elders_tail_is_kept_within_what_makes_sense() -> None:
    assert [clamp_tail(ms) for ms in (None, 200, 2200, 9000)] == [
        1600,
        SHORTEST_TAIL_MS,
        2200,
        LONGEST_TAIL_MS,
    ]
    with pytest.raises(ValueError, match="1000-3000"):
        listening(tail_ms=200)


drawings = st.lists(
    st.tuples(st.sampled_from("#."), st.integers(1, 90)).map(lambda run_: run_[0] * run_[1]), max_size=40
).map("".join)
tails = st.integers(SHORTEST_TAIL_MS // FRAME_MS, LONGEST_TAIL_MS // FRAME_MS).map(lambda n: n * FRAME_MS)


@given(drawings, tails)
def test_whatever_is_heard_an_answer_starts_before_it_ends_and_ends_once(drawing: str, tail_ms: int) -> None:
    endpointer = listening(tail_ms, max_answer_s=8.0)
    assert kinds(run(endpointer, drawing)) in (
        [],
        [NoSpeech],
        [SpeechStarted],
        [SpeechStarted, SpeechEnded],
        [SpeechStarted, TooLong],
    )


@given(drawings, tails)
def test_an_answer_never_ends_before_its_tail_was_silent_of_speech(drawing: str, tail_ms: int) -> None:
    for now_ms, event in run(listening(tail_ms, None, 60.0), drawing):
        if isinstance(event, SpeechEnded):
            tail = drawing[event.end_ms // FRAME_MS : now_ms // FRAME_MS]
            assert now_ms - event.end_ms == tail_ms
            assert "#" * (RESUME_MS // FRAME_MS) not in tail
            assert event.voiced_ms >= ONSET_MS


@given(drawings)
def test_waiting_always_ends_in_time(drawing: str) -> None:
    events = run(listening(no_speech_s=2.0), drawing + "." * 400)
    first_ms = events[0][0]
    assert first_ms <= 2000 + ONSET_WINDOW_MS + FRAME_MS


@given(drawings)
def test_no_answer_is_longer_than_allowed(drawing: str) -> None:
    for now_ms, event in run(listening(no_speech_s=None, max_answer_s=3.0), drawing):
        if isinstance(event, SpeechEnded | TooLong):
            assert now_ms - event.start_ms <= 3000 + FRAME_MS
