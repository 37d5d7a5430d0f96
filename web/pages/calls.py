"""One call (通话): what was said, why it was flagged, and what a supervisor says of it after listening."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ivr.understanding.model import ANSWERS, Question
from storage import Work
from storage.model import Answer, Area, Call, CallCommand, Correction, Elder, Review, Verdict
from visits import reviewing
from web import audio
from web.access import Reader, Viewer
from web.audio import Sound
from web.pages.calls_audio import view_token
from web.pages.review import Asked, Filters, name_of, title_of, which
from web.services import House, Services
from web.texts import answers as words
from web.texts import calls as texts
from xunfang.clock import age
from xunfang.errors import NotFound
from xunfang.vocabulary import RELATION_ZH, AnswerSource

router = APIRouter()
EARLIER_VISITS = 3
UNANSWERED = timedelta(seconds=10)  # a command nobody took for so long: no dialler is running


@dataclass(frozen=True, slots=True)
class Said:
    """An answer with what a person made of it. `choices`: what this question may be answered with."""

    question: str
    title: str
    machine: Answer | None
    corrected: Correction | None
    choices: tuple[tuple[str, str], ...]

    @property
    def answer(self) -> str:
        return "" if self.machine is None else words.answer(self.machine.answer)

    @property
    def by_relative(self) -> bool:
        return self.machine is not None and self.machine.source is AnswerSource.RELATIVE


@dataclass(frozen=True, slots=True)
class Seen:
    """Whose the review is: what the head of the page says, and whether this viewer may judge."""

    review: Review | None
    claimer: str = ""
    judge: str = ""
    mine: bool = False

    @property
    def taken(self) -> bool:
        """By a colleague, and not yet done."""
        return self.review is not None and bool(self.review.claimed_by) and not self.mine and not self.done

    @property
    def done(self) -> bool:
        return self.review is not None and self.review.done_at is not None


def call_of(work: Work, viewer: Viewer, call_id: int) -> tuple[Call, Elder]:
    """NotFound also for a call of another area."""
    call = work.calls.get(call_id)
    if call is None:
        raise NotFound("没有这通电话")
    return call, viewer.elder(work, call.elder_id)


@router.get("/calls/{call_id}")
def call(request: Request, viewer: Reader, services: Services, filters: Filters, call_id: int) -> Response:
    now = services.now()
    with services.store.read() as work:
        found, elder = call_of(work, viewer, call_id)
        turns = work.turns.of(call_id)
        verdicts = work.verdicts.of_call(call_id)
        answers = {each.question: each for each in work.answers.of(call_id)}
        records = work.records.of_elder(elder.id, limit=EARLIER_VISITS, before=found.intended_at)
        context: dict[str, Any] = {
            "call": found,
            "elder": elder,
            "place": " · ".join(each.name for each in _path(work, elder)[-2:]),
            "lines": texts.lines(turns, verdicts),
            "way": texts.way(turns, answers),
            "said_answers": _said(answers, work.corrections.last_of_call(call_id)),
            "records": records,
            "contacts": work.contacts.of(elder.id),
            "open_case": work.cases.open_for(elder.id),
            "seen": _seen(work, viewer, call_id),
            "commands": work.commands.of_call(call_id),
            "next_id": _next(work, viewer, filters, services, call_id),
            "judges": {each.by: name_of(work, each.by) for each in verdicts},
        }
    pending = [each for each in turns if reviewing.is_alert(each) and each.seq not in _judged(verdicts)]
    recording = audio.look(services.config.recordings, found.recording)
    return services.render.page(
        request,
        "calls/call.html",
        block="talk",
        now=now,
        pending=pending,
        given=len(verdicts),
        recording=recording,
        ready=recording.sound is Sound.READY,
        token=view_token(services, viewer, call_id),
        filters=filters,
        age=age(elder.birth_date, services.today()),
        dialplan=title_of(found.dialplan),
        because=texts.because(found.because),
        relations=RELATION_ZH,
        false_alarms=texts.FALSE_ALARMS,
        corrections=texts.CORRECTIONS,
        standing=lambda each: _standing(each, now),
        **context,
    )


@router.get("/calls/{call_id}/commands")
def commands(request: Request, viewer: Reader, services: Services, call_id: int) -> Response:
    """What was asked of the dialler and what came of it; asked for again by the page while it waits."""
    now = services.now()
    with services.store.read() as work:
        found, _ = call_of(work, viewer, call_id)
        asked = work.commands.of_call(call_id)
    return services.render.page(
        request,
        "calls/commands.html",
        block="commands",
        now=now,
        call=found,
        commands=asked,
        standing=lambda each: _standing(each, now),
    )


def _standing(command: CallCommand, now: datetime) -> str:
    """waiting | unanswered | done | failed"""
    if command.result is not None:
        return "done" if command.result.value == "done" else "failed"
    return "unanswered" if command.taken_at is None and now - command.at > UNANSWERED else "waiting"


def _judged(verdicts: list[Verdict]) -> set[int]:
    return {each.turn_seq for each in verdicts}


def _path(work: Work, elder: Elder) -> list[Area]:
    return [] if elder.area_id is None else work.areas.path(elder.area_id)


def _said(answers: dict[str, Answer], corrections: dict[str, Correction]) -> list[Said]:
    found = []
    for question in dict.fromkeys((*answers, *corrections)):
        machine, corrected = answers.get(question), corrections.get(question)
        topic = machine.topic if machine is not None else corrected.topic if corrected is not None else ""
        known = sorted(ANSWERS[Question(topic)]) if topic in set(Question) else []
        choices = tuple((each, words.answer(each)) for each in known)
        found.append(Said(question, words.question(question, topic), machine, corrected, choices))
    return found


def _seen(work: Work, viewer: Viewer, call_id: int) -> Seen:
    review = work.reviews.get(call_id)
    if review is None:
        return Seen(None)
    mine = review.claimed_by == viewer.user.login
    return Seen(review, name_of(work, review.claimed_by), name_of(work, review.done_by), mine)


def _next(work: Work, viewer: Viewer, filters: Asked, house: House, call_id: int) -> int | None:
    """In the queue the viewer came from; without further calls there, nothing."""
    return work.reviews.next(which(work, viewer, filters, house), call_id)
