"""Parts of a session that need neither telephone nor recogniser."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ivr.session.config import LineConfig
from ivr.session.handle import LineHandle
from ivr.session.model import Answered, CallOrder
from ivr.session.speaking import Said, Speaking
from ivr.session.transcript import judgement
from ivr.telephony.leg import Leg
from ivr.telephony.model import TrunkConfig
from ivr.understanding import Question, understand
from xunfang.clock import FixedClock
from xunfang.errors import BadSettings, NotFound

pytestmark = pytest.mark.unit

FRAME = b"\x10\x20" * 160
CLIPS = {"一": FRAME * 10, "二": FRAME * 5}
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def speaking() -> tuple[Leg, Speaking]:
    leg = Leg()

    def pcm_of(text: str) -> bytes:
        try:
            return CLIPS[text]
        except KeyError:
            raise NotFound("no recording") from None

    return leg, Speaking(leg, pcm_of)


def tick(leg: Leg, frames: int) -> None:
    for _ in range(frames):
        leg.next_frame()
        leg.received(None)


def test_a_turn_of_ours_spans_its_first_to_its_last_sample() -> None:
    leg, voice = speaking()
    tick(leg, 50)
    voice.say(("一", "二"), 7, "health", None)
    tick(leg, 15)
    assert voice.step() == Said(7, "health", "一二", 1.0, 1.3)
    assert not voice.active


def test_a_stopped_turn_tells_only_what_had_begun() -> None:
    leg, voice = speaking()
    voice.say(("一", "二"), 1, "health", None)
    tick(leg, 4)
    assert voice.stop() == Said(1, "health", "一", 0.0, 0.08)
    assert not leg.playing
    voice.say(("二",), 2, "health", None)
    assert voice.stop() is None  # nothing of it was heard


def test_a_hushed_turn_says_the_interrupted_text_again_and_not_what_was_already_heard() -> None:
    leg, voice = speaking()
    voice.say(("一", "二"), 1, "health", None)
    tick(leg, 12)  # the first text is over, the second has begun
    voice.hush()
    assert voice.active
    assert leg.next_frame() == bytes(320)
    voice.resume()
    tick(leg, 5)
    said = voice.step()
    assert said is not None
    assert said.text == "一二"
    assert not leg.playing


def test_the_reply_time_is_measured_once_per_turn_from_the_endpoint() -> None:
    import time

    leg, voice = speaking()
    voice.say(("一", "二"), 1, "health", time.monotonic())
    tick(leg, 15)
    voice.step()
    assert len(voice.reply_ms) == 1
    assert 0 <= voice.reply_ms[0] < 1000


def test_a_missing_recording_is_found_before_half_a_sentence_is_said() -> None:
    leg, voice = speaking()
    with pytest.raises(NotFound):
        voice.say(("一", "三"), 1, "health", None)
    assert not leg.playing


def test_the_ledger_gets_plain_values_with_all_four_slots_and_the_span() -> None:
    kept = judgement(understand("我摔倒了，起不来了", Question.HEALTH))
    assert kept["alert"] == "urgent"
    assert kept["judgements"]
    for each in kept["judgements"]:  # type: ignore[attr-defined]
        assert {"event", "polarity", "time", "subject", "start", "end", "evidence"} <= set(each)
        assert all(type(value) in (str, int, float) for value in each.values())
    assert judgement(None) == {}


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (LineConfig(calls_per_line=5), "calls_per_line"),
        (LineConfig(lines=0), "lines"),
        (LineConfig(recognition_threads=0), "recognition_threads"),
    ],
)
def test_settings_that_cannot_work_are_named(config: LineConfig, word: str) -> None:
    with pytest.raises(BadSettings, match=word):
        config.check()


def test_lines_lie_side_by_side_and_never_share_a_port() -> None:
    config = LineConfig(trunk=TrunkConfig(sip_port=5600, rtp_port=30000, rtp_ports=100), lines=3)
    endpoints = [config.endpoint(line) for line in range(3)]
    assert [endpoint.sip_port for endpoint in endpoints] == [5600, 5601, 5602]
    spans = [range(endpoint.rtp_port, endpoint.rtp_port + endpoint.rtp_ports) for endpoint in endpoints]
    assert len({port for span in spans for port in span}) == 300
    assert LineConfig().endpoint(2).sip_port == 0


def test_a_line_that_never_started_takes_no_order() -> None:
    handle = LineHandle(0, LineConfig(), FixedClock(NOW))
    assert handle.free == 0
    assert not handle.send(CallOrder(1, "13800000001"))
    assert handle.calls == {}


def test_orders_and_events_show_no_number_when_printed() -> None:
    order = CallOrder(1, "13800000001", duty_number="13900000009")
    assert "138" not in repr(order)
    assert "139" not in repr(order)
    assert "138" not in repr(Answered(1, NOW))
