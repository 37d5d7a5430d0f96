"""One call from the order to its end (一次巡访通话): dialling, early media, conversation, timers.

    DIALLING ── answered ──► TALKING ── we or they hang up ──► LAST WORDS ──► over
        └──────────── refused, no answer, trunk down ─────────────┘

Nothing here raises for what a call may bring: a missing prompt or a failing dialogue ends
the call as our fault, and what had been heard was told when it was heard.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ivr.dialogue.dialplan import Dialplan, greeting_text
from ivr.dialogue.grammar import who_phrases
from ivr.dialogue.model import Because
from ivr.session.config import DutyConfig
from ivr.session.conversation import Conversation, Understand, Voice
from ivr.session.handover import Handover, HandoverKit
from ivr.session.hearing import Hearing
from ivr.session.model import Answered, CallEnded, CallEvent, CallOrder, RecordingLost, Ringing
from ivr.session.speaking import Speaking
from ivr.session.teller import Teller
from ivr.speech.endpointer import clamp_tail
from ivr.speech.prompts import PromptStore
from ivr.speech.workers import RecognitionWorkers
from ivr.telephony.answering import Answering
from ivr.telephony.call import (
    CallState,
    Ended,
    Event,
    KeyPressed,
    MediaUp,
    SipCall,
    StateChanged,
    TransferTold,
)
from ivr.telephony.dialling import Dialling
from ivr.telephony.disposition import classify
from ivr.telephony.endpoint import NoSlot
from ivr.telephony.keys import KeyFilter
from ivr.telephony.leg import Leg
from ivr.telephony.model import Evidence
from ivr.telephony.recording import StereoRecording
from ivr.telephony.trunk import Trunk
from ivr.understanding.model import Question
from xunfang.clock import Clock
from xunfang.errors import TrunkError, XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import CallDisposition, Speaker

RTP_CHECK_S = 0.5
LAST_WORDS_S = 3.0  # how long a cut-off utterance may still be recognised
EARLY_ANSWER_S = 8.0  # a carrier's voice repeats itself without pause: judged in pieces this long
EARLY_MEDIA = "early_media"  # `question` of what is heard before the answer
PLEASE_HOLD = ("不要挂机", "别挂机", "请勿挂机")  # call waiting: somebody may still pick up
TRANSFERRED = "transferred"  # why we hang up: the elder speaks with the call centre
OUR_REASONS = {
    "rtp_lost": Because.MEDIA_LOST,
    "too_long": Because.TOO_LONG,
    "drain": Because.OUR_FAULT,
    "cancelled": Because.OUR_FAULT,
    "our_fault": Because.OUR_FAULT,
    TRANSFERRED: Because.URGENT,
}

_log = get_logger("session")


@dataclass(frozen=True, slots=True)
class Equipment:
    """What all visits of a line share."""

    trunk: Trunk
    workers: RecognitionWorkers
    prompts: PromptStore
    plan_of: Callable[[str], Dialplan]
    understand: Understand
    early_phrases: tuple[str, ...]
    clock: Clock
    emit: Callable[[CallEvent], None]
    duty: DutyConfig
    can_hear: Callable[[str], bool] = lambda phrase: True  # whether the recogniser knows all its words


def blame(error: Exception) -> dict[str, str]:
    """What a log may say of an error: only our own messages are known to name nobody."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    reason = str(error) if isinstance(error, XunfangError) else ""
    return {"kind": type(error).__name__, "where": where, "reason": reason}


