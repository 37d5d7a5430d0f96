"""Prompts (提示音): every sentence the system says, rendered beforehand as a WAV file.

A store is one flat folder: `index.yaml` (text -> file, voice, speed, seconds) and the
files. A file is named by its text, so that a changed sentence can never play an old
recording: first 16 hex digits of sha256(text), plus `.wav`.

Beside the shipped folder there may be a cache folder of the same shape for new texts,
filled by a text-to-speech engine behind the `Tts` port. Without an engine a text that
has no file is an error that names its hash and the command that helps; the call is
never answered by silence.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml

from ivr.speech import audio
from xunfang.errors import BadInput, NotFound

INDEX = "index.yaml"
SPEED = 0.85  # of the voice's own pace: old ears need time, and slower than 0.8 sounds drugged


class Tts(Protocol):
    """Port to a text-to-speech engine."""

    @property
    def voice(self) -> str:
        """Name of the voice, for the index."""
        ...

    def speak(self, text: str, speed: float) -> bytes:
        """8 kHz 16-bit mono PCM of the whole text."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    file: str
    voice: str
    speed: float
    seconds: float
    spoken: str = ""  # what the engine was given when the text alone is mispronounced


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def title_text(surname: str, honorific: str) -> str:
    """How a callee is addressed: 王奶奶，您好。 Without a surname only 奶奶，您好。"""
    return f"{surname}{honorific}，您好。"


def read_index(folder: Path) -> dict[str, Entry]:
    path = folder / INDEX
    if not path.exists():
        return {}
    try:
        rows = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
        return {str(text): Entry(**row) for text, row in rows.items()}
    except (yaml.YAMLError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{path} is no prompt index; restore it or render anew: xunfang prompts render"
        ) from error


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer of an index at a time, across processes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def add_to_index(folder: Path, new: Mapping[str, Entry], drop: frozenset[str] = frozenset()) -> None:
    """Merge entries into the index on disk (another renderer may have added some meanwhile)."""
    with _locked(folder):
        rows = {text: entry for text, entry in read_index(folder).items() if text not in drop} | dict(new)
        lines = {
            text: {
                "file": entry.file,
                "voice": entry.voice,
                "speed": entry.speed,
                "seconds": entry.seconds,
                **({"spoken": entry.spoken} if entry.spoken else {}),
            }
            for text, entry in sorted(rows.items())
        }
        part = folder / f".{INDEX}.{os.getpid()}.part"
        part.write_text(yaml.safe_dump(lines, allow_unicode=True, sort_keys=False, width=1000), "utf-8")
        part.replace(folder / INDEX)


def render_one(text: str, tts: Tts, folder: Path, *, speed: float = SPEED, spoken: str = "") -> Entry:
    """Synthesise one text into `folder`; the caller puts the entry into the index."""
    pcm = audio.shape_prompt(tts.speak(spoken or text, speed))
    entry = Entry(f"{text_hash(text)}.wav", tts.voice, speed, round(audio.seconds(pcm), 2), spoken)
    audio.write_wav(folder / entry.file, pcm)
    return entry


class PromptStore:
    """All that can be said. `folder` is read only; `cache` grows when a `tts` is given.

    Read by many calls at once; PCM is kept in memory after its first use (a dialplan's
    prompts are a few MB).
    """

    def __init__(self, folder: Path, tts: Tts | None = None, cache: Path | None = None) -> None:
        self._folder, self._tts, self._cache = folder, tts, cache
        self._index = read_index(folder)
        self._cached = read_index(cache) if cache and cache.is_dir() else {}
        self._pcm: dict[str, bytes] = {}

    def texts(self) -> tuple[str, ...]:
        return (*self._index, *(text for text in self._cached if text not in self._index))

    def has(self, text: str) -> bool:
        """The text has a recording now; an engine that could make one does not count."""
        path = self._path(text)
        return path is not None and path.exists()

    def pcm(self, text: str) -> bytes:
        """8 kHz 16-bit mono. NotFound when there is neither a recording nor an engine."""
        if text not in self._pcm:
            self._pcm[text] = self._load(text)
        return self._pcm[text]

    def title(self, surname: str, honorific: str) -> str:
        """The text that greets this person: with the surname when that can be said, else without."""
        full = title_text(surname, honorific)
        return full if self.has(full) or self._tts else title_text("", honorific)

    def _path(self, text: str) -> Path | None:
        if text in self._index:
            return self._folder / self._index[text].file
        if self._cache and text in self._cached:
            return self._cache / self._cached[text].file
        return None

    def _load(self, text: str) -> bytes:
        path = self._path(text)
        if path and path.exists():
            return audio.read_wav(path)
        if self._tts is None or self._cache is None:
            raise NotFound(
                f"no recording of the prompt with hash {text_hash(text)} in {self._folder}; "
                "render it: xunfang prompts render (needs the extra [tts])"
            )
        self._cache.mkdir(parents=True, exist_ok=True)
        entry = render_one(text, self._tts, self._cache)
        add_to_index(self._cache, {text: entry})
        self._cached[text] = entry
        return audio.read_wav(self._cache / entry.file)
