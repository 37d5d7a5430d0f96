"""SIPp as callees: each refusal, early media with an announcement, hanging up, RTP that stops.

One process for one behaviour, because SIPp runs one scenario a process. Scenarios are written into the
test's folder; audio is headerless A-law sent by SIPp's own rtp_stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from peers.programs import Program, needs

PACKAGE = "sip-tester"

_TAG = ";tag=[pid]T[call_number]"
_SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=u 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
"""

INVITE = """<recv request="INVITE" crlf="true" rrs="true">
<action><ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/></action></recv>
<Reference variables="from"/>
"""
ACK = '<recv request="ACK" crlf="true"/>\n'
AUDIO = '<nop><action><exec rtp_stream="voice.alaw,-1,8"/></action></nop>\n'
AUDIO_PAUSES = '<nop><action><exec rtp_stream="pause"/></action></nop>\n'


def reply(line: str, *, extra: str = "", sdp: bool = False, tag: str = _TAG, again: bool = False) -> str:
    """A response; `again`: repeat it until something comes back."""
    message = f"""
SIP/2.0 {line}
[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
[last_Record-Route:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
{extra}{_SDP if sdp else "Content-Length: 0" + chr(10) + chr(10)}"""
    return f"<send{' retrans=' + chr(34) + '500' + chr(34) if again else ''}><![CDATA[{message}]]></send>\n"


def pause(milliseconds: int) -> str:
    return f'<pause milliseconds="{milliseconds}"/>\n'


def refused(line: str, q850: int | None = None, ring_ms: int = 0) -> str:
    extra = f"Reason: Q.850;cause={q850}\n" if q850 is not None else ""
    ringing = reply("180 Ringing") + pause(ring_ms) if ring_ms else ""
    return INVITE + ringing + reply(line, extra=extra, again=True) + ACK


def announced(line: str, q850: int | None, milliseconds: int) -> str:
    """The carrier's voice before any answer (183 with media), then a refusal."""
    extra = f"Reason: Q.850;cause={q850}\n" if q850 is not None else ""
    early = reply("183 Session Progress", sdp=True) + AUDIO + pause(milliseconds)
    return INVITE + early + reply(line, extra=extra, again=True) + ACK


def rings_for_ever() -> str:
    """Until the CANCEL comes."""
    cancelled = """<send retrans="500"><![CDATA[
SIP/2.0 487 Request Terminated
[last_Via:]
[last_From:]
[last_To:];tag=[pid]T[call_number]
[last_Call-ID:]
CSeq: [cseq] INVITE
Content-Length: 0

]]></send>
"""
    cancel = '<recv request="CANCEL" timeout="60000"/>\n' + reply("200 OK", tag="")
    return INVITE + reply("180 Ringing") + cancel + cancelled + ACK


_ANSWER = INVITE + reply("180 Ringing") + pause(200) + reply("200 OK", sdp=True, again=True) + ACK + AUDIO
_BYE = '<recv request="BYE" timeout="60000"/>\n' + reply("200 OK", tag="")


def answers() -> str:
    return _ANSWER + _BYE


def media_stops(after_ms: int) -> str:
    """RTP ends in the middle of the call, SIP stays."""
    return _ANSWER + pause(after_ms) + AUDIO_PAUSES + _BYE


def hangs_up(after_ms: int) -> str:
    return (
        _ANSWER
        + pause(after_ms)
        + """<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:callee@[local_ip]>;tag=[pid]T[call_number]
To:[$from]
[last_Call-ID:]
CSeq: 2 BYE
Max-Forwards: 70
Reason: Q.850;cause=16
Content-Length: 0

]]></send>
<recv response="200"/>
"""
    )


def rings_us(asserted: str) -> str:
    """A carrier that brings us a caller, and waits until we hang up. `asserted`: P-Asserted-Identity."""
    return (
        f"""<send retrans="500"><![CDATA[
INVITE sip:96100@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:anonymous@anonymous.invalid>;tag=[pid]T[call_number]
To: <sip:96100@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:carrier@[local_ip]:[local_port]>
P-Asserted-Identity: <sip:{asserted}@carrier.test>
Max-Forwards: 70
{_SDP}]]></send>
"""
        + '<recv response="100" optional="true"/>\n<recv response="180"/>\n'
        + '<recv response="200" rrs="true"/>\n'
        + """<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:anonymous@anonymous.invalid>;tag=[pid]T[call_number]
[last_To:]
[last_Call-ID:]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
"""
        + AUDIO
        + _BYE
    )


class Sipp(Program):
    """One behaviour on its own port: a callee, or with `target` (host:port) a caller. `stop` gives SIPp's
    verdict: 0 when every step happened."""

    def __init__(
        self,
        name: str,
        scenario: str,
        port: int,
        rtp_port: int,
        folder: Path,
        voice: bytes = b"",
        target: str = "",
    ) -> None:
        program = needs("sipp", PACKAGE)
        place = folder / name
        place.mkdir()
        (place / "voice.alaw").write_bytes(voice)
        (place / "scenario.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
            f'<scenario name="{name}">\n{scenario}</scenario>\n'
        )
        arguments: Sequence[str] = (
            f"-sf scenario.xml -i 127.0.0.1 -mi 127.0.0.1 -p {port} -mp {rtp_port} "
            "-nostdin -m 1 -trace_err -error_file errors.txt"
        ).split()
        super().__init__([program, *arguments, *([target] if target else [])], place, "sipp")
        self.listens_on(port)

    def verdict(self, within: float = 5.0) -> int:
        """Wait for its own end: -m 1 lets it exit after one call."""
        return self.process.wait(within)