class Visit:
    """`step` on the main thread after every poll, until `over`. NoSlot when the line cannot call now.

    `incoming`: the call that rings us and is picked up, instead of dialling. When its caller has said
    who of a shared telephone he is, `choice` is set and the call stays up for another Visit.
    """

    def __init__(self, order: CallOrder, kit: Equipment, now: float, incoming: SipCall | None = None) -> None:
        self.order = order
        self.over = False
        self.choice: int | None = None
        self._kit = kit
        self._teller = Teller(order.call_id, kit.clock, kit.emit)
        self._recording = (
            StereoRecording(Path(order.recording), self._recording_lost) if order.recording else None
        )
        self._hearing = Hearing(kit.workers, clamp_tail(order.tail_ms))
        self._leg = Leg(self._hearing.frame, self._recording.put if self._recording else None)
        self._speaking = Speaking(self._leg, kit.prompts.pcm)
        callee = replace(order.callee, recorded=order.recording is not None)
        if callee.title and not kit.prompts.has(greeting_text(callee.title)):
            callee = replace(callee, title="")  # a name we cannot pronounce: greeted without it
        plan = kit.plan_of(order.dialplan)
        self._talk = Conversation(
            plan,
            callee,
            Voice(self._leg, self._speaking, self._hearing),
            self._teller,
            kit.understand,
            lambda: self._handover.ring_duty(),
            tuple(each for each in who_phrases(plan, callee) if kit.can_hear(each)) if callee.choices else (),
        )
        self._keys = KeyFilter()
        self._handover = Handover(
            HandoverKit(kit.trunk, kit.workers, kit.understand, kit.prompts.pcm, kit.duty),
            plan,
            self._leg,
            order.duty_number,
            lambda: self.call,
            lambda nth, outcome: self._teller.duty(nth, outcome, self._leg.seconds),
        )
        self._dialling: Dialling | Answering | None = None
        self._rang_us = incoming is not None
        self._trunk_problem = ""
        self._our_reason = ""
        self._announced: str | None = None
        self._rung = False
        self._answered_at: float | None = None
        self._ended: Ended | None = None
        self._ended_at = now
        self._packets = 0
        self._packets_at = now
        self._rtp_checked_at = now
        if incoming is not None:
            self._dialling = Answering(incoming, self._leg)
            return
        try:
            self._dialling = Dialling(kit.trunk, order.number, self._leg, now)
        except NoSlot:
            if self._recording is not None:
                self._recording.close()
            raise
        except TrunkError as error:
            self._trunk_problem = str(error)

    @property
    def impatient(self) -> bool:
        """A reply is due the moment the recogniser is done."""
        return self._hearing.awaits_result

    @property
    def call(self) -> SipCall | None:
        return self._dialling.call if self._dialling is not None else None

    def handed_on(self, now: float) -> None:
        """The caller has said who he is, and another Visit goes on: end this one, but not the line."""
        self._ended_at = now
        self._conclude(now)

    def hang_up(self, why: str) -> None:
        """`why`: drain, cancelled, or one of our timers' reasons."""
        self._our_reason = self._our_reason or why
        if self._dialling is not None:
            self._dialling.hang_up(why)

    def take_over(self, number: str) -> None:
        """接管: a supervisor's telephone is rung while the conversation goes on, and joined when he has
        answered and pressed the key. Whoever has joined already stays."""
        if self._answered_at is not None and self._ended is None:
            self._handover.take_over(number)

    def step(self, now: float) -> None:
        if self.over:
            return
        try:
            self._step(now)
        except Exception as error:
            # A bug or a missing prompt in one call must not end the others on this line.
            _log.error("call.our_fault", call_id=self.order.call_id, **blame(error))
            if self._ended is not None or self._our_reason == "our_fault":
                self._conclude(now)
            else:
                self.hang_up("our_fault")

    def _step(self, now: float) -> None:
        if self._dialling is None:
            _log.error("call.not_placed", call_id=self.order.call_id, reason=self._trunk_problem)
            self._ended = Ended(by="trunk", code=503, phrase="", our_reason="trunk_unreachable")
            self._conclude(now)
            return
        if self._ended is not None:
            if not self._last_words() or now - self._ended_at > LAST_WORDS_S:
                self._conclude(now)
            return
        for event in self._dialling.step(now):
            self._on(event, now)
        if self._ended is not None or self._our_reason:
            return
        if self._answered_at is None:
            self._listen_before_answer()
            return
        self._talk.step()
        self._human(now)
        if self._our_reason:
            return
        if self._talk.choice is not None:
            self.choice, self.over = self._talk.choice, True
        elif self._talk.end is not None:
            self.hang_up("dialogue")
        else:
            self._watch(now)

    # ---- events of the line -------------------------------------------------------------

    def _on(self, event: Event, now: float) -> None:
        if isinstance(event, StateChanged):
            if event.state is CallState.EARLY and not self._rung:
                self._rung = True
                self._kit.emit(
                    Ringing(self.order.call_id, self._kit.clock.now(), early_media=event.code == 183)
                )
            elif event.state is CallState.CONFIRMED and self._answered_at is None:
                self._answered_at = self._packets_at = now
                self._kit.emit(Answered(self.order.call_id, self._kit.clock.now()))
                self._talk.begin()
        elif isinstance(event, MediaUp):
            if self._answered_at is None:
                self._hearing.listen(self._kit.early_phrases, None, EARLY_ANSWER_S)
        elif isinstance(event, KeyPressed):
            if self._answered_at is not None and self._keys.accept(event.digit, event.method, event.at):
                self._talk.key(event.digit)
        elif isinstance(event, TransferTold):
            self._handover.told(event)
        elif isinstance(event, Ended):
            self._ended, self._ended_at = event, now
            self._handover.hang_up()
            if self._answered_at is not None:
                self._talk.cut()
            else:
                self._hearing.cut_off(during_prompt=False)

    def _last_words(self) -> bool:
        """What was still being recognised when the line was cut. False when nothing is left."""
        if self._answered_at is not None:
            return self._talk.last_words()
        self._listen_before_answer()
        return self._hearing.busy and self._announced is None

    def _listen_before_answer(self) -> None:
        """A carrier's voice in early media says more than the code that follows it."""
        for heard in self._hearing.step(during_prompt=False):
            text = getattr(heard, "text", "")
            understood = self._kit.understand(text, Question.ANY) if text else None
            self._hearing.listen(self._kit.early_phrases, None, EARLY_ANSWER_S)
            if understood is None or understood.announcement is None:
                continue
            if any(words in text for words in PLEASE_HOLD):
                continue
            span = (heard.start_s, heard.end_s)  # type: ignore[union-attr]
            confidence = heard.confidence  # type: ignore[union-attr]
            self._teller.heard(text, EARLY_MEDIA, Speaker.MACHINE, span, confidence, understood)
            self._announced = understood.announcement
            if self._ended is None:
                self.hang_up("announcement")
            return

    def _human(self, now: float) -> None:
        """What comes of ringing a human, to the dialogue."""
        told = self._handover.step(now)
        self._speaking.audience = self._handover.joined
        if self._handover.transferred:
            self.hang_up(TRANSFERRED)
        elif told is not None:
            self._talk.duty(told)

    def _watch(self, now: float) -> None:
        """RTP that stops, and calls that never end; pjsip has no opinion on either."""
        config = self._kit.trunk.config
        assert self._answered_at is not None
        if now - self._answered_at > config.max_call_s and not self._talk.urgent:
            self.hang_up("too_long")
        if now - self._rtp_checked_at < RTP_CHECK_S:
            return
        self._rtp_checked_at = now
        call = self._dialling.call if self._dialling else None
        packets = call.rtp_packets() if call else 0
        if packets != self._packets or self._handover.transferring:
            self._packets, self._packets_at = packets, now
        elif now - self._packets_at > config.rtp_lost_s:
            self.hang_up("rtp_lost")

    def _recording_lost(self, why: str) -> None:
        """Called from the writer's thread; events only cross a queue from here."""
        _log.error("recording.lost", call_id=self.order.call_id, reason=why)
        self._kit.emit(RecordingLost(self.order.call_id, self._kit.clock.now(), why=why))

    # ---- the end ------------------------------------------------------------------------

    def _conclude(self, now: float) -> None:
        self.over = True
        ended = self._ended or Ended(by="us", code=0, phrase="", our_reason=self._our_reason)
        answered = self._answered_at is not None
        because = self._because(ended) if answered else None
        if self.choice is not None:
            because = Because.FINISHED  # of this part: the line stays up, nobody has hung up
        if answered:
            self._talk.raise_what_is_open()
        if self._recording is not None:
            self._recording.close()
        announced = self._talk.end.announcement if self._talk.end is not None else self._announced
        disposition = self._disposition(ended, answered, announced, because)
        self._kit.emit(
            CallEnded(
                self.order.call_id,
                self._kit.clock.now(),
                disposition=disposition,
                because=because,
                sip_code=ended.code or None,
                q850=ended.q850,
                hung_up_by=ended.by,
                seconds=round(max(0.0, self._ended_at - self._answered_at), 2)
                if self._answered_at is not None
                else 0.0,
                reply_ms=tuple(self._speaking.reply_ms),
            )
        )

    def _disposition(
        self, ended: Ended, answered: bool, announced: str | None, because: Because | None
    ) -> CallDisposition:
        if self._rang_us and not answered and ended.by != "us":
            return CallDisposition.HUNG_UP_EARLY  # rang us, and gave up before we were there
        return classify(
            Evidence(
                answered=answered,
                rang=ended.rang or self._rung,
                sip_code=ended.code or None,
                q850=ended.q850,
                hung_up_by=ended.by,
                our_reason=self._our_reason or ended.our_reason,
                announced=announced,
                because=str(because) if because else None,
                speech_heard=self._talk.speech_heard,
                rtp_packets=self._packets,
            )
        )

    def _because(self, ended: Ended) -> Because:
        if self._our_reason in OUR_REASONS:
            return OUR_REASONS[self._our_reason]
        if self._talk.end is not None:
            return self._talk.end.because
        return self._talk.outcome()
