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
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import vosk

from ivr.speech import audio, grammar
from ivr.speech.homophones import Words, homophones, keep_apart
from ivr.speech.level import Leveller
from ivr.speech.upsample import Doubler
from xunfang.errors import BadDialplan, ModelError

CHUNK_MS = 100  # audio handed to Vosk at once: smaller ones cost more per second of speech
CHUNK_BYTES = audio.RATE_HZ * CHUNK_MS // 1000 * 2
KALDI_DEFAULT_RATE_HZ = 16_000  # when mfcc.conf does not say
# Mandarin has about 60 initials and finals, and each may have four forms for its place in a word; finals
# with five tones are over 150, times four.
MOST_TONELESS_SOUNDS = 300
# Vosk gives half of the chance after every word to all words alike, by how often they stand in the grammar.
# A word that nobody says, many times over, makes leaving a phrase in its middle as unlikely as it is.
# Measured on 342 utterances: phrases exact 0.72 without, 0.80 with it. Opening a stream takes 2 ms more.
FILLERS = ("高等学校", "高等教育", "马来西亚", "巴勒斯坦")
FILLER_COUNT = 10_000

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
    speech that was known, times the share of the text that is whole phrases of the grammar:
    one clear word in a stream of unknown ones, or shreds of phrases, are not trusted.
    """

    text: str
    confidence: float | None
    words: tuple[Word, ...] = ()


def weigh(words: Iterable[Word], phrases: Collection[str] = ()) -> Recognised:
    """`phrases`: of the grammar, as they are spoken; without any, every text is as good as another."""
    all_words = tuple(words)
    known = [word for word in all_words if word.text != grammar.UNKNOWN]
    if not known:
        return Recognised("", None, all_words)
    total = sum(word.end_s - word.start_s for word in all_words)
    trusted = sum(word.confidence * (word.end_s - word.start_s) for word in known)
    confidence = trusted / total if total > 0 else sum(word.confidence for word in known) / len(known)
    text = "".join(word.text for word in known)
    if phrases:
        confidence *= grammar.whole_share(text, phrases)
    return Recognised(text, round(min(1.0, confidence), 3), all_words)


@dataclass(frozen=True, slots=True)
class Expressed:
    """A grammar: as Vosk wants it, what its rewritten words stand for (homophones.py), its phrases."""

    lines: str = ""
    stands_for: Mapping[str, str] = field(default_factory=dict)
    phrases: frozenset[str] = frozenset()


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


def tells_tones(model_dir: Path) -> bool:
    """Whether the model's sounds carry tones: then it has several times as many. Unknown counts as yes."""
    for folder in (model_dir / "graph", model_dir):
        path = folder / "phones" / "word_boundary.int"
        if path.exists():
            return len(path.read_text("utf-8").splitlines()) > MOST_TONELESS_SOUNDS
    return True


class Stream:
    """One utterance. Audio is 8 kHz 16-bit mono, any number of samples a time."""

    def __init__(
        self, recognizer: vosk.KaldiRecognizer, doubler: Doubler | None, expressed: Expressed
    ) -> None:
        self._recognizer, self._doubler = recognizer, doubler
        self._expressed = expressed
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
        words = (*(piece.text for piece in self._pieces), *map(self._meant, now.split()))
        return "".join(word for word in words if word != grammar.UNKNOWN)

    def finish(self) -> Recognised:
        """Decode what is left. The stream is used up."""
        self._decode(self._leveller.push(bytes(self._waiting)) + self._leveller.flush())
        self._waiting.clear()
        self._keep(self._recognizer.FinalResult())
        return weigh(self._pieces, self._expressed.phrases)

    def _decode(self, pcm: bytes) -> None:
        if pcm and self._recognizer.AcceptWaveform(self._doubler.push(pcm) if self._doubler else pcm):
            self._keep(self._recognizer.Result())

    def _keep(self, result: str) -> None:
        self._pieces += (
            Word(self._meant(word["word"]), float(word["start"]), float(word["end"]), float(word["conf"]))
            for word in json.loads(result).get("result", ())
        )

    def _meant(self, word: str) -> str:
        return self._expressed.stands_for.get(word, word)


class Recogniser:
    def __init__(self, model_dir: Path) -> None:
        self._rate = sample_rate(model_dir)
        self.takes_grammar = takes_grammar(model_dir)
        self._toned = tells_tones(model_dir)
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
        expressed = Expressed()
        if phrases is None or not self.takes_grammar:
            recognizer = vosk.KaldiRecognizer(self._model, rate)
        else:
            expressed = self._ready(tuple(phrases))
            recognizer = vosk.KaldiRecognizer(self._model, rate, expressed.lines)
        recognizer.SetWords(True)
        return Stream(recognizer, Doubler() if self._rate == 2 * audio.RATE_HZ else None, expressed)

    def _express(self, phrases: tuple[str, ...]) -> Expressed:
        *lines, unknown = grammar.build(phrases, (), (), (), knows=self.knows)
        apart, stands_for = keep_apart([tuple(line.split(" ")) for line in lines], self._alike)
        spoken = [*map(" ".join, apart), unknown]
        filler = next((word for word in FILLERS if self.knows(word) and word not in phrases), None)
        if filler is not None:
            spoken.append(" ".join([filler] * FILLER_COUNT))
            stands_for |= {filler: unknown}
        return Expressed(
            json.dumps(spoken, ensure_ascii=False),
            stands_for,
            frozenset(line.replace(" ", "") for line in lines),
        )

    def _alike(self, words: Words, at: int) -> Iterable[str]:
        return filter(self.knows, homophones(words, at, toned=self._toned))

    def recognise(self, pcm: bytes, phrases: Iterable[str] | None) -> Recognised:
        """A whole utterance at once."""
        stream = self.open(phrases)
        for at in range(0, len(pcm), CHUNK_BYTES):
            stream.feed(pcm[at : at + CHUNK_BYTES])
        return stream.finish()
