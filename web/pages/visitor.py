"""巡访员: today's cases on a telephone, accepting them, and opening the record at the door."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from storage import Work
from storage.model import Case, DoorCase
from visits import door_forms, door_seal, doorstep, handling, life, people, plates
from visits.doorstep import Claim, ReasonNeeded
from visits.life import Order, Role
from web.access import AtTheDoor, Viewer
from web.forms import Fields, Posted
from web.navigation import VISITORS, NavItem
from web.pages import visitor_rows
from web.paging import PAGE_ROWS, Page, Pager, case_key
from web.services import House, Services
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import CaseStatus, CaseStep, DoorOutcome, Risk

NAV = (NavItem("我的任务", "/visit", VISITORS, 10),)
LIST = "visitor's cases"
TICKET = "door form"
OUTBOX = "visitor's outbox"
STEPS = frozenset({CaseStep.ACCEPT, CaseStep.REFUSE, CaseStep.START})  # those with a button here
router = APIRouter()


def own_case(work: Work, viewer: Viewer, case_id: int) -> Case:
    """NotFound for another visitor's, and for a child who was given another elder's by mistake."""
    case = viewer.case(work, case_id)
    visitor = work.visitors.get(visitor_id_of(viewer))
    if visitor is None or visitor.elder_id not in (None, case.elder_id):
        raise NotFound("没有这个案件")
    return case


def visitor_id_of(viewer: Viewer) -> int:
    if viewer.user.visitor_id is None:
        raise NotFound("这个账号没有对应的巡访员")
    return viewer.user.visitor_id


def ticket(services: House, case_id: int, visitor_id: int) -> str:
    """Proof that this case was once shown to this visitor: his form is taken also when it was reassigned."""
    return services.store.vault.sign(TICKET, f"{case_id}:{visitor_id}")


@router.get("/visit")
def index(request: Request, viewer: AtTheDoor, services: Services, after: str = "") -> Response:
    now, pager = services.now(), Pager(services.store, LIST)
    key = pager.key(after)
    with services.store.read() as work:
        rows = work.doorstep.cases_of(visitor_id_of(viewer), PAGE_ROWS + 1, key)
    page: Page[DoorCase] = pager.page(rows, PAGE_ROWS, lambda each: case_key(each.case))
    return services.render.page(
        request, "visitor/index.html", now=now, page=page, title=people.title, statuses=CaseStatus
    )


@router.get("/visit/key")
def key(viewer: AtTheDoor, services: Services) -> JSONResponse:
    """What this account's unsent forms are encrypted with on the telephone; it is forgotten at sign-out."""
    secret = services.store.vault.sign(OUTBOX, str(viewer.user.id))
    return JSONResponse({"user": viewer.user.id, "key": secret})


@router.get("/visit/cases/{id}")
def case(request: Request, viewer: AtTheDoor, services: Services, id: int) -> Response:
    return show_case(request, viewer, services, id)


@router.post("/visit/cases/{id}/step")
def step(request: Request, viewer: AtTheDoor, services: Services, fields: Posted, id: int) -> Response:
    wanted = fields.one_of("step", "操作", CaseStep)
    closes = wanted is CaseStep.CLOSE
    needs_note = closes or wanted is CaseStep.REFUSE
    note = fields.text("note", "处置情况" if closes else "不能去的原因", limit=500, required=needs_note)
    if fields.errors or wanted is None or wanted not in STEPS | {CaseStep.CLOSE}:
        return show_case(request, viewer, services, id, wrong="；".join(fields.errors.values()) or "请重选")
    with services.store.begin() as work:
        found = own_case(work, viewer, id)
        order = Order(wanted, viewer.actor, note)
        handling.handle(work, found.id, order, services.now(), services.config.deadlines)
    said = {
        CaseStep.ACCEPT: "已接受，请按时上门",
        CaseStep.REFUSE: "已推辞，系统会另找人上门",
        CaseStep.START: "已记为在路上",
        CaseStep.CLOSE: "案件已办结",
    }[wanted]
    stays = wanted in (CaseStep.ACCEPT, CaseStep.START)
    return services.render.redirect(request, f"/visit/cases/{id}" if stays else "/visit", said=said)


# ---- at the door -----------------------------------------------------------------------------------


