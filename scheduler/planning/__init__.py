"""计划: who is due, and how. scheduler.due has the pure rules, `run` stores what they say, `campaigns`
are surges."""

from __future__ import annotations

from scheduler.due import (
    Way,
    consents_of,
    eligible,
    is_paused,
    period_bounds,
    period_key,
    period_of,
    plan_row,
)
from scheduler.planning.run import PlanReport, plan_due

__all__ = [
    "PlanReport",
    "Way",
    "consents_of",
    "eligible",
    "is_paused",
    "period_bounds",
    "period_key",
    "period_of",
    "plan_due",
    "plan_row",
]
