"""首页: what today looks like in the viewer's area, with honest denominators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from storage import Work
from storage.model.overview import CaseCounts
from web.access import Anyone
from web.navigation import READERS, NavItem
from web.services import House, Services
from xunfang.vocabulary import CallDisposition, PlanStatus, UserRole

NAV = (NavItem("首页", "/", READERS, 10, key="h"),)
VISITOR_HOME = "/visit"
router = APIRouter()

_DUE = (PlanStatus.DUE, PlanStatus.DIALLING, PlanStatus.WAITING, PlanStatus.DONE, PlanStatus.ESCALATED)
_NOT_REACHED = frozenset(
    {
        CallDisposition.NO_ANSWER,
        CallDisposition.BUSY,
        CallDisposition.REJECTED,
        CallDisposition.POWERED_OFF,
        CallDisposition.SUSPENDED,
        CallDisposition.INVALID_NUMBER,
        CallDisposition.UNREACHABLE,
        CallDisposition.VOICEMAIL,
        CallDisposition.ANSWERED_SILENT,
    }
)
_OUR_FAULT = frozenset(
    {CallDisposition.TRUNK_FAILURE, CallDisposition.INTERRUPTED, CallDisposition.NOT_DIALLED}
)


@dataclass(frozen=True, slots=True)
class Today:
    plans: dict[PlanStatus, int]  # of the periods that run now
    calls: dict[CallDisposition, int]  # that ended today
    live: int
    cases: CaseCounts

    @property
    def due(self) -> int:
        """By telephone; paused ones and those for a visit at home are shown beside, never left out."""
        return sum(self.plans.get(status, 0) for status in _DUE)

    @property
    def heard(self) -> int:
        return self.plans.get(PlanStatus.DONE, 0)

    @property
    def missed_calls(self) -> int:
        """Calls of today in which nobody was heard; those that failed on our side are not missed calls."""
        return sum(n for why, n in self.calls.items() if why in _NOT_REACHED)

    @property
    def failed_calls(self) -> int:
        return sum(n for why, n in self.calls.items() if why in _OUR_FAULT)

    def plan(self, status: PlanStatus) -> int:
        return self.plans.get(status, 0)


def today(work: Work, services: House, now: datetime, area_id: int | None) -> Today:
    """Three questions, whatever the size of the area."""
    midnight = now.astimezone(services.config.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    calls = work.overview.calls_between(midnight, midnight + timedelta(days=1), area_id)
    return Today(
        plans=work.overview.plans_now(now, area_id),
        calls={why: count for why, count in calls.items() if why is not None},
        live=calls.get(None, 0),
        cases=work.overview.cases(now, area_id),
    )


@router.get("/")
def home(request: Request, viewer: Anyone, services: Services) -> Response:
    if viewer.role is UserRole.VISITOR:
        return RedirectResponse(VISITOR_HOME, 303)
    now = services.now()
    with services.store.read() as work:
        counts = today(work, services, now, viewer.area_id)
        area = None if viewer.area_id is None else work.areas.get(viewer.area_id)
    return services.render.page(
        request, "home/index.html", block="counts", now=now, today=counts, area=area, statuses=PlanStatus
    )
