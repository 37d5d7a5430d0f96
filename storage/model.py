"""Facts as other rooms see them: frozen dataclasses, one per table that leaves the room.

No session and no SQLAlchemy object is ever handed out. Times are timezone-aware UTC.
Phone and ID-card numbers are plain here (the caller needs them to dial) and encrypted
in the tables, with a blind index for look-up; `repr` never shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    Cadence,
    CallDisposition,
    CaseKind,
    CaseLevel,
    CaseStatus,
    Category,
    ConsentPurpose,
    PlanStatus,
    Priority,
    ReferTo,
    ReportCategory,
    Risk,
    Speaker,
    VisitMode,
)


@dataclass(frozen=True, slots=True)
class Area:
    """A county, township or village; `parent_id` makes the tree."""

    id: int
    code: str  # 12-digit statistical code, e.g. 220183101205
    name: str
    level: str  # county | township | village
    parent_id: int | None = None
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Elder:
    id: int
    name: str = field(repr=False)
    sex: str = "F"  # F | M
    birth_date: date | None = None
    phone: str = field(default="", repr=False)  # digits as dialled
    id_card: str | None = field(default=None, repr=False)
    area_id: int | None = None
    address: str = field(default="", repr=False)
    categories: frozenset[Category] = frozenset()
    self_caring: bool = True
    good_health: bool = True
    mode: VisitMode = VisitMode.PHONE
    cadence: Cadence = Cadence.WEEKLY
    dialplan: str = "weekly_short"
    windows: tuple[str, ...] = ()  # own hours, e.g. ("09:00-11:00",); empty = the county's
    tail_ms: int | None = None  # endpointing tail that suits this speaker
    hard_of_hearing: bool = False  # start with the slow wording
    paused_until: date | None = None
    pause_reason: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Contact:
    id: int
    elder_id: int
    position: int  # 1 is called first
    name: str = field(repr=False, default="")
    relation: str = ""  # child | relative | guardian | neighbour | village
    phone: str = field(repr=False, default="")
    same_place: bool = False  # lives in the same place: becomes the first visitor 第一巡访员
    may_be_told: bool = False  # consent of the elder to inform this contact


@dataclass(frozen=True, slots=True)
class Consent:
    id: int
    elder_id: int
    purpose: ConsentPurpose
    granted: bool
    at: datetime
    source: str = ""  # paper | voice | visitor; for voice: the call id


@dataclass(frozen=True, slots=True)
class Visitor:
    """巡访员. kind: child | relative | neighbour | village | volunteer."""

    id: int
    name: str = field(repr=False)
    kind: str = "village"
    phone: str = field(repr=False, default="")
    area_id: int | None = None
    elder_id: int | None = None  # set for a child, relative or neighbour of one elder
    active: bool = True


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


@dataclass(frozen=True, slots=True)
class Case:
    """An entry of the on-site visit queue 上门队列."""

    id: int
    elder_id: int
    kind: CaseKind
    priority: Priority
    status: CaseStatus
    opened_at: datetime
    deadline: datetime
    summary: str = field(default="", repr=False)  # Chinese, for the visitor
    evidence: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    call_id: int | None = None
    visitor_id: int | None = None
    visitor_why: str = ""
    merged: int = 0  # how many later reasons were merged into this case
    disposition_note: str = ""  # 处置情况, mandatory to close
    closed_at: datetime | None = None
    since: datetime | None = None  # of the present status; None: since it was opened
    level: CaseLevel | None = None  # the highest rung during this status; None: only the visitor
    level_since: datetime | None = None
    reminded_at: datetime | None = None  # last, during this status
    asked: tuple[int, ...] = ()  # visitors who refused or stayed silent: not proposed again
    visited_at: datetime | None = None
    referred_to: ReferTo | None = None  # the last referral; all of them are in the audit
    report_category: ReportCategory | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A row of the outbox: written with the fact it tells of, sent afterwards."""

    id: int
    kind: str  # case.opened | case.merged | case.reminded | visit.recorded | breaker.opened | …
    to: str = field(repr=False)  # duty | visitor:ID | contact:ID | area:ID | webhook
    title: str = field(repr=False, default="")
    body: str = field(repr=False, default="")
    case_id: int | None = None
    created_at: datetime | None = None
    sent_at: datetime | None = None
    attempts: int = 0
    next_at: datetime | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened and what did not (kinds such as no_notice_sent, duplicate_suppressed)."""

    id: int
    at: datetime
    actor: str  # system | user:ID | elder:ID
    kind: str
    subject: str  # e.g. case:12, call:7, elder:3
    detail: dict[str, Any] = field(default_factory=dict, repr=False)
