"""What the pages and commands of the reports are shown with: answers, consents and records of the cast."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from storage_cast import MINUTE, NOW

from records.model import FORM, NOT_ASKED, SAFE, UNCHANGED
from storage import Work
from storage.model import Answer, VisitRecord
from xunfang.vocabulary import ConsentPurpose, VisitMode

FIELDS: dict[str, Any] = {
    **{each.key: NOT_ASKED for each in FORM},
    "visit_mode": "电话问候",
    "mood": UNCHANGED,
    "gas": SAFE,
    "needs": "助餐",
    "advice": "协调落实服务：助餐",
}


def a_record(work: Work, elder_id: int, call_id: int | None = None, **fields: Any) -> VisitRecord:
    given: dict[str, Any] = {
        "plan_id": None,
        "mode": VisitMode.PHONE,
        "visited_at": NOW - 10 * MINUTE,
        "fields": FIELDS,
    }
    return work.records.put(elder_id=elder_id, call_id=call_id, **(given | fields))


def poor(work: Work, call_id: int, text: str = "钱不够花") -> None:
    """The answer that is a clue for 城乡低保."""
    work.answers.put(
        Answer(call_id=call_id, question="economy", topic="economy", answer="short", text=text, at=NOW)
    )


def agrees(work: Work, elder_id: int, *purposes: ConsentPurpose, granted: bool = True) -> None:
    for purpose in purposes:
        work.consents.add(elder_id, purpose, granted, NOW - timedelta(days=1), "paper")
