"""个人信息: who looked at what is held on an elder, a copy of it, holds; and the periods (保存期限).

Erasure is done on the machine itself (`xunfang rights erase`): it cannot be undone, no click should do it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from records import retention, rights
from storage.personal import TABLES
from visits import life
from web.access import Admin, Reader, Viewer
from web.forms import Fields, Posted
from web.services import House, Services
from xunfang.errors import NotFound
from xunfang.vocabulary import UserRole

ACCESS_ROWS = 50
TITLES = {each.table.name: each.title for each in TABLES}
router = APIRouter()


@router.get("/retention")
def periods(request: Request, viewer: Reader, services: Services) -> Response:
    """What is kept how long, when it was last put in order, and what is held beyond."""
    now = services.now()
    with services.store.read() as work:
        last = work.recurring.get(retention.SUBJECT)
        held = work.rights.holds(area_id=viewer.area_id)
    days = services.config.periods
    done = {} if last is None else last.detail.get("rows", {})
    rows = [(each.title, getattr(days, each.period), done.get(each.name)) for each in retention.KINDS]
    return services.render.page(request, "rights/periods.html", now=now, rows=rows, last=last, held=held)


@router.get("/elders/{elder_id:int}/rights")
def index(request: Request, viewer: Reader, services: Services, elder_id: int) -> Response:
    return _page(request, viewer, services, elder_id)


def _page(
    request: Request,
    viewer: Viewer,
    services: House,
    elder_id: int,
    status: int = 200,
    fields: Fields | None = None,
) -> Response:
    with services.store.read() as work:
        elder = viewer.elder(work, elder_id)
        entries = work.rights.accessed(elder_id, rights.ACCESS_ZH, ACCESS_ROWS)
        held = work.rights.holds([elder_id])
        counts = work.rights.counts(elder_id)
    return services.render.page(
        request,
        "rights/elder.html",
        status=status,
        now=services.now(),
        elder=elder,
        entries=entries,
        what=rights.ACCESS_ZH,
        who=life.actor_zh,
        most=ACCESS_ROWS,
        held=held,
        counts=[(TITLES[name], count) for name, count in counts.items()],
        may_act=viewer.role is UserRole.COUNTY_ADMIN,
        fields=fields,
    )


@router.post("/elders/{elder_id:int}/rights/copy")
def copy(request: Request, viewer: Admin, services: Services, elder_id: int) -> Response:
    """The zip is made beside nobody's files and is gone when it was sent."""
    with services.store.read() as work:
        viewer.elder(work, elder_id)
    folder = Path(tempfile.mkdtemp(prefix="xunfang-copy-"))
    out = folder / f"elder-{elder_id}.zip"
    config = services.config
    try:
        rights.export(
            services.store,
            elder_id,
            out,
            config.kept,
            services.now(),
            config.zone,
            str(viewer.actor),
            config.form_template,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        out,
        media_type="application/zip",
        filename=out.name,
        headers={"Cache-Control": "private, no-store"},
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


@router.post("/elders/{elder_id:int}/rights/hold")
def hold(request: Request, viewer: Admin, services: Services, fields: Posted, elder_id: int) -> Response:
    why = fields.text("why", "原因", limit=rights.WHY_CHARS)
    if fields.errors:
        return _page(request, viewer, services, elder_id, status=422, fields=fields)
    with services.store.begin() as work:
        viewer.elder(work, elder_id)
        placed = rights.hold(work, elder_id, why, str(viewer.actor), services.now())
    said = f"暂停删除 {placed.id} 已生效"
    return services.render.redirect(request, f"/elders/{elder_id}/rights", said)


@router.post("/elders/{elder_id:int}/rights/release")
def release(request: Request, viewer: Admin, services: Services, fields: Posted, elder_id: int) -> Response:
    number = fields.whole("hold", "编号")
    with services.store.begin() as work:
        viewer.elder(work, elder_id)
        found = None if number is None else work.rights.get_hold(number)
        if found is None or found.elder_id != elder_id:
            raise NotFound("没有这个暂停删除")
        rights.release(work, found.id, str(viewer.actor), services.now())
    return services.render.redirect(request, f"/elders/{elder_id}/rights", f"暂停删除 {found.id} 已解除")
