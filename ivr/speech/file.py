"""Recognise a file exactly as a call would be: 8 kHz, G.711, 20 ms frames, our endpointer, the grammar."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ivr.speech import audio, tones
from ivr.speech.ear import Ear
from ivr.speech.endpointer import TAIL_MS, Endpointer, SpeechEnded, TooLong
from ivr.speech.recogniser import Recognised, Recogniser, Stream
from ivr.speech.vad import PhoneVad
from xunfang.errors import BadInput, NotFound

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # audioop goes away in 3.13; a missing ffmpeg is said below
    from pydub import AudioSegment
    from pydub.exceptions import CouldntDecodeError, CouldntEncodeError


@dataclass(frozen=True, slots=True)
class Utterance:
    """`tone`: busy, ringback, beep, music when it was no speech; then `heard` holds no text."""

    start_s: float
    end_s: float
    heard: Recognised
    tone: str | None = None


def joined(utterances: Iterable[Utterance]) -> Recognised:
    """An answer in several pieces as one; the piece that was heard worst decides how far it is believed."""
    heard = [utterance.heard for utterance in utterances]
    confidences = [each.confidence for each in heard if each.confidence is not None]
    words = tuple(word for each in heard for word in each.words)
    return Recognised("".join(each.text for each in heard), min(confidences, default=None), words)


def load(path: Path) -> bytes:
    """8 kHz 16-bit mono PCM of any audio file. What is not that WAV already goes through pydub and ffmpeg."""
    if not path.is_file():
        raise NotFound(f"no audio file {path}")
    try:
        return audio.read_wav(path)
    except BadInput:
        return _decoded(path)


def _decoded(path: Path) -> bytes:
    """ffmpeg brings it to telephone rate when pydub writes it: pydub's own `set_frame_rate` has no
    anti-alias filter and would fold everything above 4 kHz back into speech."""
    try:
        segment = AudioSegment.from_file(path)
        with tempfile.NamedTemporaryFile(suffix=".wav") as telephone:
            shape = ["-ac", "1", "-ar", str(audio.RATE_HZ)]
            segment.export(telephone.name, format="wav", parameters=shape).close()
            return audio.read_wav(Path(telephone.name))
    except FileNotFoundError as error:
        raise BadInput(
            f"{path} is no 8 kHz 16-bit mono WAV, and ffmpeg is missing: apt-get install ffmpeg"
        ) from error
    except (CouldntDecodeError, CouldntEncodeError, BadInput, IndexError, KeyError) as error:
        raise BadInput(f"{path} holds no audio that ffmpeg can read") from error


def recognise_pcm(
    pcm: bytes,
    recogniser: Recogniser,
    phrases: Iterable[str] | None,
    tail_ms: int = TAIL_MS,
    *,
    alaw: bool = True,
) -> list[Utterance]:
    wanted = None if phrases is None else tuple(phrases)
    heard_pcm = audio.through_alaw(pcm) if alaw else pcm
    endpointer = Endpointer(PhoneVad(), tail_ms, no_speech_s=None)
    ear: Ear[Stream] = Ear(endpointer, lambda: recogniser.open(wanted))
    utterances = []
    frames = [*audio.frames(heard_pcm), *audio.frames(audio.silence(tail_ms))]
    line = b"".join(frames)
    for frame in frames:
        event = ear.push(frame)
        if isinstance(event, SpeechEnded | TooLong):
            stream = ear.take()
            if stream is not None:
                heard = stream.finish()
                now_s, onset_s = endpointer.now_ms / 1000, event.start_ms / 1000 - tones.LEAD_S
                sound = _between(line, max(0.0, onset_s, now_s - tones.KEPT_S), now_s)
                tone = tones.instead_of_words(sound, heard.confidence)
                if tone is not None:
                    heard = replace(heard, text="")
                utterances.append(Utterance(event.start_ms / 1000, event.end_ms / 1000, heard, tone))
            endpointer.arm(no_speech_s=None)
    return utterances


def _between(pcm: bytes, start_s: float, end_s: float) -> bytes:
    first, last = (round(at * audio.RATE_HZ) * 2 for at in (start_s, end_s))
    return pcm[first:last]


def recognise_file(
    path: Path,
    recogniser: Recogniser,
    phrases: Iterable[str] | None,
    tail_ms: int = TAIL_MS,
    *,
    alaw: bool = True,
) -> list[Utterance]:
    """Every answer in the file with its seconds; `alaw`: as if it had come over a G.711 trunk."""
    return recognise_pcm(load(path), recogniser, phrases, tail_ms, alaw=alaw)
