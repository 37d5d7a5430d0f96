"""巡访记录, 统计指标, 拨号机运行状况."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from records import document, indicators
from records.indicator_table import COUNTS, RATES
from records.service import BASELINE
from storage import Work
from storage.model import VisitRecord
from web.api.access import FleetRead, RecordsRead, ReportsRead
from web.api.common import (
    AreaQuery,
    Asked,
    Id,
    Out,
    Page,
    Since,
    answered,
    area_asked,
    detail,
    words,
)
from web.services import Services
from xunfang.errors import NotFound
from xunfang.vocabulary import DiallerState, Risk, VisitMode

router = APIRouter()
FORM_MADE = "form.made"  # audit kind, as of the console
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class RecordOut(Out):
    """一次巡访的《探访情况》"""

    id: int
    elder_id: int
    plan_id: int | None
    call_id: int | None
    mode: VisitMode = Field(description=words(VisitMode, "巡访方式"))
    visited_at: datetime
    risk: Risk = Field(description=words(Risk, "风险等级"))
    reasons: list[str]
    fields: dict[str, str] = Field(description="记录表各栏，中文取值；电话看不到的写“未现场核实”")


class AreaCounts(Out):
    code: str
    name: str
    level: str
    counts: dict[str, int]
    rates: dict[str, float | None] = Field(description="0–1；分母为 0 时为 null")
    pauses: dict[str, int] = Field(description="暂停原因 → 人数")


class Definition(Out):
    key: str
    title: str
    unit: str
    meaning: str


class Indicators(Out):
    month: str = Field(examples=["2026-11"])
    made_at: str
    areas: list[AreaCounts] = Field(description="所要的区划在前，其后是下属各级")
    definitions: list[Definition] = Field(description="每项指标的名称和口径")


class DiallerOut(Out):
    id: int
    state: DiallerState = Field(description=words(DiallerState, "状态"))
    started_at: datetime
    heartbeat_at: datetime
    lapsed: bool = Field(description="心跳超过租约：可能已停")
    capacity: int
    live: int = Field(description="正在进行的通话")
    lag_ms: float = Field(description="识别延迟 p95，毫秒")
    breaker: str = Field(description="线路熔断：closed 正常；open 暂停拨打；half_open 试拨")


class Fleet(Out):
    at: datetime
    diallers: list[DiallerOut]
    channels_used: int
    channels: int
    ready: int = Field(description="现在可拨的计划数")
    later: int = Field(description="以后再拨的计划数")


def _record(record: VisitRecord) -> RecordOut:
    return RecordOut(
        id=record.id,
        elder_id=record.elder_id,
        plan_id=record.plan_id,
        call_id=record.call_id,
        mode=record.mode,
        visited_at=record.visited_at,
        risk=record.risk,
        reasons=list(record.reasons),
        fields={key: str(value) for key, value in record.fields.items() if key != BASELINE},
    )


@router.get("/records", summary="巡访记录列表", response_model=Page[RecordOut], tags=["记录"])
def list_records(caller: RecordsRead, asked: Asked, since: Since = None) -> Response:
    """从新到旧。"""

    def ask(work: Work, area_id: int | None, rows: int, before: int) -> list[VisitRecord]:
        return work.lists.records(area_id, rows, before, elder_id=asked.elder_id, since=since)

    return asked.newest(caller, "records", ask, _record)


@router.get("/records/{id}", summary="一次巡访的记录", response_model=RecordOut, tags=["记录"])
def get_record(caller: RecordsRead, services: Services, id: Id) -> Response:
    with services.store.read() as work:
        record = work.records.get(id)
        if record is None:
            raise NotFound("没有这条记录")
        caller.viewer.elder(work, record.elder_id)
    return answered(_record(record))


_DOCX: dict[int | str, dict[str, Any]] = {
    200: {"content": {WORD: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get(
    "/elders/{id}/form.docx",
    summary="记录表（Word）",
    tags=["记录"],
    response_class=Response,
    responses=_DOCX,
)
def form(caller: RecordsRead, services: Services, id: Id) -> Response:
    """特殊困难老年人探访关爱服务记录表，含完整号码，一式两份。每次下载记入审计。"""
    now, config = services.now(), services.config
    with services.store.begin() as work:
        elder = caller.viewer.elder(work, id)
        facts = document.gather(work, elder.id, photos=config.photos_folder)
        context = document.fill(facts, now, config.zone)
        work.audit.write(now, caller.name, FORM_MADE, f"elder:{id}", detail(kind="docx"))
    made = document.render(context, config.form_template)
    headers = {
        "Content-Disposition": f'attachment; filename="form-{id}.docx"',
        "Cache-Control": "private, no-store",
    }
    return Response(made, media_type=WORD, headers=headers)


@router.get("/reports/indicators", summary="月度指标", response_model=Indicators, tags=["统计"])
def get_indicators(
    caller: ReportsRead,
    services: Services,
    month: Annotated[
        str, Query(pattern=r"^(20[0-9]{2}-(0[1-9]|1[0-2]))?$", description="不填：本月", examples=["2026-11"])
    ] = "",
    area: AreaQuery = "",
    levels: Annotated[int, Query(ge=0, le=3, description="往下几级")] = 1,
) -> Response:
    """月探访率等指标，分子分母都给出；口径见 definitions。"""
    now, zone = services.now(), services.config.zone
    wanted = indicators.month_of(month, zone) if month else indicators.this_month(now, zone)
    with services.store.read() as work:
        made = indicators.report(work, wanted, now, area_asked(work, caller, area), levels=levels)
    known = [{"key": e.key, "title": e.title, "unit": e.unit, "meaning": e.meaning} for e in RATES]
    known += [{"key": e.key, "title": e.title, "unit": e.unit, "meaning": e.meaning} for e in COUNTS]
    told = {**indicators.as_json(made), "definitions": known}
    return answered(Indicators.model_validate(told))


@router.get("/fleet", summary="拨号机运行状况", response_model=Fleet, tags=["运行"])
def fleet(caller: FleetRead, services: Services) -> Response:
    now, config = services.now(), services.config
    with services.store.read() as work:
        present = work.diallers.present()
        used = work.channels.used(config.lease.trunk)
        ready, later = work.plans.queued(now)
    items = [
        DiallerOut(
            id=each.id,
            state=each.state,
            started_at=each.started_at,
            heartbeat_at=each.heartbeat_at,
            lapsed=now - each.heartbeat_at >= config.lease.lease,
            capacity=each.capacity,
            live=each.live,
            lag_ms=each.lag_ms,
            breaker=each.breaker,
        )
        for each in present
    ]
    return answered(
        Fleet(at=now, diallers=items, channels_used=used, channels=config.channels, ready=ready, later=later)
    )
