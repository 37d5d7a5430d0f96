"""Steps with one elder: seeing a number, consents, pause, in or out, calling now. Each is audited."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from web.access import Desk
from web.forms import Posted
from web.pages.elders import page_of
from web.services import Services
from web.templating import environment
from web.texts.elders import SOURCES
from xunfang.errors import Conflict, NotFound
from xunfang.vocabulary import CommandKind, ConsentPurpose, zh

REVEALED = "number.revealed"
REVEALED_S = 30  # a number stays on the screen so long
REASON_CHARS = 200
LONGEST_PAUSE_DAYS = 366
router = APIRouter()


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
