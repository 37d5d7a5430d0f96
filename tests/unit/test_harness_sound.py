"""Tones, a bad line, and recognising prompts by their sound."""

from __future__ import annotations

import numpy as np
import pytest

from sip_test_harness import audio, voices
from sip_test_harness.ears import PAUSE_FRAMES, Bank, Began, Ears, Paused
from sip_test_harness.ghost import alaw
from sip_test_harness.model import Message

pytestmark = pytest.mark.unit

FRAME = audio.FRAME_BYTES


def recording(text: str, voice: str = "zf_xiaoni") -> bytes:
    return voices.spoken(voices.Line(voice, 0.9, text))


def from_alaw(data: bytes) -> bytes:
    """ITU-T G.711 A-law back to PCM, written independently of the encoder."""
    out = []
    for byte in data:
        value = byte ^ 0x55
        segment, step = (value >> 4) & 7, value & 15
        level = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
        out.append(level if value & 0x80 else -level)
    return np.array(out, dtype="<i2").tobytes()


def everybody() -> Bank:
    lines = [line for line in voices.index() if line.voice == "zf_xiaoni"]
    return Bank([(line.text, voices.spoken(line)) for line in lines])


@pytest.fixture(scope="module")
def bank() -> Bank:
    return everybody()


def test_alaw_is_the_standards() -> None:
    wide = np.array([0, 8, -8, 1000, -1000, 32767, -32768, 12345], dtype="<i2").tobytes()
    assert [b ^ 0x55 for b in alaw(wide)][:2] == [0x80, 0x80]
    again = audio.samples(from_alaw(alaw(wide)))
    assert np.all(np.abs(again - audio.samples(wide)) <= np.maximum(16, np.abs(audio.samples(wide)) / 16))


def test_every_recording_is_recognised_through_the_telephone(bank: Bank) -> None:
    wrong = []
    for line in voices.index():
        if line.voice == "zf_xiaoni":
            heard = from_alaw(alaw(bytes(1234) + voices.spoken(line) + bytes(FRAME * PAUSE_FRAMES)))
            text, score = bank.name(heard)
            if text != line.text or score < 0.8:
                wrong.append((line.text, text, score))
    assert wrong == []


def test_the_same_words_in_another_voice_are_another_recording(bank: Bank) -> None:
    for line in voices.index():
        if line.voice == "zm_yunyang":
            text, _ = bank.name(voices.spoken(line) + bytes(FRAME * PAUSE_FRAMES))
            assert text is None, line.text


def test_a_prompt_is_recognised_in_noise_and_with_lost_packets(bank: Bank) -> None:
    pcm = recording("孩子常来看我")
    noisy = audio.samples(pcm) + audio.room_noise()[: len(pcm) // 2] * audio.speech_level(pcm) / 4
    frames = [audio.pcm(noisy)[at : at + FRAME] for at in range(0, len(pcm), FRAME)]
    frames[10::15] = [bytes(len(frame)) for frame in frames[10::15]]
    assert bank.name(b"".join(frames))[0] == "孩子常来看我"


@pytest.mark.parametrize("frames_before_the_end", [12, 20, 30, 40])
def test_a_prompt_is_recognised_when_the_jitter_buffer_dropped_a_frame(
    bank: Bank, frames_before_the_end: int
) -> None:
    pcm = recording("孩子常来看我")
    cut = len(pcm) - FRAME * frames_before_the_end
    heard = pcm[:cut] + pcm[cut + FRAME :] + bytes(FRAME * PAUSE_FRAMES)
    assert bank.name(heard)[0] == "孩子常来看我"


def test_ears_tell_beginnings_and_pauses(bank: Bank) -> None:
    ears = Ears(bank)
    pcm = bytes(FRAME * 20) + recording("没有生病") + bytes(FRAME * 20)
    changes = [ears.hear(pcm[at : at + FRAME].ljust(FRAME, b"\0")) for at in range(0, len(pcm), FRAME)]
    happened = [change for change in changes if change is not None]
    assert isinstance(happened[0], Began)
    assert isinstance(happened[-1], Paused)
    assert happened[-1].text == "没有生病"
    assert ears.quiet_ms >= 400


def test_without_known_prompts_a_pause_is_still_a_pause() -> None:
    assert Bank(()).name(recording("没有生病")) == (None, 0.0)


def dominant(pcm: bytes) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(audio.samples(pcm)))) * audio.RATE_HZ / (len(pcm) / 2))


def test_network_tones_are_450_hertz_in_the_chinese_rhythm() -> None:
    for make, on_s, off_s in ((audio.busy_tone, 0.35, 0.35), (audio.ringback_tone, 1.0, 4.0)):
        pcm = make(10.0)
        assert len(pcm) == 10 * 2 * audio.RATE_HZ
        assert abs(dominant(pcm) - 450) < 5
        edge = int(on_s * audio.RATE_HZ) * 2
        assert audio.rms(pcm[:edge]) > 1000
        assert audio.rms(pcm[edge : edge + int(off_s * audio.RATE_HZ) * 2]) == 0


def test_voicemail_ends_in_a_beep() -> None:
    from sip_test_harness.formats import load_persona

    pcm = voices.announcement_pcm(load_persona("voicemail").attempts[0])
    assert abs(dominant(pcm[-int(audio.BEEP_S * audio.RATE_HZ) * 2 :]) - audio.BEEP_HZ) < 5
    assert pcm.startswith(voices.spoken(voices.announcement(Message.VOICEMAIL)))


def test_pauses_inside_a_reply_are_silence_of_that_length() -> None:
    with_pause = voices.utterance(("快来人", 600, "救命"), "zm_yunyang")
    without = voices.utterance(("快来人", "救命"), "zm_yunyang")
    assert len(with_pause) - len(without) == int(0.6 * audio.RATE_HZ) * 2
