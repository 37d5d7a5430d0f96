"""From what the dialogue understood to what the ledger keeps: plain JSON values. Pure."""

from __future__ import annotations

from dataclasses import asdict

from ivr.understanding.model import Understanding
from ivr.understanding.precision import raised_by


def judgement(understood: Understanding | None) -> dict[str, object]:
    """Answer, alert and every judged event with its four slots and span; {} when nothing was said."""
    if understood is None:
        return {}
    return {
        "question": str(understood.question),
        "answer": understood.answer,
        "alert": str(understood.alert),
        "judgements": [
            {
                key: (value if isinstance(value, int | float) else str(value))
                for key, value in asdict(each).items()
            }
            for each in understood.judgements
        ],
        "entries": list(raised_by(understood)),  # counted per entry: storage.repository_verdicts
        "plea": understood.plea,
        "details": list(understood.details),
        "reasons": list(understood.reasons),
        "evidence": list(understood.evidence),
        "announcement": understood.announcement,
    }
