"""After an ended visit: what else follows for the same elder's plans (跟访、并访). Called by settle.

An alarming record is followed by a call the next day, once per call. Who says himself that he is worse
and gets about worse is no longer one for the telephone. A surge or a follow-up in
which the elder was heard does his open weekly visit too; visits that fill the official form
(monthly, quarterly) only move to another day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ivr.understanding.model import Question
from scheduler import hours
from scheduler.due import DAY, Way, consents_of, eligible, midnight
from scheduler.policy import Policy
from storage.model import Answer, Elder, VisitPlan, VisitRecord
from visits import webhooks
from xunfang.vocabulary import AnswerSource, PlanStatus, Risk, VisitMode

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
    webhooks.visit_recorded(work, record, now)
    if record.call_id is not None and record.risk in FOLLOWED:
        follow_up(work, elder, record.call_id, now, policy)
    if record.call_id is not None and leaves_phone_mode(work.answers.of(record.call_id)):
        to_on_site(work, elder, record.call_id, now)
    if plan is not None and status is PlanStatus.DONE and plan.period.startswith((CAMPAIGN, FOLLOW_UP)):
        fold(work, plan, now, policy)


def leaves_phone_mode(answers: Iterable[Answer]) -> bool:
    """电话巡访适用于身体状况良好、生活能够自理 (Jilin 2020, 四(二)). One worse day is not enough, and a
    relative's word is looked at by the visitor whom the case of this call sends anyway."""
    own = {each.topic for each in answers if each.source is AnswerSource.SELF and each.answer == "worse"}
    return {Question.HEALTH.value, Question.MOBILITY.value} <= own


def to_on_site(work: Work, elder: Elder, call_id: int, now: datetime) -> None:
    """From the next plan on; the ledger, i.e. a human, may turn it back."""
    if elder.mode is VisitMode.ON_SITE:
        return
    work.elders.update(elder.id, mode=VisitMode.ON_SITE)
    detail = {"from": elder.mode.value, "to": VisitMode.ON_SITE.value, "call_id": call_id}
    work.audit.write(now, ACTOR, "elder.mode_changed", f"elder:{elder.id}", detail)


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
