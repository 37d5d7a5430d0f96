"""From the plan to the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDirection,
    CallDisposition,
    PlanStatus,
    Risk,
    Speaker,
    VisitMode,
)


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """One elder in one period: unique, so planning twice changes nothing."""

    id: int
    elder_id: int
    period: str  # 2026-W47 | 2026-11 | 2026-Q4 | campaign:CODE
    mode: VisitMode
    due_from: datetime
    due_until: datetime
    dialplan: str
    status: PlanStatus = PlanStatus.DUE
    attempts: int = 0  # calls that count (a trunk failure does not)
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Call:
    id: int
    plan_id: int | None
    elder_id: int
    attempt: int
    dialplan: str
    dialplan_hash: str
    intended_at: datetime  # committed before the INVITE
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    disposition: CallDisposition | None = None  # None while it lives
    because: str = ""  # the dialogue's or the telephone's own reason
    sip_code: int | None = None
    q850: int | None = None
    hung_up_by: str = ""  # us | them | trunk
    recording: str | None = None  # path relative to the recordings folder
    alert: Alert = Alert.NONE
    risk: Risk | None = None
    line: str = ""
    number_hint: str = ""  # masked, e.g. 138****0001
    direction: CallDirection = CallDirection.OUTBOUND
    dialler_id: int | None = None  # whose lease it lives under
    contact_id: int | None = None  # 联系人: not the elder was called but this contact of his


@dataclass(frozen=True, slots=True)
class Turn:
    """Who said what, when (seconds of the recording), and what it was judged to mean."""

    call_id: int
    seq: int
    speaker: Speaker
    text: str = field(repr=False)
    question: str = "any"
    confidence: float | None = None  # 0..1 mean word confidence
    start_s: float | None = None
    end_s: float | None = None
    alert: Alert = Alert.NONE
    judgement: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    call_id: int
    question: str  # id in the dialplan
    topic: str  # Question value: health, gas, ...
    answer: str  # class, e.g. worse
    details: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    confidence: float | None = None
    source: AnswerSource = AnswerSource.SELF
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """The official form 探访情况 of one visit. `fields`: form key -> value (records.model)."""

    id: int
    elder_id: int
    plan_id: int | None
    call_id: int | None
    mode: VisitMode
    visited_at: datetime
    fields: dict[str, Any] = field(default_factory=dict, repr=False)
    risk: Risk = Risk.NORMAL
    reasons: tuple[str, ...] = ()
