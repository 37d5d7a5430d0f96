"""值班: rings for every urgent case that nobody at the desk has heard. Accepting (接警) silences all screens;
the case itself goes its way (visits.duty)."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import Work
from storage.model import AuditEntry
from storage.model.wall import Ringing
from visits import duty, evidence, watch
from web.access import Desk, Viewer
from web.forms import Posted
from web.navigation import DESK, NavItem
from web.pages.wall import MOST_RINGING
from web.render import is_partial
from web.services import House, Services
from web.texts.times import at
from xunfang.vocabulary import zh

NAV = (NavItem("值班", "/duty", DESK, 31, key="d"),)
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Alarm:
    row: Ringing
    heard: AuditEntry | None  # None: it rings
    heard_by: str  # name
    quotes: list[str]


@router.get("/duty")
def screen(request: Request, viewer: Desk, services: Services) -> Response:
    return _page(request, viewer, services)


@router.post("/duty/{case_id}/accept")
def accept(request: Request, viewer: Desk, services: Services, fields: Posted, case_id: int) -> Response:
    with services.store.begin() as work:
        viewer.case(work, case_id)
        heard = duty.accept(work, case_id, viewer.actor, services.now())
        said = _said(work, services, heard)
    tone = "success" if heard.won else "warning"
    if is_partial(request):  # without leaving the page: a new one would have to be allowed to sound again
        return _page(request, viewer, services, said, tone)
    return services.render.redirect(request, "/duty", said, tone)


def _page(request: Request, viewer: Viewer, house: House, said: str = "", tone: str = "success") -> Response:
    now = house.now()
    with house.store.read() as work:
        rows = work.wall.unaccepted(viewer.area_id, MOST_RINGING)
        told = work.wall.told_of([each.case.id for each in rows], duty.KINDS)
        heard = {id: duty.heard_by(entries) for id, entries in told.items()}
        logins = {login_of(each.actor) for each in heard.values() if each is not None}
        names = work.case_lists.account_names(logins)
    alarms = [_alarm(each, heard[each.case.id], names, house) for each in rows]
    ringing = [each for each in alarms if each.heard is None]
    return house.render.page(
        request,
        "wall/duty.html",
        block="alarms",
        said=said,
        tone=tone,
        now=now,
        ringing=sorted(ringing, key=lambda each: (each.row.case.opened_at, each.row.case.id)),
        taken=[each for each in alarms if each.heard is not None],
        accept_by=lambda case: watch.due(case, house.config.deadlines),
    )


def _alarm(row: Ringing, heard: AuditEntry | None, names: dict[str, str], house: House) -> Alarm:
    by = "" if heard is None else login_of(heard.actor)
    timezone = house.config.timezone
    quotes = [evidence.sentence(each, timezone) for each in row.case.evidence[-2:]]
    return Alarm(row, heard, names.get(by, by), quotes)


def login_of(actor: str) -> str:
    return actor.removeprefix("user:")


def _said(work: Work, house: House, heard: duty.Heard) -> str:
    if heard.won:
        return f"您已接警（案件{heard.case.id}），铃声已停；请落实上门"
    if heard.first is None:
        return f"案件{heard.case.id}已经不响：现为“{zh(heard.case.status)}”"
    login = login_of(heard.first.actor)
    name = work.case_lists.account_names([login]).get(login, login)
    return f"案件{heard.case.id}已由{name}于{at(heard.first.at, house.config.zone)}接警"
