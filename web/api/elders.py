"""老人台账: numbers are masked unless the token may reveal them, which is audited."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field
from stdnum.cn import ric

from scheduler.hours import parse_windows
from storage import Work
from storage.model import Area, Elder
from storage.vault import normalise_id_card, normalise_phone
from web.api.access import Caller, EldersRead, EldersWrite
from web.api.common import (
    NO_NUL,
    AreaOut,
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
    area_out,
    check_version,
    detail,
    etag,
    words,
)
from web.api.problem import ApiError
from web.security.tokens import Scope
from web.services import Services
from xunfang.errors import BadInput, BadSettings, Conflict
from xunfang.log import mask
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode

router = APIRouter(tags=["老人"])
CHANGED, REVEALED = "elder.changed", "number.revealed"  # audit kinds
LONGEST_PAUSE_DAYS = 366
_TITLES = {"area_code": "村", "phone": "电话", "other_phone": "第二电话", "id_card": "身份证号"}


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


def _windows(texts: tuple[str, ...]) -> tuple[str, ...]:
    try:
        parse_windows(texts)
    except BadSettings:
        raise ValueError("not calling hours") from None
    return texts


def _birth(day: date) -> date:
    if day.year < 1890:
        raise ValueError("too long ago")
    return day


Phone = Annotated[str, Field(min_length=3, max_length=30, pattern=NO_NUL), AfterValidator(_phone)]
Card = Annotated[str, Field(min_length=18, max_length=20, pattern=NO_NUL), AfterValidator(_card)]
Windows = Annotated[tuple[Annotated[str, Field(max_length=40)], ...], AfterValidator(_windows)]
Name = Annotated[str, Field(min_length=1, max_length=50, pattern=NO_NUL)]
BirthDate = Annotated[date, AfterValidator(_birth)]
Address = Annotated[str, Field(max_length=200, pattern=NO_NUL)]
AreaCode = Annotated[str, Field(pattern=r"^[0-9]{12}$", examples=["220183101205"])]


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


class ElderChanges(In):
    """只写要改的字段；null 不表示清空"""

    name: Name | None = None
    sex: Literal["F", "M"] | None = None
    birth_date: BirthDate | None = None
    phone: Phone | None = None
    other_phone: Phone | None = None
    id_card: Card | None = None
    area_code: AreaCode | None = None
    address: Address | None = None
    categories: frozenset[Category] | None = Field(None, description=words(Category))
    self_caring: bool | None = None
    good_health: bool | None = None
    mode: VisitMode | None = Field(None, description=words(VisitMode))
    cadence: Cadence | None = Field(None, description=words(Cadence))
    windows: Windows | None = None
    hard_of_hearing: bool | None = None
    active: bool | None = None


class NewElder(ElderChanges):
    """至少要有姓名、性别、电话和村"""

    name: Name = Field(examples=["王桂兰"])
    sex: Literal["F", "M"] = Field(examples=["F"])
    phone: Phone = Field(examples=["13812340001"])
    area_code: AreaCode = Field(description="村的 12 位统计代码")


class Wanted(In):
    """按号码查找；号码只在请求正文里，从不在网址里"""

    phone: Phone | None = Field(None, examples=["13812340001"])
    id_card: Card | None = None


class Pause(In):
    until: date = Field(description="到哪一天为止，一年以内", examples=["2026-12-31"])
    reason: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL, examples=["住院"])]


class NewConsent(In):
    purpose: ConsentPurpose = Field(description=words(ConsentPurpose, "事项"))
    granted: bool
    source: Literal["paper", "visitor", "phone"] = Field(
        description="`paper` 书面；`visitor` 巡访员当面征求；`phone` 本人来电"
    )


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


def _out(work: Work, elder: Elder, full: bool = False) -> ElderOut:
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
            body = _out(work, elder)
        return answered(body, headers={"ETag": etag(services.store, elder)})
    if not caller.may(Scope.ELDERS_REVEAL):
        raise ApiError(403, f"这个令牌没有权限 {Scope.ELDERS_REVEAL.value}（查看完整号码）。")
    with services.store.begin() as work:
        elder = caller.viewer.elder(work, id)
        work.audit.write(services.now(), caller.name, REVEALED, f"elder:{id}", detail(whose="elder"))
        body = _out(work, elder, full=True)
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


# ---- writing ------------------------------------------------------------------------------------------


def _fields(work: Work, caller: Caller, given: ElderChanges) -> dict[str, Any]:
    fields = {name: value for name, value in given if value is not None}
    code = fields.pop("area_code", None)
    if code is not None:
        fields["area_id"] = area_asked(work, caller, code)
    return fields


def _check_unique(work: Work, fields: dict[str, Any], own_id: int = 0, name: str = "") -> None:
    """The same person twice is refused by the import too."""
    card = fields.get("id_card")
    other = work.elders.find_by_id_card(card) if card else None
    if other is not None and other.id != own_id:
        raise Conflict("台账中另一位老人已登记这个身份证号")
    alike = work.elders.find_by_phone(fields["phone"]) if fields.get("phone") else []
    if any(each.id != own_id and each.name == fields.get("name", name) for each in alike):
        raise Conflict("台账中已有同名同号码的老人")


@router.post("/elders", summary="新增老人", response_model=ElderOut, status_code=201)
def add_elder(caller: EldersWrite, services: Services, given: NewElder, once: DoneOnce) -> Response:
    """新增后按类别和频次自动安排巡访；要登记意愿请用 consents。"""

    def do(work: Work) -> ElderOut:
        fields = _fields(work, caller, given)
        _check_unique(work, fields)
        made = work.elders.add(**fields)
        told = detail(fields={"新增": "接口"})
        work.audit.write(services.now(), caller.name, "elder.added", f"elder:{made.id}", told)
        return _out(work, made)

    return once.run(caller, do, 201)


@router.patch("/elders/{id}", summary="修改老人", response_model=ElderOut)
def change_elder(
    caller: EldersWrite, services: Services, id: Id, given: ElderChanges, if_match: IfMatch = None
) -> Response:
    """必须给出 If-Match：别人先改过时答 412，不会互相覆盖。"""
    with services.store.begin() as work:
        elder = caller.viewer.elder(work, id)
        check_version(services.store, elder, if_match, required=True)
        fields = _fields(work, caller, given)
        fields = {name: value for name, value in fields.items() if value != getattr(elder, name)}
        _check_unique(work, fields, id, elder.name)
        if fields:
            elder = work.elders.update(id, **fields)
            told = detail(fields={_TITLES.get(name, name): "已修改" for name in sorted(fields)})
            work.audit.write(services.now(), caller.name, CHANGED, f"elder:{id}", told)
        body = _out(work, elder)
    return answered(body, headers={"ETag": etag(services.store, elder)})


@router.post("/elders/{id}/pause", summary="暂停巡访", response_model=ElderOut)
def pause(caller: EldersWrite, services: Services, id: Id, given: Pause, once: DoneOnce) -> Response:
    """必须有到期日，到期自动提醒；暂停的老人仍在月探访率的分母里。"""

    def do(work: Work) -> ElderOut:
        now = services.now()
        caller.viewer.elder(work, id)
        if not 0 <= (given.until - services.today()).days <= LONGEST_PAUSE_DAYS:
            raise BadInput("until 须是今天起一年以内的日期")
        elder = work.elders.update(id, paused_until=given.until, pause_reason=given.reason)
        told = detail(until=given.until.isoformat(), reason=given.reason)
        work.audit.write(now, caller.name, "elder.paused", f"elder:{id}", told)
        return _out(work, elder)

    return once.run(caller, do)


@router.post("/elders/{id}/resume", summary="恢复巡访", response_model=ElderOut)
def resume(caller: EldersWrite, services: Services, id: Id, once: DoneOnce) -> Response:
    def do(work: Work) -> ElderOut:
        if caller.viewer.elder(work, id).paused_until is None:
            raise Conflict("这位老人没有暂停")
        elder = work.elders.update(id, paused_until=None, pause_reason=None)
        work.audit.write(services.now(), caller.name, "elder.resumed", f"elder:{id}", detail())
        return _out(work, elder)

    return once.run(caller, do)


@router.post("/elders/{id}/consents", summary="登记意愿", response_model=ConsentOut, status_code=201)
def consent(caller: EldersWrite, services: Services, id: Id, given: NewConsent, once: DoneOnce) -> Response:
    """只增不改；同一事项以最后一次为准。"""

    def do(work: Work) -> ConsentOut:
        now = services.now()
        caller.viewer.elder(work, id)
        if work.consents.current(id, given.purpose) == given.granted:
            raise Conflict("台账里已经是这个意愿，没有变化")
        made = work.consents.add(id, given.purpose, given.granted, now, given.source)
        kind = "consent.given" if given.granted else "consent.withdrawn"
        told = detail(purpose=given.purpose.value, source=given.source)
        work.audit.write(now, caller.name, kind, f"elder:{id}", told)
        return ConsentOut(
            purpose=made.purpose, granted=made.granted, at=made.at.isoformat(), source=made.source
        )

    return once.run(caller, do, 201)
