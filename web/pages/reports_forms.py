"""记录表: the official form of one elder, or of an area as a zip. Each is audited when it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from records import archive, document, pdf
from web.access import Reader
from web.pages.reports import area_of, download
from web.services import Services
from xunfang.errors import BadInput

FORM_MADE = "form.made"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TYPES = {archive.WORD: WORD, archive.PDF: "application/pdf"}
router = APIRouter()


@router.get("/reports/forms/{elder_id}.docx")
def word(viewer: Reader, services: Services, elder_id: int) -> Response:
    return _one(viewer, services, elder_id, archive.WORD)


@router.get("/reports/forms/{elder_id}.pdf")
def as_pdf(viewer: Reader, services: Services, elder_id: int) -> Response:
    return _one(viewer, services, elder_id, archive.PDF)


def _one(viewer: Reader, services: Services, elder_id: int, kind: str) -> Response:
    now = services.now()
    with services.store.begin() as work:
        elder = viewer.elder(work, elder_id)
        context = document.fill(
            document.gather(work, elder.id, photos=services.config.photos_folder), now, services.config.zone
        )
        work.audit.write(now, str(viewer.actor), FORM_MADE, f"elder:{elder.id}", {"kind": kind})
    made = document.render(context, services.config.form_template)
    if kind == archive.PDF:
        made = pdf.to_pdf({"form": made})["form"]
    return download(made, TYPES[kind], f"form-{elder_id}.{kind}")


@router.get("/reports/forms.zip")
def zipped(viewer: Reader, services: Services, area: str = "", kind: str = archive.WORD) -> Response:
    if kind not in TYPES:
        raise BadInput("记录表可以下载为 docx 或 pdf")
    if kind == archive.PDF and pdf.program() is None:
        raise BadInput(pdf.ABSENT)
    now = services.now()
    with services.store.begin() as work:
        top = area_of(work, viewer, area)
        subject = f"area:{top.id if top else 'all'}"
        work.audit.write(now, str(viewer.actor), FORM_MADE, subject, {"kind": kind})
    config = services.config
    wanted = archive.Wanted(top.id if top else None, kind, config.form_template, config.photos_folder)
    pieces: Iterator[bytes] = archive.zipped(services.store, wanted, now, services.config.zone)
    first = next(pieces)  # what goes wrong at once still becomes a page
    name = f"forms-{top.code if top else 'all'}-{now.astimezone(services.config.zone):%Y%m%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(chain((first,), pieces), media_type="application/zip", headers=headers)
