"""Changes to one elder: the ledger's fields, consents, pause, contacts; seeing a number; calling now.

Of two who edit at once nothing is lost: the form carries, sealed, what its author saw. Only what he
changed is written; where somebody else changed the same field meanwhile, he is shown both and decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from storage import Work
from storage.repository_ledger import LedgerEntry
from web.access import Desk, Viewer
from web.forms import Fields, Posted
from web.ledger import LedgerDesk
from web.pages.elders import entry_of, page_of
from web.services import House, Services
from web.templating import environment
from web.texts.elders import RELATIONS, SOURCES
from xunfang.errors import BadInput, Conflict, NotFound, StorageError
from xunfang.log import mask
from xunfang.vocabulary import Cadence, Category, CommandKind, ConsentPurpose, VisitMode, zh

CHANGED = "elder.changed"
REVEALED = "number.revealed"
REVEALED_S = 30  # a number stays on the screen so long
REASON_CHARS = 200
LONGEST_PAUSE_DAYS = 366
NUMBERS = ("phone", "other_phone", "id_card", "visitor.phone")  # not shown in the form; blank: unchanged
TEXTS = ("name", "birth_date", "area_code", "address", "windows", "note", "visitor.name")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "sex": ("女", "男"),
    "self_caring": ("能", "否"),
    "good_health": ("是", "否"),
    "mode": tuple(zh(each) for each in VisitMode),
    "cadence": tuple(zh(each) for each in Cadence),
    "visitor.relation": ("", *RELATIONS.values()),
}
KEYS = (*TEXTS, *NUMBERS, *CHOICES, "categories")
router = APIRouter()


def _desk(services: House) -> LedgerDesk:
    if services.config.ledger is None:
        raise NotFound("这里不能修改台账")
    return services.config.ledger


# ---- the ledger's fields ----------------------------------------------------------------------------


@router.get("/elders/{elder_id:int}/edit")
def edit(request: Request, viewer: Desk, services: Services, elder_id: int) -> Response:
    with services.store.read() as work:
        entry = entry_of(work, viewer, elder_id)
        now = _full(work, services, entry)
    return _form(request, services, entry, now, now)


@router.post("/elders/{elder_id:int}/edit")
def save(request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int) -> Response:
    typed = _typed(fields)
    seen = _seen(services, fields, elder_id)
    with services.store.begin() as work:
        entry = entry_of(work, viewer, elder_id)
        current = _full(work, services, entry)
        changed = {key: typed[key] for key in KEYS if _differs(key, typed[key], seen[key])}
        clashing = [key for key in changed if current[key] not in (seen[key], typed[key])]
        new = {key: text for key, text in changed.items() if text != current[key]}
        if any(key.startswith("visitor.") for key in new):
            new["visitor.name"] = typed["visitor.name"]  # the ledger knows visitors by their names
        made = _desk(services).edit(work, entry, new, services.now(), services.config.zone)
        errors = dict(made.errors)
        area_id = made.elder.get("area_id")
        if area_id is not None and not viewer.sees(work, area_id):
            errors["area_code"] = "不在您的管辖范围内"
        slow = fields.flag("hard_of_hearing")
        if not errors and not clashing:
            said = dict(made.said)
            made.write(work)
            if slow != (seen["hard_of_hearing"] == "是") and slow != entry.elder.hard_of_hearing:
                work.elders.update(elder_id, hard_of_hearing=slow)
                said["听力不好"] = "否→是" if slow else "是→否"
            if said:
                detail = {"by": "console", "fields": said}
                work.audit.write(services.now(), str(viewer.actor), CHANGED, f"elder:{elder_id}", detail)
    if errors or clashing:
        return _form(
            request,
            services,
            entry,
            current,
            _again(typed, changed, current) | {"hard_of_hearing": "是" if slow else "否"},
            errors=errors,
            clashing={key: _shown(key, current[key]) for key in clashing},
            status=422 if errors else 409,
        )
    told = f"已保存：{'、'.join(said)}" if said else "没有改动"
    if made.warnings:
        told += "。请留意：" + "；".join(made.warnings)
    return services.render.redirect(
        request, f"/elders/{elder_id}", told, "warning" if made.warnings else "success"
    )


def _typed(fields: Fields) -> dict[str, str]:
    chosen = set(fields.all("categories"))
    categories = "、".join(zh(each) for each in Category if each.value in chosen)
    return {key: fields.raw(key) for key in KEYS if key != "categories"} | {"categories": categories}


def _differs(key: str, typed: str, seen: str) -> bool:
    return typed != seen and not (key in NUMBERS and not typed)


def _again(
    typed: Mapping[str, str], changed: Mapping[str, str], current: Mapping[str, str]
) -> dict[str, str]:
    """What he changed as he typed it, the rest as it is by now: else his next try would undo others' work."""
    return {key: typed[key] if key in changed or key in NUMBERS else current[key] for key in KEYS}


