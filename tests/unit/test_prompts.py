"""The recordings of everything that is said: there, audible, clean, in the format of the telephone."""

from __future__ import annotations

import wave

import numpy as np
import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.plan import greeting_text
from ivr.speech.prompts import read_index, text_hash, title_text
from ivr.speech.surnames import HONORIFICS, SURNAMES, spoken_titles

pytestmark = pytest.mark.unit

FOLDER = dialplan.FOLDER / "prompts"
INDEX = read_index(FOLDER)
RATE_HZ = 8_000
SPOKEN_RMS_DB = (-26.0, -9.0)  # of full scale, over the frames in which something is said
MAX_LEAD_S = 0.3  # silence before the first sound: longer, and the elder says 喂
MAX_TRAIL_S = 0.5
MAX_TOTAL_MB = 30
SLOW_SPEED = 0.8  # what is said again must be slower than this


def samples(file: str) -> np.ndarray:  # type: ignore[type-arg]
    with wave.open(str(FOLDER / file)) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (RATE_HZ, 2, 1)
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2").astype(np.float64) / 32768


@pytest.mark.parametrize("name", dialplan.names())
def test_every_text_of_the_dialplan_has_its_recording(name: str) -> None:
    missing = [
        t for t in dialplan.load(name).texts() if t not in INDEX or not (FOLDER / INDEX[t].file).exists()
    ]
    assert missing == []


def test_every_title_has_its_recording_under_the_text_that_the_greeting_says() -> None:
    assert len(SURNAMES) >= 100
    for surname in SURNAMES:
        for honorific in HONORIFICS:
            text = greeting_text(f"{surname}{honorific}")
            assert text == title_text(surname, honorific)
            assert (FOLDER / INDEX[text].file).exists()


def test_no_recording_is_left_over() -> None:
    said = {text for name in dialplan.names() for text in dialplan.load(name).texts()} | set(spoken_titles())
    assert {text for text in INDEX if text not in said} == set()
    assert {path.name for path in FOLDER.glob("*.wav")} == {entry.file for entry in INDEX.values()}


def test_a_recording_bears_the_hash_of_its_text() -> None:
    assert [text for text, entry in INDEX.items() if entry.file != f"{text_hash(text)}.wav"] == []


def test_what_is_said_again_is_said_slower() -> None:
    for name in dialplan.names():
        for text in dialplan.load(name).slow_texts():
            assert INDEX[text].speed < SLOW_SPEED, text


def test_all_recordings_are_loud_clean_and_begin_at_once() -> None:
    wrong: list[str] = []
    for text, entry in INDEX.items():
        pcm = samples(entry.file)
        loud = np.flatnonzero(np.abs(pcm) > 0.02)
        if loud.size == 0:
            wrong.append(f"{text}: silent")
            continue
        lead, trail = loud[0] / RATE_HZ, (len(pcm) - loud[-1]) / RATE_HZ
        frames = pcm[: len(pcm) // 160 * 160].reshape(-1, 160)
        power = (frames**2).mean(axis=1)
        spoken_db = 10 * np.log10(power[power > power.max() / 1000].mean())
        if not SPOKEN_RMS_DB[0] < spoken_db < SPOKEN_RMS_DB[1]:
            wrong.append(f"{text}: level {spoken_db:.1f} dB")
        if np.abs(pcm).max() >= 0.99:
            wrong.append(f"{text}: clipped")
        if lead > MAX_LEAD_S or trail > MAX_TRAIL_S:
            wrong.append(f"{text}: {lead:.2f} s before, {trail:.2f} s after")
        if abs(len(pcm) / RATE_HZ - entry.seconds) > 0.02:
            wrong.append(f"{text}: the index says {entry.seconds} s, it has {len(pcm) / RATE_HZ:.2f} s")
    assert wrong == []


def test_no_recording_runs_on_or_breaks_off() -> None:
    """A synthesiser that loses itself speaks far too long or far too short for its text."""
    pace = {text: entry.seconds / len(text.strip("。，？")) for text, entry in INDEX.items()}
    longest = {text: 0.95 if len(text.strip("。")) == 1 else 0.6 for text in INDEX}  # a digit stands alone
    assert [(t, round(each, 2)) for t, each in pace.items() if not 0.12 < each < longest[t]] == []


def test_the_recordings_fit_into_the_checkout() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.wav")) < MAX_TOTAL_MB * 1e6
