"""What goes through the pipe between the supervisor and a line, besides orders and events."""

from __future__ import annotations

from dataclasses import dataclass, field

from ivr.session.model import CallEvent, CallOrder


@dataclass(frozen=True, slots=True)
class HangUp:
    call_id: int
    why: str = "cancelled"


@dataclass(frozen=True, slots=True)
class Join:
    """接管: ring this number and let it take part in the call; nothing is asked any more."""

    call_id: int
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Drain:
    """Take no more orders; end what is live after so many seconds; then leave."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not pick up this call; a SIP status."""

    ring: str
    code: int = 480


Command = CallOrder | HangUp | Join | Drain | Refuse


@dataclass(frozen=True, slots=True)
class Caller:
    """来电: somebody rings, and the line waits for a CallOrder with this `ring`, or a Refuse.

    `number` empty: withheld. `missed`: the line had no room and has refused already. `choice`: who of a
    shared telephone it is, said in the call `call_id`, which ends; the line stays open for the next.
    """

    ring: str
    number: str = field(repr=False)
    missed: bool = False
    choice: int | None = None
    call_id: int | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """The line can dial. `address`: where its SIP endpoint listens."""

    address: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`slots`: calls its SIP endpoint could place now; 0 when it drains or has no trunk.

    `lag_ms`: age of the oldest audio waiting for recognition. `trunk_problem`: why no call
    can be made, and what to do; empty when all is well. `callers`: who ring and wait to be answered.
    """

    slots: int
    lag_ms: float
    trunk_problem: str
    callers: int = 0


@dataclass(frozen=True, slots=True)
class CannotStart:
    """`error`: a class of xunfang.errors; restarting will not help until somebody mends it."""

    error: str
    message: str


Report = CallEvent | Ready | Heartbeat | CannotStart | Caller
