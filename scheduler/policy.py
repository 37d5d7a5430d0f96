"""The county's rules in one hand, filled by the composition root from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from scheduler.cadence import CadencePolicy, load_cadence
from scheduler.hours import HoursConfig
from scheduler.ladder import Ladder, load_ladder
from visits.deadlines import Deadlines, load_deadlines


@dataclass(frozen=True, slots=True)
class Policy:
    ladder: Ladder = field(default_factory=load_ladder)
    deadlines: Deadlines = field(default_factory=load_deadlines)
    hours: HoursConfig = field(default_factory=HoursConfig)
    cadence: CadencePolicy = field(default_factory=load_cadence)
    first_visit: timedelta = timedelta(days=7)  # of a new elder, from when planning first sees him
    spread: bool = True  # first calls over the first part of their period, not all on its first morning
