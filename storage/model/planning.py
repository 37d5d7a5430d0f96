"""What the planner asks for, as facts that SQL and the pure rules share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from xunfang.vocabulary import Cadence, CampaignKind, Category


@dataclass(frozen=True, slots=True)
class Campaign:
    """A surge (专项巡访): heat, flood, a festival. It always ends."""

    id: int
    code: str  # part of the period: campaign:CODE:2026-07-20
    name: str
    kind: CampaignKind
    areas: tuple[int, ...]  # areas with everything below them; empty: the whole ledger
    categories: frozenset[Category]  # at least one of these; empty: everybody
    dialplan: str
    starts: date
    ends: date  # the last day
    every_days: int | None  # None: once
    created_by: str
    created_at: datetime
    ended_at: datetime | None = None  # by a person, before its last day


@dataclass(frozen=True, slots=True)
class CadenceRule:
    """Elders with all categories of `every` and, when it is not empty, one of `some` are visited
    `at_least` so often."""

    at_least: Cadence
    every: frozenset[Category] = frozenset()
    some: frozenset[Category] = frozenset()
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """[due_from, due_until) in UTC. `entrants_until`: the end for whoever came into the ledger just now.
    `first_calls`: moments over which first calls are spread; none: everybody is due at once."""

    cadence: Cadence
    key: str
    due_from: datetime
    due_until: datetime
    entrants_until: datetime
    first_calls: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that one run of ordinary planning decides by."""

    now: datetime
    today: date  # local
    tomorrow: datetime  # local midnight, UTC
    first_visit_by: datetime  # of elders who are seen for the first time
    periods: tuple[Period, ...]  # one per cadence
    rules: tuple[CadenceRule, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One round of a campaign."""

    campaign: Campaign
    period: str
    due_from: datetime
    due_until: datetime
    yields_to: tuple[str, ...] = ()  # periods of graver campaigns that run now


@dataclass(frozen=True, slots=True)
class Chunk:
    """Elders with `after` < id <= `upto`: what one short transaction plans."""

    after: int
    upto: int
