"""What a simulated elder is and does. Pure data: no audio, no sockets.

The format of the YAML files that fill these shapes is written down in `formats.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from xunfang.vocabulary import Alert, CallDisposition, CaseKind, Category, Risk

# One utterance: texts to speak and pauses (milliseconds) between them.
Speech = tuple[str | int, ...]


class Does(StrEnum):
    """Behaviour of one call attempt."""

    ANSWER = "answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"  # rings until the caller gives up
    REJECT = "reject"
    SILENT = "silent"  # answers, sends RTP, never says a word
    EARLY_HANGUP = "early_hangup"
    VOICEMAIL = "voicemail"
    ANNOUNCEMENT = "announcement"  # the carrier's voice instead of the elder
    RTP_STOP = "rtp_stop"  # answers, speaks, then the media just ends without BYE
    TRUNK_503 = "trunk_503"
    BLACK_HOLE = "black_hole"  # nothing at all comes back to the INVITE
    MANUAL = "manual"  # a test holds this telephone in its hand (fluent API)


class Message(StrEnum):
    """What a carrier's voice or an answering machine says."""

    POWERED_OFF = "powered_off"
    SUSPENDED = "suspended"
    INVALID = "invalid"
    IN_CALL = "in_call"
    UNREACHABLE = "unreachable"
    VOICEMAIL = "voicemail"


class Via(StrEnum):
    EARLY = "early"  # 183 with media, then a final refusal
    ANSWER = "answer"  # behind 200 OK, as if somebody had picked up


class KeyMethod(StrEnum):
    RFC2833 = "rfc2833"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Reply:
    """One thing the elder does when it is their turn.

    `when`: searched in the texts of the prompts heard since the elder last spoke, newest first.
    `nth`: the n-th turn of the elder (1 = first after the opening), for prompts unknown to us.
    `barge_ms`: do it this long after a matching moment began, over the voice of the caller
    (only with `nth`: the n-th time the caller starts to speak).
    `times`: at most so often (None: always).
    """

    when: re.Pattern[str] | None = None
    nth: int | None = None
    say: Speech = ()
    press: str = ""
    by: KeyMethod = KeyMethod.RFC2833
    hang_up: bool = False
    wait_ms: int = 500
    barge_ms: int | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What happens at the first, second, … call; the last one repeats for ever.

    `code`, `q850`: the final refusal, where the behaviour ends in one (None: its usual one).
    `otherwise`: said in turn to prompts that no reply fits. `noise_db`: speech level over
    background noise. `loss_percent`: share of our 20 ms frames that arrive as silence.
    `repeat`: how often an announcement is played. `hang_up_after_s`: from the answer.
    `calls_back_s`: so long after this call, when it was not answered, the elder rings back the line
    that rang; the next attempt says how he talks then.
    """

    does: Does = Does.ANSWER
    ring_s: float = 0.8
    opening: Speech = ()
    opening_ms: int = 400
    replies: tuple[Reply, ...] = ()
    otherwise: tuple[Speech, ...] = ()
    noise_db: float | None = None
    loss_percent: float = 0.0
    message: Message | None = None
    via: Via = Via.EARLY
    repeat: int = 2
    code: int | None = None
    q850: int | None = None
    hang_up_after_s: float | None = None
    stop_after_s: float = 3.0
    calls_back_s: float | None = None


@dataclass(frozen=True, slots=True)
class Persona:
    """One telephone number and the life behind it. `id` is the file name without .yaml."""

    id: str
    number: str = field(repr=False)
    name: str = field(repr=False)
    sex: str
    voice: str
    speed: float
    story: str
    attempts: tuple[Attempt, ...]

    def attempt(self, nth: int) -> Attempt:
        """Behaviour of the nth call (1 = first)."""
        return self.attempts[min(nth, len(self.attempts)) - 1]


# ---- what a run ought to bring ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """What the system must make of a persona. None: anything goes."""

    disposition: CallDisposition | None = None
    alert: Alert | None = None
    risk: Risk | None = None
    cases: tuple[CaseKind, ...] | None = None


@dataclass(frozen=True, slots=True)
class ScenarioCall:
    persona: Persona
    expect: Expected


@dataclass(frozen=True, slots=True)
class Scenario:
    id: str
    about: str
    dialplan: str
    concurrent: int
    calls: tuple[ScenarioCall, ...]

    @property
    def personas(self) -> tuple[Persona, ...]:
        return tuple({call.persona.number: call.persona for call in self.calls}.values())


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A contact (紧急联系人) or first visitor (第一巡访员) of the demo ledger."""

    name: str = field(repr=False)
    relation: str
    phone: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DemoElder:
    persona: Persona
    honorific: str  # 奶奶, 爷爷: how the system may address them
    age: int
    categories: frozenset[Category]
    address: str = field(repr=False)
    contacts: tuple[DemoPerson, ...]
    first_visitor: DemoPerson
    expect: Expected


@dataclass(frozen=True, slots=True)
class DemoVillage:
    province: str
    county: str
    township: str
    village: str
    duty_phone: str
    village_visitor: DemoPerson
    elders: tuple[DemoElder, ...]


# ---- what happened ----------------------------------------------------------------------------


class Kind(StrEnum):
    """What a village reports, in the order of a call's life."""

    READY = "ready"  # a process takes calls
    INCOMING = "incoming"
    CALLING = "calling"  # the elder rings somebody: a line of ours
    ANSWERED = "answered"
    HEARD = "heard"  # the caller spoke and paused; `text` is the prompt, when recognised
    TURN = "turn"  # only where a test holds the telephone: the caller has been quiet for a while
    SAID = "said"  # the last sample of an utterance has left
    PRESSED = "pressed"
    KEY = "key"  # a key arrived from the caller
    REFUSED = "refused"
    HUNG_UP = "hung_up"  # text: them (the caller) | us
    MEDIA_LOST = "media_lost"  # the caller's RTP ended: the line was freed
    ERROR = "error"  # something in the harness itself went wrong


@dataclass(frozen=True, slots=True)
class VillageEvent:
    kind: Kind
    at: datetime
    number: str = field(default="", repr=False)
    persona: str = ""
    nth: int = 0  # how often this number has been called by then
    text: str = field(default="", repr=False)
    code: int | None = None
