"""Levels, G.711, tones, rate doubling: on signals whose truth is known because they are made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ivr.speech import audio, tones
from ivr.speech.level import TARGET_DB, Leveller
from ivr.speech.upsample import TAPS, Doubler
from ivr.speech.vad import PhoneVad
from xunfang.errors import BadInput

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PROMPTS = ROOT / "ivr" / "dialplans" / "prompts"


def pcm(samples: NDArray[np.float64]) -> bytes:
    return bytes(np.clip(np.round(samples), -32_768, 32_767).astype("<i2").tobytes())


def tone(hz: float, ms: int, amplitude: float = 6000) -> bytes:
    at = np.arange(audio.RATE_HZ * ms // 1000) / audio.RATE_HZ
    return pcm(amplitude * np.sin(2 * np.pi * hz * at))


def noise(ms: int, db: float, seed: int = 0) -> bytes:
    samples = np.random.default_rng(seed).standard_normal(audio.RATE_HZ * ms // 1000)
    return pcm(samples * audio.FULL_SCALE * 10 ** (db / 20))


def mix(one: bytes, other: bytes) -> bytes:
    return pcm(audio.to_samples(one).astype(float) + audio.to_samples(other)[: len(one) // 2])


def speech(count: int) -> bytes:
    recordings = sorted(PROMPTS.glob("*.wav"))[:count]
    return b"".join(audio.read_wav(path)[1600:-2400] for path in recordings)


def test_alaw_keeps_every_loud_sample_within_its_step_and_is_stable() -> None:
    every = pcm(np.arange(-32_768, 32_768, dtype=float))
    once = audio.through_alaw(every)
    error = np.abs(audio.to_samples(once).astype(int) - audio.to_samples(every).astype(int))
    assert (error <= np.maximum(16, np.abs(np.arange(-32_768, 32_768)) / 30)).all()
    assert audio.through_alaw(once) == once


def test_a_wav_of_another_shape_is_refused_with_its_shape(tmp_path: Path) -> None:
    path = tmp_path / "wide.wav"
    audio.write_wav(path, tone(440, 100))
    data = bytearray(path.read_bytes())
    data[24:28] = (16_000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(BadInput, match="16000 Hz"):
        audio.read_wav(path)
    path.write_bytes(b"RIFF")
    with pytest.raises(BadInput, match="no readable WAV"):
        audio.read_wav(path)


def test_a_prompt_is_trimmed_and_brought_to_its_level() -> None:
    raw = audio.silence(700) + tone(300, 1000, 900) + audio.silence(30)
    shaped = audio.to_samples(audio.shape_prompt(raw))
    first, last = audio.sound_edges(shaped)
    assert first * 1000 / audio.RATE_HZ == pytest.approx(audio.PROMPT_LEAD_MS, abs=5)
    assert (shaped.size - last) * 1000 / audio.RATE_HZ == pytest.approx(audio.PROMPT_TRAIL_MS, abs=10)
    assert np.abs(shaped.astype(int)).max() == pytest.approx(audio.PROMPT_PEAK * audio.FULL_SCALE, abs=2)


def test_silence_from_a_synthesiser_is_no_prompt() -> None:
    with pytest.raises(BadInput, match="silence"):
        audio.shape_prompt(audio.silence(500))


@pytest.mark.parametrize("db", [-40.0, -25.0, -13.0])
def test_every_voice_comes_out_at_the_level_of_the_model(db: float) -> None:
    voice = audio.to_samples(speech(12)).astype(float)
    louder = np.percentile([audio.level_db(f) for f in voice[: voice.size // 160 * 160].reshape(-1, 160)], 90)
    quiet = pcm(voice * 10 ** ((db - louder) / 20))
    leveller = Leveller()
    out = (
        b"".join(leveller.push(quiet[at : at + 1600]) for at in range(0, len(quiet), 1600)) + leveller.flush()
    )
    assert len(out) == len(quiet)
    frames = audio.to_samples(out)[: len(out) // 320 * 160].reshape(-1, 160)
    assert np.percentile([audio.level_db(f) for f in frames], 90) == pytest.approx(TARGET_DB, abs=2.0)
    assert np.abs(audio.to_samples(out).astype(int)).max() <= 0.96 * audio.FULL_SCALE


def test_a_short_utterance_comes_out_whole_although_its_level_was_never_certain() -> None:
    leveller = Leveller()
    quiet = tone(300, 200, 300)
    assert leveller.push(quiet) == b""
    out = leveller.flush()
    assert len(out) == len(quiet)
    assert audio.level_db(audio.to_samples(out)) == pytest.approx(TARGET_DB, abs=1.0)


def test_silence_is_not_amplified_into_noise() -> None:
    leveller = Leveller()
    hiss = noise(2000, -70)
    assert audio.level_db(audio.to_samples(leveller.push(hiss))) == pytest.approx(-70, abs=1)


def test_doubling_keeps_a_tone_and_invents_nothing_whatever_the_pieces() -> None:
    doubler = Doubler()
    given = tone(1000, 1000, 10_000)
    out = b"".join(doubler.push(given[at : at + 406]) for at in range(0, len(given), 406))
    wide = audio.to_samples(out).astype(float)
    wanted = 10_000 * np.sin(2 * np.pi * 1000 * (np.arange(wide.size) - TAPS) / 16_000)
    assert np.abs(wide[200:] - wanted[200:]).max() < 3


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("busy", (tone(450, 350) + audio.silence(350)) * 4),
        ("busy", (tone(450, 700) + audio.silence(700)) * 3),
        ("ringback", tone(450, 1000) + audio.silence(4000) + tone(450, 1000)),
        ("beep", audio.silence(300) + tone(1000, 400) + audio.silence(500)),
        (None, tone(450, 5000)),
        (None, audio.silence(3000)),
        (None, tone(450, 200) + audio.silence(900) + tone(450, 600) + audio.silence(300)),
        (None, b""),
    ],
)
def test_a_tone_is_named_only_by_its_cadence(name: str | None, sound: bytes) -> None:
    assert tones.classify(audio.through_alaw(sound)) == name
    if sound:
        assert tones.classify(mix(sound, noise(len(sound) // 16, -50))) == name


def melody(note_ms: int) -> bytes:
    at = np.arange(audio.RATE_HZ * note_ms // 1000) / audio.RATE_HZ
    choose = np.random.default_rng(1)

    def note(hz: float) -> NDArray[np.float64]:
        partials = [np.sin(2 * np.pi * hz * k * at) / k for k in range(1, 6)]
        return np.asarray(sum(partials) * np.exp(-1.5 * at) * 4000)

    scale = [262.0, 294.0, 330.0, 349.0, 392.0, 440.0, 494.0]
    pitches = choose.choice(scale, size=(6000 // note_ms, 2))
    return pcm(np.concatenate([note(float(high)) + note(float(low) / 2) for high, low in pitches]))


@pytest.mark.parametrize("note_ms", [200, 300, 500])
def test_a_melody_is_music(note_ms: int) -> None:
    assert tones.classify(audio.through_alaw(melody(note_ms))) == "music"


def test_speech_without_a_pause_is_never_music_nor_a_tone() -> None:
    voice = audio.through_alaw(speech(80))
    second = audio.RATE_HZ * 2
    excerpts = [voice[at : at + 5 * second] for at in range(0, len(voice) - 5 * second, 2 * second)]
    assert len(excerpts) > 20
    assert {tones.classify(excerpt) for excerpt in excerpts} == {None}


def voiced_ms(sound: bytes) -> int:
    vad = PhoneVad()
    return audio.FRAME_MS * sum(vad.is_speech(frame) for frame in audio.frames(audio.through_alaw(sound)))


@pytest.mark.parametrize("db", [-70, -60, -50])
def test_comfort_noise_is_no_speech(db: float) -> None:
    assert voiced_ms(noise(10_000, db)) <= 100


@pytest.mark.parametrize("amplitude", [20, 100, 400])
def test_mains_hum_is_no_speech(amplitude: float) -> None:
    assert voiced_ms(mix(tone(50, 10_000, amplitude), tone(150, 10_000, amplitude / 2))) <= 100


def test_a_room_that_becomes_noisy_is_followed_within_two_seconds() -> None:
    vad = PhoneVad()
    room = audio.silence(3000) + noise(6000, -35)
    voiced = [vad.is_speech(frame) for frame in audio.frames(room)]
    assert sum(voiced[250:]) * audio.FRAME_MS <= 100
