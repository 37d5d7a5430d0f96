"""Session events into storage, as they happen (通话日志).

Each event is its own transaction: whatever was heard before something dies is kept. An urgent
alert becomes a case while the call is still open. Every step may be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ivr.session.model import (
    AlertRaised,
    Answered,
    AnswerGiven,
    CallEnded,
    CallEvent,
    RecordingLost,
    Remembered,
    TurnHeard,
)
from records.service import keep_alert
from scheduler.alerts import fact_of
from scheduler.crashpoints import reached
from scheduler.policy import Policy
from scheduler.settle import Settled, forget_missing_recording, settle_call, withdraw_phone_visits
from storage.model import Answer, Call, Turn
from visits.reviewing import flag
from visits.rules import distress_case
from visits.service import open_case
from xunfang.errors import XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import Alert

if TYPE_CHECKING:
    from storage import Store, Work

HARD_OF_HEARING = "hard_of_hearing"
OPT_OUT = "opt_out"
TRIES = 4
RETRY_WAIT_S = 0.5  # doubled each time; storage itself already waits for locks
ACTOR = "system"
# Where a test may kill us: heard and not stored, stored and not committed, committed.
_CRASH_POINTS: dict[type[CallEvent], tuple[str, str, str]] = {
    Answered: ("answered.heard", "", ""),
    AnswerGiven: ("answer.heard", "answer.open", "answer.committed"),
    AlertRaised: ("", "", "alert.committed"),
    CallEnded: ("end.heard", "settle.open", "settle.committed"),
}

OnEnded = Callable[[CallEnded, Settled | None], None]

_log = get_logger("scheduler")


class Journal:
    """`handle` is the fleet's `on_event`: called from one thread, in order per call.

    `on_ended` hears of every settled call (the dispatcher's breaker); `recordings` is the folder
    that recording paths are relative to.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        recordings: Path | None = None,
        on_ended: OnEnded | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._policy = policy
        self._recordings = recordings
        self._on_ended = on_ended
        self._wait = wait

    def handle(self, event: CallEvent) -> None:
        """Never raises: the thread that brings the events must live. An event that cannot be stored
        after some tries is logged; its call is found again by the dispatcher's reconciliation."""
        try:
            settled = self._with_patience(event)
        except Exception as error:
            _log.error(
                "journal.lost",
                call_id=event.call_id,
                event_kind=type(event).__name__,
                why=type(error).__name__,
            )
            return
        if isinstance(event, CallEnded) and self._on_ended is not None:
            self._tell(self._on_ended, event, settled)

    @staticmethod
    def _tell(hook: OnEnded, event: CallEnded, done: Settled | None) -> None:
        try:
            hook(event, done)
        except Exception as error:
            _log.error("journal.on_ended_failed", call_id=event.call_id, why=type(error).__name__)

    def _with_patience(self, event: CallEvent) -> Settled | None:
        heard, uncommitted, committed = _CRASH_POINTS.get(type(event), ("", "", ""))
        reached(heard)
        for attempt in range(TRIES):
            try:
                with self._store.begin() as work:
                    settled = self._store_event(work, event)
                    reached(uncommitted)
                reached(committed)
                return settled
            except XunfangError as error:
                if not error.retryable or attempt == TRIES - 1:
                    raise
                self._wait(RETRY_WAIT_S * 2**attempt)
        raise AssertionError("the last try returns or raises")

    def _store_event(self, work: Work, event: CallEvent) -> Settled | None:
        call = work.calls.get(event.call_id)
        if isinstance(event, CallEnded):
            if call is not None:
                forget_missing_recording(work, call, self._recordings)
            return settle_call(
                work,
                event.call_id,
                event.at,
                self._policy,
                disposition=event.disposition,
                because="" if event.because is None else event.because.value,
                sip_code=event.sip_code,
                q850=event.q850,
                hung_up_by=event.hung_up_by,
            )
        if call is None:
            _log.error("journal.unknown_call", call_id=event.call_id, event_kind=type(event).__name__)
        elif isinstance(event, Answered):
            work.calls.answered(event.call_id, event.at)
        elif isinstance(event, TurnHeard):
            self._turn(work, event)
        elif isinstance(event, AnswerGiven):
            self._answer(work, event)
        elif isinstance(event, AlertRaised):
            self._alert(work, event, call)
        elif isinstance(event, Remembered):
            self._remember(work, event, call)
        elif isinstance(event, RecordingLost):
            self._recording_lost(work, event, call)
        return None

    @staticmethod
    def _turn(work: Work, event: TurnHeard) -> None:
        work.turns.add(
            Turn(
                call_id=event.call_id,
                seq=event.seq,
                speaker=event.speaker,
                text=event.text,
                question=event.question,
                confidence=event.confidence,
                start_s=event.start_s,
                end_s=event.end_s,
                alert=event.alert,
                judgement=dict(event.judgement),
            )
        )

    @staticmethod
    def _answer(work: Work, event: AnswerGiven) -> None:
        work.answers.put(
            Answer(
                call_id=event.call_id,
                question=event.question,
                topic=event.topic,
                answer=event.answer,
                details=event.details,
                text=event.text,
                confidence=event.confidence,
                source=event.source,
                at=event.at,
            )
        )

    def _alert(self, work: Work, event: AlertRaised, call: Call) -> None:
        fact = fact_of(event, relative=event.relative or call.contact_id is not None)
        keep_alert(work, call.id, fact, event.at)
        flag(work, call.id, event.at, self._policy.deadlines)
        if event.alert is not Alert.URGENT:
            return  # its case comes with the end of the call, with everything else that was said
        draft = distress_case(call.elder_id, call.id, fact, self._policy.deadlines, event.at)
        open_case(work, draft, event.at)

    @staticmethod
    def _remember(work: Work, event: Remembered, call: Call) -> None:
        if call.contact_id is not None:
            return  # it is said of whoever picked up, not of the elder
        if event.what == HARD_OF_HEARING:
            work.elders.update(call.elder_id, hard_of_hearing=True)
        elif event.what == OPT_OUT:
            withdraw_phone_visits(work, call.elder_id, call.id, event.at)
        else:
            _log.warning("journal.unknown_memory", call_id=call.id, what=event.what)

    def _recording_lost(self, work: Work, event: RecordingLost, call: Call) -> None:
        """What was written before stays evidence; a path to nothing is taken back."""
        detail = {"why": event.why}
        work.audit.write(event.at, ACTOR, "recording.lost", f"call:{call.id}", detail)
        forget_missing_recording(work, call, self._recordings)
