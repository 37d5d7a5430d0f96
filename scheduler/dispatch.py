"""Dispatch (拨打): from due plans to ringing telephones.

The guarantee: the intent to dial is committed before the INVITE leaves, so that a call that was
made is always known. Claim, channel of the trunk and call are one transaction, in which the lease is
checked (scheduler.lease); any number of machines may do this at once. What may not be dialled now is
deferred by writing when it may, never dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from ivr.session.model import CallEnded, CallOrder
from scheduler.admission import Admission
from scheduler.breaker import Breaker, BreakerState
from scheduler.crashpoints import reached
from scheduler.lease import Health, Lease, LostLease
from scheduler.owner import Identity, is_running, own_identity
from scheduler.prepare import DispatchConfig, NoChannel, Preparing
from scheduler.settle import Settled, settle_call
from scheduler.takeover import TakeOver
from scheduler.telling import tell_breaker
from scheduler.usable import Dialplans, Unusable
from storage.model import ContactCall, VisitPlan
from xunfang.clock import Clock
from xunfang.errors import BadInput, XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import CallDisposition

if TYPE_CHECKING:
    from storage import Store

__all__ = ["DispatchConfig", "Dispatcher", "Fleet"]

CANNOT_PREPARE = timedelta(minutes=15)  # until a plan that cannot be made a call of is tried again
PLANS_PER_LOOK = 50
LOOKS_PER_TICK = 20
ACTOR = "system"

_log = get_logger("scheduler")


class Fleet(Protocol):
    """What dispatch needs of ivr.session.fleet.Fleet."""

    @property
    def capacity(self) -> int: ...

    def free(self) -> int: ...

    def lag_ms(self) -> float: ...

    def hang_up(self, call_id: int) -> None: ...

    def dial(self, order: CallOrder) -> None: ...

    def live(self) -> list[int]: ...


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
        self._dialplans = Dialplans(hash_of)
        self._admission = Admission(config.admission)
        self._breaker = Breaker(config.breaker)
        self._gate = threading.Lock()  # around breaker and admission
        self._turn = threading.RLock()
        self._me = me or own_identity()
        self._lease = Lease(store, clock, config.lease, self._me, config.admission.channels, running)
        self._preparing = Preparing(config, self._lease, self._dialplans, self._me.name)
        self._takeover = TakeOver(store, clock, fleet, self._lease, self._interrupt)
        self._beaten_at: datetime | None = None
        self._stale: frozenset[int] = frozenset()  # calls of a lease that was lost, being hung up
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
            try:
                dialled = self._contacts()
            except NoChannel:
                return 0
            except LostLease:
                self.beat()
                return 0
            for _ in range(LOOKS_PER_TICK):
                now = self._clock.now()
                with self._store.read() as work:
                    used = work.channels.used(self._config.lease.trunk)
                    if self._room(used) <= 0:
                        return dialled
                    plans = work.plans.due(now, PLANS_PER_LOOK, self._dialplans.held(now))
                before = dialled
                for plan in plans:
                    if self._room(used + dialled - before) <= 0:
                        return dialled
                    if self._dialplans.is_held(plan.dialplan):
                        continue
                    try:
                        dialled += self._take(plan)
                    except NoChannel:
                        return dialled
                    except LostLease:
                        self.beat()
                        return dialled
                if len(plans) < PLANS_PER_LOOK:
                    return dialled
            return dialled

    def _contacts(self) -> int:
        """联系人 first: few, and each of them because an elder was not reached."""
        now, dialled = self._clock.now(), 0
        with self._store.read() as work:
            rows = work.contact_calls.due(now, PLANS_PER_LOOK)
            used = work.channels.used(self._config.lease.trunk) if rows else 0
        for row in rows:
            if self._room(used + dialled) <= 0:
                break
            dialled += self._take(row)
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

    # ---- one plan ------------------------------------------------------------------------------

    def _take(self, due: VisitPlan | ContactCall) -> bool:
        """Dial this plan, or this contact; defer it or end it. True when a call left."""
        now = self._clock.now()
        try:
            with self._store.begin() as work:
                if isinstance(due, VisitPlan):
                    order = self._preparing.due(work, due, now)
                else:
                    order = self._preparing.contact(work, due, now)
                if order is not None:
                    reached("intent.open")
        except Unusable as found:
            with self._store.begin() as work:
                self._dialplans.hold(work, found, now)
                if isinstance(due, ContactCall):
                    work.contact_calls.change(due, next_attempt_at=now + CANNOT_PREPARE)
            return False
        except XunfangError as error:
            self._cannot_prepare(due, error, now)
            return False
        return order is not None and self._send(order, now)

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

    def _cannot_prepare(self, due: VisitPlan | ContactCall, error: XunfangError, now: datetime) -> None:
        """What is wrong with one elder must not stop the others; a broken database must."""
        if error.retryable:
            raise error
        plan_id = due.id if isinstance(due, VisitPlan) else due.plan_id
        _log.error("dispatch.cannot_prepare", plan_id=plan_id, why=str(error))
        with self._store.begin() as work:
            later = now + CANNOT_PREPARE
            if isinstance(due, VisitPlan):
                work.plans.set_status(due.id, due.status, next_attempt_at=later, expected=due.status)
            else:
                work.contact_calls.change(due, next_attempt_at=later)
            detail = {"because": str(error)}
            work.audit.write(now, ACTOR, "not_dialled", f"plan:{plan_id}", detail)

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
                    order = self._preparing.wanted(work, elder_id, now, anyway)
            except Unusable as found:
                raise found.why from None
            except NoChannel:
                raise BadInput(
                    "all channels of the trunk are in use; try again when a call has ended"
                ) from None
            except LostLease:
                raise BadInput("another machine has taken over this one's calls; try again") from None
            if not self._send(order, now):
                raise BadInput("the call could not be handed to a line; is the telephone service running?")
            return order.call_id

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
