"""What the service is doing now (运行状况): who dials, what waits, how far the day has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from scheduler import hours
from scheduler.calendar import calendar_warning
from scheduler.owner import LeaseConfig
from scheduler.policy import Policy
from scheduler.ticks import PLANNING
from storage.model import Dialler, Recurring
from xunfang.vocabulary import CallDisposition, PlanStatus

if TYPE_CHECKING:
    from storage import Store

# The elder was not reached, or not as himself; everything else is no verdict about him.
_MISSED = frozenset(
    {
        CallDisposition.NO_ANSWER,
        CallDisposition.BUSY,
        CallDisposition.REJECTED,
        CallDisposition.POWERED_OFF,
        CallDisposition.SUSPENDED,
        CallDisposition.INVALID_NUMBER,
        CallDisposition.UNREACHABLE,
        CallDisposition.VOICEMAIL,
        CallDisposition.ANSWERED_SILENT,
        CallDisposition.OTHER_PERSON,
        CallDisposition.HUNG_UP_EARLY,
    }
)


@dataclass(frozen=True, slots=True)
class DiallerStatus:
    dialler: Dialler
    silent_s: float
    lapsed: bool  # silent for longer than the lease: nobody has taken over yet


@dataclass(frozen=True, slots=True)
class Today:
    """Since local midnight. `due`: plans whose period runs now, all of them."""

    due: int
    heard: int  # visits of these that are done
    calls: int
    completed: int
    missed: int
    trunk_failures: int
    live: int


@dataclass(frozen=True, slots=True)
class Status:
    at: datetime
    open_now: bool  # inside the calling hours
    diallers: tuple[DiallerStatus, ...]
    channels_used: int
    channels: int
    ready: int  # plans that may be dialled now
    later: int  # retries and deferred
    today: Today
    cases_open: int
    cases_urgent: int
    cases_overdue: int
    planned: Recurring | None  # the last planning run
    warning: str | None  # calendar


def status(store: Store, now: datetime, policy: Policy, lease: LeaseConfig, channels: int) -> Status:
    midnight = hours.day_start(now, policy.hours)
    with store.read() as work:
        present = work.diallers.present()
        used = work.channels.used(lease.trunk)
        ready, later = work.plans.queued(now)
        plans = work.overview.plans_now(now)
        calls = work.overview.calls_between(midnight, now)
        cases = work.overview.cases(now)
        planned = work.recurring.get(PLANNING)
    return Status(
        at=now,
        open_now=hours.is_open(now, policy.hours),
        diallers=tuple(_seen(each, now, lease) for each in present),
        channels_used=used,
        channels=channels,
        ready=ready,
        later=later,
        today=Today(
            due=sum(plans.values()),
            heard=plans.get(PlanStatus.DONE, 0),
            calls=sum(calls.values()),
            completed=calls.get(CallDisposition.COMPLETED, 0),
            missed=sum(count for ending, count in calls.items() if ending in _MISSED),
            trunk_failures=calls.get(CallDisposition.TRUNK_FAILURE, 0),
            live=calls.get(None, 0),
        ),
        cases_open=cases.open,
        cases_urgent=cases.urgent,
        cases_overdue=cases.overdue,
        planned=planned,
        warning=calendar_warning(now, policy.hours),
    )


def _seen(dialler: Dialler, now: datetime, lease: LeaseConfig) -> DiallerStatus:
    silent = now - dialler.heartbeat_at
    return DiallerStatus(dialler, silent.total_seconds(), silent >= lease.lease)
