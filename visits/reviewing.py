"""The queue of calls that a supervisor has to look at (待复核): in, claimed, handed over, out.

    flagged ──claim──► claimed ──every alert judged, or seen──► done
       ▲ release          │
       └──────────────────┘

A call comes in by an alert (at once, while it lives) or by its record's risk (when it ends), and is due
when its case would be: an urgent one in wall time. Every step but `flag` is in the audit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from storage.model import Review, Turn
from visits.deadlines import Deadlines
from visits.life import Actor
from xunfang.vocabulary import Alert, CaseKind, Priority, ReviewOutcome, Risk, Speaker

if TYPE_CHECKING:
    from storage import Work

CLAIMED, RELEASED = "review.claimed", "review.released"  # audit kinds
ASSIGNED, DONE = "review.assigned", "review.done"


@dataclass(frozen=True, slots=True)
class Claim:
    """`won`: it is ours now. Else `review` says whose it is, or that it is done; None: no such row."""

    won: bool
    review: Review | None


def flag(work: Work, call_id: int, now: datetime, rules: Deadlines) -> None:
    """Into the queue when the call's alert or its record's risk asks for it. May be repeated."""
    call = work.calls.get(call_id)
    if call is None:
        return
    if call.alert is Alert.URGENT or call.risk is Risk.URGENT:
        kind, priority = CaseKind.DISTRESS, Priority.URGENT
    elif call.alert is Alert.REVIEW:
        kind, priority = CaseKind.CONCERN, Priority.HIGH
    elif call.risk is Risk.ATTENTION:
        kind, priority = CaseKind.CONCERN, Priority.NORMAL
    else:
        return
    work.reviews.flag(call, priority, rules.deadline(kind, priority, now), now)


def claim(work: Work, call_id: int, actor: Actor, now: datetime, instead_of: str | None = None) -> Claim:
    """Of two who claim at once one wins. `instead_of`: take it over from this colleague, knowingly."""
    won = work.reviews.claim(call_id, actor.id, now, instead_of)
    if won:
        detail = {} if instead_of is None else {"instead_of": instead_of}
        work.audit.write(now, str(actor), CLAIMED, f"call:{call_id}", detail)
    found = work.reviews.get(call_id)
    mine = found is not None and found.done_at is None and found.claimed_by == actor.id
    return Claim(won or mine, found)


def release(work: Work, call_id: int, actor: Actor, now: datetime) -> bool:
    """False: it was not this person's any more."""
    released = work.reviews.release(call_id, actor.id)
    if released:
        work.audit.write(now, str(actor), RELEASED, f"call:{call_id}", {})
    return released


def assign(
    work: Work, call_ids: Sequence[int], to: str, allowed: Collection[int], actor: Actor, now: datetime
) -> tuple[list[int], list[tuple[int, Review | None]]]:
    """To a colleague: what nobody, or the assigner himself, has claimed. `allowed`: the areas that the
    colleague sees. Returns what was done, and of the rest what is in the way (None: not in the queue)."""
    done: list[int] = []
    rest: list[tuple[int, Review | None]] = []
    seen = work.reviews.of_calls(call_ids)
    for call_id in dict.fromkeys(call_ids):
        review = seen.get(call_id)
        free = review is not None and review.done_at is None and review.claimed_by in (None, actor.id)
        if review is None or not free or review.area_id not in allowed:
            rest.append((call_id, review))
        elif work.reviews.claim(call_id, to, now, review.claimed_by):
            work.audit.write(now, str(actor), ASSIGNED, f"call:{call_id}", {"to": to})
            done.append(call_id)
        else:
            rest.append((call_id, work.reviews.get(call_id)))
    return done, rest


def seen(work: Work, call_id: int, actor: Actor, now: datetime) -> bool:
    """Listened to, nothing to judge. False: it is not in the queue, or alerts still wait for a verdict."""
    return not to_judge(work, call_id) and _done(work, call_id, str(actor), ReviewOutcome.SEEN, now)


def judged(work: Work, call_id: int, by: str, now: datetime) -> None:
    """After a verdict: out of the queue once every alert has one."""
    if not to_judge(work, call_id):
        _done(work, call_id, by, ReviewOutcome.JUDGED, now)


def to_judge(work: Work, call_id: int) -> list[Turn]:
    """Turns whose alert nobody has judged."""
    given = {each.turn_seq for each in work.verdicts.of_call(call_id)}
    return [each for each in work.turns.of(call_id) if is_alert(each) and each.seq not in given]


def is_alert(turn: Turn) -> bool:
    return turn.alert is not Alert.NONE and turn.speaker is not Speaker.SYSTEM


def _done(work: Work, call_id: int, by: str, outcome: ReviewOutcome, now: datetime) -> bool:
    done = work.reviews.done(call_id, by, outcome, now)
    if done:
        work.audit.write(now, by, DONE, f"call:{call_id}", {"outcome": outcome.value})
    return done
