"""The parts of the kit that need no SIP: legs, headers, keys, trunk routing."""

from __future__ import annotations

import pytest

from ivr.telephony import headers
from ivr.telephony.keys import KeyFilter
from ivr.telephony.leg import Finished, Leg, Started
from ivr.telephony.model import FRAME_BYTES, SILENCE, TrunkConfig
from ivr.telephony.trunk import (
    address_of,
    caller_headers,
    checked,
    checked_number,
    gateways_for,
    may_try_next,
    target_for,
)
from xunfang.errors import BadSettings, TrunkError

pytestmark = pytest.mark.unit

LOUD = b"\x10\x20" * 160
BYE = (
    "SIP/2.0 480 Temporarily Unavailable\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n"
    'Reason: SIP;cause=480, Q.850;cause=20;text="Subscriber absent"\r\nRetry-After: 30 (soon)\r\n'
    "Content-Length: 0\r\n\r\nReason: Q.850;cause=1"
)


def tick(leg: Leg, heard: bytes | None = None) -> bytes:
    sent = leg.next_frame()
    leg.received(heard)
    return sent


def test_a_clip_is_played_to_its_last_padded_frame_and_says_when_it_began_and_ended() -> None:
    leg = Leg()
    tick(leg)
    clip = leg.play(LOUD + LOUD[:100])
    assert tick(leg) == LOUD
    assert tick(leg) == LOUD[:100].ljust(FRAME_BYTES, b"\0")
    assert tick(leg) == SILENCE
    started, finished = leg.notices.get(), leg.notices.get()
    assert isinstance(started, Started)
    assert (started.clip, started.sample) == (clip, 160)
    assert finished == Finished(clip, 480)


def test_stopping_is_heard_at_the_very_next_frame_and_finishes_nothing() -> None:
    leg = Leg()
    leg.play(LOUD * 50)
    leg.play(LOUD * 50)
    tick(leg)
    assert leg.stop()
    assert tick(leg) == SILENCE
    assert not leg.stop()
    assert isinstance(leg.notices.get(), Started)
    assert leg.notices.empty()


def test_what_is_heard_carries_its_place_in_the_recording_and_both_sides_stay_in_step() -> None:
    frames: list[tuple[int, bytes]] = []
    pairs: list[tuple[bytes, bytes]] = []
    leg = Leg(
        lambda offset, frame: frames.append((offset, frame)),
        lambda ours, theirs: pairs.append((ours, theirs)),
    )
    tick(leg)
    leg.play(LOUD)
    tick(leg, LOUD)
    assert frames == [(0, SILENCE), (160, LOUD)]
    assert pairs == [(SILENCE, SILENCE), (LOUD, LOUD)]
    assert leg.frames_heard == 1


def test_a_sink_that_fails_never_reaches_the_bridge() -> None:
    def fail(_offset: int, _frame: bytes) -> None:
        raise RuntimeError("no")

    leg = Leg(fail)
    tick(leg, LOUD)
    assert leg.errors == 1
    assert leg.position == 160


def test_bridged_parties_hear_one_another_until_either_is_taken_out() -> None:
    elder, duty = Leg(), Leg()
    elder.bridge(duty)
    tick(elder, LOUD)
    assert tick(duty, b"\x01\x02" * 160) == LOUD
    assert tick(elder) == b"\x01\x02" * 160
    duty.bridge(None)
    tick(elder, LOUD)
    assert tick(duty) == SILENCE


def test_reason_and_retry_after_are_read_from_the_head_only() -> None:
    assert headers.q850(BYE) == 20
    assert headers.retry_after(BYE) == 30
    assert headers.q850("SIP/2.0 486 Busy Here\r\n\r\nReason: Q.850;cause=1") is None


