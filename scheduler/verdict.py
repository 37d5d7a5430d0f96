"""What one ended call means for its plan. Pure; settle.py does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.dialogue.model import Because
from scheduler.habits import NO_HABITS, Habits
from scheduler.ladder import Done, Escalate, Retry
from scheduler.policy import Policy
from xunfang.vocabulary import Alert, CallDisposition, CaseKind, PlanStatus


@dataclass(frozen=True, slots=True)
class Ended:
    """The facts of an ended call that decide.

    `calls`: dispositions of all ended calls of the plan, oldest first, this one last.
    `told`: the plan has an answer to at least one real question. `unclear`: a question stays open.
    `withdrawn`: in this call the elder asked not to be called again.
    """

    calls: Sequence[CallDisposition]
    because: str
    alert: Alert
    told: bool
    unclear: bool
    withdrawn: bool
    relative_says_stop: bool = False  # a relative asked it; his word withdraws nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    status: PlanStatus
    next_attempt_at: datetime | None = None
    escalate: CaseKind | None = None
    opt_out: bool = False


def judge(
    ended: Ended,
    now: datetime,
    period_end: datetime,
    policy: Policy,
    own: Sequence[str],
    habits: Habits = NO_HABITS,
) -> Verdict:
    """In this order: danger, the elder's will, a relative's word, a wrong number, words heard, the ladder."""
    disposition = ended.calls[-1]
    completed = disposition is CallDisposition.COMPLETED
    if ended.alert is Alert.URGENT:
        # A human goes now; a machine that rings again would only be in the way.
        return Verdict(PlanStatus.DONE if completed else PlanStatus.ESCALATED, opt_out=_opted_out(ended))
    if _opted_out(ended):
        return Verdict(PlanStatus.ESCALATED, opt_out=True)
    if ended.relative_says_stop:
        return Verdict(PlanStatus.PAUSED)
    if ended.because == Because.REFUSED:
        # He did not want to talk; nothing is withdrawn that he did not confirm, a human asks.
        return Verdict(PlanStatus.ESCALATED, escalate=CaseKind.REFUSAL)
    if ended.because == Because.WRONG_NUMBER:
        return Verdict(PlanStatus.ESCALATED, escalate=CaseKind.NUMBER_PROBLEM)
    if ended.because == Because.UNHEARD:
        # Somebody is there whom we cannot understand: calling again would torment him.
        return Verdict(PlanStatus.ESCALATED, escalate=CaseKind.UNCLEAR)
    following = policy.ladder.after(ended.calls, now, period_end, policy.hours, own, habits)
    if isinstance(following, Done):
        left_open = ended.unclear or not ended.told
        return Verdict(PlanStatus.DONE, escalate=CaseKind.UNCLEAR if left_open else None)
    if isinstance(following, Escalate):
        return Verdict(PlanStatus.ESCALATED, escalate=following.kind)
    assert isinstance(following, Retry)
    return Verdict(PlanStatus.WAITING, next_attempt_at=following.at)


def _opted_out(ended: Ended) -> bool:
    return ended.withdrawn or ended.because == Because.OPT_OUT
