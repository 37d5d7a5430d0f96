"""The retry ladder (重拨规则): per disposition how often, when again, and what case at the end.

The table is YAML (scheduler/ladder.yaml); this reads it with clear errors and answers one
question: what follows this call?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from scheduler import hours
from scheduler.hours import HoursConfig
from visits.durations import parse_duration
from xunfang.errors import BadSettings
from xunfang.vocabulary import CallDisposition, CaseKind
from xunfang.yamlfile import read_mapping

DEFAULT_FILE = Path(__file__).with_name("ladder.yaml")
NEXT_WINDOW = "next_window"
NEXT_DAY = "next_day"

Wait = timedelta | str
"""A duration, NEXT_WINDOW or NEXT_DAY."""


@dataclass(frozen=True, slots=True)
class Rung:
    retry: tuple[Wait, ...] = ()
    escalate: CaseKind | None = None
    counts: bool = True
    done: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The elder was heard."""


@dataclass(frozen=True, slots=True)
class Retry:
    at: datetime


@dataclass(frozen=True, slots=True)
class Escalate:
    kind: CaseKind


Next = Done | Retry | Escalate


@dataclass(frozen=True, slots=True)
class Ladder:
    rungs: Mapping[CallDisposition, Rung]
    max_attempts: int

    def counts(self, disposition: CallDisposition) -> bool:
        return self.rungs[disposition].counts

    def attempts(self, calls: Sequence[CallDisposition]) -> int:
        return sum(self.counts(each) for each in calls)

    def after(
        self,
        calls: Sequence[CallDisposition],
        now: datetime,
        period_end: datetime,
        config: HoursConfig,
        own: Sequence[str] = (),
    ) -> Next:
        """What follows the last of `calls` (all ended calls of the plan, oldest first).

        A counting retry that would fall outside of the period escalates now: the next period has
        its own plan. A failure that is ours waits on, and the end of the period makes it a
        not_dialled case (scheduler.overdue).
        """
        last = calls[-1]
        rung = self.rungs[last]
        if rung.done:
            return Done()
        assert rung.escalate is not None, "the loader wants one unless done"
        tried = sum(each is last for each in calls)
        if not rung.counts:
            return Retry(self._at(rung.retry[min(tried, len(rung.retry)) - 1], now, config, own))
        if tried > len(rung.retry) or self.attempts(calls) >= self.max_attempts:
            return Escalate(rung.escalate)
        at = self._at(rung.retry[tried - 1], now, config, own)
        return Retry(at) if at < period_end else Escalate(rung.escalate)

    @staticmethod
    def _at(wait: Wait, now: datetime, config: HoursConfig, own: Sequence[str]) -> datetime:
        if isinstance(wait, timedelta):
            return hours.next_opening(now + wait, config, own)
        pick = hours.next_window if wait == NEXT_WINDOW else hours.next_day
        return pick(now, config, own)


def load_ladder(path: Path | None = None) -> Ladder:
    """BadSettings names the file, the disposition, the key and what is allowed."""
    file = path or DEFAULT_FILE
    data = read_mapping(
        file,
        "leave `schedule.ladder` out for the shipped one",
        "a mapping with max_attempts and dispositions",
    )
    unknown = sorted(set(data) - {"max_attempts", "dispositions"})
    if unknown:
        raise BadSettings(f"{file.name}: unknown keys {unknown}; allowed: max_attempts, dispositions")
    most = data.get("max_attempts")
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise BadSettings(f"{file.name}: max_attempts must be a whole number from 1")
    table = data.get("dispositions")
    if not isinstance(table, dict):
        raise BadSettings(f"{file.name}: dispositions must map each disposition to its rule")
    unknown = sorted(set(map(str, table)) - set(CallDisposition))
    missing = sorted(set(CallDisposition) - set(table))
    if unknown or missing:
        raise BadSettings(f"{file.name}: unknown dispositions {unknown}, missing dispositions {missing}")
    return Ladder({each: _rung(table[each.value], f"{file.name}: {each}") for each in CallDisposition}, most)


def _rung(entry: object, where: str) -> Rung:
    allowed = {"retry", "escalate", "counts", "done"}
    if not isinstance(entry, dict) or not set(entry) <= allowed:
        raise BadSettings(f"{where}: allowed keys are {', '.join(sorted(allowed))}")
    done, counts = entry.get("done", False), entry.get("counts", True)
    if not isinstance(done, bool) or not isinstance(counts, bool):
        raise BadSettings(f"{where}: done and counts are true or false")
    if done:
        if set(entry) - {"done"}:
            raise BadSettings(f"{where}: done needs no other key")
        return Rung(done=True)
    kind = entry.get("escalate")
    if not isinstance(kind, str) or kind not in set(CaseKind):
        raise BadSettings(f"{where}: escalate {kind!r} is none of {', '.join(CaseKind)}")
    waits = entry.get("retry", [])
    if not isinstance(waits, list):
        raise BadSettings(f"{where}: retry is a list such as [20m, next_window]")
    if not counts and not waits:
        raise BadSettings(f"{where}: counts: false needs at least one wait in retry")
    return Rung(tuple(_wait(each, where) for each in waits), CaseKind(kind), counts)


def _wait(entry: object, where: str) -> Wait:
    if entry in (NEXT_WINDOW, NEXT_DAY):
        return str(entry)
    return parse_duration(entry, f"{where}: retry (a duration, next_window or next_day)")
