"""From an elder's facts to a CallOrder: what the line process needs to know, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ivr.dialogue.model import Callee
from ivr.session.model import CallOrder
from ivr.understanding.model import Question
from scheduler.ladder import Ladder
from storage.model import Answer, Call, Contact, Elder
from visits.people import title
from xunfang.vocabulary import AnswerSource

# Who is on the line is asked in every call; an answer that was not clear is asked again.
_ALWAYS_ASKED = frozenset({Question.IDENTITY})
_NOT_AN_ANSWER = frozenset({"unclear", "not_heard", "silence_noise"})


@dataclass(frozen=True, slots=True)
class OrderConfig:
    """`recordings`: folder for recordings, None: nobody is recorded. `duty_number`: rung on danger.
    `can_greet`: whether a spoken title exists; without one the greeting is neutral.
    `dialplan_path`: where the county's own dialplan of that name lies; None: only shipped ones."""

    recordings: Path | None = None
    duty_number: str | None = None
    can_greet: Callable[[str], bool] | None = None
    dialplan_path: Callable[[str], str] | None = None
    tail_ms: int | None = None  # for elders who have no tail of their own
    timezone: str = "Asia/Shanghai"


def recording_path(elder_id: int, plan_id: int | None, attempt: int, now: datetime, timezone: str) -> str:
    """Relative to the recordings folder; unique per call, and it names nobody."""
    local = now.astimezone(ZoneInfo(timezone))
    source = f"e{elder_id}" if plan_id is None else f"p{plan_id}"
    return f"{local:%Y/%m/%d}/{source}-{attempt}-{local:%H%M%S}.wav"


def answered_before(answers: Iterable[Answer]) -> tuple[str, ...]:
    """Question ids an earlier, cut-off call of this visit already answered, by the elder himself."""
    return tuple(
        dict.fromkeys(
            each.question
            for each in answers
            if each.topic not in _ALWAYS_ASKED
            and each.answer not in _NOT_AN_ANSWER
            and each.source is not AnswerSource.RELATIVE
        )
    )


def number_to_dial(elder: Elder, calls: Iterable[Call], ladder: Ladder) -> str:
    """The elder's number, or his other one when the ladder says so. `calls` of the plan, oldest first."""
    ended = [each.disposition for each in calls if each.disposition is not None]
    return (ladder.other_number(ended) and elder.other_phone) or elder.phone


def call_order(
    call: Call, elder: Elder, answers: Iterable[Answer], config: OrderConfig, number: str | None = None
) -> CallOrder:
    """`number`: where it is not the elder's first one."""
    spoken = title(elder.name, elder.sex)
    if config.can_greet is not None and spoken and not config.can_greet(spoken):
        spoken = ""
    recording = None
    if call.recording is not None and config.recordings is not None:
        recording = str((config.recordings / call.recording).resolve())
    return CallOrder(
        call_id=call.id,
        number=number or elder.phone,
        dialplan=call.dialplan if config.dialplan_path is None else config.dialplan_path(call.dialplan),
        callee=Callee(title=spoken, slow=elder.hard_of_hearing, answered=answered_before(answers)),
        tail_ms=elder.tail_ms or config.tail_ms,
        recording=recording,
        duty_number=config.duty_number,
    )


def contact_order(call: Call, elder: Elder, contact: Contact, config: OrderConfig) -> CallOrder:
    """联系人: of the elder he hears the title and nothing else; nothing he says is recorded."""
    spoken = title(elder.name, elder.sex)
    if config.can_greet is not None and spoken and not config.can_greet(spoken):
        spoken = ""
    return CallOrder(
        call_id=call.id,
        number=contact.phone,
        dialplan=call.dialplan if config.dialplan_path is None else config.dialplan_path(call.dialplan),
        # Where he himself lives nobody knows: never promise to send somebody there.
        callee=Callee(contact=True, about=spoken, recorded=False, stranger=True),
        tail_ms=config.tail_ms,
        duty_number=config.duty_number,
    )
