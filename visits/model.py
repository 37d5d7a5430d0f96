"""What leads to a case (上门任务): facts in, a draft out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from records.model import AlertFact
from storage.model import Answer
from xunfang.vocabulary import CallDisposition, CaseKind, Priority, Risk


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """A case as it should be opened, or merged into the elder's open one."""

    elder_id: int
    kind: CaseKind
    priority: Priority
    deadline: datetime
    summary: str = field(repr=False)  # Chinese, for the visitor
    evidence: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    call_id: int | None = None
    timezone: str = "Asia/Shanghai"  # in which people are told the deadline
    tell_contacts: bool = False  # however urgent it is
    contact_times: tuple[datetime, ...] = ()  # of the first, second … contact; none: all at once


@dataclass(frozen=True, slots=True)
class ElderFacts:
    """What makes silence of one elder more worrying than that of another."""

    living_alone: bool = False
    advanced_age: bool = False
    last_risk: Risk | None = None  # of the last visit record
    days_since_heard: int | None = None  # None: never heard
    age: int | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """One call of the plan that did not reach the elder."""

    at: datetime
    disposition: CallDisposition


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call, or the end of a plan, brought to light.

    `escalate`: the retries are used up (or there never were any) and this is why.
    """

    elder_id: int
    call_id: int | None = None
    answers: tuple[Answer, ...] = field(default=(), repr=False)
    alerts: tuple[AlertFact, ...] = field(default=(), repr=False)
    escalate: CaseKind | None = None
    tried: tuple[Tried, ...] = ()
    opt_out: bool = False
    relative_says_stop: str | None = field(default=None, repr=False)  # the words of a relative
    paused_until: date | None = None  # because of them
    period: str = ""
    tell_contacts: bool = False  # however urgent: the ladder ends with them


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who should go: a registered visitor, or a contact who becomes first visitor; why, in Chinese."""

    visitor_id: int | None
    why: str
    contact_id: int | None = None
