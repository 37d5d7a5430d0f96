"""Whole calls through the fleet: real SIP, RTP and recognition, a softphone that plays recorded speech.

Prompts are replaced by a short sound of ours, because what is tested is the conversation and
not the pace of its voice; everything else is as in service.
"""

from __future__ import annotations

import os
import signal
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from softphone import HANG_UP, WAIT_FOR_NOTHING, Softphone

from ivr.dialogue import dialplan
from ivr.dialogue.model import Because, Callee
from ivr.session.config import DutyConfig, LineConfig
from ivr.session.fleet import Fleet
from ivr.session.model import (
    AlertRaised,
    Answered,
    AnswerGiven,
    CallEnded,
    CallEvent,
    CallOrder,
    DutyRang,
    RecordingLost,
    Ringing,
    TurnHeard,
)
from ivr.speech import audio
from ivr.speech.prompts import Entry, add_to_index, text_hash
from ivr.telephony.model import TrunkConfig
from xunfang.clock import SystemClock
from xunfang.errors import ModelError, TrunkError
from xunfang.vocabulary import Alert, DutyOutcome, Speaker
from xunfang.vocabulary import CallDisposition as D

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

ROOT = Path(__file__).parents[2]
VOICES = ROOT / "tests" / "data" / "session"
PHONE, LINE = 5650, 5660
PLAN = "demo_short"
REPLY_MS = 100  # design: our reply starts within this of the endpoint
WELL, FELL, DUTY, OFF, MUTE, EARLY, KEYS = (f"1380000000{n}" for n in range(1, 8))


def clip(name: str) -> bytes:
    return audio.read_wav(VOICES / f"{name}.wav")


PERSONAS = {
    WELL: {
        "answer": (180, 200),
        "script": [WAIT_FOR_NOTHING, *map(clip, ("hello", "self", "good")), "1", clip("no_need")],
    },
    FELL: {"answer": (180, 200), "script": [WAIT_FOR_NOTHING, *map(clip, ("hello", "self", "fell"))]},
    DUTY: {"answer": (180,)},
    OFF: {"answer": (183,), "early": clip("off") + audio.silence(400) + clip("off")},
    MUTE: {"answer": (180, 200)},
    EARLY: {"answer": (180, 200), "script": [WAIT_FOR_NOTHING, clip("hello"), HANG_UP]},
    KEYS: {"answer": (180, 200), "script": ["1", "1", "1", "1"]},
}