def test_what_the_other_side_takes_stands_in_its_allow_headers() -> None:
    reply = "SIP/2.0 200 OK\r\nAllow: INVITE, ACK,BYE\r\nallow: refer\r\nContent-Length: 0\r\n\r\nAllow: INFO"
    assert headers.methods(reply) == {"INVITE", "ACK", "BYE", "REFER"}
    assert headers.methods("SIP/2.0 200 OK\r\n\r\n") == frozenset()


def test_an_incoming_request_tells_whom_it_wants_and_who_calls() -> None:
    invite = 'INVITE sip:13800000001@10.0.0.1:5060 SIP/2.0\r\nFrom: "x" <sip:96100@trunk>;tag=1\r\n\r\n'
    assert headers.request_user(invite) == "13800000001"
    assert headers.from_user(invite) == "96100"


def test_a_key_sent_both_ways_is_one_key_and_a_key_pressed_twice_is_two() -> None:
    keys = KeyFilter()
    assert keys.accept("1", "rfc2833", 0.0)
    assert not keys.accept("1", "info", 0.1)
    assert keys.accept("1", "rfc2833", 0.3)
    assert keys.accept("1", "rfc2833", 0.5)
    assert keys.accept("2", "info", 0.55)


def test_a_number_keeps_its_gateway_and_losing_another_gateway_moves_nobody_else() -> None:
    gateways = ("a:5060", "b:5060", "c:5060")
    numbers = [f"1380000{n:04d}" for n in range(300)]
    first = {number: gateways_for(number, gateways)[0] for number in numbers}
    assert set(first.values()) == set(gateways)
    for number in numbers:
        assert gateways_for(number, gateways[::-1])[0] == first[number]
        if first[number] != "b:5060":
            assert gateways_for(number, ("a:5060", "c:5060"))[0] == first[number]


@pytest.mark.parametrize("number", ["", "1", "13800000001@evil", "sip:1", "110;x=1", "１３８", "+", "12 34x"])
def test_nothing_but_a_telephone_number_gets_into_a_sip_uri(number: str) -> None:
    with pytest.raises(TrunkError):
        checked_number(number)


def test_spaces_and_dashes_of_a_written_number_are_dropped() -> None:
    assert checked_number("+86 (138) 0000-0001") == "+8613800000001"


def test_only_a_failure_before_any_ringing_goes_to_the_next_gateway() -> None:
    assert may_try_next(rang=False, code=503, by="trunk", our_reason="")
    assert may_try_next(rang=False, code=487, by="us", our_reason="trunk_no_reply")
    assert not may_try_next(rang=True, code=503, by="trunk", our_reason="")
    assert not may_try_next(rang=False, code=486, by="them", our_reason="")
    assert not may_try_next(rang=False, code=408, by="them", our_reason="")
    assert not may_try_next(rang=False, code=487, by="us", our_reason="no_answer")


def test_who_we_are_depends_on_how_the_trunk_knows_us() -> None:
    by_address = TrunkConfig(domain="carrier.example", username="u1", caller_id="96100")
    registered = TrunkConfig(domain="carrier.example", username="u1", caller_id="96100", register=True)
    assert address_of(by_address) == "sip:96100@carrier.example"
    assert address_of(registered) == "sip:u1@carrier.example"
    assert caller_headers(registered) == {"P-Preferred-Identity": "<sip:96100@carrier.example>"}
    assert caller_headers(TrunkConfig()) == {}
    assert target_for("10086", "gw:5060", TrunkConfig(transport="tcp")) == "sip:10086@gw:5060;transport=tcp"


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (TrunkConfig(gateways=()), "gateways"),
        (TrunkConfig(gateways=("gw 1",)), "gateways"),
        (TrunkConfig(transport="tls"), "transport"),
        (TrunkConfig(register=True), "username"),
        (TrunkConfig(caller_id="<96100>"), "caller_id"),
    ],
)
def test_a_trunk_that_cannot_work_is_refused_with_the_name_of_the_setting(
    config: TrunkConfig, word: str
) -> None:
    with pytest.raises(BadSettings, match=word):
        checked(config)
