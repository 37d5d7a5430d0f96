"""复核: the queue of flagged calls, and what a supervisor says of a call."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from storage import Work
from storage.model import ReviewFilter, Tab
from visits import review as judging
from web.api.access import CallsRead, ReviewsWrite
from web.api.calls import TAG, CorrectionOut, VerdictOut, call_of, correction_out, verdict_out
from web.api.common import (
    NO_NUL,
    AreaQuery,
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
from web.paging import review_key, urgency_of
from web.services import Services
from web.texts.times import SOON
from xunfang.vocabulary import Alert, Priority, ReviewVerdict, Risk

router = APIRouter(tags=[TAG])


class ReviewOut(Out):
    call_id: int
    elder_id: int
    name: str
    area: str
    priority: Priority = Field(description=words(Priority, "紧急程度"))
    alert: Alert = Field(description=words(Alert))
    risk: Risk | None = Field(description=words(Risk))
    called_at: datetime
    deadline: datetime
    claimed_by: str | None = Field(description="谁认领了")
    live: bool = Field(description="还在通话")
    quote: str = Field(description="最要紧的一句")


class NewVerdict(In):
    turn: Annotated[int, Field(ge=1, le=100_000, description="第几句")]
    verdict: ReviewVerdict = Field(description=words(ReviewVerdict, "结论"))
    reason: Annotated[
        str, Field(max_length=judging.REASON_CHARS, pattern=NO_NUL, description="判为误报时必填")
    ] = ""
    urgent: bool = Field(False, description="听录音的人认为此刻有生命危险")


class Judged(Out):
    verdict: VerdictOut
    case_id: int | None = Field(description="因此立案或所属的案件")
    opened: bool = Field(description="这次结论立了案，或增加了案件的原因")


class NewCorrection(In):
    question: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL, examples=["health"])]
    answer: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL, examples=["worse"])]
    details: Annotated[
        tuple[Annotated[str, Field(max_length=64, pattern=NO_NUL)], ...], Field(max_length=20)
    ] = ()
    why: Annotated[str, Field(min_length=1, max_length=judging.REASON_CHARS, pattern=NO_NUL)]


@router.get("/reviews", summary="待复核", response_model=Page[ReviewOut])
def reviews(
    caller: CallsRead,
    services: Services,
    area: AreaQuery = "",
    tab: Annotated[
        Tab, Query(description="`all` 全部；`unclaimed` 待认领；`soon` 即将超时；`mine` 本令牌认领的")
    ] = Tab.ALL,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """紧急的在前，再按期限。"""
    paging = Paging.of(services.store, "reviews", limit, cursor)
    after = urgency_of(paging.key)
    with services.store.read() as work:
        area_id = area_asked(work, caller, area)
        which = ReviewFilter(
            login=caller.viewer.user.login,
            soon=services.now() + SOON,
            areas=None if area_id is None else work.areas.below(area_id),
            tab=tab,
        )
        found = work.reviews.page(which, limit + 1, after)
    items = [
        ReviewOut(
            call_id=each.review.call_id,
            elder_id=each.review.elder_id,
            name=each.name,
            area=each.area,
            priority=each.review.priority,
            alert=each.review.alert,
            risk=each.review.risk,
            called_at=each.review.called_at,
            deadline=each.review.deadline,
            claimed_by=each.review.claimed_by,
            live=each.live,
            quote=each.quote,
        )
        for each in found[:limit]
    ]
    following = paging.next(found, lambda each: review_key(each.review))
    return answered(Page[ReviewOut](items=items, next=following))


@router.post("/calls/{id}/verdicts", summary="判断一句的报警", response_model=Judged, status_code=201)
def verdict(caller: ReviewsWrite, services: Services, id: Id, given: NewVerdict, once: DoneOnce) -> Response:
    """属实或漏报会立案（或并入已有案件）；误报必须写理由，不会自动办结案件。可以改判，以最后一次为准。"""

    def do(work: Work) -> Judged:
        call_of(work, caller, id)
        made = judging.give_verdict(
            work,
            id,
            given.turn,
            given.verdict,
            given.reason,
            caller.viewer.actor,
            services.now(),
            services.config.deadlines,
            urgent=given.urgent,
        )
        case_id = None if made.case is None else made.case.id
        return Judged(verdict=verdict_out(made.verdict), case_id=case_id, opened=made.opened)

    return once.run(caller, do, 201)


@router.post("/calls/{id}/corrections", summary="更正回答", response_model=CorrectionOut, status_code=201)
def correction(
    caller: ReviewsWrite, services: Services, id: Id, given: NewCorrection, once: DoneOnce
) -> Response:
    """写在系统的回答旁边，从不覆盖。"""

    def do(work: Work) -> CorrectionOut:
        call_of(work, caller, id)
        made = judging.correct_answer(
            work,
            id,
            given.question,
            given.answer,
            given.details,
            given.why,
            caller.viewer.actor,
            services.now(),
        )
        return correction_out(made)

    return once.run(caller, do, 201)
