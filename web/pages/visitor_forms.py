"""The form from the door. Sent by the outbox of the telephone (JSON answers) or as a plain form (redirects).

It may come hours later, from a queue, twice, or after somebody else closed the case: visits.door_forms.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from records import model as form_model
from storage.files import SealedFiles
from storage.model import DoorForm
from visits import door_forms
from visits.door_forms import Photo, Sent
from web import photos
from web.access import AtTheDoor, Viewer
from web.forms import Fields, Posted
from web.pages.visitor import check_ticket, claim_of, show_case, visitor_id_of
from web.problems import said_to_people, status_of
from web.services import House, Services
from xunfang.errors import BadInput, XunfangError
from xunfang.vocabulary import DoorOutcome, DoorPhotoKind, Risk

MOST_PHOTOS = 6
BLIND = "现场填写时未看到电话记录"  # filled in without network, before the plate could open the record
_SIGNATURES = {
    "elder_signature": DoorPhotoKind.ELDER_SIGNATURE,
    "visitor_signature": DoorPhotoKind.VISITOR_SIGNATURE,
}
router = APIRouter()


@router.post("/visit/forms")
def receive(request: Request, viewer: AtTheDoor, services: Services, fields: Posted) -> Response:
    as_json = "application/json" in request.headers.get("accept", "")
    case_id = 0
    try:
        case_id = fields.whole("case_id", "案件") or 0
        sent = _sent(services, viewer, fields, case_id)
        form, again = _keep(services, sent, _photos(services, fields))
    except XunfangError as error:
        if as_json:
            said = said_to_people(error) or "系统暂时无法保存，请稍后再试"
            return JSONResponse({"said": said}, status_of(error))
        if isinstance(error, BadInput) and case_id:
            return show_case(request, viewer, services, case_id, wrong=str(error))
        raise
    if as_json:
        body = {"outcome": form.outcome.value, "said": form.said, "points": form.points, "again": again}
        return JSONResponse(body)
    tone = "warning" if form.outcome is DoorOutcome.SUPPLEMENTARY else "success"
    return services.render.redirect(request, "/visit", said=form.said, tone=tone)


def _sent(services: House, viewer: Viewer, fields: Fields, case_id: int) -> Sent:
    visitor_id = visitor_id_of(viewer)
    note = fields.text("note", "处置情况", limit=1000)
    condition = fields.one_of("condition", "老人目前情况", Risk)
    fields.check()
    assert condition is not None, "checked"
    check_ticket(services, fields, case_id, visitor_id)
    keys = [each.key for each in form_model.FORM]
    blind = fields.flag("blind")
    return Sent(
        key=fields.raw("key"),
        case_id=case_id,
        visitor_id=visitor_id,
        filled_at=_moment(fields.raw("filled_at"), services.now()),
        claim=claim_of(fields),
        values={key: value for key in keys if (value := fields.raw(f"f_{key}"))},
        reasons={key: fields.raw(f"why_{key}") or (BLIND if blind else "") for key in keys},
        condition=condition,
        note=note,
        close=fields.raw("done") != "later",
    )


def _moment(text: str, now: datetime) -> datetime:
    """Of the telephone's clock; how far it is believed: visits.door_forms."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now
    return moment if moment.tzinfo is not None else now


def _photos(services: House, fields: Fields) -> list[tuple[DoorPhotoKind, bytes]]:
    limit = services.config.photo_mb
    taken = fields.files("photo")
    if len(taken) > MOST_PHOTOS:
        raise BadInput(f"一次最多{MOST_PHOTOS}张照片，请减少后再提交")
    found = [(DoorPhotoKind.PHOTO, photos.clean(_read(each), limit)) for each in taken]
    for name, kind in _SIGNATURES.items():
        for each in fields.files(name)[:1]:
            found.append((kind, photos.clean(_read(each), limit, signature=True)))
    return found


def _read(file: UploadFile) -> bytes:
    """Already on the disk or in memory, and not larger than a request may be."""
    return file.file.read()


def _keep(
    services: House, sent: Sent, pictures: Iterable[tuple[DoorPhotoKind, bytes]]
) -> tuple[DoorForm, bool]:
    """Files first, then the rows: a row without its file would be a hole, a file without a row is noise."""
    config, folder = services.config, SealedFiles(services.config.photos_folder)
    kept: list[Photo] = []
    taken = False
    try:
        for kind, data in pictures:
            kept.append(Photo(kind, folder.put(data), len(data)))
        with services.store.begin() as work:
            form, again = door_forms.submit(
                work, sent, kept, services.now(), config.deadlines, config.doorstep
            )
        taken = not again
        return form, again
    finally:
        if not taken:
            for photo in kept:
                folder.remove(photo.kept.file)
