"""What a trunk is (SIP 中继) and what was observed of one call leg. Picklable; no pjsua2 here."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_CALLS = 4  # PJSUA_MAX_CALLS is compiled into the wheel: the fifth call of a process is refused
RATE = 8000  # samples a second, everywhere on the telephone side
FRAME_SAMPLES = 160  # 20 ms
FRAME_BYTES = 2 * FRAME_SAMPLES  # 16-bit mono
SILENCE = bytes(FRAME_BYTES)


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """Where one SIP process listens. Ports 0: any free one.

    `rtp_ports` counts UDP ports (RTP and RTCP take one each, and pjsip holds some back a
    while: fewer than 20 refuse the fourth call). `tx_drop_pct`/`rx_drop_pct` lose RTP on
    purpose; only the test harness sets them.
    """

    local_ip: str = "127.0.0.1"
    sip_port: int = 0
    rtp_port: int = 24000
    rtp_ports: int = 100
    transport: str = "udp"  # udp | tcp
    user_agent: str = "xunfang"
    tx_drop_pct: int = 0
    rx_drop_pct: int = 0


@dataclass(frozen=True, slots=True)
class TrunkConfig:
    """How to reach the carrier.

    `gateways`: host:port of the carrier's entry points; one callee always goes through the
    same one (stable by number) so that load is shared without a number ever ringing twice.
    `register` False: the trunk knows us by IP address. Ports: each line process takes
    `sip_port + i` (0: any) and `rtp_ports` ports from `rtp_port + i * rtp_ports`.
    `answer`: take calls that come in; only from the hosts of `gateways` and `outbound_proxy` and
    from `answer_from`, because whoever else says who he is may say anything.
    """

    gateways: tuple[str, ...] = ("127.0.0.1:5060",)
    domain: str = "127.0.0.1"
    username: str = ""
    password: str = field(default="", repr=False)
    register: bool = False
    caller_id: str = ""
    outbound_proxy: str = ""
    transport: str = "udp"  # udp | tcp
    local_ip: str = "127.0.0.1"
    sip_port: int = 0
    rtp_port: int = 24000
    rtp_ports: int = 100
    setup_s: float = 6.0  # nothing at all came back: the trunk is down (pjsip itself waits 32 s)
    ring_s: float = 45.0  # ringing without answer
    rtp_lost_s: float = 6.0  # RTP stopped in an answered call
    max_call_s: float = 900.0
    answer: bool = False
    answer_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the telephone side saw of a call; `classify` turns it into a CallDisposition.

    `announced`: CallDisposition value that a carrier's voice named (early media or after 200 OK).
    `hung_up_by`: us | them | trunk. `our_reason`: why we hung up (no_answer, trunk_no_reply,
    rtp_lost, too_long, dialogue, drain). `because`: the dialogue's Because value once answered.
    """

    answered: bool = False
    rang: bool = False
    sip_code: int | None = None
    q850: int | None = None
    hung_up_by: str = ""
    our_reason: str = ""
    announced: str | None = None
    because: str | None = None
    speech_heard: bool = False
    rtp_packets: int = 0
