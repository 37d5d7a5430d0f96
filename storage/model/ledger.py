"""台账: areas, elders, their contacts and consents, visitors."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode


@dataclass(frozen=True, slots=True)
class Area:
    """A county, township or village; `parent_id` makes the tree."""

    id: int
    code: str  # 12-digit statistical code, e.g. 220183101205
    name: str
    level: str  # county | township | village
    parent_id: int | None = None
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Elder:
    id: int
    name: str = field(repr=False)
    sex: str = "F"  # F | M
    birth_date: date | None = None
    phone: str = field(default="", repr=False)  # digits as dialled
    id_card: str | None = field(default=None, repr=False)
    area_id: int | None = None
    address: str = field(default="", repr=False)
    categories: frozenset[Category] = frozenset()
    self_caring: bool = True
    good_health: bool = True
    mode: VisitMode = VisitMode.PHONE
    cadence: Cadence = Cadence.WEEKLY
    dialplan: str = "weekly_short"
    windows: tuple[str, ...] = ()  # own hours, e.g. ("09:00-11:00",); empty = the county's
    tail_ms: int | None = None  # endpointing tail that suits this speaker
    hard_of_hearing: bool = False  # start with the slow wording
    paused_until: date | None = None
    pause_reason: str | None = None
    active: bool = True
    other_phone: str | None = field(default=None, repr=False)  # a second number of the same elder


@dataclass(frozen=True, slots=True)
class Contact:
    id: int
    elder_id: int
    position: int  # 1 is called first
    name: str = field(repr=False, default="")
    relation: str = ""  # child | relative | guardian | neighbour | village
    phone: str = field(repr=False, default="")
    same_place: bool = False  # lives in the same place: becomes the first visitor 第一巡访员
    may_be_told: bool = False  # consent of the elder to inform this contact


@dataclass(frozen=True, slots=True)
class Consent:
    id: int
    elder_id: int
    purpose: ConsentPurpose
    granted: bool
    at: datetime
    source: str = ""  # paper | voice | visitor; for voice: the call id


@dataclass(frozen=True, slots=True)
class Visitor:
    """巡访员. kind: child | relative | neighbour | village | volunteer."""

    id: int
    name: str = field(repr=False)
    kind: str = "village"
    phone: str = field(repr=False, default="")
    area_id: int | None = None
    elder_id: int | None = None  # set for a child, relative or neighbour of one elder
    active: bool = True
