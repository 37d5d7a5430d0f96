"""Deadlines per kind of case and priority, read from YAML (visits/deadlines.yaml by default)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from visits.durations import parse_duration
from visits.patience import Patience, parse_patience
from visits.risk import Weights, parse_weights
from xunfang.errors import BadSettings
from xunfang.vocabulary import CaseKind, Priority
from xunfang.yamlfile import exact_keys, read_mapping

DEFAULT_FILE = Path(__file__).with_name("deadlines.yaml")
SAME_DAY = "same_day"
BY_RISK = "by_risk"
LIFE = "life"
RISK = "risk"

# (start, duration) -> when so much service time has passed; the composition root knows the hours.
AddTime = Callable[[datetime, timedelta], datetime]


def wall_time(start: datetime, duration: timedelta) -> datetime:
    return start + duration


@dataclass(frozen=True, slots=True)
class Deadlines:
    """`by_kind` holds a duration, or None for "the same day". `priority` None: by the elder's risk.

    The clock of what is urgent runs in wall time, at night and on holidays too; that of everything
    else in service hours (`service_time`).
    """

    by_kind: Mapping[CaseKind, Mapping[Priority, timedelta | None]]
    priority: Mapping[CaseKind, Priority | None]
    day_until: time
    day_at_least: timedelta
    next_day: time
    life: Patience
    risk: Weights
    timezone: str = "Asia/Shanghai"
    service_time: AddTime = wall_time

    def after(self, priority: Priority, start: datetime, duration: timedelta) -> datetime:
        if priority is Priority.URGENT:
            return start + duration
        return self.service_time(start, duration)

    def deadline(self, kind: CaseKind, priority: Priority, now: datetime) -> datetime:
        """Wall-clock time, in the zone of `now` (UTC)."""
        duration = self.by_kind[kind][priority]
        if duration is not None:
            return self.after(priority, now, duration)
        local = now.astimezone(ZoneInfo(self.timezone))
        by = datetime.combine(local.date(), self.day_until, local.tzinfo)
        if by - local < self.day_at_least:
            by = datetime.combine(local.date() + timedelta(days=1), self.next_day, local.tzinfo)
        return by.astimezone(now.tzinfo)


def load_deadlines(
    path: Path | None = None, timezone: str = "Asia/Shanghai", service_time: AddTime = wall_time
) -> Deadlines:
    """BadSettings names the file, the key and what is allowed."""
    file = path or DEFAULT_FILE
    data = read_mapping(
        file, "leave `schedule.deadlines` out for the shipped one", "a mapping of kinds of cases"
    )
    day = exact_keys(data.pop(SAME_DAY, None), ("until", "at_least", "next_day"), f"{file.name}: {SAME_DAY}")
    life = parse_patience(data.pop(LIFE, None), f"{file.name}: {LIFE}")
    risk = parse_weights(data.pop(RISK, None), f"{file.name}: {RISK}")
    unknown = sorted(set(data) - set(CaseKind))
    missing = sorted(set(CaseKind) - set(data))
    if unknown or missing:
        raise BadSettings(
            f"{file.name}: unknown kinds {unknown}, missing kinds {missing}; "
            f"the kinds are {', '.join(CaseKind)}"
        )
    by_kind: dict[CaseKind, dict[Priority, timedelta | None]] = {}
    priorities: dict[CaseKind, Priority | None] = {}
    for kind in CaseKind:
        entry = exact_keys(data[kind.value], ("priority", *Priority), f"{file.name}: {kind}")
        priorities[kind] = _priority(entry["priority"], f"{file.name}: {kind}")
        by_kind[kind] = {
            each: None
            if entry[each.value] == SAME_DAY
            else parse_duration(entry[each.value], f"{file.name}: {kind}: {each}")
            for each in Priority
        }
    return Deadlines(
        by_kind=by_kind,
        priority=priorities,
        day_until=_time(day["until"], f"{file.name}: same_day: until"),
        day_at_least=parse_duration(day["at_least"], f"{file.name}: same_day: at_least"),
        next_day=_time(day["next_day"], f"{file.name}: same_day: next_day"),
        life=life,
        risk=risk,
        timezone=timezone,
        service_time=service_time,
    )


def _priority(text: object, where: str) -> Priority | None:
    if text == BY_RISK:
        return None
    if isinstance(text, str) and text in set(Priority):
        return Priority(text)
    raise BadSettings(f"{where}: priority {text!r} is none of {BY_RISK}, {', '.join(Priority)}")


def _time(text: object, where: str) -> time:
    try:
        return time.fromisoformat(str(text))
    except ValueError:
        raise BadSettings(f'{where}: {text!r} is no time of day; write "20:00" in quotes') from None
