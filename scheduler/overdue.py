"""The end of a period: nobody is dropped, whoever was not heard becomes a case."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from scheduler.policy import Policy
from scheduler.settle import escalate_plan
from storage.model import Call, VisitPlan
from xunfang.clock import Clock
from xunfang.errors import XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import CaseKind

if TYPE_CHECKING:
    from storage import Store

PAGE = 200

_log = get_logger("scheduler")


def close_overdue(store: Store, clock: Clock, policy: Policy) -> int:
    """Escalate the plans whose period has ended; returns how many.

    Never dialled, or only into our own failures: a not_dialled case for the operator. Dialled in
    vain: what the ladder would have made of it at its end.
    """
    closed = 0
    while True:
        now = clock.now()
        with store.read() as work:
            plans = work.plans.overdue(now, PAGE)
        done = sum(_close(store, plan, policy, now) for plan in plans)
        closed += done
        if len(plans) < PAGE or not done:
            return closed


def _close(store: Store, plan: VisitPlan, policy: Policy, now: datetime) -> bool:
    """A transaction each, so that one plan that cannot be closed does not hold up the others."""
    try:
        with store.begin() as work:
            if work.plans.get(plan.id) != plan:
                return False  # dialled or settled meanwhile: looked at again in the next tick
            escalate_plan(work, plan, escalation(work.calls.of_plan(plan.id), policy), policy, now)
    except XunfangError as error:
        if error.retryable:
            raise
        _log.error("overdue.cannot_close", plan_id=plan.id, why=str(error))
        return False
    return True


def escalation(calls: list[Call], policy: Policy) -> CaseKind:
    counted = [
        each.disposition
        for each in calls
        if each.disposition is not None and policy.ladder.counts(each.disposition)
    ]
    if not counted:
        return CaseKind.NOT_DIALLED
    return policy.ladder.rungs[counted[-1]].escalate or CaseKind.UNCLEAR
