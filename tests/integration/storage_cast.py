"""A small cast for the storage tests: one village, one elder, one moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from storage import Work
from storage.model import Call, Case, Elder, VisitPlan
from xunfang.vocabulary import CaseKind, Category, PlanStatus, Priority, VisitMode

SECRET = "a secret only for tests, 0123456789"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in the village
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PHONE = "13812340001"
ID_CARD = "11010519491231002X"
NAME = "王桂兰"
ADDRESS = "幸福村三组十二号"


def an_elder(work: Work, **fields: Any) -> Elder:
    given: dict[str, Any] = {
        "name": NAME,
        "phone": PHONE,
        "address": ADDRESS,
        "categories": frozenset({Category.LIVING_ALONE, Category.ADVANCED_AGE}),
        "windows": ("09:00-11:00",),
    }
    return work.elders.add(**(given | fields))


def a_row(elder: Elder, period: str = "2026-W48", **fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "elder_id": elder.id,
        "period": period,
        "mode": VisitMode.PHONE,
        "due_from": NOW - DAY,
        "due_until": NOW + 6 * DAY,
        "dialplan": "weekly_short",
    }
    return given | fields


def a_plan(work: Work, elder: Elder, period: str = "2026-W48", **fields: Any) -> VisitPlan:
    work.plans.ensure([a_row(elder, period, **fields)])
    plan = work.plans.of_period(elder.id, period)
    assert plan is not None
    return plan


def a_call(work: Work, elder: Elder, plan: VisitPlan | None = None, **fields: Any) -> Call:
    given: dict[str, Any] = {
        "plan_id": plan.id if plan else None,
        "elder_id": elder.id,
        "attempt": 1,
        "dialplan": "weekly_short",
        "dialplan_hash": "0123456789ab",
        "intended_at": NOW,
        "number": elder.phone,
    }
    return work.calls.begin(**(given | fields))


def a_case(work: Work, elder: Elder, **fields: Any) -> Case:
    given: dict[str, Any] = {
        "elder_id": elder.id,
        "kind": CaseKind.MISSED_CALL,
        "priority": Priority.NORMAL,
        "opened_at": NOW,
        "deadline": NOW + DAY,
        "summary": f"{NAME}三次未接，请上门看望",
        "evidence": [{"call": 1, "quote": "无人接听"}],
    }
    return work.cases.open(**(given | fields))


def statuses(plans: list[VisitPlan]) -> list[PlanStatus]:
    return [plan.status for plan in plans]
