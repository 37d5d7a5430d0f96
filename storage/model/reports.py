"""补贴线索."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from xunfang.vocabulary import Subsidy, SubsidyStatus


@dataclass(frozen=True, slots=True)
class SubsidyClue:
    """That an elder may be entitled to a benefit. `evidence`: {"call": 7, "question": "economy", "answer":
    "short"} for what was answered, {"fact": "age", "value": 83} for what the ledger says."""

    id: int
    elder_id: int
    benefit: Subsidy
    status: SubsidyStatus
    why: str  # Chinese, from the rule
    evidence: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    call_id: int | None = None
    found_at: datetime | None = None
    seen_at: datetime | None = None  # when it was found last
    decided_by: str = ""  # user:zhang
    decided_at: datetime | None = None
    note: str = field(default="", repr=False)
