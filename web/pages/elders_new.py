"""新增老人: one elder by a form. Its fields are the ledger's columns and its rules those of the import, so
that a row of a file and this form are judged alike (web.ledger).

No consent is preset: 自愿 is what somebody said or signed, never what a form held when it was opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage.model import Area
from web.access import Desk, Viewer
from web.forms import MAX_TEXT, Fields, Posted
from web.ledger import Column, NewElder
from web.pages.elders import area_of
from web.pages.elders_edit import ledger_desk
from web.services import House, Services
from xunfang.vocabulary import Category, zh

CREATED = "elder.created"  # audit kind, as of the import
PAGE = "elders/new.html"
MOST_VILLAGES = 2000  # offered while typing; in a larger area the code is typed
NAMES_OF_PLACES = ("county", "township", "village")  # of files: here the village is chosen
OWN = ("name", "sex", "id_card", "birth_date", "phone", "other_phone", "area_code", "address", "note")
VISITS = ("categories", "self_caring", "good_health", "mode", "cadence", "windows")
REQUIRED = frozenset({"name", "area_code"})
CATEGORIES, SLOW = "categories", "hard_of_hearing"
router = APIRouter()


@router.get("/elders/new")
def form(request: Request, viewer: Desk, services: Services, area: str = "") -> Response:
    """`area`: where the list stood; a village is filled in."""
    with services.store.read() as work:
        top = area_of(work, viewer, area) if area else None
    village = top.code if top is not None and top.level == "village" else ""
    return _form(request, viewer, services, {"area_code": village})


@router.post("/elders/new")
def add(request: Request, viewer: Desk, services: Services, fields: Posted) -> Response:
    desk, now = ledger_desk(services), services.now()
    typed = _typed(fields, desk.columns())
    too_long = {key: f"最多{MAX_TEXT}个字" for key, text in typed.items() if len(text) > MAX_TEXT}
    slow = fields.flag(SLOW)
    with services.store.begin() as work:
        made = desk.new(work, typed, now, services.config.zone, viewer.area_id)
        if not made.errors and not too_long:
            id = made.write(work)
            if slow:
                work.elders.update(id, hard_of_hearing=True)
            told = [desk.title(key) for key, text in typed.items() if text]
            work.audit.write(
                now, str(viewer.actor), CREATED, f"elder:{id}", {"by": "console", "fields": told}
            )
    if made.errors or too_long:
        return _form(request, viewer, services, typed, made, made.errors | too_long, slow=slow)
    said = "已登记"
    if made.warnings:
        said += "。请留意：" + "；".join(made.warnings)
    return services.render.redirect(request, f"/elders/{id}", said, "warning" if made.warnings else "success")


def _typed(fields: Fields, columns: Sequence[Column]) -> dict[str, str]:
    chosen = set(fields.all(CATEGORIES))
    typed = {each.key: fields.raw(each.key) for each in columns if each.key not in NAMES_OF_PLACES}
    return typed | {CATEGORIES: "、".join(zh(each) for each in Category if each.value in chosen)}


def _form(
    request: Request,
    viewer: Viewer,
    services: House,
    values: Mapping[str, str],
    made: NewElder | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    slow: bool = False,
) -> Response:
    columns = {each.key: each for each in ledger_desk(services).columns()}
    with services.store.read() as work:
        villages = work.areas.villages(viewer.area_id, MOST_VILLAGES + 1)
    contacts = [key for key in columns if key.startswith("contact")]
    return services.render.page(
        request,
        PAGE,
        status=422 if errors else 200,
        columns=columns,
        values=values,
        errors=errors or {},
        known=made.known if made else (),
        own=OWN,
        visits=VISITS,
        visitor=[key for key in columns if key.startswith("visitor.")],
        contacts=[contacts[at : at + 5] for at in range(0, len(contacts), 5)],
        consents=[key for key in columns if key.startswith("consent.")],
        required=REQUIRED,
        categories=Category,
        chosen=set(values.get(CATEGORIES, "").split("、")),
        slow=slow,
        villages=_offered(villages),
    )


def _offered(villages: Sequence[tuple[Area, str]]) -> list[tuple[str, str]]:
    """Code and name; nothing where there are too many to choose from."""
    if len(villages) > MOST_VILLAGES:
        return []
    return [(village.code, above + village.name) for village, above in villages]
