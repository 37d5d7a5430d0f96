"""Streaming recognition with Vosk. The only place that imports it.

`Recogniser` holds one model (read-only, shared by all streams and threads; load it before
forking line processes). A `Stream` is one utterance: feed, partial, finish. It belongs to
one thread at a time.

What Vosk does, measured with 0.3.45:
- it takes 16 kHz audio for an 8 kHz model, but refuses 8 kHz audio for a 16 kHz model
  (unless the model's mfcc.conf allows it), so we double the rate ourselves;
- it ends an utterance by itself after some silence, which cuts old people off: those
  pieces are joined here, our endpointer alone says when an answer is over;
- a runtime grammar works only with a dynamic graph (HCLr.fst + Gr.fst); with a static
  one (HCLG.fst) it is ignored with a warning nobody sees.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import vosk

from ivr.speech import audio, grammar
from ivr.speech.level import Leveller
from ivr.speech.upsample import Doubler
from xunfang.errors import BadDialplan, ModelError

CHUNK_MS = 100  # audio handed to Vosk at once: smaller ones cost more per second of speech
CHUNK_BYTES = audio.RATE_HZ * CHUNK_MS // 1000 * 2
KALDI_DEFAULT_RATE_HZ = 16_000  # when mfcc.conf does not say

vosk.SetLogLevel(-1)


@dataclass(frozen=True, slots=True)
class Word:
    """`text` may be `[unk]`: speech that the grammar does not expect. Times from the stream's start."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Recognised:
    """`text` has no blanks and no `[unk]`; `confidence` is None when no word was recognised.

    It is the mean over the known words, weighted by their length, times the share of the
    speech that was known: one clear word in a stream of unknown ones is not trusted.
    """

    text: str
    confidence: float | None
    words: tuple[Word, ...] = ()


def weigh(words: Iterable[Word]) -> Recognised:
    all_words = tuple(words)
    known = [word for word in all_words if word.text != grammar.UNKNOWN]
    if not known:
        return Recognised("", None, all_words)
    total = sum(word.end_s - word.start_s for word in all_words)
    trusted = sum(word.confidence * (word.end_s - word.start_s) for word in known)
    confidence = trusted / total if total > 0 else sum(word.confidence for word in known) / len(known)
    return Recognised("".join(word.text for word in known), round(min(1.0, confidence), 3), all_words)


def sample_rate(model_dir: Path) -> int:
    """The rate the model was trained at, from its feature settings."""
    for path in (model_dir / "conf" / "mfcc.conf", model_dir / "mfcc.conf"):
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                key, _, value = line.partition("=")
                if key.strip() == "--sample-frequency":
                    return int(float(value))
            return KALDI_DEFAULT_RATE_HZ
    raise ModelError(f"{model_dir} is no recognition model: it has no mfcc.conf; run: xunfang models verify")


def takes_grammar(model_dir: Path) -> bool:
    return any(
        (folder / "HCLr.fst").exists() and (folder / "Gr.fst").exists()
        for folder in (model_dir / "graph", model_dir)
    )


class Stream:
    """One utterance. Audio is 8 kHz 16-bit mono, any number of samples a time."""

    def __init__(self, recognizer: vosk.KaldiRecognizer, doubler: Doubler | None) -> None:
        self._recognizer, self._doubler = recognizer, doubler
        self._waiting = bytearray()
        self._leveller = Leveller()
        self._pieces: list[Word] = []

    def feed(self, pcm: bytes) -> bool:
        """True when audio was decoded, that is about every CHUNK_MS: `partial` may have changed."""
        self._waiting += pcm
        if len(self._waiting) < CHUNK_BYTES:
            return False
        ready = self._leveller.push(bytes(self._waiting))
        self._waiting.clear()
        self._decode(ready)
        return bool(ready)

    def partial(self) -> str:
        """What has been understood so far; it may still change."""
        now = str(json.loads(self._recognizer.PartialResult()).get("partial", ""))
        return "".join(
            word
            for word in (*(piece.text for piece in self._pieces), *now.split())
            if word != grammar.UNKNOWN
        )

    def finish(self) -> Recognised:
        """Decode what is left. The stream is used up."""
        self._decode(self._leveller.push(bytes(self._waiting)) + self._leveller.flush())
        self._waiting.clear()
        self._keep(self._recognizer.FinalResult())
        return weigh(self._pieces)

    def _decode(self, pcm: bytes) -> None:
        if pcm and self._recognizer.AcceptWaveform(self._doubler.push(pcm) if self._doubler else pcm):
            self._keep(self._recognizer.Result())

    def _keep(self, result: str) -> None:
        self._pieces += (
            Word(word["word"], float(word["start"]), float(word["end"]), float(word["conf"]))
            for word in json.loads(result).get("result", ())
        )


class Recogniser:
    def __init__(self, model_dir: Path) -> None:
        self._rate = sample_rate(model_dir)
        self.takes_grammar = takes_grammar(model_dir)
        if self._rate not in (audio.RATE_HZ, 2 * audio.RATE_HZ):
            raise ModelError(
                f"{model_dir} wants {self._rate} Hz; only models for 8000 or 16000 Hz can be used"
            )
        try:
            self._model = vosk.Model(str(model_dir))
        except Exception as error:  # Vosk knows no other
            raise ModelError(
                f"the model in {model_dir} cannot be loaded; run: xunfang models verify, or use another one"
            ) from error
        self.knows = functools.lru_cache(maxsize=20_000)(self._find)
        self._ready = functools.lru_cache(maxsize=64)(self._express)

    def _find(self, word: str) -> bool:
        return bool(self._model.vosk_model_find_word(word) >= 0)

    def can_express(self, phrase: str) -> bool:
        """Whether the phrase can stand in a grammar; a model that decodes freely takes all."""
        if not self.takes_grammar:
            return True
        try:
            grammar.cut(phrase, self.knows)
        except BadDialplan:
            return False
        return True

    def open(self, phrases: Iterable[str] | None) -> Stream:
        """A stream that hears `phrases` (cut here into words, `[unk]` added).

        None, or a model without runtime grammar: it decodes freely. BadDialplan names a
        phrase that the model cannot express.
        """
        rate = float(self._rate)
        if phrases is None or not self.takes_grammar:
            recognizer = vosk.KaldiRecognizer(self._model, rate)
        else:
            recognizer = vosk.KaldiRecognizer(self._model, rate, self._ready(tuple(phrases)))
        recognizer.SetWords(True)
        return Stream(recognizer, Doubler() if self._rate == 2 * audio.RATE_HZ else None)

    def _express(self, phrases: tuple[str, ...]) -> str:
        return json.dumps(grammar.build(phrases, (), (), (), knows=self.knows), ensure_ascii=False)

    def recognise(self, pcm: bytes, phrases: Iterable[str] | None) -> Recognised:
        """A whole utterance at once."""
        stream = self.open(phrases)
        for at in range(0, len(pcm), CHUNK_BYTES):
            stream.feed(pcm[at : at + CHUNK_BYTES])
        return stream.finish()
