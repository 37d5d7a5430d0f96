"""What the live wall, the duty screen and the visit queue show of the tables: rows ready to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from storage.model.cases import Case
from storage.model.incoming import Incoming
from storage.model.visits import Call
from xunfang.vocabulary import CaseKind, CaseStatus, Priority, Speaker


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call in progress with its last words; `speaker` None: nobody has spoken yet."""

    call: Call
    name: str = field(repr=False)
    sex: str
    area: str
    speaker: Speaker | None = None
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CallerRow:
    """来电; of a caller whom the number does not tell, name and area are empty."""

    incoming: Incoming
    name: str = field(repr=False)
    sex: str
    area: str


class CaseTab(StrEnum):
    OPEN = "open"  # everything that is not closed
    WAITING = "waiting"  # nobody has accepted
    UNDER_WAY = "under_way"
    LATE = "late"  # nobody was there, and the deadline is near or over
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which part of the visit queue. `area_id`: with everything below it, None: everywhere."""

    soon: datetime  # a deadline before this is near
    area_id: int | None = None
    tab: CaseTab = CaseTab.OPEN
    priority: Priority | None = None
    kind: CaseKind | None = None
    status: CaseStatus | None = None
    visitor_id: int | None = None
    nobody: bool = False  # only cases for which nobody is named


@dataclass(frozen=True, slots=True)
class CaseRow:
    case: Case
    name: str = field(repr=False)
    sex: str
    phone: str = field(repr=False)
    area_id: int | None
    area: str
    visitor: str = field(repr=False)  # name of who is proposed or goes; empty: nobody


@dataclass(frozen=True, slots=True)
class VillageRow:
    """Open cases of one area, the worst of them first told of."""

    area_id: int | None  # None: of elders without an area
    name: str
    above: str  # name of the township
    open: int
    urgent: int
    late: int  # the deadline is over and nobody was there
    nobody: int
    worst: Priority
    deadline: datetime  # the nearest


@dataclass(frozen=True, slots=True)
class Ringing:
    """An urgent case that no visitor has accepted, with what the duty screen says of it."""

    case: Case
    name: str = field(repr=False)
    sex: str
    area: str
    visitor: str = field(repr=False)
