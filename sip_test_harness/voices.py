"""Rendered speech of the village: voices/index.yaml and the WAV files it names.

One row for every (voice, speed, text); a file's name is the hash of the three, so that a changed
reply can never play an old recording. Missing texts are rendered by `python -m sip_test_harness.render`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from sip_test_harness import audio
from sip_test_harness.formats import DEFAULT_SPEED, HERE
from sip_test_harness.model import Attempt, Does, Message, Persona, Speech
from xunfang.errors import BadScenario

VOICES = HERE / "voices"
INDEX = "index.yaml"
CARRIER_VOICE = "zf_xiaoyi"
MACHINE_VOICE = "zm_yunjian"
ANNOUNCEMENTS: dict[Message, str] = {
    Message.POWERED_OFF: "您好，您拨打的电话已关机，请稍后再拨。",
    Message.SUSPENDED: "您好，您拨打的电话已停机。",
    Message.INVALID: "您好，您拨打的号码是空号，请核对后再拨。",
    Message.IN_CALL: "您好，您拨打的电话正在通话中，请稍后再拨。",
    Message.UNREACHABLE: "您好，您拨打的电话暂时无法接通，请稍后再拨。",
    Message.VOICEMAIL: "您好，我现在不方便接听，请在嘀声后留言。",
}


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """Something to be spoken."""

    voice: str
    speed: float
    text: str

    @property
    def file(self) -> str:
        spelled = f"{self.voice}|{self.speed}|{self.text}"
        return hashlib.sha256(spelled.encode()).hexdigest()[:16] + ".wav"


def announcement(message: Message) -> Line:
    voice = MACHINE_VOICE if message is Message.VOICEMAIL else CARRIER_VOICE
    return Line(voice, 1.0, ANNOUNCEMENTS[message])


def lines_of(personas: Iterable[Persona]) -> set[Line]:
    """Everything these personas and the carrier can ever say."""
    lines = {announcement(message) for message in Message}
    for persona in personas:
        for attempt in persona.attempts:
            for speech in _speeches(attempt):
                lines |= {
                    Line(persona.voice, persona.speed, part) for part in speech if isinstance(part, str)
                }
    return lines


def _speeches(attempt: Attempt) -> Iterator[Speech]:
    yield attempt.opening
    yield from attempt.otherwise
    yield from (reply.say for reply in attempt.replies)


@cache
def index(folder: Path = VOICES) -> dict[Line, str]:
    path = folder / INDEX
    if not path.exists():
        raise BadScenario(f"{path} is missing: render it with python -m sip_test_harness.render")
    rows = yaml.safe_load(path.read_text("utf-8")) or []
    return {Line(row["voice"], float(row["speed"]), row["text"]): row["file"] for row in rows}


@cache
def spoken(line: Line, folder: Path = VOICES) -> bytes:
    """PCM of a line. BadScenario when nobody has rendered it."""
    file = index(folder).get(line)
    if file is None:
        raise BadScenario(
            f"{line.voice} has no recording at speed {line.speed} of a text of {len(line.text)} characters "
            f"({line.file}): run python -m sip_test_harness.render"
        )
    return audio.read_wav(folder / file)


def utterance(speech: Speech, voice: str, speed: float = DEFAULT_SPEED, folder: Path = VOICES) -> bytes:
    """Texts and pauses as one stretch of PCM."""
    return b"".join(
        spoken(Line(voice, speed, part), folder) if isinstance(part, str) else audio.silence(part / 1000)
        for part in speech
    )


def announcement_pcm(attempt: Attempt, folder: Path = VOICES) -> bytes:
    """What is heard instead of the elder: the carrier's voice over and over, or a greeting and a beep."""
    if attempt.does is Does.VOICEMAIL:
        return spoken(announcement(Message.VOICEMAIL), folder) + audio.silence(0.4) + audio.beep()
    assert attempt.message is not None  # formats.py sees to it
    return (spoken(announcement(attempt.message), folder) + audio.silence(0.7)) * attempt.repeat
