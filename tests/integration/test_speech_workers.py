"""Recognition beside the telephone: order, lag, failure of one stream, several calls at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from asr_models.manifest import STARTER_FOLDER
from ivr.speech import audio
from ivr.speech.ear import Ear
from ivr.speech.endpointer import Endpointer, SpeechEnded
from ivr.speech.recogniser import Recogniser, Stream
from ivr.speech.vad import PhoneVad
from ivr.speech.workers import LiveStream, RecognitionWorkers
from xunfang.errors import BadDialplan, ModelError

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

RECORDINGS = Path(__file__).parent / "test_speech_recordings"
PHRASES = ("跟以前一样", "请再说一遍", "我身体挺好的", "胸口疼得厉害", "我摔倒了")
WAIT_S = 20.0


def recording(name: str) -> bytes:
    return audio.read_wav(RECORDINGS / f"{name}_zf_xiaoni.wav")


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser(STARTER_FOLDER)


@pytest.fixture
def workers(recogniser: Recogniser) -> Iterator[RecognitionWorkers]:
    pool = RecognitionWorkers(recogniser, threads=2)
    yield pool
    pool.close()


def test_eight_callers_at_once_each_get_their_own_words(workers: RecognitionWorkers) -> None:
    names = {"same": "跟以前一样", "again": "请再说一遍", "health_good": "我身体挺好的", "fell": "我摔倒了"}
    calls = [(text, workers.open(PHRASES), audio.frames(recording(name))) for name, text in names.items()] * 1
    calls += [(text, workers.open(PHRASES), audio.frames(recording(name))) for name, text in names.items()]
    for turn in range(max(len(frames) for _, _, frames in calls)):
        for _, stream, frames in calls:
            if turn < len(frames):
                stream.feed(frames[turn])
    results = [(text, stream.finish().result(WAIT_S).text) for text, stream, _ in calls]
    assert [got for _, got in results] == [text for text, _ in results]


def test_the_ear_of_a_call_gives_the_answer_at_its_end(workers: RecognitionWorkers) -> None:
    ear: Ear[LiveStream] = Ear(Endpointer(PhoneVad()), lambda: workers.open(PHRASES))
    events = [
        event
        for frame in audio.frames(audio.silence(800) + recording("same") + audio.silence(1700))
        if (event := ear.push(frame)) is not None
    ]
    assert isinstance(events[-1], SpeechEnded)
    stream = ear.take()
    assert stream is not None
    assert stream.finish().result(WAIT_S).text == "跟以前一样"
    assert ear.take() is None


def test_silence_costs_no_recognition(recogniser: Recogniser) -> None:
    opened: list[Stream] = []

    def open_stream() -> Stream:
        opened.append(recogniser.open(PHRASES))
        return opened[-1]

    ear = Ear(Endpointer(PhoneVad()), open_stream)
    for frame in audio.frames(audio.silence(10_000)):
        ear.push(frame)
    assert opened == []


def test_feeding_never_waits_and_the_lag_is_what_waits(recogniser: Recogniser) -> None:
    moment = [100.0]
    gate = threading.Event()
    pool = RecognitionWorkers(recogniser, threads=1, now=lambda: moment[0])
    stream = pool.open(PHRASES)
    started = threading.Event()

    def block() -> Stream:
        started.set()
        gate.wait(WAIT_S)
        return recogniser.open(None)

    blocked = LiveStream(pool._workers[0], block)
    assert started.wait(WAIT_S)
    stream.feed(recording("same"))
    moment[0] += 2.5
    assert pool.lag_ms == pytest.approx(2500)
    gate.set()
    assert stream.finish().result(WAIT_S).text == "跟以前一样"
    blocked.abandon()
    pool.close()
    assert pool.lag_ms == 0.0
    assert pool.lag_percentiles_ms()[2] == pytest.approx(2500)


def test_one_failing_stream_does_not_take_the_others_down(workers: RecognitionWorkers) -> None:
    unspeakable = workers.open(["饕餮龘"])
    unspeakable.feed(recording("same"))
    good = [workers.open(PHRASES) for _ in range(2)]
    for stream in good:
        stream.feed(recording("same"))
    with pytest.raises(BadDialplan, match="饕餮龘"):
        unspeakable.finish().result(WAIT_S)
    assert [stream.finish().result(WAIT_S).text for stream in good] == ["跟以前一样"] * 2


def test_a_fault_inside_the_recogniser_is_a_model_error(workers: RecognitionWorkers) -> None:
    class Faulty(Stream):
        def feed(self, pcm: bytes) -> bool:
            raise Exception("Failed to process waveform")  # as Vosk does

    faulty = LiveStream(workers._workers[0], lambda: Faulty.__new__(Faulty))
    faulty.feed(b"\0\0")
    with pytest.raises(ModelError, match="in the middle of an answer"):
        faulty.finish().result(WAIT_S)


def test_an_abandoned_stream_leaves_nothing_behind(workers: RecognitionWorkers) -> None:
    for _ in range(5):
        stream = workers.open(PHRASES)
        stream.feed(recording("same"))
        stream.abandon()
    workers.close()
    assert [worker.streams for worker in workers._workers] == [0, 0]
