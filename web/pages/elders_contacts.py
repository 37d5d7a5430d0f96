"""紧急联系人 of one elder, in the order in which they are called."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.access import Desk, Viewer
from web.forms import Fields, Posted
from web.pages.elders import page_of
from web.pages.elders_edit import ledger_desk
from web.services import House, Services
from xunfang.errors import NotFound

router = APIRouter()


@router.post("/elders/{elder_id:int}/contacts")
def add_contact(
    request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int
) -> Response:
    return _put_contact(request, viewer, services, fields, elder_id, None)


@router.post("/elders/{elder_id:int}/contacts/{contact_id:int}")
def change_contact(
    request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int, contact_id: int
) -> Response:
    return _put_contact(request, viewer, services, fields, elder_id, contact_id)


def _put_contact(
    request: Request, viewer: Viewer, services: House, fields: Fields, elder_id: int, contact_id: int | None
) -> Response:
    """A number left blank stays as it is."""
    names = ("name", "relation", "phone")
    cells = {name: fields.raw(name) for name in names}
    if contact_id is not None and not cells["phone"]:
        del cells["phone"]
    given, wrong = ledger_desk(services).contact(cells)
    fields.errors |= wrong
    if fields.errors:
        which = "contact" if contact_id is None else f"contact:{contact_id}"
        return page_of(request, viewer, services, elder_id, status=422, fields=fields, wrong=which)
    given |= {"same_place": fields.flag("same_place"), "may_be_told": fields.flag("may_be_told")}
    with services.store.begin() as work:
        viewer.elder(work, elder_id)
        known = {each.id: each for each in work.contacts.of(elder_id)}
        detail: dict[str, Any] = {}
        if contact_id is None:
            position = max((each.position for each in known.values()), default=0) + 1
            made = work.contacts.add(elder_id=elder_id, position=position, **given)
            detail, kind = {"contact_id": made.id, "may_be_told": made.may_be_told}, "contact.added"
        else:
            old = known.get(contact_id)
            if old is None:
                raise NotFound("没有这位联系人")
            changes = {name: value for name, value in given.items() if getattr(old, name) != value}
            work.ledger.change_contacts({contact_id: changes} if changes else {})
            open_ = {
                name: [getattr(old, name), changes[name]] for name in changes if name not in ("name", "phone")
            }
            detail = {"contact_id": contact_id, "fields": sorted(changes), "changes": open_}
            kind = "contact.changed"
        work.audit.write(services.now(), str(viewer.actor), kind, f"elder:{elder_id}", detail)
    return services.render.redirect(request, f"/elders/{elder_id}#contacts", "联系人已保存")


@router.post("/elders/{elder_id:int}/contacts/{contact_id:int}/up")
def move_contact(
    request: Request, viewer: Desk, services: Services, elder_id: int, contact_id: int
) -> Response:
    """One place up: is called before."""
    with services.store.begin() as work:
        viewer.elder(work, elder_id)
        contacts = work.contacts.of(elder_id)
        at = next((place for place, each in enumerate(contacts) if each.id == contact_id), None)
        if at is None:
            raise NotFound("没有这位联系人")
        if at > 0:
            contacts[at - 1], contacts[at] = contacts[at], contacts[at - 1]
            places = {each.id: {"position": place} for place, each in enumerate(contacts, start=1)}
            work.ledger.change_contacts(places)
            detail = {"contact_id": contact_id, "position": at}
            work.audit.write(services.now(), str(viewer.actor), "contact.moved", f"elder:{elder_id}", detail)
    return services.render.redirect(request, f"/elders/{elder_id}#contacts", "已调整顺序")
