"""The exchange's SIP: a stateless proxy that leaves messages as they must be."""

from __future__ import annotations

import pytest

from sip_test_harness import sip
from sip_test_harness.model import Expected
from sip_test_harness.runner import Observed, misses
from sip_test_harness.sip import SipText
from xunfang.vocabulary import Alert, CallDisposition, CaseKind

pytestmark = pytest.mark.unit

INVITE = (
    "INVITE sip:13900000001@127.0.0.1:5700 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 10.0.0.9:5070;rport;branch=z9hG4bKabc\r\n"
    "Route: <sip:127.0.0.1:5700;lr>\r\n"
    "From: <sip:ivr@127.0.0.1>;tag=1\r\n"
    "t: <sip:13900000001@127.0.0.1>\r\n"
    "i: call-1\r\n"
    "CSeq: 1 INVITE\r\n"
    "Content-Length: 4\r\n\r\nbody"
)


def invite() -> SipText:
    message = SipText.parse(INVITE.encode())
    assert message is not None
    return message


def test_a_message_is_written_as_it_was_read() -> None:
    assert invite().encode().decode() == INVITE


def test_the_dialled_number_and_compact_fields_are_read() -> None:
    assert invite().user == "13900000001"
    assert invite().get("call-id") == "call-1"
    assert invite().get("to") == "<sip:13900000001@127.0.0.1>"


def test_rubbish_and_keepalives_are_no_messages() -> None:
    assert SipText.parse(b"\r\n\r\n") is None
    assert SipText.parse(b"\x00\xff\xfe") is None


def test_a_response_finds_its_way_back_to_where_the_request_came_from() -> None:
    request = invite()
    sip.push_via(request, ("127.0.0.1", 5700), ("127.0.0.1", 40000))
    answer = sip.reply(request, 486, "Busy Here")
    assert answer.drop_first("via").startswith("SIP/2.0/UDP 127.0.0.1:5700;branch=z9hG4bK")
    assert sip.next_hop(answer) == ("127.0.0.1", 40000)
    assert "branch=z9hG4bKabc" in answer.get("via")


def test_a_cancel_gets_the_branch_of_its_invite() -> None:
    one, other = invite(), invite()
    other.start = other.start.replace("INVITE", "CANCEL")
    for message in (one, other):
        sip.push_via(message, ("127.0.0.1", 5700), ("127.0.0.1", 40000))
    assert one.all("via")[0] == other.all("via")[0]


def test_our_route_is_taken_off_and_the_number_rewritten() -> None:
    message = invite()
    assert message.drop_first("route") == "<sip:127.0.0.1:5700;lr>"
    assert message.get("route") == ""
    message.retarget("13900000001~2", ("127.0.0.1", 5701))
    assert message.uri == "sip:13900000001~2@127.0.0.1:5701"
    assert message.user == "13900000001~2"


def test_the_first_of_several_values_in_one_line_is_taken() -> None:
    message = SipText("SIP/2.0 200 OK", [("Via", "SIP/2.0/UDP a:1, SIP/2.0/UDP b:2;rport=3;received=c")])
    message.drop_first("via")
    assert sip.next_hop(message) == ("c", 3)


def test_what_was_not_expected_is_not_looked_at() -> None:
    assert misses(Expected(), Observed(CallDisposition.BUSY, Alert.URGENT)) == ()


def test_every_difference_is_told() -> None:
    expected = Expected(CallDisposition.COMPLETED, Alert.NONE, None, ())
    told = misses(expected, Observed(CallDisposition.BUSY, None, None, (CaseKind.DISTRESS,)))
    assert told == (
        "disposition: busy, expected completed",
        "alert: unknown, expected none",
        "cases: distress, expected none",
    )
