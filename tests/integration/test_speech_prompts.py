"""The prompt store on real files, with an engine that can be counted (Kokoro itself is an extra)."""

from __future__ import annotations

import math
import multiprocessing
import sys
from array import array
from pathlib import Path

import pytest

from ivr.speech import audio
from ivr.speech.prompts import INDEX, PromptStore, read_index, text_hash, title_text
from ivr.speech.render import SHIPPED, prune, render_missing
from ivr.speech.surnames import SURNAMES, spoken_titles
from ivr.speech.tts_kokoro import PROMPT_VOICE, KokoroTts
from xunfang.errors import BadInput, ModelError, NotFound

pytestmark = pytest.mark.integration


class Hum:
    """Says everything as a tone; remembers what it was asked to say."""

    voice = "hum"

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def speak(self, text: str, speed: float) -> bytes:
        self.asked.append((text, speed))
        count = 800 * len(text)
        return audio.silence(400) + array("h", (int(900 * math.sin(n / 3)) for n in range(count))).tobytes()


def test_the_shipped_greetings_sound_at_once_and_at_one_level() -> None:
    store = PromptStore(SHIPPED)
    for text in spoken_titles():
        samples = audio.to_samples(store.pcm(text))
        first, _ = audio.sound_edges(samples)
        assert first <= audio.RATE_HZ * 120 // 1000, text
        assert abs(int(samples.min())) < 32_767 > int(samples.max())
        peak = max(abs(int(samples.min())), int(samples.max())) / audio.FULL_SCALE
        assert peak == pytest.approx(audio.PROMPT_PEAK, abs=0.01), text


def test_a_person_is_greeted_by_surname_when_it_can_be_said_and_politely_when_not() -> None:
    store = PromptStore(SHIPPED)
    assert len(SURNAMES) >= 120
    assert store.title("王", "奶奶") == "王奶奶，您好。"
    assert store.title("欧阳", "爷爷") == "欧阳爷爷，您好。"
    assert store.title("妫", "爷爷") == "爷爷，您好。"
    assert store.pcm(store.title("妫", "爷爷"))


def test_a_text_without_recording_and_without_engine_names_its_hash_and_the_cure(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=rf"{text_hash('没有录过')}.*xunfang prompts render"):
        PromptStore(tmp_path).pcm("没有录过")
    assert not PromptStore(tmp_path).has("没有录过")


def test_a_new_text_is_rendered_once_into_the_cache_and_found_there_later(tmp_path: Path) -> None:
    shipped, cache, engine = tmp_path / "shipped", tmp_path / "cache", Hum()
    shipped.mkdir()
    store = PromptStore(shipped, engine, cache)
    assert not store.has("明天有雨")
    first = store.pcm("明天有雨")
    assert store.pcm("明天有雨") == first
    assert PromptStore(shipped, None, cache).pcm("明天有雨") == first
    assert engine.asked == [("明天有雨", 0.85)]
    assert (cache / f"{text_hash('明天有雨')}.wav").exists()
    assert list(shipped.iterdir()) == []


def test_rendering_makes_what_is_missing_and_keeps_what_is_there(tmp_path: Path) -> None:
    engine, told = Hum(), []
    texts = [title_text(surname, "奶奶") for surname in SURNAMES[:12]]
    assert render_missing(texts[:3], tmp_path, engine) == 3
    made = render_missing(
        [*texts, texts[0]], tmp_path, engine, lambda *step: told.append(step), spoken={texts[4]: "另一种读法"}
    )
    assert made == 9
    assert told[-1] == (9, 9, texts[11])
    assert ("另一种读法", 0.85) in engine.asked
    index = read_index(tmp_path)
    assert set(index) == set(texts)
    assert index[texts[4]].spoken == "另一种读法"
    for text, entry in index.items():
        assert entry.file == f"{text_hash(text)}.wav"
        assert entry.seconds == pytest.approx(audio.seconds(audio.read_wav(tmp_path / entry.file)), abs=0.01)


def test_an_interrupted_rendering_keeps_what_was_made(tmp_path: Path) -> None:
    class Tired(Hum):
        def speak(self, text: str, speed: float) -> bytes:
            if len(self.asked) == 2:
                raise KeyboardInterrupt
            return super().speak(text, speed)

    with pytest.raises(KeyboardInterrupt):
        render_missing(["一句", "二句", "三句"], tmp_path, Tired())
    assert set(read_index(tmp_path)) == {"一句", "二句"}
    assert render_missing(["一句", "二句", "三句"], tmp_path, Hum()) == 1


def test_texts_nobody_says_any_more_are_removed_with_their_files(tmp_path: Path) -> None:
    render_missing(["旧的一句", "新的一句"], tmp_path, Hum())
    assert prune(["新的一句"], tmp_path) == 1
    assert {path.name for path in tmp_path.iterdir()} == {INDEX, f"{text_hash('新的一句')}.wav"}


def _render_some(folder: str, start: int) -> None:
    render_missing([f"第{n}句" for n in range(start, start + 15)], Path(folder), Hum())


def test_two_renderers_at_once_lose_none_of_each_others_entries(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=_render_some, args=(str(tmp_path), n * 15)) for n in range(2)]
    for process in running:
        process.start()
    for process in running:
        process.join(60)
    assert [process.exitcode for process in running] == [0, 0]
    assert len(read_index(tmp_path)) == 30


def test_a_broken_index_is_named(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text("- not\n- a mapping\n", "utf-8")
    with pytest.raises(BadInput, match="no prompt index"):
        PromptStore(tmp_path)


def test_without_the_extra_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    with pytest.raises(ModelError, match=r"xunfang\[tts\]"):
        KokoroTts(PROMPT_VOICE)
    with pytest.raises(ModelError, match="no voice file"):
        KokoroTts(Path("nobody.bin"))
