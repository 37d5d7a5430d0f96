"""Who rang us."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from xunfang.vocabulary import Alert, CallerKind


@dataclass(frozen=True, slots=True)
class Incoming:
    """来电. `phone` is kept, encrypted, because somebody in danger must be rung back; "" when withheld.

    `call_id`: the conversation with the elder that came of it; without one, the caller was only told
    a number. `missed`: no line was free, or nobody could decide. `alert`: the worst that was heard of a
    caller who is no elder.
    """

    id: int
    rang_at: datetime
    kind: CallerKind
    phone: str = field(default="", repr=False)
    elder_id: int | None = None  # of a contact: whose contact
    call_id: int | None = None
    line: str = ""
    missed: bool = False
    alert: Alert = Alert.NONE
    because: str = ""
    ended_at: datetime | None = None
