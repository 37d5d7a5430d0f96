"""来电记录: who rang us, newest first. Numbers are masked; showing one is a step of its own, and audited."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import Work
from web.access import Desk, Reader, Viewer
from web.paging import PAGE_ROWS, Pager
from web.services import House, Services
from xunfang.errors import NotFound

CALLERS = "/wall/callers"
router = APIRouter()


@router.get(CALLERS)
def callers(request: Request, viewer: Reader, services: Services, after: str = "") -> Response:
    return _page(request, viewer, services, after)


@router.post("/wall/callers/{incoming_id}/number")
def reveal(request: Request, viewer: Desk, services: Services, incoming_id: int) -> Response:
    """Somebody in danger must be rung back."""
    with services.store.begin() as work:
        rows = work.wall.callers(viewer.area_id, sees_unknown(work, viewer), incoming_id + 1, 1)
        if not rows or rows[0].incoming.id != incoming_id:
            raise NotFound("没有这条来电")
        number = rows[0].incoming.phone
        work.audit.write(services.now(), str(viewer.actor), "number.shown", f"incoming:{incoming_id}", {})
    return _page(request, viewer, services, cursor(services, incoming_id + 1), {incoming_id: number})


def cursor(house: House, before_id: int) -> str:
    return Pager(house.store, "callers").cursor(before_id)


def sees_unknown(work: Work, viewer: Viewer) -> bool:
    """Who belongs nowhere is looked after by those who look after a whole county."""
    if viewer.area_id is None:
        return True
    area = work.areas.get(viewer.area_id)
    return area is not None and area.parent_id is None


def _page(
    request: Request, viewer: Viewer, house: House, after: str, shown: dict[int, str] | None = None
) -> Response:
    pager = Pager(house.store, "callers")
    key = pager.key(after)
    before_id = int(str(key[0])) if key else 0
    with house.store.read() as work:
        unknown = sees_unknown(work, viewer)
        rows = work.wall.callers(viewer.area_id, unknown, before_id, PAGE_ROWS + 1)
    return house.render.page(
        request,
        "wall/callers.html",
        block="rows",
        page=pager.page(rows, PAGE_ROWS, lambda each: (each.incoming.id,)),
        after=after,
        unknown=unknown,
        shown=shown or {},
    )
