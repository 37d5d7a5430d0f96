"""老人: the ledger by village, the page of one elder. Numbers are masked (elders_steps.reveal shows one)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from records.model import FORM
from storage import Work
from storage.model import Area, Elder
from storage.model.timeline import TimelineKey
from storage.repository_ledger import LedgerEntry
from visits import history, people
from web.access import Desk, Reader, Viewer
from web.forms import Posted
from web.navigation import READERS, NavItem
from web.paging import PAGE_ROWS, Pager
from web.services import House, Services
from web.texts import elders as words
from xunfang.clock import age
from xunfang.errors import NotFound
from xunfang.vocabulary import ConsentPurpose, Risk

NAV = (NavItem("老人", "/elders", READERS, 50, key="e"),)
TIMELINE_ROWS = 20
TREND_RECORDS = 60
MOST_AREAS = 300  # children of an area offered at once
RISKS = tuple(Risk)  # normal, attention, urgent: the steps of the trend
router = APIRouter()


def area_of(work: Work, viewer: Viewer, code: str) -> Area | None:
    """Empty: all that the viewer sees. NotFound also for an area of somebody else."""
    if not code:
        return None if viewer.area_id is None else work.areas.get(viewer.area_id)
    found = work.areas.by_code(code)
    if found is None or not viewer.sees(work, found.id):
        raise NotFound("没有这个区划")
    return found


def entry_of(work: Work, viewer: Viewer, elder_id: int) -> LedgerEntry:
    return work.ledger.entries([viewer.elder(work, elder_id)])[0]


# ---- the list ---------------------------------------------------------------------------------------


@router.get("/elders")
def index(request: Request, viewer: Reader, services: Services, area: str = "", after: str = "") -> Response:
    pager = Pager(services.store, "elders")
    key = pager.key(after)
    last = key[0] if key else 0
    assert isinstance(last, int)
    with services.store.read() as work:
        top = area_of(work, viewer, area)
        rows = work.elders.page(last, PAGE_ROWS + 1, top.id if top else None)
        context = _listed(work, viewer, rows[:PAGE_ROWS], top)
        total = work.ledger.count(top.id if top else None)
    page = pager.page(rows, PAGE_ROWS, lambda each: (each.id,))
    base = f"/elders?area={top.code}" if top else "/elders"
    return _list(request, services, page=page, base=base, total=total, found=None, **context)


@router.post("/elders/search")
def search(request: Request, viewer: Desk, services: Services, fields: Posted) -> Response:
    """By an exact telephone or ID number: names are sealed in the tables. The number stays out of the URL."""
    number = fields.text("number", "电话号码或身份号码", limit=40)
    with services.store.read() as work:
        found = _search(work, number) if number else []
        found = [each for each in found if viewer.sees(work, each.area_id)]
        context = _listed(work, viewer, found, area_of(work, viewer, ""))
    if len(found) == 1:
        return services.render.redirect(request, f"/elders/{found[0].id}")
    page = Pager(services.store, "elders").page(found, PAGE_ROWS, lambda each: (each.id,))
    status = 422 if fields.errors else 200
    return _list(
        request,
        services,
        status=status,
        fields=fields,
        page=page,
        base="",
        total=0,
        found=len(found),
        **context,
    )


def _search(work: Work, number: str) -> list[Elder]:
    found = {each.id: each for each in work.elders.find_by_phone(number)}
    by_card = work.elders.find_by_id_card(number)
    if by_card is not None:
        found[by_card.id] = by_card
    for contact in work.contacts.find_by_phone(number)[:PAGE_ROWS]:
        whose = work.elders.get(contact.elder_id)
        if whose is not None:
            found[whose.id] = whose
    return list(found.values())[:PAGE_ROWS]


def _listed(work: Work, viewer: Viewer, rows: list[Elder], top: Area | None) -> dict[str, Any]:
    """What a page of rows needs beside the rows: a fixed number of questions."""
    path = work.areas.path(top.id) if top else []
    if viewer.area_id is not None:
        ids = [each.id for each in path]
        path = path[ids.index(viewer.area_id) :]
    return {
        "top": top,
        "way": path,
        "sees_all": viewer.area_id is None,
        "children": work.areas.children(top.id if top else None, limit=MOST_AREAS),
        "areas": work.areas.named(each.area_id for each in rows if each.area_id is not None),
        "newest": work.timeline.newest_records([each.id for each in rows]),
    }


def _list(
    request: Request, services: House, *, status: int = 200, fields: Any = None, **context: Any
) -> Response:
    day = services.today()
    return services.render.page(
        request,
        "elders/index.html",
        status=status,
        fields=fields,
        can_add=request.state.viewer.writes and services.config.ledger is not None,
        age=lambda born: age(born, day),
        state=lambda elder: words.state(elder, day),
        ordered=words.ordered,
        **context,
    )


# ---- one elder --------------------------------------------------------------------------------------


@router.get("/elders/{elder_id:int}")
def show(request: Request, viewer: Reader, services: Services, elder_id: int, before: str = "") -> Response:
    return page_of(request, viewer, services, elder_id, before=before)


def page_of(
    request: Request,
    viewer: Viewer,
    services: House,
    elder_id: int,
    *,
    before: str = "",
    status: int = 200,
    **context: Any,
) -> Response:
    """Also after a form on this page that was not right: `context` has `fields` and `wrong` (which form)."""
    pager = Pager(services.store, f"timeline {elder_id}")
    key = pager.key(before)
    day = services.today()
    with services.store.read() as work:
        entry = entry_of(work, viewer, elder_id)
        elder = entry.elder
        path = work.areas.path(elder.area_id) if elder.area_id is not None else []
        happened = work.timeline.page(elder_id, _place(key), TIMELINE_ROWS + 1)
        latest = work.records.latest(elder_id)
        asked = work.commands.last_call_now(elder_id)
        visitors = work.visitors.for_area(elder.area_id) if elder.area_id is not None else []
        consents = work.consents.of(elder_id)
        case = work.cases.open_for(elder_id)
        plates = work.plates.of_elder(elder_id)
    timeline = pager.page(happened, TIMELINE_ROWS, lambda each: each.key)
    zone = services.config.timezone
    given: dict[str, Any] = {"fields": None, "wrong": "", "values": {}} | context
    return services.render.page(
        request,
        "elders/show.html",
        block="timeline",
        status=status,
        entry=entry,
        elder=elder,
        title=people.title(elder.name, elder.sex),
        place="".join(each.name for each in path),
        years=age(elder.birth_date, day),
        state=words.state(elder, day),
        ordered=words.ordered,
        windows=shown_windows(services, entry),
        relations=words.RELATIONS,
        visitor_kind=words.visitor_kind,
        purposes=ConsentPurpose,
        consents=consents,
        source=words.source,
        sources=words.SOURCES,
        latest=latest,
        form=[(each.group, each.label, latest.fields.get(each.key, "")) for each in FORM] if latest else [],
        case=case,
        plates=plates,
        visitors=visitors,
        asked=asked,
        timeline=timeline,
        first_page=not before,
        line=lambda each: words.line(each, zone),
        actor=lambda text: history.actor(text, lambda id: ""),
        today=day,
        can_edit=viewer.writes and services.config.ledger is not None,
        writes=viewer.writes,
        **given,
    )


def shown_windows(services: House, entry: LedgerEntry) -> str:
    desk = services.config.ledger
    if desk is None:
        return "、".join(entry.elder.windows)
    return desk.cells(entry, (), services.config.zone, False)["windows"]


def _place(key: tuple[Any, ...] | None) -> TimelineKey | None:
    if key is None:
        return None
    at, kind, id = key
    assert isinstance(at, datetime)
    return at, kind, id


@router.get("/elders/{elder_id:int}/risk.json")
def trend(viewer: Reader, services: Services, elder_id: int) -> Response:
    """Of the last visits, oldest first: for the chart."""
    zone = services.config.zone
    with services.store.read() as work:
        elder = viewer.elder(work, elder_id)
        records = work.records.of_elder(elder.id, limit=TREND_RECORDS)
    points = [
        {
            "day": f"{each.visited_at.astimezone(zone):%Y-%m-%d}",
            "level": RISKS.index(each.risk),
            "mode": words.mode(each.mode),
        }
        for each in reversed(records)
    ]
    return JSONResponse({"levels": [words.risk(each) for each in RISKS], "points": points})
