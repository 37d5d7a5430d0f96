"""The low-level kit against itself, against SIPp and against silence, over real SIP and RTP on loopback."""

from __future__ import annotations

import math
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from softphone import Softphone

from ivr.telephony.model import MAX_CALLS, TrunkConfig
from ivr.telephony.trunk import gateways_for

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

US, PEER, LONELY = 5610, 5611, 5612
SIPP = 5640
SCENARIOS = Path(__file__).parent / "test_telephony_sipp"


def tone(hertz: float, seconds: float) -> bytes:
    return b"".join(
        struct.pack("<h", int(8000 * math.sin(2 * math.pi * hertz * n / 8000)))
        for n in range(int(8000 * seconds))
    )


def strength(pcm: bytes, hertz: float) -> float:
    """Amplitude of one frequency in the loudest half second."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    best = 0.0
    for start in range(0, max(1, len(samples) - 4000), 2000):
        part = samples[start : start + 4000]
        real = sum(v * math.cos(2 * math.pi * hertz * n / 8000) for n, v in enumerate(part))
        imaginary = sum(v * math.sin(2 * math.pi * hertz * n / 8000) for n, v in enumerate(part))
        best = max(best, 2 * math.hypot(real, imaginary) / max(1, len(part)))
    return best


@contextmanager
def sipp(scenario: str, port: int = SIPP) -> Iterator[None]:
    process = subprocess.Popen(
        f"sipp -sf {SCENARIOS / scenario}.xml -i 127.0.0.1 -mi 127.0.0.1 -p {port} -mp 33000 "
        "-nostdin -m 1 -timeout 20s".split(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(0.4)  # sipp says nowhere that it listens
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def _phones() -> Iterator[tuple[Softphone, Softphone]]:
    with Softphone(US) as us, Softphone(PEER) as peer:
        yield us, peer
    assert (us.exit_code, peer.exit_code) == (0, 0)


@pytest.fixture
def us(_phones: tuple[Softphone, Softphone]) -> Softphone:
    _phones[0].drain()
    _phones[0].expect_call()
    return _phones[0]


@pytest.fixture
def peer(_phones: tuple[Softphone, Softphone]) -> Softphone:
    _phones[1].drain()
    return _phones[1]


def trunk(*gateways: int, **more: object) -> TrunkConfig:
    return TrunkConfig(gateways=tuple(f"127.0.0.1:{port}" for port in gateways), **more)  # type: ignore[arg-type]


def test_two_phones_hear_one_another_and_press_keys_both_ways_and_both_methods(
    us: Softphone, peer: Softphone
) -> None:
    peer.expect_call(180)
    us.do("dial", f"sip:13800000001@127.0.0.1:{PEER}", "", {"P-Asserted-Identity": "<sip:96100@x>"})
    assert peer.wait_for("Incoming") == {"called": "13800000001", "caller": "96100"}
    us.wait_for("StateChanged", state="early", code=180)
    peer.do("answer", 200)
    us.wait_for("StateChanged", state="confirmed")
    peer.do("play", tone(400, 1.0))
    us.do("play", tone(700, 1.0))
    us.do("send_keys", "1#")
    us.do("send_keys", "2", "info")
    peer.do("send_keys", "7")
    peer.do("send_keys", "*", "info")
    assert {(key["digit"], key["method"]) for key in peer.gather("KeyPressed", 3)} == {
        ("1", "rfc2833"),
        ("#", "rfc2833"),
        ("2", "info"),
    }
    assert {(key["digit"], key["method"]) for key in us.gather("KeyPressed", 2)} == {
        ("7", "rfc2833"),
        ("*", "info"),
    }
    time.sleep(0.8)  # let the tones end: real time is what is tested
    us.do("heard")
    peer.do("heard")
    assert strength(us.wait_for("Heard")["pcm"], 400) > 4000
    assert strength(peer.wait_for("Heard")["pcm"], 700) > 4000
    us.do("hang_up", "dialogue")
    assert us.wait_for("Ended")["our_reason"] == "dialogue"
    ended = peer.wait_for("Ended")
    assert (ended["by"], ended["code"], ended["answered"]) == ("them", 200, True)


def test_the_other_side_hanging_up_is_told_apart_from_us(us: Softphone, peer: Softphone) -> None:
    peer.expect_call(180, 200)
    us.do("dial", f"sip:1@127.0.0.1:{PEER}")
    us.wait_for("StateChanged", state="confirmed")
    peer.do("hang_up", "enough", 16)
    ended = us.wait_for("Ended")
    assert (ended["by"], ended["our_reason"], ended["q850"]) == ("them", "", 16)


def test_early_media_is_heard_before_any_answer_and_the_refusal_after_it_is_read(
    us: Softphone, peer: Softphone
) -> None:
    peer.expect_call(183)
    us.do("dial", f"sip:1@127.0.0.1:{PEER}")
    us.wait_for("MediaUp")
    peer.do("play", tone(500, 0.8))
    time.sleep(0.9)
    us.do("heard")
    assert strength(us.wait_for("Heard")["pcm"], 500) > 4000
    peer.do("answer", 480, "", {"Reason": 'Q.850;cause=20;text="absent"'})
    ended = us.wait_for("Ended")
    assert (ended["by"], ended["code"], ended["q850"], ended["answered"]) == ("them", 480, 20, False)


@pytest.mark.parametrize("code", [486, 603, 404, 503])
def test_refusals_arrive_with_their_code(code: int, us: Softphone, peer: Softphone) -> None:
    peer.expect_call(code)
    us.do("dial_trunk", trunk(PEER), "13800000001")
    ended = us.wait_for("Ended")
    assert (ended["code"], ended["answered"], ended["rang"]) == (code, False, False)
    assert ended["by"] == ("trunk" if code == 503 else "them")


def test_a_silent_trunk_is_given_up_after_the_setup_time_and_the_next_gateway_is_asked(
    peer: Softphone,
) -> None:
    number = "13800000001"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, Softphone(LONELY) as us:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        began = time.monotonic()
        us.do("dial_trunk", trunk(port, setup_s=6.0), number)
        ended = us.wait_for("Ended", 10)
        assert (ended["by"], ended["our_reason"], ended["rang"]) == ("us", "trunk_no_reply", False)
        assert 5.9 < time.monotonic() - began < 7.5
        us.do("slots")  # pjsip goes on waiting for this trunk: its slot is not ours to use yet
        assert us.wait_for("Slots")["free"] == MAX_CALLS - 1
        ways = gateways_for(number, (f"127.0.0.1:{port}", f"127.0.0.1:{PEER}"))
        while ways[0].endswith(str(PEER)):  # a number whose own gateway is the silent one
            number = str(int(number) + 1)
            ways = gateways_for(number, ways)
        peer.expect_call(180, 200)
        us.do("dial_trunk", trunk(port, PEER, setup_s=0.5), number)
        peer.wait_for("Incoming", called=number)
        us.wait_for("StateChanged", state="confirmed")


def test_nobody_picks_up_and_the_callee_is_not_asked_twice(us: Softphone, peer: Softphone) -> None:
    peer.expect_call(180)
    us.do("dial_trunk", trunk(PEER, PEER, ring_s=1.0), "13800000001")
    ended = us.wait_for("Ended")
    assert (ended["our_reason"], ended["rang"]) == ("no_answer", True)
    assert peer.wait_for("Ended")["by"] == "them"
    assert [name for name, _, _ in peer.seen].count("Incoming") == 1


def test_a_fifth_call_waits_for_a_slot_and_is_no_fault_of_the_trunk() -> None:
    with Softphone(LONELY) as us, Softphone(LONELY + 1, answer=(180,)) as peer:
        for _ in range(4):
            us.do("dial_trunk", trunk(peer.port), "13800000001")
            us.wait_for("StateChanged", state="early")
        us.do("dial_trunk", trunk(peer.port), "13800000001")
        us.wait_for("NoSlot")
        us.do("cancel", "cancelled")
        assert us.wait_for("Ended")["our_reason"] == "cancelled"
        peer.wait_for("Ended")
        us.do("dial_trunk", trunk(peer.port), "13800000001")
        us.wait_for("StateChanged", state="early")


def test_a_trunk_over_tcp_is_called_and_one_that_refuses_the_connection_is_told_at_once() -> None:
    with Softphone(LONELY, transport="tcp") as us:
        with Softphone(LONELY + 1, transport="tcp", answer=(180, 200)) as peer:
            us.do("dial_trunk", trunk(peer.port, transport="tcp"), "13800000001")
            us.wait_for("StateChanged", state="confirmed")
            us.do("cancel", "dialogue")
            assert us.wait_for("Ended")["by"] == "us"
        us.do("dial_trunk", trunk(peer.port + 20, transport="tcp"), "13800000001")
        ended = us.wait_for("Ended", 3)
        assert (ended["by"], ended["answered"]) == ("trunk", False)


def test_an_unresolvable_trunk_is_an_ended_call_not_an_exception(us: Softphone) -> None:
    us.do("dial_trunk", TrunkConfig(gateways=("no.such.host.invalid:5060",)), "13800000001")
    ended = us.wait_for("Ended", 15)
    assert (ended["by"], ended["our_reason"], ended["answered"]) == ("trunk", "trunk_unreachable", False)


def test_rtp_that_stops_can_be_seen_although_pjsip_never_says_so(us: Softphone, peer: Softphone) -> None:
    peer.expect_call(180, 200)
    us.do("dial", f"sip:1@127.0.0.1:{PEER}")
    us.wait_for("StateChanged", state="confirmed")
    time.sleep(0.5)
    peer.freeze()
    time.sleep(0.3)
    us.do("heard")
    before = us.wait_for("Heard")["packets"]
    time.sleep(0.5)
    us.do("heard")
    assert us.wait_for("Heard")["packets"] == before > 15
    peer.resume()
    us.do("hang_up", "rtp_lost")
    us.wait_for("Ended")


@pytest.mark.skipif(shutil.which("sipp") is None, reason="needs the Debian package sip-tester")
class TestSipp:
    """A SIP stack that nobody here wrote."""

    def test_busy(self, us: Softphone) -> None:
        with sipp("busy"):
            us.do("dial_trunk", trunk(SIPP), "13800000001")
            ended = us.wait_for("Ended")
            assert (ended["code"], ended["by"]) == (486, "them")

    def test_ringing_that_we_cancel(self, us: Softphone) -> None:
        with sipp("no_answer"):
            us.do("dial_trunk", trunk(SIPP, ring_s=1.0), "13800000001")
            ended = us.wait_for("Ended")
            assert (ended["our_reason"], ended["rang"], ended["code"]) == ("no_answer", True, 487)

    def test_a_trunk_that_only_says_trying_is_not_a_dead_trunk(self, us: Softphone) -> None:
        with sipp("trying_then_busy"):
            us.do("dial_trunk", trunk(SIPP, setup_s=1.0), "13800000001")
            ended = us.wait_for("Ended")
            assert (ended["code"], ended["q850"], ended["our_reason"]) == (486, 17, "")

    def test_early_media_then_refusal_with_cause(self, us: Softphone) -> None:
        with sipp("early_refused"):
            us.do("dial_trunk", trunk(SIPP), "13800000001")
            us.wait_for("MediaUp")
            ended = us.wait_for("Ended")
            assert (ended["code"], ended["q850"], ended["answered"]) == (480, 20, False)

    def test_remote_bye_after_answer(self, us: Softphone) -> None:
        with sipp("answer_bye"):
            us.do("dial_trunk", trunk(SIPP), "13800000001")
            us.wait_for("StateChanged", state="confirmed")
            ended = us.wait_for("Ended")
            assert (ended["by"], ended["answered"], ended["q850"]) == ("them", True, 16)
