"""待复核: what a supervisor has to look at, and what the desk asks of the diallers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from xunfang.vocabulary import (
    Alert,
    CallDisposition,
    CommandKind,
    CommandResult,
    Priority,
    ReviewOutcome,
    Risk,
)


@dataclass(frozen=True, slots=True)
class Review:
    """A flagged call in the queue; done when a supervisor has judged it."""

    call_id: int
    elder_id: int
    area_id: int | None
    priority: Priority
    alert: Alert
    risk: Risk | None
    disposition: CallDisposition | None  # None while the call lives
    dialplan: str
    called_at: datetime
    flagged_at: datetime
    deadline: datetime
    claimed_by: str | None = None  # login
    claimed_at: datetime | None = None
    done_at: datetime | None = None
    done_by: str | None = None
    outcome: ReviewOutcome | None = None


class Tab(StrEnum):
    MINE = "mine"
    UNCLAIMED = "unclaimed"
    SOON = "soon"  # the deadline is near or over
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which part of the queue. `areas`: ids, already with everything below (Areas.below), because the
    database plans well only with what it sees; None: everywhere. `login`: who asks."""

    login: str
    soon: datetime  # a deadline before this is near
    areas: tuple[int, ...] | None = None
    tab: Tab = Tab.ALL
    alert: Alert | None = None
    disposition: CallDisposition | None = None
    dialplan: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One line of the queue, with what a person needs to choose."""

    review: Review
    name: str = field(repr=False)
    sex: str
    birth_date: date | None
    area: str
    claimer: str  # name of who claimed it; empty: nobody
    live: bool  # the call goes on
    quote: str = field(default="", repr=False)  # the gravest words


@dataclass(frozen=True, slots=True)
class CallCommand:
    """What the desk asked of the dialler that carries a call; `result` None: not yet answered."""

    id: int
    kind: CommandKind
    call_id: int | None  # None only of call_now, asked on the elder's page
    elder_id: int
    number: str | None = field(repr=False)
    anyway: bool
    by: str
    at: datetime
    taken_at: datetime | None = None
    result: CommandResult | None = None
    new_call_id: int | None = None
