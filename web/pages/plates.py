"""门牌: the plates of a village as a sheet to print; issuing, replacing and revoking one."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import Work
from storage.model import Area, Elder, Plate
from visits import plates
from web.access import Desk, Reader
from web.forms import Posted
from web.pages.elders import area_of, page_of
from web.pages.plates_pdf import Printed, sheets
from web.pages.reports import download
from web.paging import PAGE_ROWS, Pager
from web.services import House, Services
from xunfang.errors import BadInput, Conflict, NotFound

MOST_AT_ONCE = 1000  # plates issued, or printed in one file
MOST_AREAS = 300
SIZES = ("a4", "a6")
PDF = "application/pdf"
PRINTED = "plate.printed"
router = APIRouter()


@router.get("/plates")
def index(request: Request, viewer: Reader, services: Services, area: str = "", after: str = "") -> Response:
    pager = Pager(services.store, "plates")
    key = pager.key(after)
    last = key[0] if key else 0
    assert isinstance(last, int)
    with services.store.read() as work:
        top = area_of(work, viewer, area)
        top_id = top.id if top else None
        rows = work.elders.page(last, PAGE_ROWS + 1, top_id)
        valid = work.plates.valid(each.id for each in rows)
        areas = work.areas.named(each.area_id for each in rows if each.area_id is not None)
        children = work.areas.children(top_id, limit=MOST_AREAS)
        lacking = len(work.plates.lacking(top_id, MOST_AT_ONCE + 1))
        path = work.areas.path(top.id) if top else []
    if viewer.area_id is not None:
        ids = [each.id for each in path]
        path = path[ids.index(viewer.area_id) :]
    return services.render.page(
        request,
        "plates/index.html",
        block="rows",
        page=pager.page(rows, PAGE_ROWS, lambda each: (each.id,)),
        base=f"/plates?area={top.code}" if top else "/plates",
        top=top,
        way=path,
        sees_all=viewer.area_id is None,
        children=children,
        areas=areas,
        valid=valid,
        lacking=lacking,
        most=MOST_AT_ONCE,
        address=_address(request, services),
    )


@router.post("/plates")
def issue(request: Request, viewer: Desk, services: Services, fields: Posted) -> Response:
    """For everybody of an area who has none."""
    code = fields.raw("area")
    with services.store.begin() as work:
        top = area_of(work, viewer, code)
        lacking = work.plates.lacking(top.id if top else None, MOST_AT_ONCE)
        new = plates.issue_all(work, lacking, str(viewer.actor), services.now())
    more = "，其余的请再按一次" if len(lacking) == MOST_AT_ONCE else ""
    to = f"/plates?area={top.code}" if top else "/plates"
    return services.render.redirect(request, to, f"已发放{len(new)}块门牌{more}")


@router.get("/plates/sheet.pdf")
def sheet(request: Request, viewer: Reader, services: Services, area: str = "", size: str = "a4") -> Response:
    """All valid plates of an area. NotFound where there are none, BadInput where they are too many."""
    _size(size)
    with services.store.begin() as work:
        top = area_of(work, viewer, area)
        elders = work.elders.page(0, MOST_AT_ONCE + 1, top.id if top else None)
        if len(elders) > MOST_AT_ONCE:
            raise BadInput(f"一次最多打印{MOST_AT_ONCE}块门牌：请选到乡镇或村")
        active = [each for each in elders if each.active]
        valid = work.plates.valid(each.id for each in active)
        if not valid:
            raise NotFound("这里还没有在用的门牌，请先发放")
        made = [(each, valid[each.id]) for each in active if each.id in valid]
        printed = _printed(work, request, services, made)
        subject = f"area:{top.id if top else 'all'}"
        work.audit.write(services.now(), str(viewer.actor), PRINTED, subject, {"plates": len(made)})
    name = f"plates-{top.code if top else 'all'}-{size}.pdf"
    return download(sheets(printed, size), PDF, name)


@router.get("/elders/{elder_id:int}/plate.pdf")
def one(request: Request, viewer: Reader, services: Services, elder_id: int, size: str = "a6") -> Response:
    _size(size)
    with services.store.begin() as work:
        elder = viewer.elder(work, elder_id)
        plate = work.plates.valid([elder_id]).get(elder_id)
        if plate is None:
            raise NotFound("这位老人没有在用的门牌，请先发放")
        printed = _printed(work, request, services, [(elder, plate)])
        detail = {"plate_id": plate.id}
        work.audit.write(services.now(), str(viewer.actor), PRINTED, f"elder:{elder_id}", detail)
    return download(sheets(printed, size), PDF, f"plate-{plate.number}.pdf")


@router.post("/elders/{elder_id:int}/plate")
def change(request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int) -> Response:
    step, why, now, actor = fields.raw("step"), fields.raw("why"), services.now(), str(viewer.actor)
    if step not in ("issue", "replace", "revoke"):
        raise BadInput("请选择发放、换发或作废")
    if step != "issue":
        fields.text("why", "原因", limit=plates.WHY_CHARS)
    if fields.errors:
        return page_of(request, viewer, services, elder_id, status=422, fields=fields, wrong="plate")
    with services.store.begin() as work:
        viewer.elder(work, elder_id)
        valid = work.plates.valid([elder_id]).get(elder_id)
        if step == "issue":
            said = f"已发放门牌 {plates.issue(work, elder_id, actor, now).number}"
        elif valid is None:
            raise Conflict("门牌刚刚已被他人作废，没有变化")
        elif step == "replace":
            said = f"已换发门牌 {plates.replace(work, elder_id, actor, why, now).number}，旧牌作废"
        else:
            plates.revoke(work, valid.id, actor, why, now)
            said = f"门牌 {valid.number} 已作废"
    return services.render.redirect(request, f"/elders/{elder_id}#plate", said)


def _size(size: str) -> None:
    if size not in SIZES:
        raise BadInput("门牌可以打印在 a4 或 a6 纸上")


def _address(request: Request, services: House) -> str:
    """Where visitors reach the console: it is printed and hangs for years, so better set (web.public_url)."""
    if services.config.public_url:
        return services.config.public_url
    scheme = "https" if services.config.secure_cookies else request.url.scheme
    return f"{scheme}://{request.url.netloc}"


def _printed(work: Work, request: Request, services: House, made: list[tuple[Elder, Plate]]) -> list[Printed]:
    address = _address(request, services)
    areas = work.areas.named(each.area_id for each, _ in made if each.area_id is not None)
    above = work.areas.named(each.parent_id for each in areas.values() if each.parent_id is not None)

    def place(area_id: int | None) -> str:
        area: Area | None = areas.get(area_id) if area_id is not None else None
        if area is None:
            return ""
        parent = above.get(area.parent_id) if area.parent_id is not None else None
        return (parent.name if parent else "") + area.name

    return [Printed(address + plate.path, plate.number, place(elder.area_id)) for elder, plate in made]
