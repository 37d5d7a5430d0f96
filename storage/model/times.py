"""What is known of the hours at which elders answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from xunfang.vocabulary import CallDisposition


@dataclass(frozen=True, slots=True)
class HourRate:
    """Calls of the whole county that began in this local hour of the day (0–23)."""

    hour: int
    answered: int
    tried: int


@dataclass(frozen=True, slots=True)
class BestHour:
    """The local hour at which this elder was reached best. `chance`: smoothed share, 0–1."""

    elder_id: int
    hour: int
    chance: float


@dataclass(frozen=True, slots=True)
class PastCall:
    intended_at: datetime
    disposition: CallDisposition


@dataclass(frozen=True, slots=True)
class HourTerms:
    """What one day's counting decides by. Calls that are neither answered nor missed say nothing."""

    now: datetime
    since: datetime
    utc_offset_minutes: int  # 0–1439
    answered: frozenset[CallDisposition]
    missed: frozenset[CallDisposition]
    strength: float  # the county's share weighs as much as so many calls
    least_answered: int
