"""待复核: the queue of flagged calls. Filters stand in the URL; nothing personal does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import PlainTextResponse, Response

from ivr.dialogue import dialplan
from storage import Work
from storage.model import Area, Review, ReviewFilter, Tab, User
from visits import reviewing
from web.access import Desk, Reader, Viewer
from web.forms import Posted
from web.navigation import READERS, NavItem
from web.paging import PAGE_ROWS, Pager, review_key, urgency_of
from web.services import House, Services
from web.texts.times import SOON, at
from xunfang.clock import age
from xunfang.errors import BadInput, NotFound, XunfangError
from xunfang.vocabulary import Alert, CallDisposition, UserRole

QUEUE = "/queue"


def _waiting(work: Work, viewer: Viewer) -> int:
    return work.reviews.waiting(viewer.area_id)


NAV = (NavItem("待复核", QUEUE, READERS, 20, key="q", count=_waiting),)
TABS = {Tab.MINE: "我的", Tab.UNCLAIMED: "待认领", Tab.SOON: "即将超时", Tab.ALL: "全部"}
DAYS = (1, 7, 30)
MOST_AREAS = 200  # offered as a filter at once; deeper ones after choosing
MOST_COLLEAGUES = 100
MOST_AT_ONCE = 200  # calls handed over in one go
Word = TypeVar("Word", bound=StrEnum)
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they stand in the URL; what is not understood is left out."""

    tab: Tab | None = None
    area: int | None = None
    alert: Alert | None = None
    disposition: CallDisposition | None = None
    dialplan: str = ""
    days: int | None = None

    @property
    def narrowed(self) -> bool:
        return any((self.area, self.alert, self.disposition, self.dialplan, self.days))

    def query(self, **changes: Any) -> str:
        """`?tab=mine&days=7`, or nothing."""
        shown = replace(self, **changes)
        parts = {
            name: value.value if isinstance(value, StrEnum) else value
            for name in self.__dataclass_fields__
            if (value := getattr(shown, name))
        }
        return f"?{urlencode(parts)}" if parts else ""


def asked(params: Mapping[str, str]) -> Asked:
    area, days = params.get("area", ""), params.get("days", "")
    return Asked(
        tab=_word(Tab, params.get("tab")),
        area=int(area) if area.isascii() and area.isdigit() and len(area) < 19 else None,
        alert=_word(Alert, params.get("alert")),
        disposition=_word(CallDisposition, params.get("disposition")),
        dialplan=params.get("dialplan", "") if params.get("dialplan", "") in dialplan.names() else "",
        days=int(days) if days in {str(each) for each in DAYS} else None,
    )


def _asked(request: Request) -> Asked:
    return asked(request.query_params)


Filters = Annotated[Asked, Depends(_asked)]


@cache
def title_of(name: str) -> str:
    """每周短访; a dialplan that is not ours to load keeps its name."""
    try:
        return dialplan.load(name).title or name
    except XunfangError:
        return name


def _word(words: type[Word], value: str | None) -> Word | None:
    return words(value) if value in set(words) else None


def which(work: Work, viewer: Viewer, filters: Asked, house: House) -> ReviewFilter:
    """Never more than the viewer's own area. NotFound for an area that he does not see."""
    now = house.now()
    area = viewer.area_id
    if filters.area is not None:
        if not viewer.sees(work, filters.area):
            raise NotFound("没有这个地区，或者不在您的管辖范围内")
        area = filters.area
    return ReviewFilter(
        login=viewer.user.login,
        soon=now + SOON,
        areas=None if area is None else work.areas.below(area),
        tab=filters.tab or Tab.ALL,
        alert=filters.alert,
        disposition=filters.disposition,
        dialplan=filters.dialplan,
        since=None if filters.days is None else now - timedelta(days=filters.days),
    )


@router.get(QUEUE)
def queue(
    request: Request, viewer: Reader, services: Services, filters: Filters, after: str = ""
) -> Response:
    now = services.now()
    pager = Pager(services.store, "review")
    key = pager.key(after)
    with services.store.read() as work:
        wanted = which(work, viewer, filters, services)
        counts = work.reviews.counts(wanted)
        rows = work.reviews.page(wanted, PAGE_ROWS + 1, urgency_of(key))
        areas = _areas(work, viewer, filters.area)
        colleagues = _colleagues(work, viewer) if viewer.writes else []
    return services.render.page(
        request,
        "review/queue.html",
        block="rows",
        now=now,
        page=pager.page(rows, PAGE_ROWS, lambda each: review_key(each.review)),
        counts=counts,
        filters=filters,
        tab=wanted.tab,
        tabs=TABS,
        after=after,
        areas=areas,
        colleagues=colleagues,
        alerts=Alert,
        dispositions=CallDisposition,
        dialplans={name: title_of(name) for name in dialplan.names()},
        days=DAYS,
        age=lambda born: age(born, services.today()),
    )


@router.get(f"{QUEUE}/count")
def count(viewer: Reader, services: Services) -> Response:
    """Of the menu, which follows the news (static/js/menu.js)."""
    return PlainTextResponse(services.render.counted(NAV[0], viewer), headers={"Cache-Control": "no-store"})


