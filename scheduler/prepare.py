"""One call, made ready inside one transaction (拨打准备): may it be, to which number, as which call.

The caller's transaction holds all of it: lease, claim, channel of the trunk, call. What may not be
dialled now is deferred by writing when it may, or ends as what it is; nothing is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ivr.session.model import CallOrder
from scheduler import contact_calls, hours
from scheduler.admission import AdmissionConfig
from scheduler.breaker import BreakerConfig
from scheduler.caps import CapsConfig, allowed_at
from scheduler.lease import Lease
from scheduler.order import OrderConfig, call_order, contact_order, number_to_dial, recording_path
from scheduler.owner import LeaseConfig
from scheduler.planning import Way, consents_of, eligible, is_paused, period_of
from scheduler.policy import Policy
from scheduler.settle import escalate_plan
from scheduler.usable import Dialplans
from storage.model import Call, ContactCall, Elder, VisitPlan
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import CallDisposition, CaseKind, ConsentPurpose, PlanStatus

if TYPE_CHECKING:
    from storage import Work

LIVE_NUMBER_WAIT = timedelta(minutes=2)  # somebody of the same household is on the telephone
# Of these it is certain that no telephone rang: they do not use up the daily cap.
NEVER_RANG = frozenset({CallDisposition.TRUNK_FAILURE, CallDisposition.NOT_DIALLED})


@dataclass(frozen=True, slots=True)
class DispatchConfig:
    policy: Policy
    caps: CapsConfig = field(default_factory=CapsConfig)
    admission: AdmissionConfig = field(default_factory=AdmissionConfig)
    breaker: BreakerConfig = field(default_factory=BreakerConfig)
    order: OrderConfig = field(default_factory=OrderConfig)
    lease: LeaseConfig = field(default_factory=LeaseConfig)


class NoChannel(Exception):
    """All channels of the trunk are taken, here or on another machine."""


class Preparing:
    """`line`: this process, as it stands in the calls."""

    def __init__(self, config: DispatchConfig, lease: Lease, dialplans: Dialplans, line: str) -> None:
        self._config = config
        self._policy = config.policy
        self._lease = lease
        self._dialplans = dialplans
        self._line = line

    def due(self, work: Work, plan: VisitPlan, now: datetime) -> CallOrder | None:
        """The call of a plan that is due; None: deferred, ended without a call, or another's.

        Raises LostLease, NoChannel, Unusable, or XunfangError for what is wrong with this elder.
        """
        token = self._lease.require(work)
        if not work.plans.reserve(plan.id, plan.status):
            return None  # another machine has it in hand
        elder = _elder(work, plan.elder_id)
        way = eligible(elder, *consents_of(work, elder.id))
        if not elder.active or way is Way.NONE or is_paused(elder, now, self._policy):
            work.plans.set_status(plan.id, PlanStatus.PAUSED, expected=plan.status)
            return None
        if way is Way.ON_SITE:
            work.plans.set_status(plan.id, PlanStatus.ON_SITE, expected=plan.status)
            return None
        if way is Way.ASK:
            escalate_plan(work, plan, CaseKind.CONSENT, self._policy, now)
            return None
        earlier = work.calls.of_plan(plan.id)
        number = number_to_dial(elder, earlier, self._policy.ladder)
        if not any(letter.isdigit() for letter in number):
            escalate_plan(work, plan, CaseKind.NUMBER_PROBLEM, self._policy, now)
            return None
        work.diallers.lock_number(number)
        allowed = self._allowed_at(work, elder, number, now)
        if allowed > now:
            work.plans.set_status(plan.id, plan.status, next_attempt_at=allowed, expected=plan.status)
            return None
        if not work.plans.claim(plan.id, now):
            return None
        return self._begin(work, token, elder, plan.id, earlier, plan.dialplan, number, now)

    def contact(self, work: Work, seen: ContactCall, now: datetime) -> CallOrder | None:
        """The call to a contact whose time has come; None: deferred, done without a call, or another's."""
        token = self._lease.require(work)
        row = work.contact_calls.get(seen.id) if work.contact_calls.reserve(seen.id) else None
        if row is None:
            return None
        elder = _elder(work, row.elder_id)
        contact = contact_calls.choose(work, row, elder, self._policy, now)
        if contact is None:
            return None
        work.diallers.lock_number(contact.phone)
        allowed = self._number_allowed_at(work, contact.phone, (), now)
        if allowed > now:
            work.contact_calls.change(row, next_attempt_at=allowed)
            return None
        name = contact_calls.DIALPLAN
        digest = self._dialplans.hash(work, name, now)
        channel = self._channel(work, token, now)
        call = work.calls.begin(
            plan_id=None,
            elder_id=elder.id,
            attempt=1 + len(row.passed) + row.failures,
            dialplan=name,
            dialplan_hash=digest,
            intended_at=now,
            number=contact.phone,
            line=self._line,
            dialler_id=token,
            contact_id=contact.id,
        )
        work.channels.carries(self._config.lease.trunk, channel, call.id)
        work.contact_calls.change(
            row, status=PlanStatus.DIALLING, next_attempt_at=None, contact_id=contact.id, call_id=call.id
        )
        return contact_order(call, elder, contact, self._config.order)

    def wanted(self, work: Work, elder_id: int, now: datetime, anyway: bool) -> CallOrder:
        """A call that a human asks for: see Dispatcher.call_now."""
        token = self._lease.require(work)
        elder = _elder(work, elder_id)
        work.diallers.lock_number(elder.phone)
        self._must_be_callable(work, elder, now, anyway)
        period = period_of(elder, hours.local_date(now, self._policy.hours), self._policy)
        plan = work.plans.of_period(elder.id, period)
        claimed = plan is not None and work.plans.claim(plan.id, now)
        plan_id = plan.id if plan is not None and claimed else None
        earlier = [] if plan_id is None else work.calls.of_plan(plan_id)
        number = number_to_dial(elder, earlier, self._policy.ladder)
        return self._begin(work, token, elder, plan_id, earlier, elder.dialplan, number, now)

    def _begin(
        self,
        work: Work,
        token: int,
        elder: Elder,
        plan_id: int | None,
        earlier: list[Call],
        dialplan: str,
        number: str,
        now: datetime,
    ) -> CallOrder:
        """`earlier`: calls of the same plan."""
        digest = self._dialplans.hash(work, dialplan, now)
        channel = self._channel(work, token, now)
        attempt = len(earlier) + 1
        recording = None
        order = self._config.order
        if order.recordings and work.consents.current(elder.id, ConsentPurpose.RECORDING) is True:
            recording = recording_path(elder.id, plan_id, attempt, now, order.timezone)
        call = work.calls.begin(
            plan_id=plan_id,
            elder_id=elder.id,
            attempt=attempt,
            dialplan=dialplan,
            dialplan_hash=digest,
            intended_at=now,
            number=number,
            recording=recording,
            line=self._line,
            dialler_id=token,
        )
        work.channels.carries(self._config.lease.trunk, channel, call.id)
        answers = work.answers.of_plan(plan_id) if plan_id is not None and earlier else []
        return call_order(call, elder, answers, order, number)

    def _channel(self, work: Work, token: int, now: datetime) -> int:
        channel = work.channels.take(self._config.lease.trunk, self._config.admission.channels, token, now)
        if channel is None:
            raise NoChannel
        return channel

    def _allowed_at(self, work: Work, elder: Elder, number: str, now: datetime) -> datetime:
        """`now`, or the earliest moment that hours, caps and the elder's telephones allow."""
        opening = hours.next_opening(now, self._policy.hours, elder.windows)
        if opening == now and work.times.is_on_the_line(elder.id):
            return now + LIVE_NUMBER_WAIT
        return self._number_allowed_at(work, number, elder.windows, now)

    def _number_allowed_at(self, work: Work, number: str, own: tuple[str, ...], now: datetime) -> datetime:
        """The same of one number: calls to it count for whomever they were made."""
        opening = hours.next_opening(now, self._policy.hours, own)
        if opening > now:
            return opening
        if work.times.is_live(number):
            return now + LIVE_NUMBER_WAIT
        midnight = hours.day_start(now, self._policy.hours)
        gap_began = now - self._config.caps.min_gap
        today, last = work.times.rang(number, midnight, NEVER_RANG)
        if last is None and gap_began < midnight:
            _, last = work.times.rang(number, gap_began, NEVER_RANG)
        at = allowed_at(now, today, last, self._config.caps, self._policy.hours)
        return hours.next_opening(at, self._policy.hours, own) if at > now else now

    def _is_on_the_telephone(self, work: Work, elder: Elder, number: str) -> bool:
        return work.times.is_live(number) or work.times.is_on_the_line(elder.id)

    def _must_be_callable(self, work: Work, elder: Elder, now: datetime, anyway: bool) -> None:
        if not any(letter.isdigit() for letter in elder.phone):
            raise BadInput(f"elder {elder.id} has no telephone number; add one to the ledger")
        if work.consents.current(elder.id, ConsentPurpose.PHONE_VISIT) is not True:
            raise BadInput(f"elder {elder.id} has not agreed to telephone visits; a visitor has to ask first")
        if self._is_on_the_telephone(work, elder, elder.phone):
            raise BadInput(f"elder {elder.id} is on the telephone right now; wait for that call to end")
        if not anyway and self._allowed_at(work, elder, elder.phone, now) > now:
            raise BadInput(
                f"elder {elder.id} may not be called now: outside the hours, or called too often today"
            )


def _elder(work: Work, elder_id: int) -> Elder:
    elder = work.elders.get(elder_id)
    if elder is None:
        raise NotFound(f"no elder {elder_id} in the ledger; `xunfang ledger list` shows them")
    return elder
