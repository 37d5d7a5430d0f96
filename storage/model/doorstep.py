"""Visits at the door."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storage.model.cases import Case
from xunfang.vocabulary import DoorOutcome, DoorPhotoKind, PointKind


@dataclass(frozen=True, slots=True)
class DoorCase:
    """A case as its visitor reads it in his list."""

    case: Case
    name: str = field(repr=False)
    sex: str
    address: str = field(repr=False)
    area: str


@dataclass(frozen=True, slots=True)
class DoorEntry:
    """Somebody opened the record: by the plate at the door, or with a reason."""

    id: int
    case_id: int
    elder_id: int
    visitor_id: int
    at: datetime
    scanned: bool
    distance_m: int | None = None
    why: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DoorForm:
    """One form as it came in. `corrections`: form key -> {was, now, why} of what the call had said."""

    id: int
    key: str
    visitor_id: int
    case_id: int
    elder_id: int
    record_id: int | None
    entry_id: int | None
    outcome: DoorOutcome
    filled_at: datetime
    received_at: datetime
    note: str = field(default="", repr=False)
    corrections: dict[str, Any] = field(default_factory=dict, repr=False)
    said: str = field(default="", repr=False)
    points: int = 0


@dataclass(frozen=True, slots=True)
class DoorRow:
    """A form in the supervisor's list."""

    form: DoorForm
    name: str = field(repr=False)
    sex: str
    area: str
    visitor: str = field(repr=False)
    scanned: bool | None = None  # None: the record was never opened before it was sent
    distance_m: int | None = None
    why: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DoorPhoto:
    id: int
    form_id: int
    kind: DoorPhotoKind
    file: str
    secret: str = field(repr=False)
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """One entry of the 时间银行 ledger."""

    id: int
    visitor_id: int
    at: datetime
    points: int
    kind: PointKind
    why: str = field(repr=False)
    source: str
    by: str


@dataclass(frozen=True, slots=True)
class PointSum:
    visitor_id: int
    name: str = field(repr=False)
    kind: str
    area: str
    visits: int
    points: int
