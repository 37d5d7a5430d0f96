"""Dispatch (拨打): from due plans to ringing telephones.

The guarantee: the intent to dial is committed before the INVITE leaves, so that a call that was
made is always known. A plan is claimed by a conditional update; what may not be dialled now is
deferred by writing when it may, never dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from ivr.session.model import CallEnded, CallOrder
from scheduler import hours
from scheduler.admission import Admission, AdmissionConfig
from scheduler.breaker import Breaker, BreakerConfig, BreakerState
from scheduler.caps import CapsConfig, allowed_at
from scheduler.order import OrderConfig, call_order, number_to_dial, recording_path
from scheduler.owner import is_orphan, own_name
from scheduler.planning import Way, consents_of, eligible, is_paused, period_key
from scheduler.policy import Policy
from scheduler.settle import Settled, escalate_plan, settle_call
from storage.model import Elder, VisitPlan
from xunfang.clock import Clock
from xunfang.errors import BadInput, NotFound, XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import CallDisposition, CaseKind, ConsentPurpose, PlanStatus

if TYPE_CHECKING:
    from storage import Store, Work

LOST_AFTER = timedelta(seconds=30)  # a call its line no longer knows; its end may still be on the way
CANNOT_PREPARE = timedelta(minutes=15)  # until a broken dialplan is tried again
LIVE_NUMBER_WAIT = timedelta(minutes=2)  # somebody of the same household is on the telephone
PLANS_PER_LOOK = 50
LOOKS_PER_TICK = 20
ACTOR = "system"

_log = get_logger("scheduler")
# Of these it is certain that no telephone rang: they do not use up the daily cap.
_NEVER_RANG = frozenset({CallDisposition.TRUNK_FAILURE, CallDisposition.NOT_DIALLED})


class Fleet(Protocol):
    """What dispatch needs of ivr.session.fleet.Fleet."""

    def free(self) -> int: ...

    def dial(self, order: CallOrder) -> None: ...

    def live(self) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class DispatchConfig:
    policy: Policy
    caps: CapsConfig = field(default_factory=CapsConfig)
    admission: AdmissionConfig = field(default_factory=AdmissionConfig)
    breaker: BreakerConfig = field(default_factory=BreakerConfig)
    order: OrderConfig = field(default_factory=OrderConfig)


class Dispatcher:
    """One per process. `hash_of`: the dialplan's hash, stamped on every call (XunfangError when the
    dialplan cannot be loaded). `tick`, `call_now` and `ended` may come from different threads."""

    def __init__(
        self, store: Store, fleet: Fleet, clock: Clock, config: DispatchConfig, hash_of: Callable[[str], str]
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._clock = clock
        self._config = config
        self._policy = config.policy
        self._hash_of = hash_of
        self._admission = Admission(config.admission)
        self._breaker = Breaker(config.breaker)
        self._breaker_lock = threading.Lock()
        self._turn = threading.RLock()
        self._missing: dict[int, datetime] = {}
        self._me = own_name()
        self._draining = False

    # ---- the tick ------------------------------------------------------------------------------

    def tick(self) -> int:
        """Dial what is due and allowed; returns how many calls left."""
        with self._turn:
            self._reconcile()
            dialled = 0
            for _ in range(LOOKS_PER_TICK):
                if self._room() <= 0:
                    return dialled
                with self._store.read() as work:
                    plans = work.plans.due(self._clock.now(), PLANS_PER_LOOK)
                for plan in plans:
                    if self._room() <= 0:
                        return dialled
                    dialled += self._take(plan)
                if len(plans) < PLANS_PER_LOOK:
                    return dialled
            return dialled

    def drain(self) -> None:
        """From now on no further call begins; the running ones go on."""
        self._draining = True

    def ended(self, event: CallEnded, settled: Settled | None) -> None:
        """The journal's `on_ended`: the breaker learns, the supervisor is told when it turns."""
        if settled is None:
            return
        with self._breaker_lock:
            turned = self._breaker.ended(event.call_id, event.disposition, event.at)
        if turned is not None:
            self._tell_breaker(turned, event.at)

    def breaker_state(self) -> BreakerState:
        with self._breaker_lock:
            return self._breaker.state(self._clock.now())

    def _room(self) -> int:
        if self._draining:
            return 0
        now = self._clock.now()
        with self._store.read() as work:
            live = len(work.calls.open())
        room = self._admission.room(now, live, self._fleet.free())
        with self._breaker_lock:
            limit = self._breaker.room(now)
        return room if limit is None else min(room, limit)

    # ---- one plan ------------------------------------------------------------------------------

    def _take(self, plan: VisitPlan) -> bool:
        """Dial this plan, defer it or end it. True when a call left."""
        now = self._clock.now()
        try:
            with self._store.begin() as work:
                order = self._prepare(work, plan, now)
        except XunfangError as error:
            self._cannot_prepare(plan, error, now)
            return False
        return order is not None and self._send(order, now)

    def _prepare(self, work: Work, plan: VisitPlan, now: datetime) -> CallOrder | None:
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
        number = self._number(work, elder, plan.id)
        if not any(letter.isdigit() for letter in number):
            escalate_plan(work, plan, CaseKind.NUMBER_PROBLEM, self._policy, now)
            return None
        allowed = self._allowed_at(work, elder, number, now)
        if allowed > now:
            work.plans.set_status(plan.id, plan.status, next_attempt_at=allowed, expected=plan.status)
            return None
        if not work.plans.claim(plan.id, now):
            return None
        return self._begin(work, elder, plan.id, plan.dialplan, number, now)

    def _number(self, work: Work, elder: Elder, plan_id: int | None) -> str:
        """Which of the elder's numbers the ladder wants next."""
        calls = [] if plan_id is None else work.calls.of_plan(plan_id)
        return number_to_dial(elder, calls, self._policy.ladder)

    def _begin(
        self, work: Work, elder: Elder, plan_id: int | None, dialplan: str, number: str, now: datetime
    ) -> CallOrder:
        attempt = 1 if plan_id is None else len(work.calls.of_plan(plan_id)) + 1
        recording = None
        may_record = work.consents.current(elder.id, ConsentPurpose.RECORDING) is True
        if may_record and self._config.order.recordings is not None:
            recording = recording_path(elder.id, plan_id, attempt, now, self._config.order.timezone)
        call = work.calls.begin(
            plan_id=plan_id,
            elder_id=elder.id,
            attempt=attempt,
            dialplan=dialplan,
            dialplan_hash=self._hash_of(dialplan),
            intended_at=now,
            number=number,
            recording=recording,
            line=self._me,
        )
        earlier = [] if plan_id is None else work.answers.of_plan(plan_id)
        return call_order(call, elder, earlier, self._config.order, number)

    def _send(self, order: CallOrder, now: datetime) -> bool:
        """The intent is committed: from here on every way out leaves an ended call behind."""
        self._admission.begun(now)
        with self._breaker_lock:
            self._breaker.dialled(order.call_id, now)
        try:
            self._fleet.dial(order)
        except Exception as error:
            _log.error("dispatch.not_dialled", call_id=order.call_id, why=type(error).__name__)
            self._settle(order.call_id, CallDisposition.NOT_DIALLED)
            return False
        return True

    def _cannot_prepare(self, plan: VisitPlan, error: XunfangError, now: datetime) -> None:
        """One elder's broken dialplan must not stop the others; a broken database must."""
        if error.retryable:
            raise error
        _log.error("dispatch.cannot_prepare", plan_id=plan.id, why=str(error))
        with self._store.begin() as work:
            later = now + CANNOT_PREPARE
            work.plans.set_status(plan.id, plan.status, next_attempt_at=later, expected=plan.status)
            detail = {"because": str(error)}
            work.audit.write(now, ACTOR, "not_dialled", f"plan:{plan.id}", detail)

    def _allowed_at(self, work: Work, elder: Elder, number: str, now: datetime) -> datetime:
        """`now`, or the earliest moment that hours, caps and the telephone at this number allow: calls
        to a number count for whomever they were made."""
        opening = hours.next_opening(now, self._policy.hours, elder.windows)
        if opening > now:
            return opening
        if self._is_on_the_telephone(work, elder, number):
            return now + LIVE_NUMBER_WAIT
        midnight = hours.day_start(now, self._policy.hours)
        today, _ = work.times.rang(number, midnight, _NEVER_RANG)
        _, last = work.times.rang(number, now - self._config.caps.min_gap, _NEVER_RANG)
        at = allowed_at(now, today, last, self._config.caps, self._policy.hours)
        return hours.next_opening(at, self._policy.hours, elder.windows) if at > now else now

    def _is_on_the_telephone(self, work: Work, elder: Elder, number: str) -> bool:
        return work.times.is_live(number) or elder.id in {each.elder_id for each in work.calls.open()}

    # ---- one call now --------------------------------------------------------------------------

    def call_now(self, elder_id: int, anyway: bool = False) -> int:
        """Dial one elder now, with his open plan when he has one; returns the call's id.

        `anyway` overrides the calling hours and the caps, never consent. BadInput or NotFound say
        why it may not be.
        """
        with self._turn:
            now = self._clock.now()
            if self._fleet.free() <= 0:
                raise BadInput("all lines are busy; try again when a call has ended")
            with self._store.begin() as work:
                elder = _elder(work, elder_id)
                self._must_be_callable(work, elder, now, anyway)
                plan = work.plans.of_period(elder.id, self._period(elder, now))
                claimed = plan is not None and work.plans.claim(plan.id, now)
                plan_id = plan.id if plan is not None and claimed else None
                number = self._number(work, elder, plan_id)
                order = self._begin(work, elder, plan_id, elder.dialplan, number, now)
            if not self._send(order, now):
                raise BadInput("the call could not be handed to a line; is the telephone service running?")
            return order.call_id

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

    def _period(self, elder: Elder, now: datetime) -> str:
        return period_key(elder.cadence, hours.local_date(now, self._policy.hours))

    # ---- after a crash -------------------------------------------------------------------------

    def recover(self) -> int:
        """Before the first tick: calls that nobody carries any more become interrupted and their plans
        are due again. Returns how many."""
        now = self._clock.now()
        live = set(self._fleet.live())
        with self._store.read() as work:
            lost = [
                each.id
                for each in work.calls.open()
                if (each.line == self._me and each.id not in live) or is_orphan(each, self._me, now)
            ]
        return sum(self._take_back(each) for each in lost)

    def _reconcile(self) -> None:
        """A call that is open here but known to no line any more has lost its end on the way."""
        now = self._clock.now()
        with self._store.read() as work:
            opened = work.calls.open()
        live = set(self._fleet.live())
        mine = [each for each in opened if each.line == self._me and each.id not in live]
        self._missing = {each.id: self._missing.get(each.id, now) for each in mine}
        lost = [id for id, since in self._missing.items() if now - since >= LOST_AFTER]
        lost += [each.id for each in opened if is_orphan(each, self._me, now)]
        for call_id in lost:
            self._take_back(call_id)

    def _take_back(self, call_id: int) -> bool:
        """One call that cannot be settled must not keep the others from being dialled."""
        try:
            return self._settle(call_id, CallDisposition.INTERRUPTED)
        except XunfangError as error:
            if error.retryable:
                raise
            _log.error("dispatch.cannot_settle", call_id=call_id, why=str(error))
            return False

    def _settle(self, call_id: int, disposition: CallDisposition) -> bool:
        now = self._clock.now()
        with self._store.begin() as work:
            settled = settle_call(work, call_id, now, self._policy, disposition=disposition)
        if settled is not None:
            with self._breaker_lock:
                self._breaker.ended(call_id, disposition, now)
            _log.warning("dispatch.settled", call_id=call_id, disposition=disposition.value)
        return settled is not None

    def _tell_breaker(self, state: BreakerState, now: datetime) -> None:
        opened = state is BreakerState.OPEN
        title = "【线路故障】已暂停拨打" if opened else "【线路恢复】已继续拨打"
        body = (
            "近期呼叫多为线路故障，系统已暂停拨打，稍后自动试拨。老人没有漏接，不会因此产生上门任务。请检查中继线路。"
            if opened
            else "试拨成功，系统已恢复拨打。"
        )
        kind = f"breaker.{'opened' if opened else 'closed'}"
        _log.warning(kind)
        with self._store.begin() as work:
            work.audit.write(now, ACTOR, kind, "trunk", {})
            for to in ("duty", "webhook"):
                work.notices.add(kind=kind, to=to, title=title, body=body, created_at=now)


def _elder(work: Work, elder_id: int) -> Elder:
    elder = work.elders.get(elder_id)
    if elder is None:
        raise NotFound(f"no elder {elder_id} in the ledger; `xunfang ledger list` shows them")
    return elder
