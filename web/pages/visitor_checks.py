"""现场记录: what came in from the doors, for supervisors. Who opened a record without the plate, and why."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from records import model as form_model
from storage import Work
from storage.db import FOREVER
from storage.files import Kept, SealedFiles
from storage.model import DoorForm, DoorRow
from visits import doorstep, people
from web.access import Desk, Reader, Viewer
from web.navigation import READERS, NavItem
from web.paging import PAGE_ROWS, Page, Pager
from web.services import Services
from xunfang.errors import NotFound
from xunfang.vocabulary import DoorPhotoKind

NAV = (NavItem("现场记录", "/doorstep", READERS, 45, key="o"),)
LIST = "forms of the door"
router = APIRouter()


@router.get("/doorstep")
def index(
    request: Request, viewer: Reader, services: Services, unscanned: bool = False, after: str = ""
) -> Response:
    pager = Pager(services.store, LIST)
    key = pager.key(after)
    before = int(str(key[0])) if key else FOREVER
    with services.store.read() as work:
        rows = work.doorstep.forms(PAGE_ROWS + 1, before, viewer.area_id, unscanned)
    page: Page[DoorRow] = pager.page(rows, PAGE_ROWS, lambda each: (each.form.id,))
    return services.render.page(
        request, "visitor/checks.html", block="rows", page=page, unscanned=unscanned, title=people.title
    )


@router.get("/doorstep/{id}")
def show(request: Request, viewer: Reader, services: Services, id: int) -> Response:
    with services.store.read() as work:
        form = _form(work, viewer, id)
        elder = viewer.elder(work, form.elder_id)
        found = work.doorstep.forms(1, form.id + 1)
        record = None if form.record_id is None else work.records.get(form.record_id)
        pictures = work.doorstep.photos_of(form.id)
        placed = work.doorstep.place(elder.id) is not None
    return services.render.page(
        request,
        "visitor/check.html",
        row=found[0],
        form=form,
        elder=elder,
        name=people.title(elder.name, elder.sex) or elder.name,
        record=record,
        labels=[(each.key, each.label) for each in form_model.FORM],
        pictures=pictures,
        placed=placed,
        photo_kinds=DoorPhotoKind,
    )


@router.get("/doorstep/photos/{id}")
def photo(viewer: Reader, services: Services, id: int) -> Response:
    """Inside somebody's home: who looked is audited, as with recordings."""
    with services.store.begin() as work:
        found = work.doorstep.photo(id)
        if found is None:
            raise NotFound("没有这张照片")
        form = _form(work, viewer, found.form_id)
        detail = {"photo_id": id, "form_id": form.id}
        work.audit.write(services.now(), str(viewer.actor), "photo.seen", f"elder:{form.elder_id}", detail)
    data = SealedFiles(services.config.photos_folder).get(Kept(found.file, found.secret))
    kind = "image/jpeg" if found.kind is DoorPhotoKind.PHOTO else "image/png"
    return Response(data, media_type=kind)


@router.post("/doorstep/{id}/place")
def forget_place(request: Request, viewer: Desk, services: Services, id: int) -> Response:
    """The position of the house was learnt at a wrong place."""
    with services.store.begin() as work:
        form = _form(work, viewer, id)
        doorstep.forget_place(work, form.elder_id, str(viewer.actor), services.now())
    return services.render.redirect(request, f"/doorstep/{id}", said="已清除登记位置，下次扫门牌时重新登记")


def _form(work: Work, viewer: Viewer, id: int) -> DoorForm:
    form = work.doorstep.form(id)
    if form is None:
        raise NotFound("没有这份现场记录")
    viewer.elder(work, form.elder_id)
    return form
