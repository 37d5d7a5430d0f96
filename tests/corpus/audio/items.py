"""The audio corpus as data: one `Item` for every utterance, its sound in one FLAC file per voice and kind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ivr.speech import audio

HERE = Path(__file__).parent
INDEX = HERE / "index.jsonl"


@dataclass(frozen=True, slots=True)
class Item:
    """`alert` and `answer` are what a careful listener understands; `answer` None: not judged.

    The sound is `seconds` of `file` from `start_s` on; both are 0 until it has been rendered.
    """

    id: str
    kind: str  # distress, benign, control, free
    text: str
    question: str  # topic
    ask: str  # the question of the dialplan
    alert: str
    answer: str | None
    voice: str
    speed: float
    start_s: float = 0.0
    seconds: float = 0.0

    @property
    def file(self) -> str:
        return f"{self.voice}-{self.kind}.flac"


def items() -> list[Item]:
    return [Item(**json.loads(line)) for line in INDEX.read_text("utf-8").splitlines()]


@cache
def _sound(file: str) -> bytes:
    from ivr.speech.file import load  # not needed to render

    return load(HERE / file)


def pcm(item: Item) -> bytes:
    """8 kHz 16-bit mono; needs ffmpeg, as every FLAC file does."""
    first, last = (round(at * audio.RATE_HZ) * 2 for at in (item.start_s, item.start_s + item.seconds))
    return _sound(item.file)[first:last]