def _full(work: Work, services: House, entry: LedgerEntry) -> dict[str, str]:
    """The elder as text by column, numbers in full: only ever compared and sealed."""
    areas = [] if entry.elder.area_id is None else work.areas.path(entry.elder.area_id)
    cells = _desk(services).cells(entry, areas, services.config.zone, True)
    found = {key: cells.get(key, "") for key in KEYS}
    return found | {"hard_of_hearing": "是" if entry.elder.hard_of_hearing else "否"}


def _seal(services: House, elder_id: int, cells: Mapping[str, str]) -> str:
    return services.store.vault.encrypt(json.dumps([elder_id, dict(cells)], ensure_ascii=False))


def _seen(services: House, fields: Fields, elder_id: int) -> dict[str, str]:
    try:
        whose, cells = json.loads(services.store.vault.decrypt(fields.raw("seen")))
    except (StorageError, ValueError):
        raise BadInput("表单不完整，请重新打开修改页面") from None
    if whose != elder_id:
        raise BadInput("表单不是这位老人的，请重新打开修改页面")
    return {key: str(cells.get(key, "")) for key in (*KEYS, "hard_of_hearing")}


def _shown(key: str, text: str) -> str:
    return mask(text) if key in NUMBERS and text else text


def _form(
    request: Request,
    services: House,
    entry: LedgerEntry,
    current: Mapping[str, str],
    values: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    clashing: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """`current` becomes what the author has seen: sending again after a clash writes his words knowingly."""
    fresh = status == 200
    desk = _desk(services)
    return services.render.page(
        request,
        "elders/edit.html",
        status=status,
        elder=entry.elder,
        values={key: "" if fresh and key in NUMBERS else values[key] for key in values},
        hints={key: _shown(key, current[key]) for key in NUMBERS},
        chosen=set(values["categories"].split("、")),
        choices=CHOICES,
        categories=Category,
        title=desk.title,
        errors=errors or {},
        clashing=clashing or {},
        seen=_seal(services, entry.elder.id, current),
    )


# ---- a number in full ---------------------------------------------------------------------------------


@router.post("/elders/{elder_id:int}/reveal")
def reveal(request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int) -> Response:
    """One field, for half a minute; who looked is in the audit before the number leaves."""
    which = fields.text("field", "看哪一项", limit=30)
    fields.check()
    with services.store.begin() as work:
        elder = viewer.elder(work, elder_id)
        numbers = {"phone": elder.phone, "other_phone": elder.other_phone, "id_card": elder.id_card}
        numbers |= {f"contact:{each.id}": each.phone for each in work.contacts.of(elder_id)}
        number = numbers.get(which)
        if not number:
            raise NotFound("没有登记这个号码")
        work.audit.write(services.now(), str(viewer.actor), REVEALED, f"elder:{elder_id}", {"field": which})
    if request.headers.get("hx-request") == "true":
        part = environment().get_template("elders/revealed.html")
        return HTMLResponse(part.render(number=number, seconds=REVEALED_S))
    return services.render.redirect(request, f"/elders/{elder_id}", f"完整号码：{number}（已记入查看日志）")


# ---- consents, pause, in or out -----------------------------------------------------------------------


@router.post("/elders/{elder_id:int}/consent")
def consent(request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int) -> Response:
    purpose = fields.one_of("purpose", "事项", ConsentPurpose)
    source = fields.raw("source")
    if source not in SOURCES:
        fields.errors["source"] = "请选择依据"
    granted = fields.raw("granted")
    if granted not in ("yes", "no"):
        fields.errors["granted"] = "请选择同意或不同意"
    if fields.errors or purpose is None:
        return page_of(request, viewer, services, elder_id, status=422, fields=fields, wrong="consent")
    with services.store.begin() as work:
        viewer.elder(work, elder_id)
        if work.consents.current(elder_id, purpose) == (granted == "yes"):
            raise Conflict("台账里已经是这个意愿，没有变化")
        work.consents.add(elder_id, purpose, granted == "yes", services.now(), source)
        kind = "consent.given" if granted == "yes" else "consent.withdrawn"
        detail = {"purpose": purpose.value, "source": source}
        work.audit.write(services.now(), str(viewer.actor), kind, f"elder:{elder_id}", detail)
    said = f"已登记：{'同意' if granted == 'yes' else '不同意'}{zh(purpose)}"
    return services.render.redirect(request, f"/elders/{elder_id}#consents", said)


@router.post("/elders/{elder_id:int}/pause")
def pause(request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int) -> Response:
    """住院, 外出, ...: never without an end; paused elders stay in the denominator."""
    reason = fields.text("reason", "暂停原因", limit=REASON_CHARS)
    until = _day(fields.text("until", "到哪一天", limit=10))
    day = services.today()
    if until is None or not 0 <= (until - day).days <= LONGEST_PAUSE_DAYS:
        fields.errors.setdefault("until", "请填写今天起一年以内的日期")
    if fields.errors or until is None:
        return page_of(request, viewer, services, elder_id, status=422, fields=fields, wrong="pause")
    with services.store.begin() as work:
        viewer.elder(work, elder_id)
        work.elders.update(elder_id, paused_until=until, pause_reason=reason)
        detail = {"until": until.isoformat(), "reason": reason}
        work.audit.write(services.now(), str(viewer.actor), "elder.paused", f"elder:{elder_id}", detail)
    return services.render.redirect(request, f"/elders/{elder_id}", f"已暂停巡访，到{until:%m-%d}为止")


@router.post("/elders/{elder_id:int}/resume")
def resume(request: Request, viewer: Desk, services: Services, elder_id: int) -> Response:
    with services.store.begin() as work:
        if viewer.elder(work, elder_id).paused_until is None:
            raise Conflict("这位老人没有暂停")
        work.elders.update(elder_id, paused_until=None, pause_reason=None)
        work.audit.write(services.now(), str(viewer.actor), "elder.resumed", f"elder:{elder_id}")
    return services.render.redirect(request, f"/elders/{elder_id}", "已恢复巡访")


@router.post("/elders/{elder_id:int}/active")
def active(request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int) -> Response:
    """去世, 迁出, ...: no visits any more; what is stored stays."""
    why = fields.text("why", "原因", limit=REASON_CHARS)
    wanted = fields.flag("active")
    if fields.errors:
        return page_of(request, viewer, services, elder_id, status=422, fields=fields, wrong="active")
    with services.store.begin() as work:
        if viewer.elder(work, elder_id).active == wanted:
            raise Conflict("状态已经是这样，没有变化")
        work.elders.update(elder_id, active=wanted)
        kind = "elder.started" if wanted else "elder.stopped"
        work.audit.write(services.now(), str(viewer.actor), kind, f"elder:{elder_id}", {"why": why})
    said = "已重新启用" if wanted else "已停用，不再安排巡访"
    return services.render.redirect(request, f"/elders/{elder_id}", said)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# ---- contacts -------------------------------------------------------------------------------------------


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
    given, wrong = _desk(services).contact(cells)
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


# ---- calling now ------------------------------------------------------------------------------------------


@router.post("/elders/{elder_id:int}/call")
def call(request: Request, viewer: Desk, services: Services, fields: Posted, elder_id: int) -> Response:
    """立即拨打: asked of the diallers; what becomes of it stands on this page."""
    now = services.now()
    with services.store.begin() as work:
        elder = viewer.elder(work, elder_id)
        if not elder.phone:
            raise Conflict("老人没有登记电话")
        made = work.commands.add(
            kind=CommandKind.CALL_NOW,
            call_id=None,
            elder_id=elder_id,
            anyway=fields.flag("anyway"),
            by=str(viewer.actor),
            at=now,
        )
        detail = {"command_id": made.id, "anyway": made.anyway}
        work.audit.write(now, str(viewer.actor), "call.asked", f"elder:{elder_id}", detail)
    return services.render.redirect(request, f"/elders/{elder_id}", "已请求立即拨打，结果会显示在本页")
