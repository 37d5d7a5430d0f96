"""巡访计划与专项巡访."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from scheduler.planning import campaigns
from storage import Work
from storage.model import Campaign, VisitPlan
from web.api.access import CampaignsWrite, PlansRead
from web.api.common import (
    NO_NUL,
    Asked,
    Cursor,
    DoneOnce,
    Id,
    In,
    Limit,
    Out,
    Page,
    Paging,
    answered,
    area_asked,
    words,
)
from web.services import Services
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import CampaignKind, Category, PlanStatus, VisitMode, zh

router = APIRouter(tags=["计划"])
_CODE = r"^[a-z0-9][a-z0-9-]{1,38}$"
_LAST_YEAR = 2200


Code = Annotated[str, Path(pattern=_CODE, description="代码")]


class PlanOut(Out):
    """一位老人在一个周期里的一次巡访"""

    id: int
    elder_id: int
    period: str = Field(description="周期", examples=["2026-W47"])
    mode: VisitMode = Field(description=words(VisitMode, "巡访方式"))
    status: PlanStatus = Field(description=words(PlanStatus, "状态"))
    status_zh: str = Field(examples=["待拨打"])
    due_from: datetime
    due_until: datetime
    attempts: int = Field(description="算数的拨打次数；线路故障不算")
    next_attempt_at: datetime | None
    dialplan: str


class CampaignOut(Out):
    code: str = Field(examples=["heat-2026-07"])
    name: str
    kind: CampaignKind = Field(description=words(CampaignKind, "种类"))
    area_codes: list[str] = Field(description="空：全县")
    categories: list[Category] = Field(description="空：所有人")
    dialplan: str
    starts: date
    ends: date = Field(description="最后一天")
    every_days: int | None = Field(description="每几天一轮；null：只一轮")
    ended_at: datetime | None = Field(description="提前结束的时刻")


class NewCampaign(In):
    code: Annotated[str, Field(pattern=_CODE, examples=["heat-2026-07"])]
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL, examples=["高温专项"])]
    kind: CampaignKind = Field(description=words(CampaignKind, "种类"))
    area_codes: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9]{12}$")], ...], Field(max_length=200)
    ] = ()
    categories: frozenset[Category] = Field(frozenset(), description=words(Category))
    starts: date = Field(examples=["2026-12-01"])
    ends: date = Field(examples=["2026-12-07"])
    every_days: Annotated[int, Field(ge=1, le=180)] | None = None


def _plan(plan: VisitPlan) -> PlanOut:
    return PlanOut(
        id=plan.id,
        elder_id=plan.elder_id,
        period=plan.period,
        mode=plan.mode,
        status=plan.status,
        status_zh=zh(plan.status),
        due_from=plan.due_from,
        due_until=plan.due_until,
        attempts=plan.attempts,
        next_attempt_at=plan.next_attempt_at,
        dialplan=plan.dialplan,
    )


@router.get("/plans", summary="巡访计划列表", response_model=Page[PlanOut])
def list_plans(
    caller: PlansRead,
    asked: Asked,
    status: Annotated[PlanStatus | None, Query(description=words(PlanStatus))] = None,
    period: Annotated[str, Query(max_length=64, pattern=NO_NUL, description="周期，如 2026-W47")] = "",
) -> Response:
    """从新到旧。"""

    def ask(work: Work, area_id: int | None, rows: int, before: int) -> list[VisitPlan]:
        return work.lists.plans(area_id, rows, before, elder_id=asked.elder_id, status=status, period=period)

    return asked.newest(caller, "plans", ask, _plan)


@router.get("/plans/{id}", summary="一个计划", response_model=PlanOut)
def get_plan(caller: PlansRead, services: Services, id: Id) -> Response:
    with services.store.read() as work:
        plan = work.plans.get(id)
        if plan is None:
            raise NotFound("没有这个计划")
        caller.viewer.elder(work, plan.elder_id)
    return answered(_plan(plan))


# ---- campaigns ------------------------------------------------------------------------------------------


def _campaign(work: Work, campaign: Campaign) -> CampaignOut:
    areas = work.areas.named(campaign.areas)
    return CampaignOut(
        code=campaign.code,
        name=campaign.name,
        kind=campaign.kind,
        area_codes=[areas[each].code for each in campaign.areas if each in areas],
        categories=sorted(campaign.categories),
        dialplan=campaign.dialplan,
        starts=campaign.starts,
        ends=campaign.ends,
        every_days=campaign.every_days,
        ended_at=campaign.ended_at,
    )


def _named(work: Work, code: str) -> Campaign:
    found = work.campaigns.get(code)
    if found is None:
        raise NotFound("没有这个专项巡访")
    return found


@router.get("/campaigns", summary="专项巡访列表", response_model=Page[CampaignOut])
def list_campaigns(caller: PlansRead, services: Services, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """全县的都列出，包括已结束的。"""
    paging = Paging.of(services.store, "campaigns", limit, cursor)
    with services.store.read() as work:
        found = work.campaigns.page(paging.id or 0, limit + 1)
        items = [_campaign(work, each) for each in found[:limit]]
    return answered(Page[CampaignOut](items=items, next=paging.next(found, lambda each: (each.id,))))


@router.get("/campaigns/{code}", summary="一个专项巡访", response_model=CampaignOut)
def get_campaign(caller: PlansRead, services: Services, code: Code) -> Response:
    with services.store.read() as work:
        body = _campaign(work, _named(work, code))
    return answered(body)


@router.post("/campaigns", summary="发起专项巡访", response_model=CampaignOut, status_code=201)
def add_campaign(caller: CampaignsWrite, services: Services, given: NewCampaign, once: DoneOnce) -> Response:
    """限定区划的令牌必须写明 area_codes。话术按种类选定。"""
    _check_days(given)

    def do(work: Work) -> CampaignOut:
        now = services.now()
        if caller.area_id is not None and not given.area_codes:
            raise BadInput("这个令牌只管一部分区划，请写明 area_codes")
        if work.campaigns.get(given.code) is not None:
            raise Conflict("已有这个代码的专项巡访")
        wanted = (area_asked(work, caller, code) for code in given.area_codes)
        campaign = Campaign(
            id=0,
            code=given.code,
            name=given.name,
            kind=given.kind,
            areas=tuple(dict.fromkeys(each for each in wanted if each is not None)),
            categories=given.categories,
            dialplan=campaigns.DIALPLANS[given.kind],
            starts=given.starts,
            ends=given.ends,
            every_days=given.every_days,
            created_by=caller.name,
            created_at=now,
        )
        return _campaign(work, campaigns.add(work, campaign, now))

    return once.run(caller, do, 201)


def _check_days(given: NewCampaign) -> None:
    if not 2000 <= given.starts.year <= given.ends.year <= _LAST_YEAR or given.ends < given.starts:
        raise BadInput("结束日期不能早于开始日期")
    if given.ends - given.starts > campaigns.LONGEST:
        raise BadInput(f"专项巡访最长{campaigns.LONGEST.days}天")


@router.post("/campaigns/{code}/end", summary="提前结束专项巡访", response_model=CampaignOut)
def end_campaign(caller: CampaignsWrite, services: Services, code: Code) -> Response:
    """重复请求没有害处。"""
    with services.store.read() as work:
        campaign = _named(work, code)
        whole = caller.area_id is None
        within = bool(campaign.areas) and all(caller.viewer.sees(work, each) for each in campaign.areas)
        if not whole and not within:
            raise NotFound("没有这个专项巡访")
    campaigns.end(services.store, code, caller.name, services.now())
    with services.store.read() as work:
        body = _campaign(work, _named(work, code))
    return answered(body)
