"""报表: the indicators of a month as page, chart and spreadsheet, and the month's summaries."""

from __future__ import annotations

from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from records import indicators, sheet
from records.indicator_table import COUNTS, RATES, UNVISITED, definitions
from storage import Store, Work
from storage.model import Area
from visits import summary
from web.access import Desk, Reader, Viewer
from web.forms import Posted
from web.navigation import READERS, NavItem
from web.services import House, Services
from xunfang.errors import NotFound

NAV = (NavItem("报表", "/reports", READERS, 60, key="r"),)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN_RATES = ("visit_rate", "case_in_time_rate", "urgent_in_time_rate", "false_alarm_rate")
LEVELS_SHOWN = 1
router = APIRouter()

# Six months of a county of 100,000 elders take seconds to count, and hardly change: kept for a while.
KEPT = timedelta(minutes=10)
_Trend = list[tuple[str, int, int]]
_trends: WeakKeyDictionary[Store, dict[tuple[str, int | None], tuple[datetime, _Trend]]] = WeakKeyDictionary()

_CASES = (
    "cases",
    "closed_in_time",
    "closed_late",
    "open_overdue",
    "open_in_time",
    "urgent",
    "urgent_visited_in_time",
    "alerts",
    "confirmed",
    "false_alarms",
)


def area_of(work: Work, viewer: Viewer, code: str) -> Area | None:
    """Empty: all that the viewer sees. NotFound also for an area of somebody else."""
    if not code:
        return None if viewer.area_id is None else work.areas.get(viewer.area_id)
    found = work.areas.by_code(code)
    if found is None or not viewer.sees(work, found.id):
        raise NotFound("没有这个区划")
    return found


def month_asked(services: House, text: str, now: datetime) -> indicators.Month:
    zone = services.config.zone
    return indicators.month_of(text, zone) if text else indicators.this_month(now, zone)


@router.get("/reports")
def show(request: Request, viewer: Reader, services: Services, month: str = "", area: str = "") -> Response:
    now, zone = services.now(), services.config.zone
    wanted = month_asked(services, month, now)
    with services.store.read() as work:
        top = area_of(work, viewer, area)
        made = indicators.report(work, wanted, now, top.id if top else None, levels=LEVELS_SHOWN)
        path = work.areas.path(top.id) if top else []
        above = [each for each in path[:-1] if viewer.sees(work, each.id)]
    running = indicators.this_month(now, zone)
    return services.render.page(
        request,
        "reports/index.html",
        now=now,
        report=made,
        top=top,
        above=above,
        sees_all=viewer.area_id is None,
        rates=RATES,
        shown_rates=[each for each in RATES if each.key in SHOWN_RATES],
        unvisited=UNVISITED,
        case_counts=[each for key in _CASES for each in COUNTS if each.key == key],
        call_counts=[each for each in COUNTS if each.key.startswith("call_") and made.total.count(each.key)],
        definitions=definitions(),
        previous=indicators.before(wanted, 1, zone).text,
        following=indicators.before(wanted, -1, zone).text if wanted.text < running.text else "",
        is_running=wanted.text == running.text,
    )


@router.get("/reports/trend.json")
def trend(viewer: Reader, services: Services, month: str = "", area: str = "") -> Response:
    """The last months, asked for by the chart when the page stands."""
    now = services.now()
    wanted = month_asked(services, month, now)
    with services.store.read() as work:
        top = area_of(work, viewer, area)
        key = (wanted.text, top.id if top else None)
        kept = _trends.setdefault(services.store, {})
        if key not in kept or not timedelta(0) <= now - kept[key][0] < KEPT:
            kept[key] = (now, indicators.trend(work, wanted, services.config.zone, key[1]))
        found = kept[key][1]
    return JSONResponse([{"month": text, "due": due, "visited": visited} for text, due, visited in found])


@router.get("/reports/month.xlsx")
def spreadsheet(viewer: Reader, services: Services, month: str = "", area: str = "") -> Response:
    """All levels down to the villages."""
    now = services.now()
    wanted = month_asked(services, month, now)
    with services.store.read() as work:
        top = area_of(work, viewer, area)
        made = indicators.report(work, wanted, now, top.id if top else None)
    name = f"xunfang-{wanted.text}{'-' + top.code if top else ''}.xlsx"
    return download(sheet.workbook(made, services.config.zone), XLSX, name)


@router.post("/reports/summary")
def send_summaries(request: Request, viewer: Desk, services: Services, fields: Posted) -> Response:
    """每月小结 into the outbox: to contacts by consent, to villages as numbers."""
    now, zone = services.now(), services.config.zone
    wanted = month_asked(services, fields.raw("month"), now)
    with services.store.read() as work:
        top = area_of(work, viewer, fields.raw("area"))
    told = summary.send_all(services.store, wanted, now, zone, str(viewer.actor), top.id if top else None)
    said = f"{wanted.title}小结：待发送{told.sent}条，未发{told.not_sent}人（原因已记入审计）"
    if told.again:
        said += f"，{told.again}处本月已发过"
    back = f"/reports?month={wanted.text}" + (f"&area={top.code}" if top else "")
    return services.render.redirect(request, back, said=said)


def download(content: bytes, media_type: str, name: str) -> Response:
    """`name`: letters of ASCII, no personal data; it stays in the browser's history."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
