"""Changes to the ledger 老人台账: a new elder, his fields, pause and consents. All audited."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field

from scheduler.hours import parse_windows
from storage import Work
from web.api.access import Caller, EldersWrite
from web.api.common import (
    NO_NUL,
    DoneOnce,
    Id,
    IfMatch,
    In,
    answered,
    area_asked,
    check_version,
    detail,
    etag,
    words,
)
from web.api.elders import TAG, Card, ConsentOut, ElderOut, Phone, elder_out
from web.services import Services
from xunfang.errors import BadInput, BadSettings, Conflict
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode

router = APIRouter(tags=[TAG])
CHANGED = "elder.changed"  # audit kind
LONGEST_PAUSE_DAYS = 366
_TITLES = {"area_code": "村", "phone": "电话", "other_phone": "第二电话", "id_card": "身份证号"}


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


Windows = Annotated[tuple[Annotated[str, Field(max_length=40)], ...], AfterValidator(_windows)]
Name = Annotated[str, Field(min_length=1, max_length=50, pattern=NO_NUL)]
BirthDate = Annotated[date, AfterValidator(_birth)]
Address = Annotated[str, Field(max_length=200, pattern=NO_NUL)]
AreaCode = Annotated[str, Field(pattern=r"^[0-9]{12}$", examples=["220183101205"])]


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


class Pause(In):
    until: date = Field(description="到哪一天为止，一年以内", examples=["2026-12-31"])
    reason: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL, examples=["住院"])]


class NewConsent(In):
    purpose: ConsentPurpose = Field(description=words(ConsentPurpose, "事项"))
    granted: bool
    source: Literal["paper", "visitor", "phone"] = Field(
        description="`paper` 书面；`visitor` 巡访员当面征求；`phone` 本人来电"
    )


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
        return elder_out(work, made)

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
        body = elder_out(work, elder)
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
        return elder_out(work, elder)

    return once.run(caller, do)


@router.post("/elders/{id}/resume", summary="恢复巡访", response_model=ElderOut)
def resume(caller: EldersWrite, services: Services, id: Id, once: DoneOnce) -> Response:
    def do(work: Work) -> ElderOut:
        if caller.viewer.elder(work, id).paused_until is None:
            raise Conflict("这位老人没有暂停")
        elder = work.elders.update(id, paused_until=None, pause_reason=None)
        work.audit.write(services.now(), caller.name, "elder.resumed", f"elder:{id}", detail())
        return elder_out(work, elder)

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
