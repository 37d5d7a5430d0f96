"""上门队列: the cases as a list and by village; many handed over at once; the filtered queue as xlsx."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import Work
from storage.model.wall import CaseFilter, CaseRow, CaseTab
from visits import handling, life, watch
from visits.life import Order
from web.access import Desk, Reader, Viewer
from web.forms import Posted
from web.navigation import READERS, NavItem
from web.pages.cases_filters import (
    NOBODY,
    QUEUE,
    TABS,
    Asked,
    Filters,
    areas_to_choose,
    number,
    which,
)
from web.pages.cases_sheet import MOST_ROWS, workbook
from web.pages.cases_words import in_chinese, seen_as, seen_text
from web.pages.reports import XLSX, download
from web.paging import PAGE_ROWS, Pager, case_key, urgency_of
from web.services import House, Services
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import CaseKind, CaseStatus, CaseStep, Priority

NAV = (NavItem("上门队列", QUEUE, READERS, 40, key="c"),)
MOST_VISITORS = 200
MOST_AT_ONCE = 200
NAMED = 5  # of what was not done; the sentence travels in a cookie
EXPORT_CHUNK = 1000
router = APIRouter()


@router.get(QUEUE)
def queue(
    request: Request, viewer: Reader, services: Services, filters: Filters, after: str = ""
) -> Response:
    now = services.now()
    pager = Pager(services.store, "cases")
    key = pager.key(after)
    with services.store.read() as work:
        wanted = which(work, viewer, filters, now)
        rows = work.case_lists.page(wanted, PAGE_ROWS + 1, urgency_of(key))
        common = _common(work, viewer, filters, wanted)
    return services.render.page(
        request,
        "cases/queue.html",
        block="rows",
        now=now,
        page=pager.page(rows, PAGE_ROWS, lambda each: case_key(each.case)),
        after=after,
        due=lambda case: watch.due(case, services.config.deadlines),
        seen_text=seen_text,
        **common,
    )


@router.get("/cases/villages")
def villages(
    request: Request, viewer: Reader, services: Services, filters: Filters, after: str = ""
) -> Response:
    now = services.now()
    pager = Pager(services.store, "case villages")
    key = pager.key(after)
    with services.store.read() as work:
        wanted = which(work, viewer, filters, now)
        rows = work.case_lists.by_village(wanted, now, PAGE_ROWS + 1, urgency_of(key))
        common = _common(work, viewer, filters, wanted)
    return services.render.page(
        request,
        "cases/villages.html",
        block="rows",
        now=now,
        page=pager.page(rows, PAGE_ROWS, lambda each: (each.worst.value, each.deadline, each.area_id or 0)),
        after=after,
        **common,
    )


def _common(work: Work, viewer: Viewer, filters: Asked, wanted: CaseFilter) -> dict[str, Any]:
    return {
        "counts": work.case_lists.counts(wanted),
        "areas": areas_to_choose(work, viewer, filters.area),
        "visitors": work.case_lists.visitors(viewer.area_id, MOST_VISITORS),
        "filters": filters,
        "tab": wanted.tab,
        "tabs": TABS,
        "nobody": NOBODY,
        "priorities": Priority,
        "kinds": CaseKind,
        "statuses": CaseStatus,
        "seen_to": life.SEEN_TO,
        "unaccepted": life.UNACCEPTED,
    }


@router.get("/cases/export.xlsx")
def export(viewer: Reader, services: Services, filters: Filters) -> Response:
    """The filtered queue, whole. Who took it out of the house is audited."""
    now = services.now()
    rows: list[CaseRow] = []
    with services.store.read() as work:
        wanted = which(work, viewer, filters, now)
        after: tuple[Priority, datetime, int] | None = None
        while len(rows) < MOST_ROWS:
            chunk = work.case_lists.page(wanted, min(EXPORT_CHUNK, MOST_ROWS - len(rows)), after)
            rows += chunk
            if len(chunk) < EXPORT_CHUNK:
                break
            after = (chunk[-1].case.priority, chunk[-1].case.deadline, chunk[-1].case.id)
    with services.store.begin() as work:
        subject = f"account:{viewer.user.id}"
        detail = {"rows": len(rows), "filter": filters.query().lstrip("?")}
        work.audit.write(now, f"user:{viewer.user.login}", "cases.exported", subject, detail)
    name = f"cases-{now.astimezone(services.config.zone):%Y%m%d-%H%M}.xlsx"
    content = workbook(rows, TABS[filters.tab or CaseTab.OPEN], now, services.config)
    return download(content, XLSX, name)


# ---- many at once --------------------------------------------------------------------------------


@router.post("/cases/assign")
def assign(request: Request, viewer: Desk, services: Services, fields: Posted) -> Response:
    """Each case in a transaction of its own: what can be done is done, the rest is named."""
    chosen = [_chosen(each) for each in fields.all("case")]
    visitor_id = fields.whole("to", "巡访员")
    note = fields.text("note", "分派说明", limit=life.WHY_CHARS, required=False)
    fields.check()
    if not chosen or len(chosen) > MOST_AT_ONCE:
        raise BadInput(f"请先勾选要分派的案件，一次最多{MOST_AT_ONCE}件")
    with services.store.read() as work:
        visitor = None if visitor_id is None else work.visitors.get(visitor_id)
        if visitor is None or not visitor.active or not viewer.sees(work, visitor.area_id):
            raise BadInput("没有这位在岗的巡访员，或者不在您的管辖范围内")
    why: list[str] = []
    order = Order(CaseStep.ASSIGN, viewer.actor, note, visitor_id=visitor.id)
    for case_id, seen in chosen:
        try:
            _assign(services, viewer, case_id, seen, order)
        except (BadInput, Conflict, NotFound) as error:
            why.append(f"案件{case_id}：{in_chinese(error).removeprefix(f'案件{case_id}')}")
    done = len(chosen) - len(why)
    said = f"{done}件已分派给{visitor.name}"
    if why:
        said += f"，{len(why)}件没有分派——{'；'.join(why[:NAMED])}"
        said += f"；另有{len(why) - NAMED}件，请刷新查看" if len(why) > NAMED else ""
    return services.render.redirect(request, back(fields), said, "warning" if why else "success")


def _assign(house: House, viewer: Viewer, case_id: int, seen: str, order: Order) -> None:
    with house.store.begin() as work:
        case = viewer.case(work, case_id)
        handling.handle(work, case_id, order, house.now(), house.config.deadlines, seen_as(case, seen))


def _chosen(text: str) -> tuple[int, str]:
    """`17:open:3`: the case, and as what it was seen."""
    id, _, seen = text.partition(":")
    found = number(id)
    if found is None:
        raise BadInput("请先勾选要分派的案件")
    return found, seen


def back(fields: Posted, otherwise: str = QUEUE) -> str:
    """Where the form came from: the queue with its filters."""
    to = fields.raw("back")
    ours = to == QUEUE or to.startswith((f"{QUEUE}?", "/cases/villages"))
    return to if ours and "//" not in to and "\\" not in to else otherwise
