"""The end of a period: nobody is dropped, whoever was not heard becomes a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.policy import Policy
from scheduler.settle import escalate_plan
from storage.model import Call
from xunfang.clock import Clock
from xunfang.vocabulary import CaseKind

if TYPE_CHECKING:
    from storage import Store

PAGE = 200


def close_overdue(store: Store, clock: Clock, policy: Policy) -> int:
    """Escalate the plans whose period has ended; returns how many.

    Never dialled, or only into our own failures: a not_dialled case for the operator. Dialled in
    vain: what the ladder would have made of it at its end.
    """
    closed = 0
    while True:
        now = clock.now()
        with store.begin() as work:
            plans = work.plans.overdue(now, limit=PAGE)
            for plan in plans:
                kind = escalation(work.calls.of_plan(plan.id), policy)
                escalate_plan(work, plan, kind, policy, now)
        closed += len(plans)
        if len(plans) < PAGE:
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
