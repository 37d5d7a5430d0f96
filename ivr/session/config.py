"""All that a line process needs to know: picklable, crosses to it once, when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from ivr.telephony.model import MAX_CALLS, EndpointConfig, TrunkConfig
from xunfang.errors import BadSettings

BRIDGE, REFER = "bridge", "refer"  # DutyConfig.handover
DEFAULT_CALLS_PER_LINE = 3  # of 4: one slot stays for ringing the duty person


@dataclass(frozen=True, slots=True)
class DutyConfig:
    """How the duty person (值班人员) is reached when an elder is in danger.

    `others`: numbers rung after the first (CallOrder.duty_number), in order; all of them `rounds` times.
    `ring_s`: how long each may ring. `screen_s`: from the answer, how long it may stay open whether a person
    is there. `handover`: bridge (we join the two) or refer (the elder's call is transferred to the first
    number by SIP REFER, and bridged when that fails).
    """

    others: tuple[str, ...] = field(default=(), repr=False)
    ring_s: float = 40.0
    screen_s: float = 15.0
    rounds: int = 3
    handover: str = BRIDGE

    def check(self) -> None:
        if self.handover not in (BRIDGE, REFER):
            raise BadSettings(f"duty.handover is {self.handover!r}: allowed are {BRIDGE} and {REFER}")
        if self.rounds < 1:
            raise BadSettings(f"duty.rounds is {self.rounds}: at least 1 is needed")
        if self.ring_s <= 0 or self.screen_s <= 0:
            raise BadSettings("duty.ring_s and duty.screen_s must be more than 0 seconds")


@dataclass(frozen=True, slots=True)
class LineConfig:
    """`model_dir`, `prompts`, `prompt_cache`, `lexicon`: absolute paths ("" for none).

    `calls_per_line`: visits at the same time in one process. A duty call (值班) takes a slot
    beside them; with 4 it waits for one, and in the end the dialogue is told that nobody could be reached.
    `reserve`: of the first line's visits so many are kept for callers (来电), because the trunk sends
    them to its port.
    """

    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    model_dir: str = ""
    prompts: str = ""
    prompt_cache: str = ""
    lexicon: str = ""
    lines: int = 1
    reserve: int = 0
    calls_per_line: int = DEFAULT_CALLS_PER_LINE
    recognition_threads: int = 2
    duty: DutyConfig = field(default_factory=DutyConfig)
    log_level: str = "INFO"
    log_json: bool = False

    def check(self) -> None:
        """BadSettings that names the setting."""
        if not 1 <= self.calls_per_line <= MAX_CALLS:
            raise BadSettings(f"calls_per_line is {self.calls_per_line}: allowed are 1 to {MAX_CALLS}")
        if self.lines < 1:
            raise BadSettings(f"lines is {self.lines}: at least 1 is needed")
        if not 0 <= self.reserve < self.lines * self.calls_per_line:
            raise BadSettings(
                f"reserve is {self.reserve}: at least one of the {self.lines * self.calls_per_line} calls "
                "must be left for dialling"
            )
        self.duty.check()
        if self.recognition_threads < 1:
            raise BadSettings(f"recognition_threads is {self.recognition_threads}: at least 1 is needed")

    def reserved_on(self, line: int) -> int:
        """Calls of this line that only who rings us may have."""
        return min(self.reserve, self.calls_per_line) if line == 0 else 0

    def endpoint(self, line: int) -> EndpointConfig:
        """Each line has its own SIP port and RTP range, side by side."""
        trunk = self.trunk
        return EndpointConfig(
            local_ip=trunk.local_ip,
            sip_port=trunk.sip_port + line if trunk.sip_port else 0,
            rtp_port=trunk.rtp_port + line * trunk.rtp_ports,
            rtp_ports=trunk.rtp_ports,
            transport=trunk.transport,
        )
