"""来电: somebody rings us. Who it is, what he is told, which visit he is asked.

    number ─► elder       his open visit is claimed, as dispatch does it, and asked
           ├► household   several share the number: he says who he is, then as above
           ├► contact     hears that we tried, as far as the elder agreed, and the village's number
           └► stranger    hears the village's or county's number, and nothing else

Nobody is answered before the intent is committed. Only a conversation with an elder is a Call;
the others have a row of `incoming` alone, and their events carry its id as a negative call id.
Danger is heard whoever it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from ivr.dialogue.plan import Dialplan
from ivr.session.model import AlertRaised, CallEnded, CallEvent, CallOrder
from ivr.session.protocol import Caller, Refuse
from scheduler import incoming, rung_back
from scheduler.announcing import Announcing
from scheduler.caller import Who, who_rings
from scheduler.dispatch import DispatchConfig
from scheduler.order import call_order, recording_path
from scheduler.owner import own_name
from storage.model import Elder, Incoming
from xunfang.clock import Clock
from xunfang.errors import XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import CallDirection, CallerKind, ConsentPurpose

if TYPE_CHECKING:
    from storage import Store, Work

TRIES = 3
RETRY_WAIT_S = 0.5

_log = get_logger("scheduler")
T = TypeVar("T")


def is_reception(call_id: int) -> bool:
    """An event of somebody who is told a number: no Call belongs to it."""
    return call_id < 0


class Reception:
    """`caller` is the fleet's `on_caller`; `heard` sees every event before the journal does, on the same
    thread. `plan_of` loads a dialplan, `can_offer` tells whether a text has its recording. `owner`: the
    dialler whose lease covers the calls that begin here. `wake`: something became due."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        config: DispatchConfig,
        plan_of: Callable[[str], Dialplan],
        can_offer: Callable[[str], bool],
        owner: Callable[[], int | None],
        wake: Callable[[], None] = lambda: None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._config = config
        self._policy = config.policy
        self._plan_of = plan_of
        self._owner = owner
        self._wake = wake
        self._wait = wait
        self._me = own_name()
        self._announcing = Announcing(config.order, plan_of, can_offer, self._me)

    def caller(self, caller: Caller) -> CallOrder | Refuse | None:
        now = self._clock.now()
        if caller.missed:
            self._missed(caller, now)
            return None
        try:
            return self._patiently(lambda work: self._order(work, caller, now))
        except XunfangError as error:
            if error.retryable:
                raise  # without its intent no call begins: the line refuses
            # A broken dialplan of one elder: he is still told whom to ring.
            _log.error("caller.cannot_prepare", why=str(error))
        return self._patiently(lambda work: self._number(work, caller, now))

    def heard(self, event: CallEvent) -> bool:
        """True when the event was no call's and has been dealt with."""
        if not is_reception(event.call_id):
            return False
        if isinstance(event, AlertRaised | CallEnded):
            self._patiently(lambda work: self._happened(work, event))
        return True

    def _happened(self, work: Work, event: AlertRaised | CallEnded) -> None:
        row = work.incoming.get(-event.call_id)
        if row is None:
            _log.error("reception.unknown", event_kind=type(event).__name__)
        elif isinstance(event, AlertRaised):
            incoming.alarmed(work, row, event, self._policy)
        else:
            incoming.ended(work, row, event)

    def _patiently(self, do: Callable[[Work], T]) -> T:
        """Storage itself waits for locks; what still fails for a moment is tried again."""
        for left in range(TRIES - 1, -1, -1):
            try:
                with self._store.begin() as work:
                    return do(work)
            except XunfangError as error:
                if not error.retryable or not left:
                    raise
                self._wait(RETRY_WAIT_S)
        raise AssertionError("the last try returns or raises")

    # ---- what he is told or asked ---------------------------------------------------------------

    def _order(self, work: Work, caller: Caller, now: datetime) -> CallOrder | Refuse:
        token = self._owner()
        if token is None or not work.diallers.holds(token):
            self._note_missed(work, caller, now)  # whoever holds the lease dials him
            return Refuse(caller.ring)
        work.diallers.lock_number(caller.number)  # dispatch, on whatever machine, does not ring it meanwhile
        who = who_rings(work, caller.number)
        row = None
        if caller.choice is not None and caller.call_id is not None:
            row = work.incoming.get(-caller.call_id)
            who = Who(CallerKind.ELDER, who.elders[caller.choice - 1 : caller.choice])
        if who.at_home and any(work.times.is_on_the_line(each.id) for each in who.elders):
            return self._announcing.on_line(work, caller, who, now)
        if who.kind is CallerKind.ELDER and who.elders:
            return self._ask(work, caller, who.elders[0], row, now)
        which = self._announcing.which(work, caller, who, now) if who.kind is CallerKind.HOUSEHOLD else None
        return which or self._announcing.number(work, caller, who, now)

    def _number(self, work: Work, caller: Caller, now: datetime) -> CallOrder:
        return self._announcing.number(work, caller, who_rings(work, caller.number), now)

    def _ask(
        self, work: Work, caller: Caller, elder: Elder, row: Incoming | None, now: datetime
    ) -> CallOrder:
        case = work.cases.open_for(elder.id)
        may_ask = rung_back.may_be_asked(work, elder, now, self._policy)
        plan = rung_back.open_plan(work, elder, case, now) if may_ask else None
        claimed = plan is not None and work.plans.claim_rung_back(plan.id, now)
        unreached = may_ask and case is not None and case.kind in rung_back.UNREACHED
        plan_id = plan.id if plan is not None and claimed else None
        name = rung_back.DIALPLAN
        if plan is not None and claimed:
            name = plan.dialplan
        elif unreached:
            name = elder.dialplan
        dialplan = self._plan_of(name)
        attempt = 1 if plan_id is None else len(work.calls.of_plan(plan_id)) + 1
        timezone = self._config.order.timezone
        recording = None
        may_record = work.consents.current(elder.id, ConsentPurpose.RECORDING) is True
        if may_record and self._config.order.recordings is not None:
            recording = recording_path(elder.id, plan_id, attempt, now, timezone)
        key = rung_back.why(work, elder, claimed or unreached, now, timezone)
        call = work.calls.begin(
            plan_id=plan_id,
            elder_id=elder.id,
            attempt=attempt,
            dialplan=name,
            dialplan_hash=dialplan.hash,
            intended_at=now,
            number=caller.number,
            recording=recording,
            line=self._me,
            direction=CallDirection.INBOUND,
            dialler_id=self._owner(),
        )
        self._take_channel(work, call.id, now)
        if row is None:
            kind = CallerKind.ELDER
            work.incoming.add(
                rang_at=now,
                kind=kind,
                phone=caller.number,
                elder_id=elder.id,
                call_id=call.id,
                line=self._me,
                ended_at=now,  # from here on it is the call's story
            )
        else:
            work.incoming.became(row.id, elder.id, call.id)
        earlier = [] if plan_id is None else work.answers.of_plan(plan_id)
        order = call_order(call, elder, earlier, self._config.order)
        said = "" if dialplan.callback is None else dialplan.callback.why[key]
        return replace(
            order,
            number=caller.number,
            ring=caller.ring,
            callee=replace(order.callee, rang_us=True, why=said),
        )

    def _take_channel(self, work: Work, call_id: int, now: datetime) -> None:
        """Who rings us holds a channel of the trunk as well; if the table has none left, the trunk had."""
        token, lease = self._owner(), self._config.lease
        if token is None:
            return
        channel = work.channels.take(lease.trunk, self._config.admission.channels, token, now)
        if channel is not None:
            work.channels.carries(lease.trunk, channel, call_id)

    def _missed(self, caller: Caller, now: datetime) -> None:
        """All lines were busy."""
        self._patiently(lambda work: self._note_missed(work, caller, now))
        self._wake()

    def _note_missed(self, work: Work, caller: Caller, now: datetime) -> None:
        incoming.missed(work, caller, self._me, self._policy, now)
