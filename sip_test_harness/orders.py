"""What crosses the pipes of a village: how a process is set up, what a test does, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sip_test_harness.model import KeyMethod, Kind, Persona, Speech, VillageEvent
from sip_test_harness.sip import Address


@dataclass(frozen=True, slots=True)
class SoftphoneConfig:
    index: int
    here: Address
    exchange: Address
    rtp_port: int
    rtp_ports: int
    personas: tuple[Persona, ...]
    loss_percent: int  # RTP packets that pjsip drops, both ways
    prompts: Path  # folder of the caller's prompts, to be recognised


@dataclass(frozen=True, slots=True)
class Order:
    """What a test does with a telephone it holds: ring, answer, refuse, say, press, hang_up, dial.

    `to`: the SIP URI that is dialled. `shown`: False withholds the number.
    """

    number: str
    verb: str
    code: int = 486
    q850: int | None = None
    speech: Speech = ()
    digits: str = ""
    by: KeyMethod = KeyMethod.RFC2833
    to: str = ""
    shown: bool = True


def event(
    kind: Kind, number: str = "", persona: str = "", nth: int = 0, text: str = "", code: int | None = None
) -> VillageEvent:
    return VillageEvent(kind, datetime.now(UTC), number, persona, nth, text, code)
