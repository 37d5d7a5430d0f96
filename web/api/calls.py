"""通话: what was said, the recording, and what a supervisor says of it (复核)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field
from starlette.responses import FileResponse

from storage import Work
from storage.model import Call, Correction, Elder, ReviewFilter, Tab, Turn, Verdict
from visits import review as judging
from web import audio
from web.api.access import Caller, CallsRead, RecordingsRead, ReviewsWrite
from web.api.common import (
    LARGEST_ID,
    NO_NUL,
    AreaQuery,
    Cursor,
    DoneOnce,
    ElderQuery,
    Id,
    In,
    Limit,
    Out,
    Page,
    Paging,
    Since,
    answered,
    area_asked,
    detail,
    elder_asked,
    words,
)
from web.paging import review_key
from web.services import Services
from web.texts.times import SOON
from xunfang.errors import NotFound
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDirection,
    CallDisposition,
    Priority,
    ReviewVerdict,
    Risk,
    Speaker,
    zh,
)

router = APIRouter(tags=["通话与复核"])
PLAYED = "recording.played"  # audit kind, as of the console


class CallOut(Out):
    id: int
    elder_id: int
    plan_id: int | None
    direction: CallDirection = Field(description=words(CallDirection, "谁打给谁"))
    attempt: int = Field(description="第几次拨打")
    dialplan: str
    intended_at: datetime = Field(description="决定拨打的时刻")
    answered_at: datetime | None
    ended_at: datetime | None = Field(description="null：正在通话")
    disposition: CallDisposition | None = Field(description=words(CallDisposition, "接通结果"))
    disposition_zh: str = Field(examples=["完成"])
    alert: Alert = Field(description=words(Alert, "报警"))
    risk: Risk | None = Field(description=words(Risk, "风险等级"))
    number: str = Field(description="拨打的号码，遮盖", examples=["138****0001"])
    has_recording: bool


class VerdictOut(Out):
    turn: int
    verdict: ReviewVerdict = Field(description=words(ReviewVerdict, "复核结论"))
    reason: str
    by: str = Field(examples=["user:zhang"])
    at: datetime


class TurnOut(Out):
    turn: int = Field(description="第几句，从 1 起")
    speaker: Speaker = Field(description=words(Speaker, "谁说的"))
    text: str
    question: str
    confidence: float | None = Field(description="识别置信度 0–1")
    start_s: float | None = Field(description="在录音中的秒数")
    end_s: float | None
    alert: Alert = Field(description=words(Alert, "报警"))
    verdict: VerdictOut | None = Field(description="最后一次复核结论")


class CorrectionOut(Out):
    question: str = Field(examples=["health"])
    answer: str = Field(examples=["worse"])
    details: list[str]
    why: str
    by: str
    at: datetime


class AnswerOut(Out):
    question: str = Field(description="话术里的题号", examples=["health"])
    topic: str
    answer: str | None = Field(description="系统听到的；null：没有听到回答", examples=["worse"])
    details: list[str]
    source: AnswerSource | None = Field(description=words(AnswerSource, "谁回答的"))
    corrected: CorrectionOut | None = Field(description="督导听录音后的更正，与系统的并存")


class Talk(Out):
    call: CallOut
    turns: list[TurnOut]
    answers: list[AnswerOut]


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


def _call_of(work: Work, caller: Caller, call_id: int) -> tuple[Call, Elder]:
    call = work.calls.get(call_id)
    if call is None:
        raise NotFound("没有这通电话")
    return call, caller.viewer.elder(work, call.elder_id)


def _call(call: Call) -> CallOut:
    return CallOut(
        id=call.id,
        elder_id=call.elder_id,
        plan_id=call.plan_id,
        direction=call.direction,
        attempt=call.attempt,
        dialplan=call.dialplan,
        intended_at=call.intended_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        disposition=call.disposition,
        disposition_zh="" if call.disposition is None else zh(call.disposition),
        alert=call.alert,
        risk=call.risk,
        number=call.number_hint,
        has_recording=call.recording is not None,
    )


def _verdict(given: Verdict) -> VerdictOut:
    return VerdictOut(
        turn=given.turn_seq, verdict=given.verdict, reason=given.reason, by=given.by, at=given.at
    )


def _turn(turn: Turn, verdict: Verdict | None) -> TurnOut:
    return TurnOut(
        turn=turn.seq,
        speaker=turn.speaker,
        text=turn.text,
        question=turn.question,
        confidence=turn.confidence,
        start_s=turn.start_s,
        end_s=turn.end_s,
        alert=turn.alert,
        verdict=None if verdict is None else _verdict(verdict),
    )


def _correction(made: Correction) -> CorrectionOut:
    return CorrectionOut(
        question=made.question,
        answer=made.answer,
        details=list(made.details),
        why=made.why,
        by=made.by,
        at=made.at,
    )


@router.get("/calls", summary="通话列表", response_model=Page[CallOut])
def list_calls(
    caller: CallsRead,
    services: Services,
    area: AreaQuery = "",
    elder_id: ElderQuery = None,
    since: Since = None,
    disposition: Annotated[CallDisposition | None, Query(description=words(CallDisposition))] = None,
    alert: Annotated[Alert | None, Query(description=words(Alert))] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """从新到旧。"""
    paging = Paging.of(services.store, "calls", limit, cursor)
    with services.store.read() as work:
        elder_asked(work, caller, elder_id)
        found = work.lists.calls(
            area_asked(work, caller, area),
            limit + 1,
            paging.id or LARGEST_ID,
            elder_id=elder_id,
            since=since,
            disposition=disposition,
            alert=alert,
        )
    items = [_call(each) for each in found[:limit]]
    return answered(Page[CallOut](items=items, next=paging.next(found, lambda each: (each.id,))))


@router.get("/calls/{id}", summary="一通电话", response_model=CallOut)
def get_call(caller: CallsRead, services: Services, id: Id) -> Response:
    with services.store.read() as work:
        found, _ = _call_of(work, caller, id)
    return answered(_call(found))


@router.get("/calls/{id}/turns", summary="对话文字与回答", response_model=Talk)
def turns(caller: CallsRead, services: Services, id: Id) -> Response:
    with services.store.read() as work:
        found, _ = _call_of(work, caller, id)
        verdicts = {each.turn_seq: each for each in work.verdicts.of_call(id)}
        said = [_turn(each, verdicts.get(each.seq)) for each in work.turns.of(id)]
        answers = {each.question: each for each in work.answers.of(id)}
        corrections = work.corrections.last_of_call(id)
    told = []
    for question in dict.fromkeys((*answers, *corrections)):
        machine, corrected = answers.get(question), corrections.get(question)
        topic = machine.topic if machine is not None else corrected.topic if corrected is not None else ""
        told.append(
            AnswerOut(
                question=question,
                topic=topic,
                answer=None if machine is None else machine.answer,
                details=[] if machine is None else list(machine.details),
                source=None if machine is None else machine.source,
                corrected=None if corrected is None else _correction(corrected),
            )
        )
    return answered(Talk(call=_call(found), turns=said, answers=told))


_WAV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}},
    206: {
        "description": "Range 所要的一段",
        "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
    },
}


@router.get("/calls/{id}/recording", summary="录音", response_class=FileResponse, responses=_WAV)
def recording(caller: RecordingsRead, services: Services, id: Id) -> Response:
    """立体声 WAV，左声道系统、右声道老人。支持 Range 和 ETag。每次请求都记入审计。"""
    with services.store.read() as work:
        found, _ = _call_of(work, caller, id)
    heard = audio.look(services.config.recordings, found.recording)
    if heard.path is None or heard.sound is not audio.Sound.READY:
        raise NotFound(heard.sound.value)
    with services.store.begin() as work:
        work.audit.write(services.now(), caller.name, PLAYED, f"call:{id}", detail())
    return FileResponse(
        heard.path,
        media_type="audio/wav",
        headers={"Cache-Control": "private, no-store"},
        stat_result=heard.path.stat(),
        content_disposition_type="inline",
    )


# ---- reviews --------------------------------------------------------------------------------------------


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
    after = None
    if paging.key is not None:
        priority, deadline, call_id = paging.key
        assert isinstance(deadline, datetime)
        assert isinstance(call_id, int)
        after = (Priority(str(priority)), deadline, call_id)
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
        _call_of(work, caller, id)
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
        return Judged(verdict=_verdict(made.verdict), case_id=case_id, opened=made.opened)

    return once.run(caller, do, 201)


@router.post("/calls/{id}/corrections", summary="更正回答", response_model=CorrectionOut, status_code=201)
def correction(
    caller: ReviewsWrite, services: Services, id: Id, given: NewCorrection, once: DoneOnce
) -> Response:
    """写在系统的回答旁边，从不覆盖。"""

    def do(work: Work) -> CorrectionOut:
        _call_of(work, caller, id)
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
        return _correction(made)

    return once.run(caller, do, 201)