class Log:
    """Everything a fleet told, by call."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []

    def of(self, call_id: int) -> list[CallEvent]:
        return [event for event in self.events if event.call_id == call_id]

    def wait(self, call_id: int, is_it: Callable[[CallEvent], bool], timeout: float) -> CallEvent:
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            for event in self.of(call_id):
                if is_it(event):
                    return event
            time.sleep(0.02)
        raise AssertionError(f"call {call_id}: only {[type(event).__name__ for event in self.of(call_id)]}")

    def end(self, call_id: int, timeout: float = 40.0) -> CallEnded:
        ended = self.wait(call_id, lambda event: isinstance(event, CallEnded), timeout)
        assert isinstance(ended, CallEnded)
        return ended


@pytest.fixture(scope="module")
def short_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every prompt of the dialplan as 0.3 s of voice."""
    folder = tmp_path_factory.mktemp("prompts")
    sound = clip("hello")[: audio.RATE_HZ * 2 * 6 // 10][-audio.RATE_HZ * 2 * 3 // 10 :]
    entries = {}
    for text in dialplan.load(PLAN).texts():
        audio.write_wav(folder / f"{text_hash(text)}.wav", sound)
        entries[text] = Entry(f"{text_hash(text)}.wav", "short", 1.0, 0.3)
    add_to_index(folder, entries)
    return folder


def config(short_prompts: Path, **trunk: object) -> LineConfig:
    settings: dict[str, object] = {
        "gateways": (f"127.0.0.1:{PHONE}",),
        "caller_id": "96100",
        "sip_port": LINE,
        "rtp_port": 32400,
        "setup_s": 1.5,
        "ring_s": 15.0,
        "rtp_lost_s": 1.5,
    }
    return LineConfig(
        trunk=TrunkConfig(**{**settings, **trunk}),  # type: ignore[arg-type]
        model_dir=str(ROOT / "asr_models" / "starter"),
        prompts=str(short_prompts),
        duty=DutyConfig(ring_s=10.0),
        log_level="WARNING",
    )


@pytest.fixture(scope="module")
def log() -> Log:
    return Log()


@pytest.fixture(scope="module")
def phone() -> Iterator[Softphone]:
    with Softphone(PHONE, personas=PERSONAS) as phone:
        yield phone


@pytest.fixture(scope="module")
def fleet(short_prompts: Path, log: Log, phone: Softphone) -> Iterator[Fleet]:
    fleet = Fleet(config(short_prompts), log.events.append, SystemClock())
    fleet.start()
    yield fleet
    fleet.stop(0)
    assert fleet.pids() == []


def order(call_id: int, number: str, recording: Path | None = None, duty: str | None = None) -> CallOrder:
    return CallOrder(
        call_id,
        number,
        PLAN,
        Callee(title="王奶奶"),
        tail_ms=1000,
        recording=str(recording) if recording else None,
        duty_number=duty,
    )


def test_a_visit_a_fall_and_a_number_that_is_switched_off_at_the_same_time(
    fleet: Fleet, log: Log, phone: Softphone, tmp_path: Path
) -> None:
    recordings = {1: tmp_path / "well.wav", 2: tmp_path / "fell.wav"}
    fleet.dial(order(1, WELL, recordings[1]))
    fleet.dial(order(2, FELL, recordings[2], duty=DUTY))
    fleet.dial(order(3, OFF))
    assert fleet.live() == [1, 2, 3]
    assert fleet.free() == 0
    with pytest.raises(TrunkError):
        fleet.dial(order(4, WELL))

    # the carrier's voice, before any answer
    off = log.end(3)
    assert (off.disposition, off.because) == (D.POWERED_OFF, None)
    assert not any(isinstance(event, Answered) for event in log.of(3))
    assert any(isinstance(event, Ringing) and event.early_media for event in log.of(3))

    fleet.dial(order(11, MUTE))  # see the next test: with the duty person this fills the line

    # danger: told while the line is open, then the duty person is rung and joined
    raised = log.wait(2, lambda event: isinstance(event, AlertRaised), 40)
    assert isinstance(raised, AlertRaised)
    assert raised.alert is Alert.URGENT
    assert raised.evidence
    assert raised.seconds_since_spoken < 2.5  # 1.0 s tail and what it takes to decide
    phone.wait_for("Incoming", 10, called=DUTY)
    phone.do("answer", 200)
    phone.wait_for("StateChanged", state="confirmed")
    phone.do("send_keys", "1")
    taken = log.wait(2, lambda event: isinstance(event, DutyRang), 5)
    assert isinstance(taken, DutyRang)
    assert (taken.nth, taken.outcome) == (1, DutyOutcome.TAKEN)
    phone.do("play", clip("good"))
    time.sleep(3.5)  # the elder hears the duty person: both are in the recording
    phone.do("hang_up", "duty is done")
    fell = log.end(2)
    assert (fell.disposition, fell.because) == (D.COMPLETED, Because.URGENT)
    with wave.open(str(recordings[2])) as file:
        stereo = file.readframes(file.getnframes())
    left = audio.to_samples(stereo)[0::2]
    since = int(raised.end_s * audio.RATE_HZ)
    assert audio.level_db(left[since:]) > -40  # our prompts, and then the duty person's voice

    # the ordinary visit has gone on beside it
    well = log.end(1)
    assert (well.disposition, well.because) == (D.COMPLETED, Because.FINISHED)
    answers = {event.question: event.answer for event in log.of(1) if isinstance(event, AnswerGiven)}
    assert answers == {"identity": "self", "health": "good", "event": "no", "needs": "no"}
    assert len(well.reply_ms) >= 4
    assert sorted(well.reply_ms)[-1] < 3 * REPLY_MS
    assert sorted(well.reply_ms)[len(well.reply_ms) // 2] < REPLY_MS
    turns = [event for event in log.of(1) if isinstance(event, TurnHeard)]
    assert {turn.speaker for turn in turns} == {Speaker.SYSTEM, Speaker.ELDER}
    assert sorted(turn.seq for turn in turns) == list(range(1, len(turns) + 1))
    with wave.open(str(recordings[1])) as file:
        seconds = file.getnframes() / audio.RATE_HZ
        sound = audio.to_samples(file.readframes(file.getnframes()))
    assert abs(seconds - well.seconds) < 1.5
    assert [turn.text for turn in turns if turn.start_s == turn.end_s] == [
        "按键1"
    ]  # a key has only its moment
    for turn in (turn for turn in turns if turn.end_s > turn.start_s):
        side = sound[(0 if turn.speaker is Speaker.SYSTEM else 1) :: 2]
        spoken = side[int(turn.start_s * audio.RATE_HZ) : int(turn.end_s * audio.RATE_HZ)]
        assert audio.level_db(spoken) > -40, f"turn {turn.seq} is not where it says"


def test_silence_a_hasty_elder_and_answers_by_key(fleet: Fleet, log: Log, tmp_path: Path) -> None:
    fleet.dial(order(12, EARLY, tmp_path / "2026" / "call.wav"))
    fleet.dial(order(13, KEYS, Path("/proc/no/such/folder.wav")))
    hasty = log.end(12)
    assert (hasty.disposition, hasty.because, hasty.hung_up_by) == (D.HUNG_UP_EARLY, Because.HUNG_UP, "them")
    keyed = log.end(13)
    answers = {event.question: event.answer for event in log.of(13) if isinstance(event, AnswerGiven)}
    assert answers.get("identity") == "self"
    assert answers.get("health") == "same"
    assert keyed.disposition is D.COMPLETED
    lost = [event for event in log.of(13) if isinstance(event, RecordingLost)]
    assert len(lost) == 1  # and the call went on
    silent = log.end(11, 60)
    assert (silent.disposition, silent.because) == (D.ANSWERED_SILENT, Because.SILENT)


def test_a_supervisor_takes_over_and_nothing_is_asked_any_more(
    fleet: Fleet, log: Log, phone: Softphone
) -> None:
    assert not fleet.take_over(14, DUTY)  # no such call
    fleet.dial(order(14, WELL))
    log.wait(14, lambda event: isinstance(event, AnswerGiven) and event.question == "identity", 30)
    phone.drain()
    assert fleet.take_over(14, DUTY)
    phone.wait_for("Incoming", 10, called=DUTY)
    phone.do("answer", 200)
    phone.wait_for("StateChanged", state="confirmed")
    phone.do("send_keys", "1")
    told = "值班人员接通了"
    announced = log.wait(14, lambda event: isinstance(event, TurnHeard) and told in event.text, 20)
    phone.do("hang_up", "said what there was to say")
    ended = log.end(14)
    assert (ended.disposition, ended.because) == (D.COMPLETED, Because.FINISHED)
    asked = [each for each in log.of(14) if isinstance(each, AnswerGiven) and each.at > announced.at]
    assert asked == []


def test_a_killed_line_ends_its_call_as_interrupted_keeps_what_was_heard_and_a_fresh_line_goes_on(
    fleet: Fleet, log: Log, tmp_path: Path
) -> None:
    recording = tmp_path / "killed.wav"
    fleet.dial(order(21, WELL, recording))
    log.wait(21, lambda event: isinstance(event, AnswerGiven) and event.question == "identity", 30)
    (pid,) = fleet.pids()
    os.kill(pid, signal.SIGKILL)
    ended = log.end(21, 5)
    assert (ended.disposition, ended.because) == (D.INTERRUPTED, Because.OUR_FAULT)
    assert any(isinstance(event, AnswerGiven) for event in log.of(21))
    assert fleet.live() == []
    heard_until = max(event.end_s for event in log.of(21) if isinstance(event, TurnHeard))
    with wave.open(str(recording)) as file:
        assert file.getnframes() / audio.RATE_HZ > heard_until - 1.0
    until = time.monotonic() + 10
    while fleet.free() == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert fleet.pids() != [pid]
    fleet.dial(order(22, EARLY))
    assert log.end(22).disposition is D.HUNG_UP_EARLY


def test_rtp_that_stops_is_our_interruption_and_a_trunk_that_is_silent_is_never_a_missed_call(
    fleet: Fleet, log: Log, phone: Softphone
) -> None:
    fleet.dial(order(31, WELL))
    log.wait(31, lambda event: isinstance(event, AnswerGiven), 30)
    phone.freeze()
    try:
        began = time.monotonic()
        fleet.dial(order(32, WELL))
        lost = log.end(31, 8)
        assert (lost.disposition, lost.because, lost.hung_up_by) == (D.INTERRUPTED, Because.MEDIA_LOST, "us")
        down = log.end(32, 8)
        assert (down.disposition, down.because) == (D.TRUNK_FAILURE, None)
        assert time.monotonic() - began < 6
    finally:
        phone.resume()


def test_a_missing_model_keeps_the_fleet_from_starting_and_says_so(
    short_prompts: Path, tmp_path: Path
) -> None:
    broken = config(short_prompts, sip_port=LINE + 10, rtp_port=33600)
    fleet = Fleet(
        LineConfig(trunk=broken.trunk, model_dir=str(tmp_path), prompts=broken.prompts), print, SystemClock()
    )
    with pytest.raises(ModelError, match="model"):
        fleet.start()
    assert fleet.pids() == []
