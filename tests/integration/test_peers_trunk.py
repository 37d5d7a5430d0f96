"""Our telephony kit against programs nobody here wrote: SIPp and baresip behind Kamailio with digest auth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from peers import baresip, kamailio, sipp
from peers.caller import CallPlan, Outcome, place

from ivr.telephony.model import TrunkConfig
from sip_test_harness import voices
from sip_test_harness.ears import Bank
from sip_test_harness.ghost import alaw
from sip_test_harness.model import Message
from xunfang.vocabulary import CallDisposition

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

TRUNK_PORT, SIPP_PORT, BARESIP_PORT = 6240, 6250, 6245
SIPP_RTP, BARESIP_RTP, OUR_RTP = 18000, 18600, 18800
ELDER = "13900000050"

TRUNK = TrunkConfig(
    gateways=(f"127.0.0.1:{TRUNK_PORT}",),
    domain="trunk.test",
    username=kamailio.USER,
    password=kamailio.PASSWORD,
    rtp_port=OUR_RTP,
    rtp_ports=100,
    setup_s=3.0,
    ring_s=7.0,
)

POWERED_OFF = voices.spoken(voices.announcement(Message.POWERED_OFF))
IN_CALL = voices.spoken(voices.announcement(Message.IN_CALL))
HELLO = voices.spoken(voices.Line("zf_xiaoni", 0.9, "喂你好"))
FALLEN = voices.spoken(voices.Line("zm_yunyang", 0.9, "我摔倒了，起不来了"))

# name -> (scenario, audio, disposition, what the dialogue would have concluded, what a voice named)
BEHAVIOURS: dict[str, tuple[str, bytes, CallDisposition, str | None, str | None]] = {
    "busy": (sipp.refused("486 Busy Here"), b"", CallDisposition.BUSY, None, None),
    "declined": (sipp.refused("603 Decline", ring_ms=300), b"", CallDisposition.REJECTED, None, None),
    "unavailable": (
        sipp.refused("480 Temporarily Unavailable"),
        b"",
        CallDisposition.UNREACHABLE,
        None,
        None,
    ),
    "rang out at the carrier": (
        sipp.refused("480 Temporarily Unavailable", ring_ms=500),
        b"",
        CallDisposition.NO_ANSWER,
        None,
        None,
    ),
    "unallocated": (sipp.refused("404 Not Found", 1), b"", CallDisposition.INVALID_NUMBER, None, None),
    "absent": (sipp.refused("480 Temporarily Unavailable", 20), b"", CallDisposition.POWERED_OFF, None, None),
    "congested": (sipp.refused("503 Service Unavailable"), b"", CallDisposition.TRUNK_FAILURE, None, None),
    "forbidden": (sipp.refused("403 Forbidden"), b"", CallDisposition.TRUNK_FAILURE, None, None),
    "announced busy": (
        sipp.announced("486 Busy Here", 17, 2500),
        alaw(IN_CALL),
        CallDisposition.BUSY,
        None,
        "busy",
    ),
    "announced off": (
        sipp.announced("480 Temporarily Unavailable", None, 5200),
        alaw(POWERED_OFF),
        CallDisposition.POWERED_OFF,
        None,
        "powered_off",
    ),
    "hangs up": (sipp.hangs_up(2000), alaw(HELLO), CallDisposition.HUNG_UP_EARLY, "hung_up", None),
    "media stops": (sipp.media_stops(2000), alaw(HELLO), CallDisposition.INTERRUPTED, "media_lost", None),
    "nobody comes": (sipp.rings_for_ever(), b"", CallDisposition.NO_ANSWER, None, None),
    "answers": (sipp.answers(), alaw(HELLO), CallDisposition.COMPLETED, "finished", None),
}
PORTS = {name: SIPP_PORT + at for at, name in enumerate(BEHAVIOURS)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("peers")


@pytest.fixture(scope="module")
def trunk(folder: Path) -> Iterator[kamailio.Kamailio]:
    carrier = kamailio.Kamailio(TRUNK_PORT, folder)
    yield carrier
    carrier.stop()


@pytest.fixture(scope="module")
def outcomes(trunk: kamailio.Kamailio, folder: Path) -> Iterator[dict[str, tuple[Outcome, int]]]:
    """Every behaviour called once, four at a time: name -> (what came of it, SIPp's verdict)."""
    with ExitStack() as stack:
        peers = {}
        for at, (name, (scenario, voice, *_)) in enumerate(BEHAVIOURS.items()):
            peer = sipp.Sipp(name.replace(" ", "_"), scenario, PORTS[name], SIPP_RTP + 20 * at, folder, voice)
            stack.callback(peer.stop)
            peers[name] = peer
        plans = [CallPlan(str(PORTS[name]), talk_s=3.0 if name == "answers" else 12.0) for name in BEHAVIOURS]
        called = place(plans, TRUNK)
        yield {name: (called[str(PORTS[name])], peer.verdict()) for name, peer in peers.items()}


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_each_outcome_of_a_foreign_peer_has_its_disposition(
    name: str, outcomes: dict[str, tuple[Outcome, int]]
) -> None:
    outcome, _ = outcomes[name]
    *_, disposition, because, announced = BEHAVIOURS[name]
    assert outcome.disposition(because, announced) is disposition, outcome.evidence


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_the_foreign_peer_saw_every_message_it_waited_for(
    name: str, outcomes: dict[str, tuple[Outcome, int]]
) -> None:
    assert outcomes[name][1] == 0


def test_the_announcement_is_heard_before_any_answer(outcomes: dict[str, tuple[Outcome, int]]) -> None:
    outcome, _ = outcomes["announced off"]
    assert not outcome.evidence.answered
    assert ends_somewhere_with("已关机", POWERED_OFF, outcome.heard)


def ends_somewhere_with(text: str, recording: bytes, heard: bytes) -> bool:
    """The end of the recording occurs in what was heard."""
    bank = Bank([(text, recording)])
    return any(bank.name(heard[:end])[0] == text for end in range(4000, len(heard) + 4000, 4000))


def test_a_wrong_password_is_the_trunks_failure_and_nobody_elses(trunk: kamailio.Kamailio) -> None:
    outcome = place([CallPlan("6299")], replace(TRUNK, password="wrong", rtp_port=OUR_RTP + 200))["6299"]
    assert outcome.evidence.sip_code == 407
    assert outcome.disposition() is CallDisposition.TRUNK_FAILURE


def test_refused_and_swallowed_calls_at_the_trunk_are_never_the_elders_fault(
    trunk: kamailio.Kamailio,
) -> None:
    plans = [CallPlan(kamailio.FORBIDDEN), CallPlan(kamailio.SWALLOWED)]
    called = place(plans, replace(TRUNK, rtp_port=OUR_RTP + 300))
    assert called[kamailio.FORBIDDEN].disposition() is CallDisposition.TRUNK_FAILURE
    assert called[kamailio.SWALLOWED].disposition() is CallDisposition.TRUNK_FAILURE


def test_baresip_registers_answers_speaks_and_hears_us(trunk: kamailio.Kamailio, folder: Path) -> None:
    elder = baresip.Baresip(ELDER, f"127.0.0.1:{TRUNK_PORT}", BARESIP_PORT, BARESIP_RTP, folder, FALLEN)
    try:
        plan = CallPlan(ELDER, rounds=(HELLO,), talk_s=6.0)
        outcome = place([plan], replace(TRUNK, rtp_port=OUR_RTP + 400))[ELDER]
    finally:
        elder.stop()
    assert outcome.evidence.answered
    assert outcome.evidence.hung_up_by == "us"
    assert outcome.disposition("finished") is CallDisposition.COMPLETED
    assert ends_somewhere_with("我摔倒了，起不来了", FALLEN, outcome.heard)
    assert ends_somewhere_with("喂你好", HELLO, elder.heard())
