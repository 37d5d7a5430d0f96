"""补贴线索: who may be entitled to a benefit, why, and how far it has come."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from records import subsidies
from storage.model import SubsidyClue
from web.access import Desk, Reader
from web.forms import Posted
from web.navigation import READERS, NavItem
from web.paging import PAGE_ROWS, Page, Pager
from web.services import Services
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import Subsidy, SubsidyStatus, zh

NAV = (NavItem("补贴", "/subsidies", READERS, 61, key="b"),)
LIST = "subsidies"
ALL = "all"
router = APIRouter()
Word = TypeVar("Word", bound=StrEnum)


@router.get("/subsidies")
def show(
    request: Request,
    viewer: Reader,
    services: Services,
    status: str = SubsidyStatus.NEW.value,
    benefit: str = "",
    after: str = "",
) -> Response:
    """`status` new (待核实) unless another, or `all`, is asked for."""
    which = None if status == ALL else _word(SubsidyStatus, status)
    what = _word(Subsidy, benefit) if benefit else None
    pager = Pager(services.store, LIST)
    key = pager.key(after)
    with services.store.read() as work:
        clues = work.subsidies.page(
            status=which,
            benefit=what,
            area_id=viewer.area_id,
            after_id=int(str(key[0])) if key else 0,
            limit=PAGE_ROWS + 1,
        )
        counts = work.subsidies.counts(viewer.area_id)
        elders = work.subsidies.elders(each.elder_id for each in clues)
        areas = work.areas.named(each.area_id for each in elders.values() if each.area_id is not None)
        said = work.subsidies.said(clues)
    page: Page[SubsidyClue] = pager.page(clues, PAGE_ROWS, lambda each: (each.id,))
    return services.render.page(
        request,
        "reports/subsidies.html",
        block="list",
        page=page,
        counts=counts,
        elders=elders,
        areas=areas,
        evidence={each.id: subsidies.evidence_zh(each, said) for each in page.rows},
        chosen=which,
        benefit=what,
        statuses=SubsidyStatus,
        benefits=Subsidy,
        base=_address(which, what),
    )


@router.post("/subsidies/{clue_id}")
def decide(request: Request, viewer: Desk, services: Services, fields: Posted, clue_id: int) -> Response:
    status = fields.one_of("status", "处理结果", SubsidyStatus)
    note = fields.text("note", "说明", limit=subsidies.NOTE_CHARS, required=False)
    fields.check()
    assert status is not None
    with services.store.begin() as work:
        clue = work.subsidies.get(clue_id)
        if clue is None:
            raise NotFound("没有这条补贴线索")
        viewer.elder(work, clue.elder_id)
        subsidies.decide(
            work, clue_id, status, str(viewer.actor), services.now(), note, seen=fields.raw("seen")
        )
    back = fields.raw("back")
    to = back if back.startswith("/subsidies") else "/subsidies"
    return services.render.redirect(request, to, said=f"已登记：{zh(clue.benefit)}，{zh(status)}")


@router.post("/subsidies")
def sweep(request: Request, viewer: Desk, services: Services) -> Response:
    """Look at the visits since the last time; the planner's tick does the same."""
    rules = subsidies.load_rules(services.config.subsidy_rules)
    found = subsidies.sweep(services.store, rules, services.now(), services.config.zone)
    return services.render.redirect(request, "/subsidies", said=f"已查看{found.records}份新的巡访记录")


def _address(status: SubsidyStatus | None, benefit: Subsidy | None) -> str:
    query = {"status": ALL if status is None else status.value}
    if benefit is not None:
        query["benefit"] = benefit.value
    return f"/subsidies?{urlencode(query)}"


def _word(words: type[Word], text: str) -> Word:
    try:
        return words(text)
    except ValueError:
        raise BadInput("没有这个选项") from None
