"""What supervisors say of a call after listening (复核)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from xunfang.vocabulary import Alert, ReviewVerdict


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one turn of a call. The last one of a turn counts; the earlier ones are its history."""

    id: int
    call_id: int
    turn_seq: int
    alert: Alert  # what the machine had raised
    verdict: ReviewVerdict
    reason: str = field(repr=False)  # Chinese; mandatory for a false alarm
    by: str  # user:3
    at: datetime
    entries: tuple[str, ...] = ()  # lexicon entries (or rules) on which the alert rested then
    text_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Correction:
    """An answer as a supervisor heard it, beside the machine's. The last one of a question counts."""

    id: int
    call_id: int
    question: str  # id in the dialplan
    topic: str  # Question value
    answer: str
    details: tuple[str, ...]
    why: str = field(repr=False)
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EntryCount:
    """Alerts that rested on one lexicon entry (or rule), and what supervisors said of them."""

    entry: str
    raised: int
    confirmed: int
    false_alarms: int
    missed: int  # said in words that it matched, or should have, and no alert came of it

    @property
    def unreviewed(self) -> int:
        return self.raised - self.confirmed - self.false_alarms