def _areas(work: Work, viewer: Viewer, chosen: int | None) -> list[Area]:
    """The way down to what is chosen, and what lies in it: three questions, however large the county."""
    top = chosen if chosen is not None else viewer.area_id
    way = [] if top is None else work.areas.path(top)
    if viewer.area_id is not None:
        ids = [each.id for each in way]
        way = way[ids.index(viewer.area_id) :] if viewer.area_id in ids else way
    return [*way, *work.areas.children(top, limit=MOST_AREAS)]


def _colleagues(work: Work, viewer: Viewer) -> list[User]:
    """Who may be given calls by this viewer: supervisors of his area or of a part of it, and himself."""
    found = work.accounts.page(limit=MOST_COLLEAGUES, area_id=viewer.area_id, role=UserRole.SUPERVISOR)
    return [each for each in found if each.active]


# ---- claiming --------------------------------------------------------------------------------------


def back(fields: Posted, otherwise: str = QUEUE) -> str:
    """Where the form came from: a page of ours, or the queue."""
    to = fields.raw("back")
    ours = to.startswith((f"{QUEUE}?", "/calls/")) or to == QUEUE
    return to if ours and "//" not in to and "\\" not in to else otherwise


def call_of(work: Work, viewer: Viewer, call_id: int) -> Review:
    """NotFound also for a call of another area, and for one that was never flagged."""
    found = work.reviews.get(call_id)
    if found is None:
        raise NotFound("没有这条待复核通话")
    viewer.elder(work, found.elder_id)
    return found


@router.post("/queue/{call_id}/claim")
def claim(request: Request, viewer: Desk, services: Services, fields: Posted, call_id: int) -> Response:
    with services.store.begin() as work:
        call_of(work, viewer, call_id)
        instead = fields.raw("instead_of") or None
        made = reviewing.claim(work, call_id, viewer.actor, services.now(), instead)
        said = "已认领" if made.won else _lost(work, services, made.review)
    return services.render.redirect(request, back(fields), said, "success" if made.won else "warning")


@router.post("/queue/{call_id}/release")
def release(request: Request, viewer: Desk, services: Services, fields: Posted, call_id: int) -> Response:
    with services.store.begin() as work:
        call_of(work, viewer, call_id)
        released = reviewing.release(work, call_id, viewer.actor, services.now())
    said = "已放回待认领" if released else "这条已经不在您名下，没有变化"
    return services.render.redirect(request, back(fields), said, "success" if released else "warning")


@router.post("/queue/assign")
def assign(request: Request, viewer: Desk, services: Services, fields: Posted) -> Response:
    ids = [int(each) for each in fields.all("call") if each.isascii() and each.isdigit() and len(each) < 19]
    login = fields.text("to", "要分派给谁", limit=32)
    fields.check()
    if not ids or len(ids) > MOST_AT_ONCE:
        raise BadInput(f"请先勾选要分派的通话，一次最多{MOST_AT_ONCE}条")
    now = services.now()
    with services.store.begin() as work:
        colleague = next((each for each in _colleagues(work, viewer) if each.login == login), None)
        if colleague is None:
            raise BadInput("没有这位督导，或者不在您的管辖范围内")
        seen = work.reviews.of_calls(ids)
        places = {each.area_id for each in seen.values() if each.area_id is not None}
        ours = {each for each in places if viewer.sees(work, each)}
        theirs = Viewer(colleague, "")
        allowed = {each for each in ours if theirs.sees(work, each)}
        mine = [each for each in ids if each in seen and seen[each].area_id in ours]
        done, rest = reviewing.assign(work, mine, login, allowed, viewer.actor, now)
        why = [_why_not(work, services, review, allowed) for _, review in rest]
    said = f"{len(done)}条已分派给{colleague.name}"
    if missed := len(ids) - len(mine):
        why += ["不在队列中"] * missed
    if why:
        reasons = "；".join(f"{why.count(each)}条{each}" for each in dict.fromkeys(why))
        said += f"，{len(why)}条没有分派：{reasons}"
    return services.render.redirect(request, back(fields), said, "warning" if why else "success")


def name_of(work: Work, login: str | None) -> str:
    """Of a colleague: the loser is told who won."""
    found = None if not login else work.accounts.by_login(login.removeprefix("user:"))
    return found.name if found else (login or "").removeprefix("user:")


def _lost(work: Work, house: House, review: Review | None) -> str:
    if review is None:
        return "这条已不在待复核中"
    if review.done_at is not None:
        return f"{name_of(work, review.done_by)}已于{at(review.done_at, house.config.zone)}复核完"
    if review.claimed_by is None:
        return "刚刚被放回，请再认领一次"
    return f"已被{name_of(work, review.claimed_by)}于{at(review.claimed_at, house.config.zone)}认领"


def _why_not(work: Work, house: House, review: Review | None, allowed: set[int]) -> str:
    if review is not None and review.done_at is None and review.area_id not in allowed:
        return "不在其辖区"
    return _lost(work, house, review)
