"""Dispatch (拨打): from due plans to ringing telephones.

The guarantee: the intent to dial is committed before the INVITE leaves, so that a call that was
made is always known. Claim, channel of the trunk and call are one transaction, in which the lease is
checked (scheduler.lease); any number of machines may do this at once. What may not be dialled now is
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
from scheduler.crashpoints import reached
from scheduler.lease import Health, Lease, LostLease
from scheduler.order import OrderConfig, call_order, number_to_dial, recording_path
from scheduler.owner import Identity, LeaseConfig, is_running, own_identity
from scheduler.planning import Way, consents_of, eligible, is_paused, period_of
from scheduler.policy import Policy
from scheduler.settle import Settled, escalate_plan, settle_call
from scheduler.takeover import TakeOver
from scheduler.telling import tell_breaker, tell_dialplan_broken, tell_dialplan_mended
from storage.model import Elder, VisitPlan
from xunfang.clock import Clock
from xunfang.errors import BadInput, NotFound, XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import CallDisposition, CaseKind, ConsentPurpose, PlanStatus

if TYPE_CHECKING:
    from storage import Store, Work

CANNOT_PREPARE = timedelta(minutes=15)  # until a plan or dialplan that cannot be used is tried again
LIVE_NUMBER_WAIT = timedelta(minutes=2)  # somebody of the same household is on the telephone
PLANS_PER_LOOK = 50
LOOKS_PER_TICK = 20
ACTOR = "system"

_log = get_logger("scheduler")
# Of these it is certain that no telephone rang: they do not use up the daily cap.
_NEVER_RANG = frozenset({CallDisposition.TRUNK_FAILURE, CallDisposition.NOT_DIALLED})


class Fleet(Protocol):
    """What dispatch needs of ivr.session.fleet.Fleet."""

    @property
    def capacity(self) -> int: ...

    def free(self) -> int: ...

    def lag_ms(self) -> float: ...

    def hang_up(self, call_id: int) -> None: ...

    def dial(self, order: CallOrder) -> None: ...

    def live(self) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class DispatchConfig:
    policy: Policy
    caps: CapsConfig = field(default_factory=CapsConfig)
    admission: AdmissionConfig = field(default_factory=AdmissionConfig)
    breaker: BreakerConfig = field(default_factory=BreakerConfig)
    order: OrderConfig = field(default_factory=OrderConfig)
    lease: LeaseConfig = field(default_factory=LeaseConfig)


class _NoChannel(Exception):
    """All channels of the trunk are taken, here or on another machine."""


class _Unusable(Exception):
    """A dialplan that cannot be loaded or spoken: no call with it begins."""

    def __init__(self, name: str, why: XunfangError) -> None:
        super().__init__(name)
        self.name, self.why = name, why


class Dispatcher:
    """One per process. `hash_of`: the dialplan's hash, stamped on every call (XunfangError when the
    dialplan cannot be loaded or lacks prompts). `beat`, `tick`, `call_now` and `ended` may come from
    different threads. `me`, `running`: who this process is and how others are looked at (tests)."""

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        clock: Clock,
        config: DispatchConfig,
        hash_of: Callable[[str], str],
        me: Identity | None = None,
        running: Callable[[int], bool] = is_running,
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._clock = clock
        self._config = config
        self._policy = config.policy
        self._hash_of = hash_of
        self._admission = Admission(config.admission)
        self._breaker = Breaker(config.breaker)
        self._gate = threading.Lock()  # around breaker and admission
        self._turn = threading.RLock()
        self._me = me or own_identity()
        self._lease = Lease(store, clock, config.lease, self._me, config.admission.channels, running)
        self._takeover = TakeOver(store, clock, fleet, self._lease, self._interrupt)
        self._beaten_at: datetime | None = None
        self._stale: frozenset[int] = frozenset()  # calls of a lease that was lost, being hung up
        self._broken: dict[str, datetime] = {}  # dialplan -> when it is tried again
        self._sound: set[str] = set()  # dialplans that could be used in this process
        self._draining = False

    # ---- the lease -----------------------------------------------------------------------------

    @property
    def dialler_id(self) -> int | None:
        """Under which id this process dials now; its calls carry it."""
        return self._lease.token

    @property
    def name(self) -> str:
        """host/pid"""
        return self._me.name

    def beat(self) -> bool:
        """Renew the lease and take over from the dead. False when the lease was lost: what still is live
        here belongs to nobody, is settled as interrupted and hung up; then we register anew."""
        held, _ = self._beat()
        return held

    def _beat(self) -> tuple[bool, int]:
        """And how many calls were taken over."""
        now = self._clock.now()
        self._beaten_at = now
        with self._gate:
            self._admission.measured(now, self._fleet.lag_ms())
            lag_ms, breaker = self._admission.lag_ms(now), self._breaker.state(now)
        live = self._fleet.live()
        health = Health(self._fleet.capacity, len(live), round(lag_ms, 1), breaker.value, self._draining)
        held = self._lease.renew(health)
        if not held:
            self._stale = frozenset(live)
            self._lease.renew(health)
        taken = self._takeover.of_others()
        for call_id in () if held else live:
            self._fleet.hang_up(call_id)
        return held, taken

    def recover(self) -> int:
        """Before the first tick: calls that nobody carries any more become interrupted and their plans
        are due again. Returns how many."""
        _, taken = self._beat()
        return taken

    def leave(self) -> None:
        """After the last call: nobody has to wait for this lease to lapse."""
        self._lease.leave()

    # ---- the tick ------------------------------------------------------------------------------

    def tick(self) -> int:
        """Dial what is due and allowed; returns how many calls left."""
        with self._turn:
            if self._beat_is_due():
                self.beat()
            self._takeover.of_our_own()
            dialled = 0
            for _ in range(LOOKS_PER_TICK):
                now = self._clock.now()
                with self._store.read() as work:
                    used = work.channels.used(self._config.lease.trunk)
                    if self._room(used) <= 0:
                        return dialled
                    plans = work.plans.due(now, PLANS_PER_LOOK, self._unusable(now))
                before = dialled
                for plan in plans:
                    if self._room(used + dialled - before) <= 0:
                        return dialled
                    if plan.dialplan in self._broken:
                        continue
                    try:
                        dialled += self._take(plan)
                    except _NoChannel:
                        return dialled
                    except LostLease:
                        self.beat()
                        return dialled
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
        with self._gate:
            turned = self._breaker.ended(event.call_id, event.disposition, event.at)
        if turned is not None:
            with self._store.begin() as work:
                _log.warning(tell_breaker(work, turned, event.at))

    def breaker_state(self) -> BreakerState:
        with self._gate:
            return self._breaker.state(self._clock.now())

    def _beat_is_due(self) -> bool:
        """Service beats by its own timer; whoever only ticks, or calls once, beats here."""
        last = self._beaten_at
        stale = last is None or self._clock.now() - last >= self._config.lease.heartbeat
        return stale or self._lease.token is None

    def _room(self, used: int) -> int:
        """`used`: channels of the trunk that are taken, over all machines."""
        if self._draining or self._stale.intersection(self._fleet.live()):
            return 0
        now = self._clock.now()
        with self._gate:
            room = self._admission.room(now, used, self._fleet.free())
            limit = self._breaker.room(now)
        return room if limit is None else min(room, limit)

    def _unusable(self, now: datetime) -> list[str]:
        self._broken = {name: until for name, until in self._broken.items() if until > now}
        return sorted(self._broken)

    # ---- one plan ------------------------------------------------------------------------------

    def _take(self, plan: VisitPlan) -> bool:
        """Dial this plan, defer it or end it. True when a call left."""
        now = self._clock.now()
        try:
            with self._store.begin() as work:
                order = self._prepare(work, plan, now)
                if order is not None:
                    reached("intent.open")
        except _Unusable as found:
            self._hold_dialplan(found, now)
            return False
        except XunfangError as error:
            self._cannot_prepare(plan, error, now)
            return False
        return order is not None and self._send(order, now)

    def _prepare(self, work: Work, plan: VisitPlan, now: datetime) -> CallOrder | None:
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
        number = self._number(work, elder, plan.id)
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
        return self._begin(work, token, elder, plan.id, plan.dialplan, number, now)

    def _number(self, work: Work, elder: Elder, plan_id: int | None) -> str:
        """Which of the elder's numbers the ladder wants next."""
        calls = [] if plan_id is None else work.calls.of_plan(plan_id)
        return number_to_dial(elder, calls, self._policy.ladder)

    def _begin(
        self,
        work: Work,
        token: int,
        elder: Elder,
        plan_id: int | None,
        dialplan: str,
        number: str,
        now: datetime,
    ) -> CallOrder:
        digest = self._hash(work, dialplan, now)
        trunk = self._config.lease.trunk
        channel = work.channels.take(trunk, self._config.admission.channels, token, now)
        if channel is None:
            raise _NoChannel
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
            dialplan_hash=digest,
            intended_at=now,
            number=number,
            recording=recording,
            line=self._me.name,
            dialler_id=token,
        )
        work.channels.carries(trunk, channel, call.id)
        earlier = [] if plan_id is None else work.answers.of_plan(plan_id)
        return call_order(call, elder, earlier, self._config.order, number)

    def _send(self, order: CallOrder, now: datetime) -> bool:
        """The intent is committed: from here on every way out leaves an ended call behind."""
        reached("intent.committed")
        with self._gate:
            self._admission.begun(now)
            self._breaker.dialled(order.call_id, now)
        if self._clock.now() - now >= self._config.lease.lease / 2:
            # We were stopped in between. Another machine may be about to take this call over.
            _log.error("dispatch.too_late", call_id=order.call_id)
            self._settle(order.call_id, CallDisposition.NOT_DIALLED)
            return False
        try:
            self._fleet.dial(order)
        except Exception as error:
            _log.error("dispatch.not_dialled", call_id=order.call_id, why=type(error).__name__)
            self._settle(order.call_id, CallDisposition.NOT_DIALLED)
            return False
        reached("invite.sent")
        return True

    def _hash(self, work: Work, dialplan: str, now: datetime) -> str:
        try:
            digest = self._hash_of(dialplan)
        except XunfangError as error:
            if error.retryable:
                raise
            raise _Unusable(dialplan, error) from None
        if dialplan not in self._sound:
            self._sound.add(dialplan)
            tell_dialplan_mended(work, dialplan, now)
        return digest

    def _hold_dialplan(self, found: _Unusable, now: datetime) -> None:
        """Its plans stay due and are not even looked at for a while; the supervisor is told once."""
        self._broken[found.name] = now + CANNOT_PREPARE
        self._sound.discard(found.name)
        with self._store.begin() as work:
            if tell_dialplan_broken(work, found.name, str(found.why), now):
                _log.error("dispatch.dialplan_broken", dialplan=found.name, why=str(found.why))

    def _cannot_prepare(self, plan: VisitPlan, error: XunfangError, now: datetime) -> None:
        """What is wrong with one elder must not stop the others; a broken database must."""
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
            if self._beat_is_due():
                self.beat()
            try:
                with self._store.begin() as work:
                    order = self._prepare_now(work, elder_id, now, anyway)
            except _Unusable as found:
                raise found.why from None
            except _NoChannel:
                raise BadInput(
                    "all channels of the trunk are in use; try again when a call has ended"
                ) from None
            except LostLease:
                raise BadInput("another machine has taken over this one's calls; try again") from None
            if not self._send(order, now):
                raise BadInput("the call could not be handed to a line; is the telephone service running?")
            return order.call_id

    def _prepare_now(self, work: Work, elder_id: int, now: datetime, anyway: bool) -> CallOrder:
        token = self._lease.require(work)
        elder = _elder(work, elder_id)
        work.diallers.lock_number(elder.phone)
        self._must_be_callable(work, elder, now, anyway)
        plan = work.plans.of_period(elder.id, self._period(elder, now))
        claimed = plan is not None and work.plans.claim(plan.id, now)
        plan_id = plan.id if plan is not None and claimed else None
        number = self._number(work, elder, plan_id)
        return self._begin(work, token, elder, plan_id, elder.dialplan, number, now)

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
        return period_of(elder, hours.local_date(now, self._policy.hours), self._policy)

    # ---- the end of a call that no line tells of ----------------------------------------------

    def _interrupt(self, call_id: int) -> bool:
        return self._settle(call_id, CallDisposition.INTERRUPTED)

    def _settle(self, call_id: int, disposition: CallDisposition) -> bool:
        now = self._clock.now()
        with self._store.begin() as work:
            settled = settle_call(work, call_id, now, self._policy, disposition=disposition)
        if settled is not None:
            with self._gate:
                self._breaker.ended(call_id, disposition, now)
            _log.warning("dispatch.settled", call_id=call_id, disposition=disposition.value)
        return settled is not None


def _elder(work: Work, elder_id: int) -> Elder:
    elder = work.elders.get(elder_id)
    if elder is None:
        raise NotFound(f"no elder {elder_id} in the ledger; `xunfang ledger list` shows them")
    return elder
