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
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from ivr.dialogue.model import Callee
from ivr.dialogue.plan import Callback, Dialplan, choice_text
from ivr.session.model import AlertRaised, CallEnded, CallEvent, CallOrder
from ivr.session.protocol import Caller, Refuse
from records.model import AlertFact
from scheduler import rung_back
from scheduler.dispatch import DispatchConfig
from scheduler.order import call_order, recording_path
from scheduler.owner import own_name
from storage.model import Contact, Elder, Incoming
from visits.model import ElderFacts, Outcome
from visits.people import title
from visits.rules import case_for
from visits.service import open_case
from visits.telling import DUTY, WEBHOOK
from xunfang.clock import Clock
from xunfang.errors import XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import (
    Alert,
    CallDirection,
    CallerKind,
    ConsentPurpose,
)

if TYPE_CHECKING:
    from storage import Store, Work

TRIES = 3
RETRY_WAIT_S = 0.5
ACTOR = "system"
UNRESOLVED, URGENT, REVIEW, MISSED = (
    "incoming.unresolved",
    "incoming.urgent",
    "incoming.review",
    "incoming.missed",
)

_log = get_logger("scheduler")
T = TypeVar("T")


def is_reception(call_id: int) -> bool:
    """An event of somebody who is told a number: no Call belongs to it."""
    return call_id < 0


