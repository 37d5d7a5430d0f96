"""One case: what is known, what was done and not done, and the next step. Every step goes through
visits.handling with the case as it was seen: of two who act at once the other is told who won, and
what he typed is still in the form."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import Work
from storage.model import Case, Visitor
from visits import evidence, handling, life, service, watch
from visits.life import Order, Role
from web.access import Desk, Reader, Viewer
from web.forms import Fields, Posted
from web.pages.cases import MOST_VISITORS
from web.pages.cases_words import in_chinese, seen_as, seen_text, timeline, who_won
from web.services import House, Services
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import CaseStatus, CaseStep, ReferTo, ReportCategory

NOTE_CHARS = 2000
_FOR_VISITOR = frozenset({CaseStep.ACCEPT, CaseStep.REFUSE, CaseStep.START, CaseStep.VISITED})
_NOTES = {CaseStep.CLOSE: "处置情况", CaseStep.REFUSE: "推辞原因", CaseStep.ASSIGN: "分派说明"}
_NEEDED = frozenset({CaseStep.CLOSE, CaseStep.REFUSE})
DONE = {
    CaseStep.ASSIGN: "已分派，巡访员会收到通知",
    CaseStep.ACCEPT: "已登记接受",
    CaseStep.REFUSE: "已登记推辞",
    CaseStep.START: "已登记出发",
    CaseStep.VISITED: "已登记上门，请填写处置情况后办结",
    CaseStep.REFER: "已登记转介，请跟进后办结",
    CaseStep.CLOSE: "已办结",
}
router = APIRouter()


@router.get("/cases/{case_id}")
def show(request: Request, viewer: Reader, services: Services, case_id: int) -> Response:
    with services.store.read() as work:
        case = viewer.case(work, case_id)
        context = _context(work, viewer, case, services)
    return services.render.page(request, "cases/case.html", block="facts", **context)


@router.post("/cases/{case_id}/{step}")
def take(
    request: Request, viewer: Desk, services: Services, fields: Posted, case_id: int, step: CaseStep
) -> Response:
    with services.store.read() as work:
        case = viewer.case(work, case_id)
        order = _order(work, viewer, case, step, fields)
    if fields.errors:
        return _again(
            request, viewer, services, case_id, step, fields, "；".join(fields.errors.values()), 422
        )
    try:
        with services.store.begin() as work:
            case = viewer.case(work, case_id)
            seen = seen_as(case, fields.raw("seen"))
            if step in _FOR_VISITOR and case.visitor_id is None and seen.visitor_id is None:
                raise Conflict("还没有巡访员，请先分派")
            becomes = handling.handle(work, case_id, order, services.now(), services.config.deadlines, seen)
    except Conflict as error:
        with services.store.read() as work:
            won = who_won(work, viewer.case(work, case_id), services)
        said = f"没有办成：{won or in_chinese(error)}。您填写的内容还在，请核对后再提交。"
        return _again(request, viewer, services, case_id, step, fields, said, 409)
    except (BadInput, NotFound) as error:
        return _again(request, viewer, services, case_id, step, fields, in_chinese(error), 422)
    said = DONE[step]
    if step is CaseStep.REFUSE:
        moved = becomes.visitor_id is not None
        said += "，系统已改派下一位" if moved else "，附近已没有可派的人，请分派或上报"
    return services.render.redirect(request, f"/cases/{case_id}", said)


def _order(work: Work, viewer: Viewer, case: Case, step: CaseStep, fields: Fields) -> Order:
    """What is wrong with the form stands in `fields.errors` afterwards."""
    limit = life.WHY_CHARS if step is CaseStep.ASSIGN else NOTE_CHARS
    note = fields.text("note", _NOTES.get(step, "说明"), limit=limit, required=step in _NEEDED)
    if step is CaseStep.ASSIGN:
        visitor_id = fields.whole("visitor", "巡访员")
        if visitor_id is not None and visitor_id not in {each.id for each in sendable(work, viewer, case)}:
            fields.errors["visitor"] = "没有这位在岗的巡访员，或者不在您的管辖范围内"
        return Order(step, viewer.actor, note, visitor_id=visitor_id)
    if step is CaseStep.REFER:
        to = fields.one_of("referred_to", "转给谁", ReferTo)
        category = fields.one_of("category", "报告类别", ReportCategory)
        if category is ReportCategory.OTHER and not note:
            fields.errors["note"] = "报告类别为“其他情况”时，请写明是什么情况"
        return Order(step, viewer.actor, note, to=to, category=category)
    return Order(step, viewer.actor, note)


def sendable(work: Work, viewer: Viewer, case: Case) -> list[Visitor]:
    """Who may be sent: the elder's own and near ones first, then everybody of the viewer's area."""
    elder = handling.elder_of(work, case)
    near = service.candidates(work, elder)
    known = {each.id for each in near}
    others = work.case_lists.visitors(viewer.area_id, MOST_VISITORS)
    return [*near, *(each for each in others if each.id not in known)]


def _again(
    request: Request,
    viewer: Viewer,
    house: House,
    case_id: int,
    step: CaseStep,
    fields: Fields,
    said: str,
    status: int,
) -> Response:
    """The page as it is now, with the form as it was filled in."""
    with house.store.read() as work:
        case = viewer.case(work, case_id)
        context = _context(work, viewer, case, house)
    context |= {"failed": step, "fields": fields}
    return house.render.page(request, "cases/case.html", status=status, said=said, tone="danger", **context)


def _context(work: Work, viewer: Viewer, case: Case, house: House) -> dict[str, Any]:
    elder = viewer.elder(work, case.elder_id)
    config = house.config
    visitor = None if case.visitor_id is None else work.visitors.get(case.visitor_id)
    may = set(life.steps_for(case.status, Role.SUPERVISOR)) if viewer.writes else set()
    if case.visitor_id is None:
        may -= _FOR_VISITOR
    return {
        "now": house.now(),
        "case": case,
        "elder": elder,
        "areas": [] if elder.area_id is None else work.areas.path(elder.area_id),
        "contacts": work.contacts.of(elder.id),
        "visitor": visitor,
        "sendable": sendable(work, viewer, case) if CaseStep.ASSIGN in may else [],
        "quotes": [evidence.sentence(each, config.timezone) for each in case.evidence],
        "timeline": timeline(work, case, house),
        "due": watch.due(case, config.deadlines),
        "waits_for": "" if case.status is CaseStatus.CLOSED else handling.waits_for(case),
        "unvisited": case.status in watch.UNVISITED,
        "may": may,
        "steps": CaseStep,
        "seen": seen_text(case),
        "refer_to": ReferTo,
        "categories": ReportCategory,
        "note_chars": NOTE_CHARS,
        "why_chars": life.WHY_CHARS,
        "failed": None,
        "fields": None,
        "closed": CaseStatus.CLOSED,
    }
