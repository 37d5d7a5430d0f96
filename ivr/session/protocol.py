"""What goes through the pipe between the supervisor and a line, besides orders and events."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.session.model import CallEvent, CallOrder


@dataclass(frozen=True, slots=True)
class HangUp:
    call_id: int
    why: str = "cancelled"


@dataclass(frozen=True, slots=True)
class Drain:
    """Take no more orders; end what is live after so many seconds; then leave."""

    seconds: float


Command = CallOrder | HangUp | Drain


@dataclass(frozen=True, slots=True)
class Ready:
    """The line can dial. `address`: where its SIP endpoint listens."""

    address: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`slots`: calls its SIP endpoint could place now; 0 when it drains or has no trunk.

    `lag_ms`: age of the oldest audio waiting for recognition. `trunk_problem`: why no call
    can be made, and what to do; empty when all is well.
    """

    slots: int
    lag_ms: float
    trunk_problem: str


@dataclass(frozen=True, slots=True)
class CannotStart:
    """`error`: a class of xunfang.errors; restarting will not help until somebody mends it."""

    error: str
    message: str


Report = CallEvent | Ready | Heartbeat | CannotStart
