"""After an ended visit: what else follows for the same elder's plans (跟访、并访). Called by settle.

An alarming record is followed by a call the next day, once per call. A surge or a follow-up in
which the elder was heard does his open weekly visit too; visits that fill the official form
(monthly, quarterly) only move to another day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler import hours
from scheduler.due import DAY, Way, consents_of, eligible, midnight
from scheduler.policy import Policy
from storage.model import Elder, VisitPlan, VisitRecord
from xunfang.vocabulary import PlanStatus, Risk, VisitMode

if TYPE_CHECKING:
    from storage import Work

FOLLOW_UP = "followup:"  # + call id: the period of such a plan
CAMPAIGN = "campaign:"
FOLLOWED = frozenset({Risk.URGENT})
ENOUGH_LEFT = timedelta(hours=12)  # of its period, for a visit that moves to tomorrow
ACTOR = "system"


def after_visit(
    work: Work,
    elder: Elder,
    plan: VisitPlan | None,
    status: PlanStatus | None,
    record: VisitRecord | None,
    now: datetime,
    policy: Policy,
) -> None:
    """`status`: what the ended call made of `plan`; `record`: None when nothing was heard."""
    if record is None:
        return
    if record.call_id is not None and record.risk in FOLLOWED:
        follow_up(work, elder, record.call_id, now, policy)
    if plan is not None and status is PlanStatus.DONE and plan.period.startswith((CAMPAIGN, FOLLOW_UP)):
        fold(work, plan, now, policy)


def follow_up(work: Work, elder: Elder, call_id: int, now: datetime, policy: Policy) -> bool:
    """Plan a call on the next day of service. False: planned before, or he may not be called."""
    if eligible(elder, *consents_of(work, elder.id)) is not Way.PHONE:
        return False
    zone = policy.hours.timezone
    day = hours.local_date(hours.next_day(now, policy.hours, hours.usable(elder.windows)), policy.hours)
    row = VisitPlan(
        id=0,
        elder_id=elder.id,
        period=f"{FOLLOW_UP}{call_id}",
        mode=VisitMode.PHONE,
        due_from=midnight(day, zone),
        due_until=midnight(day + DAY, zone),
        dialplan=elder.dialplan,
    )
    if not work.plans.ensure([row]):
        return False
    detail = {"call_id": call_id, "day": day.isoformat()}
    work.audit.write(now, ACTOR, "followup.planned", f"elder:{elder.id}", detail)
    return True


def fold(work: Work, heard: VisitPlan, now: datetime, policy: Policy) -> None:
    tomorrow = midnight(hours.local_date(now, policy.hours) + DAY, policy.hours.timezone)
    for plan in work.planning.open_of(heard.elder_id, now):
        if plan.id == heard.id:
            continue
        if is_weekly(plan.period):
            if work.plans.set_status(plan.id, PlanStatus.DONE, attempts=plan.attempts, expected=plan.status):
                detail = {"by": heard.id, "period": plan.period, "with": heard.period}
                work.audit.write(now, ACTOR, "plan.folded", f"plan:{plan.id}", detail)
        elif plan.due_until > tomorrow + ENOUGH_LEFT:
            later = max(tomorrow, plan.next_attempt_at or tomorrow)
            work.plans.set_status(plan.id, plan.status, next_attempt_at=later, expected=plan.status)


def is_weekly(period: str) -> bool:
    """2026-W47"""
    return "-W" in period and ":" not in period
