"""The end of a period: nobody is dropped, whoever was not heard becomes a case.

Three ends are told apart, because they are three people's work: never dialled, or only into our own
failures (期内未拨出, the operator's); dialled in vain (what the ladder would have made of it); to be
visited on site and not visited (期内未上门, the visitor's). Paused plans stay as they are and stay in
the denominator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from scheduler.crashpoints import reached
from scheduler.policy import Policy
from scheduler.settle import escalate_plan
from storage.model import Call, VisitPlan
from xunfang.clock import Clock
from xunfang.errors import XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import CaseKind, PlanStatus

if TYPE_CHECKING:
    from storage import Store, Work

PAGE = 200
TOGETHER = 20  # plans of one transaction; one that cannot be closed does not hold up the others
READY = (PlanStatus.DUE, PlanStatus.WAITING)

_log = get_logger("scheduler")
Kind = Callable[["Work", VisitPlan], CaseKind]


def close_overdue(store: Store, clock: Clock, policy: Policy) -> int:
    """Escalate the plans whose period has ended; returns how many."""
    now = clock.now()
    closed = sum(
        _all(store, status, lambda work, plan: _unheard(work, plan, policy), policy, now) for status in READY
    )
    with store.read() as work:
        unvisited = work.planning.lapsed(PlanStatus.ON_SITE, now, None, 1)
    if unvisited:
        with store.begin() as work:
            work.planning.visited_on_site(now)
        closed += _all(store, PlanStatus.ON_SITE, lambda *_: CaseKind.NOT_VISITED, policy, now)
    return closed


def escalation(calls: list[Call], policy: Policy) -> CaseKind:
    counted = [
        each.disposition
        for each in calls
        if each.disposition is not None and policy.ladder.counts(each.disposition)
    ]
    if not counted:
        return CaseKind.NOT_DIALLED
    return policy.ladder.rungs[counted[-1]].escalate or CaseKind.UNCLEAR


def _unheard(work: Work, plan: VisitPlan, policy: Policy) -> CaseKind:
    return escalation(work.calls.of_plan(plan.id), policy)


def _all(store: Store, status: PlanStatus, kind: Kind, policy: Policy, now: datetime) -> int:
    closed = 0
    after: VisitPlan | None = None
    while True:
        with store.read() as work:
            plans = work.planning.lapsed(status, now, after, PAGE)
        for at in range(0, len(plans), TOGETHER):
            closed += _together(store, plans[at : at + TOGETHER], kind, policy, now)
        if len(plans) < PAGE:
            return closed
        after = plans[-1]


def _together(store: Store, plans: Sequence[VisitPlan], kind: Kind, policy: Policy, now: datetime) -> int:
    """One transaction; when one of them cannot be closed, a transaction each."""
    try:
        with store.begin() as work:
            closed = sum(_close(work, plan, kind, policy, now) for plan in plans)
        reached("overdue.closed")
        return closed
    except XunfangError as error:
        if len(plans) > 1:
            return sum(_together(store, (plan,), kind, policy, now) for plan in plans)
        if error.retryable:
            raise
        _log.error("overdue.cannot_close", plan_id=plans[0].id, why=str(error))
        return 0


def _close(work: Work, plan: VisitPlan, kind: Kind, policy: Policy, now: datetime) -> bool:
    if work.plans.get(plan.id) != plan:
        return False  # dialled or settled meanwhile: looked at again in the next tick
    escalate_plan(work, plan, kind(work, plan), policy, now)
    return True
