"""The retry ladder (重拨规则): per disposition how often, when again, and what case at the end.

The table is YAML (scheduler/ladder.yaml); this reads it with clear errors and answers one
question: what follows this call?
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from scheduler import hours
from scheduler.habits import NO_HABITS, Habits, best_window
from scheduler.hours import HoursConfig
from visits.durations import parse_duration
from xunfang.errors import BadSettings
from xunfang.vocabulary import CallDisposition, CaseKind
from xunfang.yamlfile import read_mapping

DEFAULT_FILE = Path(__file__).with_name("ladder.yaml")
NEXT_WINDOW = "next_window"
NEXT_DAY = "next_day"

OTHER = "other"
CONTACT = "contact"

Wait = timedelta | str
"""A duration, NEXT_WINDOW or NEXT_DAY."""


@dataclass(frozen=True, slots=True)
class Step:
    """One further call. `other_number`: to the elder's other number, where he has two."""

    wait: Wait
    other_number: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """`contacts`: when it ends in a case, the contacts who may be told are told, one after another.
    `contact_waits`: then contacts are called, the first after the first wait; beside the case."""

    retry: tuple[Step, ...] = ()
    contact_waits: tuple[Wait, ...] = ()
    escalate: CaseKind | None = None
    counts: bool = True
    done: bool = False
    contacts: bool = False


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

    def tells_contacts(self, kind: CaseKind) -> bool:
        """Does a ladder that ends in this kind of case end with the contacts being told?"""
        return any(each.contacts for each in self.rungs.values() if each.escalate is kind)

    def contact_waits(self, calls: Sequence[CallDisposition], kind: CaseKind) -> tuple[Wait, ...]:
        """The waits before each contact is called, when these calls ended in this case."""
        counted = [each for each in calls if self.counts(each)]
        rung = self.rungs[counted[-1]] if counted else Rung()
        return rung.contact_waits if rung.escalate is kind else ()

    def moment(self, wait: Wait, now: datetime, until: datetime, config: HoursConfig) -> datetime:
        """When this wait is over, in the county's hours: for calls to somebody whose habits nobody knows."""
        return _at(wait, now, until, config, (), NO_HABITS)

    def failed_wait(
        self, failure: CallDisposition, failures: int, now: datetime, config: HoursConfig
    ) -> datetime:
        """When a call that failed by our own fault is made again; the last wait repeats."""
        steps = self.rungs[failure].retry
        return self.moment(steps[min(failures, len(steps)) - 1].wait, now, now, config)

    def other_number(self, calls: Sequence[CallDisposition]) -> bool:
        """Does the call after these go to the elder's other number?

        A step with `number: other` changes the number, every other step stays with the last one.
        Our own failures are no step: the call is made again as it was meant.
        """
        other = False
        seen: Counter[CallDisposition] = Counter()
        for each in calls:
            rung = self.rungs[each]
            if not rung.counts:
                continue
            seen[each] += 1
            if seen[each] <= len(rung.retry) and rung.retry[seen[each] - 1].other_number:
                other = not other
        return other

    def attempts(self, calls: Sequence[CallDisposition]) -> int:
        return sum(self.counts(each) for each in calls)

    def after(
        self,
        calls: Sequence[CallDisposition],
        now: datetime,
        period_end: datetime,
        config: HoursConfig,
        own: Sequence[str] = (),
        habits: Habits = NO_HABITS,
    ) -> Next:
        """What follows the last of `calls` (all ended calls of the plan, oldest first).

        `habits` choose the hour within another window, and within the next day; a wait in minutes
        or hours is kept as it is.

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
            step = rung.retry[min(tried, len(rung.retry)) - 1]
            return Retry(_at(step.wait, now, now, config, own, NO_HABITS))
        if tried > len(rung.retry) or self.attempts(calls) >= self.max_attempts:
            return Escalate(rung.escalate)
        at = _at(rung.retry[tried - 1].wait, now, period_end, config, own, habits)
        return Retry(at) if at < period_end else Escalate(rung.escalate)


def _at(
    wait: Wait, now: datetime, period_end: datetime, config: HoursConfig, own: Sequence[str], habits: Habits
) -> datetime:
    if isinstance(wait, timedelta):
        return hours.next_opening(now + wait, config, own)
    if wait == NEXT_WINDOW:
        start, until = hours.next_window_span(now, config, own)
    else:
        start = hours.next_day(now, config, own)
        until = hours.day_start(start, config) + hours.DAY
    return best_window(habits, start, min(until, period_end), config, own) or start


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
    allowed = {"retry", "escalate", "counts", "done", "contacts"}
    if not isinstance(entry, dict) or not set(entry) <= allowed:
        raise BadSettings(f"{where}: allowed keys are {', '.join(sorted(allowed))}")
    flags = {key: entry.get(key, default) for key, default in _FLAGS.items()}
    if not all(isinstance(each, bool) for each in flags.values()):
        raise BadSettings(f"{where}: {', '.join(_FLAGS)} are true or false")
    if flags["done"]:
        if set(entry) - {"done"}:
            raise BadSettings(f"{where}: done needs no other key")
        return Rung(done=True)
    kind = entry.get("escalate")
    if not isinstance(kind, str) or kind not in set(CaseKind):
        raise BadSettings(f"{where}: escalate {kind!r} is none of {', '.join(CaseKind)}")
    steps = entry.get("retry", [])
    if not isinstance(steps, list):
        raise BadSettings(f"{where}: retry is a list such as [20m, next_window]")
    own, to_contacts = _parted(steps, where)
    if not flags["counts"] and (not own or to_contacts):
        raise BadSettings(f"{where}: counts: false needs at least one wait in retry, and none of a contact")
    return Rung(own, to_contacts, CaseKind(kind), **flags)


def _parted(entries: Sequence[object], where: str) -> tuple[tuple[Step, ...], tuple[Wait, ...]]:
    """The elder's own steps, then those of contacts: nobody else is asked before he was tried."""
    own: list[Step] = []
    to_contacts: list[Wait] = []
    for entry in entries:
        if isinstance(entry, dict) and entry.get("number") == CONTACT and set(entry) == {"wait", "number"}:
            to_contacts.append(_wait(entry["wait"], where))
        elif to_contacts:
            raise BadSettings(f"{where}: retry: contacts come last, after every call to the elder himself")
        else:
            own.append(_step(entry, where))
    return tuple(own), tuple(to_contacts)


_FLAGS = {"done": False, "counts": True, "contacts": False}


def _step(entry: object, where: str) -> Step:
    """20m, or {wait: 20m, number: other}."""
    if not isinstance(entry, dict):
        return Step(_wait(entry, where))
    if set(entry) != {"wait", "number"} or entry["number"] != OTHER:
        raise BadSettings(f"{where}: retry: write 20m, or {{wait: 20m, number: {OTHER} or {CONTACT}}}")
    return Step(_wait(entry["wait"], where), other_number=True)


def _wait(entry: object, where: str) -> Wait:
    if entry in (NEXT_WINDOW, NEXT_DAY):
        return str(entry)
    return parse_duration(entry, f"{where}: retry (a duration, next_window or next_day)")
