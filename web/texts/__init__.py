"""Words and colours for what is shown. Terms of the vocabulary: xunfang.vocabulary.zh; evidence and history:
visits.evidence, visits.history. Here stands only what belongs to the screen. Colour never says it alone."""

from __future__ import annotations

from enum import StrEnum

from web.texts.times import at, at_full, left
from xunfang.vocabulary import Alert, CallDisposition, CaseStatus, PlanStatus, Priority, Risk

__all__ = ["at", "at_full", "confidence", "counted", "left", "tone"]

QUIET = "secondary"
# Names of Tabler's colours: `badge bg-{{ word|tone }}-lt`.
_TONES: dict[tuple[type[StrEnum], str], str] = {
    (type(word), word.value): colour
    for colour, words in {
        "red": (
            Alert.URGENT,
            Risk.URGENT,
            Priority.URGENT,
            CallDisposition.INVALID_NUMBER,
            CallDisposition.SUSPENDED,
            CallDisposition.TRUNK_FAILURE,
        ),
        "orange": (
            Alert.REVIEW,
            Risk.ATTENTION,
            Priority.HIGH,
            CaseStatus.OPEN,
            CallDisposition.HUNG_UP_EARLY,
            CallDisposition.ANSWERED_SILENT,
            PlanStatus.ESCALATED,
        ),
        "blue": (
            CaseStatus.ASSIGNED,
            CaseStatus.ACCEPTED,
            CaseStatus.ON_THE_WAY,
            CaseStatus.REFERRED,
            PlanStatus.DIALLING,
        ),
        "green": (
            CallDisposition.COMPLETED,
            CaseStatus.VISITED,
            CaseStatus.CLOSED,
            PlanStatus.DONE,
            Risk.NORMAL,
        ),
    }.items()
    for word in words
}


def tone(word: StrEnum) -> str:
    return _TONES.get((type(word), word.value), QUIET)


COUNTED_TO = 999  # nobody reads more


def counted(number: int) -> str:
    """Of a badge: nothing for nothing."""
    return f"{COUNTED_TO}+" if number > COUNTED_TO else str(number or "")


SURE, FAIRLY = 0.85, 0.6  # mean word confidence of the recogniser


def confidence(value: float | None) -> str:
    """Words instead of decimals: people read 0.62 as a mark at school."""
    if value is None:
        return "按键或未知"
    return "听得清楚" if value >= SURE else "大致听清" if value >= FAIRLY else "听不清，请听录音"
