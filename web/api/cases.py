"""上门案件: the queue, one case, its history, and every step of its life."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from storage import Work
from storage.model import Case
from storage.model.wall import CaseFilter, CaseTab
from visits import handling, history, life
from visits.life import Order
from web.api.access import CasesRead, CasesWrite
from web.api.common import (
    LARGEST_ID,
    NO_NUL,
    AreaQuery,
    Cursor,
    DoneOnce,
    Id,
    IfMatch,
    In,
    Limit,
    Out,
    Page,
    Paging,
    answered,
    area_asked,
    check_version,
    etag,
    words,
)
from web.paging import case_key, urgency_of
from web.services import Services
from web.texts.times import SOON
from xunfang.vocabulary import (
    CaseKind,
    CaseLevel,
    CaseStatus,
    CaseStep,
    Priority,
    ReferTo,
    ReportCategory,
    zh,
)

router = APIRouter(prefix="/cases", tags=["上门案件"])


class CaseOut(Out):
    id: int
    elder_id: int
    kind: CaseKind = Field(description=words(CaseKind, "事由"))
    kind_zh: str = Field(examples=["紧急求助"])
    priority: Priority = Field(description=words(Priority, "紧急程度"))
    status: CaseStatus = Field(description=words(CaseStatus, "状态"))
    status_zh: str = Field(examples=["已分派"])
    opened_at: datetime
    deadline: datetime
    visitor_id: int | None = Field(description="由谁去；null：还没有人")
    level: CaseLevel | None = Field(description=words(CaseLevel, "已上报到"))
    visited_at: datetime | None
    closed_at: datetime | None
    call_id: int | None
    merged: int = Field(description="后来并入的原因数")


class CaseFull(CaseOut):
    summary: str = Field(description="给巡访员看的摘要")
    evidence: list[dict[str, Any]] = Field(description="依据：原话、录音秒数、规则")
    disposition_note: str = Field(description="处置情况")
    referred_to: ReferTo | None = Field(description=words(ReferTo, "转介给"))
    report_category: ReportCategory | None = Field(description=words(ReportCategory, "报告类别"))
    may: list[CaseStep] = Field(description="现在可以做的步骤")


class Happened(Out):
    at: datetime
    actor: str = Field(examples=["user:zhang"])
    kind: str = Field(examples=["case.assign"])
    text: str = Field(description="一句中文", examples=["分派给巡访员3"])


class History(Out):
    items: list[Happened] = Field(description="从早到晚，也包括没有做成的（如通知没有发出）")


class Step(In):
    step: CaseStep = Field(description=words(CaseStep, "步骤"))
    note: Annotated[
        str,
        Field(max_length=2000, pattern=NO_NUL, description="办结、推辞时必填；分派时为理由（最多 200 字）"),
    ] = ""
    visitor_id: Annotated[int, Field(ge=1, le=LARGEST_ID)] | None = Field(None, description="分派给谁")
    refer_to: ReferTo | None = Field(None, description=words(ReferTo, "转介时必填"))
    category: ReportCategory | None = Field(None, description=words(ReportCategory, "转介时必填"))


def _row(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "elder_id": case.elder_id,
        "kind": case.kind,
        "kind_zh": zh(case.kind),
        "priority": case.priority,
        "status": case.status,
        "status_zh": zh(case.status),
        "opened_at": case.opened_at,
        "deadline": case.deadline,
        "visitor_id": case.visitor_id,
        "level": case.level,
        "visited_at": case.visited_at,
        "closed_at": case.closed_at,
        "call_id": case.call_id,
        "merged": case.merged,
    }


def _full(case: Case) -> CaseFull:
    return CaseFull(
        **_row(case),
        summary=case.summary,
        evidence=[dict(each) for each in case.evidence],
        disposition_note=case.disposition_note,
        referred_to=case.referred_to,
        report_category=case.report_category,
        may=list(life.steps_for(case.status, life.Role.SUPERVISOR)),
    )


@router.get("", summary="上门队列", response_model=Page[CaseOut])
def list_cases(
    caller: CasesRead,
    services: Services,
    area: AreaQuery = "",
    tab: Annotated[
        CaseTab,
        Query(
            description="`open` 未办结；`waiting` 无人接受；`under_way` 处理中；"
            "`late` 将超期或已超期；`closed` 已办结"
        ),
    ] = CaseTab.OPEN,
    priority: Annotated[Priority | None, Query(description=words(Priority))] = None,
    kind: Annotated[CaseKind | None, Query(description=words(CaseKind))] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """未办结的紧急在前，再按期限；已办结的从新到旧。"""
    paging = Paging.of(services.store, f"cases {tab}", limit, cursor)
    after = urgency_of(paging.key)
    with services.store.read() as work:
        area_id = area_asked(work, caller, area)
        which = CaseFilter(soon=services.now() + SOON, area_id=area_id, tab=tab, priority=priority, kind=kind)
        found = [each.case for each in work.case_lists.page(which, limit + 1, after)]
    items = [CaseOut(**_row(each)) for each in found[:limit]]
    following = paging.next(found, case_key)
    return answered(Page[CaseOut](items=items, next=following))


@router.get("/{id}", summary="一个案件", response_model=CaseFull)
def get_case(caller: CasesRead, services: Services, id: Id) -> Response:
    with services.store.read() as work:
        case = caller.viewer.case(work, id)
    return answered(_full(case), headers={"ETag": etag(services.store, case)})


@router.get("/{id}/history", summary="案件经过", response_model=History)
def get_history(caller: CasesRead, services: Services, id: Id) -> Response:
    with services.store.read() as work:
        caller.viewer.case(work, id)
        entries = work.audit.of(f"case:{id}")
    zone = services.config.timezone
    items = [
        Happened(
            at=each.at,
            actor=each.actor,
            kind=each.kind,
            text=history.sentence(each.kind, each.detail, lambda number: f"巡访员{number}", zone, each.actor),
        )
        for each in entries
    ]
    return answered(History(items=items))


@router.post("/{id}/steps", summary="处理案件", response_model=CaseFull)
def take_step(
    caller: CasesWrite, services: Services, id: Id, given: Step, once: DoneOnce, if_match: IfMatch = None
) -> Response:
    """每一步都记入经过并通知该通知的人。两人同时处理时只有一人成功，另一人得到 409，说明是谁先做了。
    给出 If-Match 时，案件在读取之后变过即答 412。"""

    def do(work: Work) -> CaseFull:
        case = caller.viewer.case(work, id)
        check_version(services.store, case, if_match)
        order = Order(
            given.step,
            caller.viewer.actor,
            given.note,
            visitor_id=given.visitor_id,
            to=given.refer_to,
            category=given.category,
        )
        return _full(handling.handle(work, id, order, services.now(), services.config.deadlines, seen=case))

    return once.run(caller, do)
