"""When somebody is reminded (催办) of a case, and when the next level is rung (升级). Pure.

From the stored times and one frozen "now": nothing here remembers anything, so a service that was
down, or two that run at once, come to the same decision. The time of each step:

    OPEN, ASSIGNED          until accepted      accept_within, and never beyond the case's deadline
    ACCEPTED, ON_THE_WAY    until visited       the case's deadline
    VISITED, REFERRED       until closed        close_within

When it is over, reminders begin and repeat; after `escalate_after` the village is rung, then the
township, then the county, each once per step. Whoever comes new to a case whose deadline has
passed is given `accept_within` before he is reminded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.model import Case
from visits.deadlines import Deadlines
from visits.life import UNACCEPTED
from xunfang.vocabulary import CaseLevel, CaseStatus

# An open case is looked at again at the latest after so long: changed settings are then noticed.
LOOK_AT_LEAST_EVERY = timedelta(hours=1)

UNVISITED = UNACCEPTED | {CaseStatus.ACCEPTED, CaseStatus.ON_THE_WAY}


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be done now. `next_look` (always later than now) holds when that is nothing; after
    something was done, look once more at what the case has become."""

    remind: bool
    escalate: bool
    next_look: datetime


def began(case: Case) -> datetime:
    return case.since or case.opened_at


def due(case: Case, rules: Deadlines) -> datetime:
    """Until when the present step should have been taken."""
    since = began(case)
    if case.status not in UNVISITED:
        return rules.after(case.priority, since, rules.life.close_within[case.priority])
    accept = rules.after(case.priority, since, rules.life.accept_within[case.priority])
    if since >= case.deadline:
        return accept
    return min(accept, case.deadline) if case.status in UNACCEPTED else case.deadline


def look(case: Case, now: datetime, rules: Deadlines) -> Look:
    until = due(case, rules)
    up = _next_level_at(case, until, rules)
    escalate = up is not None and up <= now
    reminder = until
    if case.reminded_at is not None:
        every = rules.life.reminder_every[case.priority]
        # A deadline that moved (a new visitor, a merge) never brings a second reminder at once.
        reminder = max(until, rules.after(case.priority, case.reminded_at, every))
    remind = reminder <= now
    again = [now + LOOK_AT_LEAST_EVERY]
    if up is not None and not escalate:
        again.append(up)
    if not remind:
        again.append(reminder)
    return Look(remind, escalate, min(again))


def levels_above(level: CaseLevel | None) -> tuple[CaseLevel, ...]:
    """The levels still to be rung, the nearest first."""
    order = tuple(CaseLevel)
    return order if level is None else order[order.index(level) + 1 :]


def _next_level_at(case: Case, until: datetime, rules: Deadlines) -> datetime | None:
    """None: the county has been rung, there is nobody above."""
    if not levels_above(case.level):
        return None
    start = until if case.level is None or case.level_since is None else case.level_since
    return rules.after(case.priority, start, rules.life.escalate_after[case.level][case.priority])