@dataclass(frozen=True, slots=True)
class _Who:
    kind: CallerKind
    elders: tuple[Elder, ...] = ()
    contact: Contact | None = None


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
        self._can_offer = can_offer
        self._owner = owner
        self._wake = wake
        self._wait = wait
        self._me = own_name()

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
        return self._patiently(lambda work: self._tell(work, caller, self._who(work, caller.number), now))

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
            self._alert(work, row, event)
        else:
            self._ended(work, row, event)

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

    # ---- who it is -----------------------------------------------------------------------------

    def _who(self, work: Work, number: str) -> _Who:
        if not number:
            return _Who(CallerKind.STRANGER)
        elders = tuple(each for each in work.elders.find_by_phone(number) if each.active)
        if elders:
            return _Who(CallerKind.ELDER if len(elders) == 1 else CallerKind.HOUSEHOLD, elders)
        for contact in work.contacts.find_by_phone(number):
            elder = work.elders.get(contact.elder_id)
            if elder is not None and elder.active:
                return _Who(CallerKind.CONTACT, (elder,), contact)
        return _Who(CallerKind.STRANGER)

    def _order(self, work: Work, caller: Caller, now: datetime) -> CallOrder | Refuse:
        token = self._owner()
        if token is None or not work.diallers.holds(token):
            self._note_missed(work, caller, now)  # whoever holds the lease dials him
            return Refuse(caller.ring)
        work.diallers.lock_number(caller.number)  # dispatch, on whatever machine, does not ring it meanwhile
        who = self._who(work, caller.number)
        row = None
        if caller.choice is not None and caller.call_id is not None:
            row = work.incoming.get(-caller.call_id)
            who = _Who(CallerKind.ELDER, who.elders[caller.choice - 1 : caller.choice])
        on_line = {each.elder_id for each in work.calls.open()} & {each.id for each in who.elders}
        if on_line and who.kind in (CallerKind.ELDER, CallerKind.HOUSEHOLD):
            return self._announce(work, caller, who, now, (self._words().on_line, self._words().danger))
        if who.kind is CallerKind.ELDER and who.elders:
            return self._ask(work, caller, who.elders[0], row, now)
        if who.kind is CallerKind.HOUSEHOLD and (choices := self._choices(who.elders)):
            return self._announce(work, caller, who, now, self._number_of(work, who), choices)
        return self._tell(work, caller, who, now)

    # ---- an elder ------------------------------------------------------------------------------

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

    # ---- everybody else ------------------------------------------------------------------------

    def _tell(self, work: Work, caller: Caller, who: _Who, now: datetime) -> CallOrder:
        said = self._number_of(work, who)
        if who.contact is not None and self._may_be_told(work, who.contact):
            said = (self._words().tried, *said)
        return self._announce(work, caller, who, now, said)

    def _announce(
        self,
        work: Work,
        caller: Caller,
        who: _Who,
        now: datetime,
        said: tuple[str, ...],
        choices: tuple[str, ...] = (),
    ) -> CallOrder:
        row = work.incoming.add(
            rang_at=now,
            kind=who.kind,
            phone=caller.number,
            elder_id=who.elders[0].id if who.elders else None,
            line=self._me,
        )
        order = self._config.order
        at_home = who.kind in (CallerKind.ELDER, CallerKind.HOUSEHOLD)
        path = order.dialplan_path
        return CallOrder(
            call_id=-row.id,
            number=caller.number,
            dialplan=rung_back.DIALPLAN if path is None else path(rung_back.DIALPLAN),
            callee=Callee(recorded=False, announce=said, choices=choices, stranger=not at_home),
            tail_ms=order.tail_ms,
            duty_number=order.duty_number,
            ring=caller.ring,
        )

    def _choices(self, elders: tuple[Elder, ...]) -> tuple[str, ...]:
        """What each is called; empty when they cannot be told apart by it, or it cannot be said."""
        titles = tuple(title(each.name, each.sex) for each in elders)
        sayable = all(each and self._can_offer(choice_text(each)) for each in titles)
        if not sayable or len(set(titles)) < len(titles) or len(titles) > len(self._words().press):
            return ()
        return titles

    def _number_of(self, work: Work, who: _Who) -> tuple[str, ...]:
        words = self._words()
        digits = words.read_out(_public_number(work, who.elders[0] if who.elders else None))
        if not digits:
            return (words.no_number, words.danger)
        return (words.number, *digits, words.again, *digits, words.danger)

    def _may_be_told(self, work: Work, contact: Contact) -> bool:
        agreed = work.consents.current(contact.elder_id, ConsentPurpose.FAMILY_NOTICE) is True
        return agreed and contact.may_be_told

    def _words(self) -> Callback:
        plan = self._plan_of(rung_back.DIALPLAN)
        assert plan.callback is not None, "the shipped dialplan for callers has its words"
        return plan.callback

    # ---- what happens then ---------------------------------------------------------------------

    def _alert(self, work: Work, row: Incoming, event: AlertRaised) -> None:
        """With an elder behind the number, a case of his; else people are told: somebody must ring back."""
        work.incoming.raise_alert(row.id, event.alert)
        fact = AlertFact(
            alert=event.alert,
            text=event.text,
            question=event.question,
            reasons=event.reasons,
            event=event.event,
            relative=row.kind is CallerKind.CONTACT,
            start_s=event.start_s,
            end_s=event.end_s,
        )
        detail = {"alert": event.alert.value, "reasons": list(event.reasons), "event": event.event}
        work.audit.write(event.at, ACTOR, "alert.raised", f"incoming:{row.id}", detail)
        if row.elder_id is not None:
            outcome = Outcome(elder_id=row.elder_id, alerts=(fact,))
            draft = case_for(outcome, ElderFacts(), self._policy.deadlines, event.at)
            if draft is not None:
                open_case(work, draft, event.at)
            return
        urgent = event.alert is Alert.URGENT
        heading = "【紧急】未知来电中有人求助" if urgent else "【待复核】未知来电"
        body = f"来电记录{row.id}：号码不在台账中。请立即查看号码并回电，必要时由工作人员拨打120/110。"
        _notify(work, URGENT if urgent else REVIEW, heading, body, event.at)

    def _ended(self, work: Work, row: Incoming, event: CallEnded) -> None:
        because = "" if event.because is None else event.because.value
        work.incoming.finish(row.id, event.at, because or event.disposition.value)
        if row.kind is CallerKind.HOUSEHOLD and row.call_id is None:
            body = f"来电记录{row.id}：几位老人共用的电话打来，未能确认是哪一位。请查看号码并回电。"
            _notify(work, UNRESOLVED, "【来电】未能确认是哪位老人", body, event.at)

    def _missed(self, caller: Caller, now: datetime) -> None:
        """All lines were busy. An elder is dialled as soon as one is free; a human hears of the others of
        whom we know something."""
        self._patiently(lambda work: self._note_missed(work, caller, now))
        self._wake()

    def _note_missed(self, work: Work, caller: Caller, now: datetime) -> None:
        who = self._who(work, caller.number)
        row = work.incoming.add(
            rang_at=now,
            kind=who.kind,
            phone=caller.number,
            elder_id=who.elders[0].id if who.elders else None,
            line=self._me,
            missed=True,
            ended_at=now,
        )
        at_home = who.elders if who.contact is None else ()
        redialled = [rung_back.redial(work, each, now, self._policy) for each in at_home]
        if who.elders and not any(redialled):
            body = f"来电记录{row.id}：线路全忙，来电未能接听。请查看号码并回电。"
            _notify(work, MISSED, "【来电】未能接听", body, now)


def _public_number(work: Work, elder: Elder | None) -> str:
    """Of the elder's village, else of what lies above it; of nobody known: the county's."""
    if elder is not None and elder.area_id is not None:
        for area in reversed(work.areas.path(elder.area_id)):
            if area.phone:
                return area.phone
    return next((area.phone for area in work.areas.children(None) if area.phone), "") or ""


def _notify(work: Work, kind: str, heading: str, body: str, now: datetime) -> None:
    for to in (DUTY, WEBHOOK):
        work.notices.add(kind=kind, to=to, title=heading, body=body, created_at=now)