@router.get("/v/{code}")
def scanned(request: Request, viewer: AtTheDoor, services: Services, code: str) -> Response:
    """Where the QR of a door plate leads, opened by the telephone's own camera."""
    now, words, mine = services.now(), "", None
    with services.store.read() as work:
        checked = plates.check(work, code, now)
        if checked.elder_id is not None:
            mine = work.cases.open_for(checked.elder_id)
            if mine is not None and mine.visitor_id == visitor_id_of(viewer):
                mine = own_case(work, viewer, mine.id)
            else:
                mine = None
        elder = None if mine is None else handling.elder_of(work, mine)
    if checked.elder_id is None:
        with services.store.begin() as work:
            doorstep.refuse_plate(work, str(viewer.actor), checked, now)
        words = plates.WORDS[checked.why]
    elif mine is None:
        words = "您现在没有这位老人的上门任务。需要上门时请联系督导分派。"
    context: dict[str, Any] = {"words": words, "case": mine, "code": code}
    context["name"] = "" if elder is None else people.title(elder.name, elder.sex) or elder.name
    return services.render.page(
        request, "visitor/door.html", status=404 if words else 200, now=now, **context
    )


@router.post("/visit/cases/{id}/door")
def enter(request: Request, viewer: AtTheDoor, services: Services, fields: Posted, id: int) -> Response:
    """签到: by the plate's code and the position, or with a reason."""
    now = services.now()
    try:
        with services.store.begin() as work:
            found = own_case(work, viewer, id)
            rules = services.config.doorstep
            doorstep.enter(work, found, visitor_id_of(viewer), claim_of(fields), now, rules)
    except ReasonNeeded as error:
        code = fields.raw("code")
        return show_case(request, viewer, services, id, wrong=str(error), code=code)
    return services.render.redirect(request, f"/visit/cases/{id}", said="已签到，可以填写记录")


def claim_of(fields: Fields) -> Claim:
    """A position that makes no sense is none."""
    return Claim(
        code=fields.raw("code")[:64],
        latitude=_number(fields.raw("latitude"), 90),
        longitude=_number(fields.raw("longitude"), 180),
        accuracy_m=_number(fields.raw("accuracy"), 1e6) or 0.0,
        why=fields.raw("why"),
    )


def _number(text: str, most: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -most <= value <= most else None


# ---- the page of one case --------------------------------------------------------------------------


def show_case(
    request: Request, viewer: Viewer, services: House, case_id: int, *, wrong: str = "", code: str = ""
) -> Response:
    now, visitor_id = services.now(), visitor_id_of(viewer)
    with services.store.read() as work:
        found = own_case(work, viewer, case_id)
        elder = handling.elder_of(work, found)
        area = None if elder.area_id is None else work.areas.get(elder.area_id)
        contacts = [each for each in work.contacts.of(elder.id) if each.phone][:3]
        entry = work.doorstep.entry(found.id, visitor_id, now - doorstep.ENTRY_HOLDS)
        sent = [each for each in work.doorstep.forms_of_case(found.id) if each.visitor_id == visitor_id]
        shown = door_forms.prefill(work, found)
        plate = work.plates.valid([elder.id]).get(elder.id)
    opened = entry is not None
    sealed = ""
    if plate is not None and not opened:
        sealed = door_seal.seal(plate.path.removeprefix("/v/"), visitor_rows.to_seal(shown.rows))
    rows = shown.rows if opened else visitor_rows.blank()
    return services.render.page(
        request,
        "visitor/case.html",
        status=422 if wrong else 200,
        said=wrong,
        tone="danger",
        now=now,
        case=found,
        elder=elder,
        name=people.title(elder.name, elder.sex) or elder.name,
        area="" if area is None else area.name,
        contacts=contacts,
        quotes=_quotes(found),
        steps=[each for each in life.steps_for(found.status, Role.VISITOR) if each in STEPS],
        all_steps=CaseStep,
        entry=entry,
        has_plate=plate is not None,
        sealed=sealed,
        groups=visitor_rows.groups(rows),
        from_call=shown.record is not None,
        sent=sent,
        outcomes=DoorOutcome,
        statuses=CaseStatus,
        conditions=Risk,
        key=secrets.token_urlsafe(16),
        ticket=ticket(services, found.id, visitor_id),
        code=code,
        why_chars=doorstep.WHY_CHARS,
        least_why=doorstep.LEAST_WHY,
    )


def _quotes(case: Case) -> list[str]:
    """Why: what was said, in the words of who said it."""
    told = []
    for each in case.evidence:
        text, by = str(each.get("text") or ""), str(each.get("by") or "")
        if text:
            told.append(f"{by}：“{text}”" if by else text)
    return list(dict.fromkeys(told))


def check_ticket(services: House, fields: Fields, case_id: int, visitor_id: int) -> None:
    given = fields.raw("ticket")
    if not services.store.vault.is_signed(TICKET, f"{case_id}:{visitor_id}", given):
        raise BadInput("表单不是从您的任务页面填写的，请重新打开任务")
