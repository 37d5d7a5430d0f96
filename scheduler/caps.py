"""How often one number may be rung, across all elders who share it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.hours import HoursConfig, next_day


@dataclass(frozen=True, slots=True)
class CapsConfig:
    max_per_day: int = 3
    min_gap: timedelta = timedelta(minutes=10)


def allowed_at(
    now: datetime, today: int, last: datetime | None, caps: CapsConfig, hours: HoursConfig
) -> datetime:
    """`now` when the number may be rung now, otherwise the earliest moment (hours not yet applied,
    except that a full day moves it to the next opening day). `today`: calls since local midnight."""
    if today >= caps.max_per_day:
        return next_day(now, hours)
    if last is not None and now - last < caps.min_gap:
        return last + caps.min_gap
    return now
