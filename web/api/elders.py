"""老人台账, as it is: numbers are masked unless the token may reveal them, which is audited."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field
from stdnum.cn import ric

from storage import Work
from storage.model import Area, Elder
from storage.vault import normalise_id_card, normalise_phone
from web.api.access import EldersRead
from web.api.common import (
    NO_NUL,
    AreaOut,
    AreaQuery,
    Cursor,
    Id,
    In,
    Limit,
    Out,
    Page,
    Paging,
    answered,
    area_asked,
    area_out,
    detail,
    etag,
    words,
)
from web.api.problem import ApiError
from web.security.tokens import Scope
from web.services import Services
from xunfang.errors import BadInput
from xunfang.log import mask
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode

TAG = "老人"
router = APIRouter(tags=[TAG])
REVEALED = "number.revealed"  # audit kind


def _phone(text: str) -> str:
    digits = normalise_phone(text)
    if not 3 <= len(digits) <= 15:
        raise ValueError("not a telephone number")
    return digits


def _card(text: str) -> str:
    card = normalise_id_card(text)
    if not re.fullmatch(r"[0-9]{17}[0-9X]", card) or ric.calc_check_digit(card[:-1]) != card[-1]:
        raise ValueError("not an id card")
    return card


Phone = Annotated[str, Field(min_length=3, max_length=30, pattern=NO_NUL), AfterValidator(_phone)]
Card = Annotated[str, Field(min_length=18, max_length=20, pattern=NO_NUL), AfterValidator(_card)]


class ElderRow(Out):
    id: int
    name: str = Field(examples=["王桂兰"])
    sex: Literal["F", "M"] = Field(description="`F` 女；`M` 男")
    birth_date: date | None
    phone: str = Field(description="遮盖，除非令牌可看完整号码并要求", examples=["138****0001"])
    area: AreaOut | None
    categories: list[Category] = Field(description=words(Category, "重点对象类别"))
    mode: VisitMode = Field(description=words(VisitMode, "巡访方式"))
    cadence: Cadence = Field(description=words(Cadence, "巡访频次"))
    paused_until: date | None = Field(description="暂停巡访到这一天")
    active: bool = Field(description="false：不再巡访（去世、迁出等）")


class ElderOut(ElderRow):
    other_phone: str | None = Field(description="第二个号码，遮盖")
    id_card: str | None = Field(description="身份证号，遮盖", examples=["110105********002X"])
    address: str
    self_caring: bool = Field(description="生活能够自理")
    good_health: bool = Field(description="身体状况良好")
    dialplan: str = Field(description="话术", examples=["weekly_short"])
    windows: list[str] = Field(description="本人的拨打时段；空：用县里的", examples=[["09:00-11:00"]])
    hard_of_hearing: bool = Field(description="听力不好：用慢速话术")
    pause_reason: str | None


class Wanted(In):
    """按号码查找；号码只在请求正文里，从不在网址里"""

    phone: Phone | None = Field(None, examples=["13812340001"])
    id_card: Card | None = None


class ConsentOut(Out):
    purpose: ConsentPurpose = Field(description=words(ConsentPurpose, "事项"))
    granted: bool
    at: str = Field(description="登记时刻（UTC）", examples=["2026-11-23T01:00:00+00:00"])
    source: str


class Consents(Out):
    items: list[ConsentOut] = Field(description="从早到晚；同一事项以最后一次为准")


# ---- reading ------------------------------------------------------------------------------------------


def _row(elder: Elder, area: Area | None, full: bool = False) -> dict[str, Any]:
    return {
        "id": elder.id,
        "name": elder.name,
        "sex": elder.sex,
        "birth_date": elder.birth_date,
        "phone": elder.phone if full else _masked(elder.phone),
        "area": area_out(area),
        "categories": sorted(elder.categories),
        "mode": elder.mode,
        "cadence": elder.cadence,
        "paused_until": elder.paused_until,
        "active": elder.active,
    }


def _masked(number: str) -> str:
    return mask(number) if number else ""


def elder_out(work: Work, elder: Elder, full: bool = False) -> ElderOut:
    area = None if elder.area_id is None else work.areas.get(elder.area_id)
    return ElderOut(
        **_row(elder, area, full),
        other_phone=elder.other_phone if full or not elder.other_phone else mask(elder.other_phone),
        id_card=elder.id_card if full or not elder.id_card else mask(elder.id_card),
        address=elder.address,
        self_caring=elder.self_caring,
        good_health=elder.good_health,
        dialplan=elder.dialplan,
        windows=list(elder.windows),
        hard_of_hearing=elder.hard_of_hearing,
        pause_reason=elder.pause_reason,
    )


def _rows(work: Work, elders: list[Elder]) -> list[ElderRow]:
    areas = work.areas.named(each.area_id for each in elders if each.area_id is not None)
    return [ElderRow(**_row(each, areas.get(each.area_id or 0))) for each in elders]


@router.get("/elders", summary="老人列表", response_model=Page[ElderRow])
def list_elders(
    caller: EldersRead, services: Services, area: AreaQuery = "", cursor: Cursor = "", limit: Limit = 50
) -> Response:
    """按编号排列，包括已停用的。"""
    paging = Paging.of(services.store, "elders", limit, cursor)
    with services.store.read() as work:
        found = work.elders.page(paging.id or 0, limit + 1, area_asked(work, caller, area))
        items = _rows(work, found[:limit])
    return answered(Page[ElderRow](items=items, next=paging.next(found, lambda each: (each.id,))))


@router.post("/search/elders", summary="按电话或身份证号查找", response_model=Page[ElderRow])
def search(caller: EldersRead, services: Services, wanted: Wanted) -> Response:
    """固定电话可能几位老人共用，所以答的是列表。"""
    if wanted.phone is None and wanted.id_card is None:
        raise BadInput("请给出 phone 或 id_card")
    with services.store.read() as work:
        found = [] if wanted.phone is None else work.elders.find_by_phone(wanted.phone)
        by_card = None if wanted.id_card is None else work.elders.find_by_id_card(wanted.id_card)
        if wanted.id_card is not None:
            both = wanted.phone is None or (by_card is not None and by_card.id in {e.id for e in found})
            found = [by_card] if by_card is not None and both else []
        seen = [each for each in found if caller.viewer.sees(work, each.area_id)]
        items = _rows(work, seen)
    return answered(Page[ElderRow](items=items, next=None))


@router.get("/elders/{id}", summary="一位老人", response_model=ElderOut)
def get_elder(
    caller: EldersRead,
    services: Services,
    id: Id,
    reveal: Annotated[bool, Query(description="完整号码，需要 elders:reveal，每次记入审计")] = False,
) -> Response:
    if not reveal:
        with services.store.read() as work:
            elder = caller.viewer.elder(work, id)
            body = elder_out(work, elder)
        return answered(body, headers={"ETag": etag(services.store, elder)})
    if not caller.may(Scope.ELDERS_REVEAL):
        raise ApiError(403, f"这个令牌没有权限 {Scope.ELDERS_REVEAL.value}（查看完整号码）。")
    with services.store.begin() as work:
        elder = caller.viewer.elder(work, id)
        work.audit.write(services.now(), caller.name, REVEALED, f"elder:{id}", detail(whose="elder"))
        body = elder_out(work, elder, full=True)
    return answered(body, headers={"ETag": etag(services.store, elder)})


@router.get("/elders/{id}/consents", summary="意愿登记", response_model=Consents)
def consents(caller: EldersRead, services: Services, id: Id) -> Response:
    with services.store.read() as work:
        caller.viewer.elder(work, id)
        found = work.consents.of(id)
    items = [
        ConsentOut(purpose=each.purpose, granted=each.granted, at=each.at.isoformat(), source=each.source)
        for each in found
    ]
    return answered(Consents(items=items))
