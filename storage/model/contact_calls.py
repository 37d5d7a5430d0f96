"""Calls to contacts (联系人电话)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from xunfang.vocabulary import PlanStatus


@dataclass(frozen=True, slots=True)
class ContactCall:
    """One contact is to be reached, because the ladder of a visit was used up.

    `step`: from 1, a contact each. `status`: WAITING, DIALLING or DONE. `passed`: ids of the contacts who
    were passed over or called in vain. `failures`: calls that failed by our own fault. `contact_id`,
    `call_id`: the last call. `outcome`, once DONE: yes, no, unclear (what was answered), or why
    nobody was asked (scheduler.contact_calls).
    """

    id: int
    elder_id: int
    plan_id: int
    case_id: int
    step: int
    status: PlanStatus
    created_at: datetime
    until: datetime
    next_attempt_at: datetime | None = None
    passed: tuple[int, ...] = ()
    failures: int = 0
    contact_id: int | None = None
    call_id: int | None = None
    outcome: str = ""
