"""通话: what was said, and the recording."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field
from starlette.responses import FileResponse

from storage import Work
from storage.model import Call, Correction, Elder, Turn, Verdict
from web import audio
from web.api.access import Caller, CallsRead, RecordingsRead
from web.api.common import (
    Asked,
    Id,
    Out,
    Page,
    Since,
    answered,
    detail,
    words,
)
from web.services import Services
from xunfang.errors import NotFound
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDirection,
    CallDisposition,
    ReviewVerdict,
    Risk,
    Speaker,
    zh,
)

TAG = "通话与复核"
router = APIRouter(tags=[TAG])
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


def call_of(work: Work, caller: Caller, call_id: int) -> tuple[Call, Elder]:
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


def verdict_out(given: Verdict) -> VerdictOut:
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
        verdict=None if verdict is None else verdict_out(verdict),
    )


def correction_out(made: Correction) -> CorrectionOut:
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
    asked: Asked,
    since: Since = None,
    disposition: Annotated[CallDisposition | None, Query(description=words(CallDisposition))] = None,
    alert: Annotated[Alert | None, Query(description=words(Alert))] = None,
) -> Response:
    """从新到旧。"""

    def ask(work: Work, area_id: int | None, rows: int, before: int) -> list[Call]:
        return work.lists.calls(
            area_id, rows, before, elder_id=asked.elder_id, since=since, disposition=disposition, alert=alert
        )

    return asked.newest(caller, "calls", ask, _call)


@router.get("/calls/{id}", summary="一通电话", response_model=CallOut)
def get_call(caller: CallsRead, services: Services, id: Id) -> Response:
    with services.store.read() as work:
        found, _ = call_of(work, caller, id)
    return answered(_call(found))


@router.get("/calls/{id}/turns", summary="对话文字与回答", response_model=Talk)
def turns(caller: CallsRead, services: Services, id: Id) -> Response:
    with services.store.read() as work:
        found, _ = call_of(work, caller, id)
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
                corrected=None if corrected is None else correction_out(corrected),
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
        found, _ = call_of(work, caller, id)
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
