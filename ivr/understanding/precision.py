"""Which entries of the lexicon raise false alarms (误报)? For `xunfang lexicon precision`. Pure.

Whoever listens to an alert says whether it was one (复核). Counted per entry, that shows which words
to look at. A handful of verdicts says little, so a precision comes with its Wilson interval (Wilson,
1927: holds for few cases and near 0 and 1), and the order is by what is certain: the entry that is
bad even at the upper end of its interval comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from ivr.understanding import wording
from ivr.understanding.alert import RANK
from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Understanding
from xunfang.vocabulary import Alert

MIN_VERDICTS = 10  # fewer: the interval is wider than half the scale, 样本太少
Z_95 = 1.959964  # of a two-sided 95 % interval
OPINION = "opinion"  # the second opinion raised it, no entry did

# Reasons as they were stored before they were Chinese.
_JUDGED = re.compile(r"(?P<entry>\S+): \w+ \w+ \w+ -> (?P<alert>none|review|urgent)")
_VOTE = re.compile(rf"{OPINION}: (?P<alert>none|review|urgent) ")
_PLEA = re.compile(r"(?P<entry>\S+): plea")
# How it was heard, not why it alarms; the first holds what somebody said.
_NO_SOURCE = ("heard as ", "hardly heard: ")
_CONFIRMED = "confirmed by a question"


def raised_by(understood: Understanding) -> tuple[str, ...]:
    """Ids of the entries on which the alert rests, most of them events and pleas.

    Of an urgent alert those that are urgent by themselves: what else was said beside them is not to
    blame. Where a rule raised it and not an entry, its reason stands for it (`answer: worse`,
    `control: ask_human`, `keypad`), or `opinion`. Empty without an alert.
    """
    if understood.alert is Alert.NONE:
        return ()
    sources = [found for reason in understood.reasons if (found := _source(reason)) is not None]
    gravest = max((rank for _, rank in sources), default=0)
    alarming = [(name, rank) for name, rank in sources if name != OPINION or rank == gravest]
    grave = [name for name, rank in alarming if rank >= RANK[understood.alert]]
    return tuple(dict.fromkeys(grave or [name for name, _ in alarming]))


def _source(reason: str) -> tuple[str, int] | None:
    """The name of what alarms, and how gravely; None when the reason is none of an alert."""
    if reason.startswith(_NO_SOURCE) or reason == _CONFIRMED:
        return None
    if named := wording.named(reason):
        name, alert = named
        return None if alert is Alert.NONE and name != OPINION else (name, RANK[alert])
    if judged := _JUDGED.fullmatch(reason):
        level = RANK[Alert(judged["alert"])]
        return (judged["entry"], level) if level else None
    if plea := _PLEA.fullmatch(reason):
        return plea["entry"], RANK[Alert.URGENT]
    if vote := _VOTE.match(reason):
        return OPINION, RANK[Alert(vote["alert"])]
    return reason, RANK[Alert.REVIEW]


class Counted(Protocol):
    """What storage counts."""

    @property
    def entry(self) -> str: ...
    @property
    def raised(self) -> int: ...
    @property
    def confirmed(self) -> int: ...
    @property
    def false_alarms(self) -> int: ...
    @property
    def missed(self) -> int: ...
    @property
    def unreviewed(self) -> int: ...


@dataclass(frozen=True, slots=True)
class EntryPrecision:
    """One line of the table. `precision`, `low`, `high` are None without a verdict.

    `say`, `reason` and `source` are the entry's own, empty when it is a rule or was removed since.
    """

    entry: str
    raised: int
    confirmed: int
    false_alarms: int
    unreviewed: int
    missed: int
    precision: float | None
    low: float | None
    high: float | None
    too_few: bool
    kind: str = ""
    say: tuple[str, ...] = ()
    reason: str = ""
    source: str = ""
    file: str = ""


def wilson(right: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """The interval in which the true share lies, in 95 of 100 cases. `of` must not be 0."""
    share, spread = right / of, z * z / of
    middle = share + spread / 2
    reach = z * sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, (middle - reach) / (1 + spread)), min(1.0, (middle + reach) / (1 + spread))


def precisions(counts: Iterable[Counted], lexicon: Lexicon) -> list[EntryPrecision]:
    """Worst first; what has too few verdicts after what has enough."""
    return sorted((_line(each, lexicon) for each in counts), key=_worst_first)


def _line(counted: Counted, lexicon: Lexicon) -> EntryPrecision:
    verdicts = counted.confirmed + counted.false_alarms
    low, high = wilson(counted.confirmed, verdicts) if verdicts else (None, None)
    entry = lexicon.by_id.get(counted.entry)
    return EntryPrecision(
        entry=counted.entry,
        raised=counted.raised,
        confirmed=counted.confirmed,
        false_alarms=counted.false_alarms,
        unreviewed=counted.unreviewed,
        missed=counted.missed,
        precision=round(counted.confirmed / verdicts, 4) if verdicts else None,
        low=None if low is None else round(low, 4),
        high=None if high is None else round(high, 4),
        too_few=verdicts < MIN_VERDICTS,
        kind="" if entry is None else entry.kind,
        say=() if entry is None else entry.say,
        reason="" if entry is None else entry.reason,
        source="" if entry is None else entry.source,
        file="" if entry is None else entry.file,
    )


def _worst_first(line: EntryPrecision) -> tuple[bool, float, int, int, int, str]:
    at_best = 1.0 if line.high is None else line.high
    if line.too_few:  # their intervals say little: many false alarms first, then many alerts
        return True, 0.0, -line.false_alarms, -line.missed, -line.raised, line.entry
    return False, at_best, -line.false_alarms, -line.missed, -line.raised, line.entry
