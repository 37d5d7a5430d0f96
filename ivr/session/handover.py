"""A human for one elder's call (转人工): whom to ring, in what way, and what is told of it.

Danger rings the duty numbers (or transfers the call, DutyConfig.handover), a supervisor's command rings his
own telephone. The visit asks `step` what the dialogue must hear.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ivr.dialogue.grammar import duty_phrases
from ivr.dialogue.model import DutyAnswered, DutyFailed, DutyNext
from ivr.dialogue.plan import Dialplan
from ivr.session.config import REFER, DutyConfig
from ivr.session.conversation import Understand
from ivr.session.duty import DutyRinging
from ivr.session.duty_leg import DutyDesk, Target
from ivr.session.transfer import Transfer
from ivr.speech.workers import RecognitionWorkers
from ivr.telephony.call import SipCall, TransferTold
from ivr.telephony.leg import Leg
from ivr.telephony.trunk import Trunk
from xunfang.errors import TrunkError
from xunfang.log import get_logger
from xunfang.vocabulary import DutyOutcome

Tell = Callable[[int, DutyOutcome], None]

_log = get_logger("session")


@dataclass(frozen=True, slots=True)
class HandoverKit:
    trunk: Trunk
    workers: RecognitionWorkers
    understand: Understand
    pcm_of: Callable[[str], bytes]
    config: DutyConfig


class Handover:
    """`duty_number`: the first that is rung. `call_of`: the elder's call, to be transferred."""

    def __init__(
        self,
        kit: HandoverKit,
        plan: Dialplan,
        elder: Leg,
        duty_number: str | None,
        call_of: Callable[[], SipCall | None],
        tell: Tell,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.transferred = False  # the elder's call is with the call centre: ours may end
        self._kit = kit
        self._words = plan.urgent
        self._elder = elder
        self._numbers = (duty_number, *kit.config.others) if duty_number else ()
        self._call_of = call_of
        self._tell = tell
        self._seconds = seconds
        self._transfer: Transfer | None = None
        self._fell_back = False  # the transfer has failed, and we ring and bridge
        self._ringing: DutyRinging | None = None
        self._desk = DutyDesk(
            kit.trunk, kit.workers, self._words.duty_words, duty_phrases(plan), kit.understand, kit.config
        )

    @property
    def joined(self) -> Leg | None:
        """Of the human who speaks with the elder."""
        return self._ringing.joined if self._ringing is not None else None

    @property
    def transferring(self) -> bool:
        """The carrier may stop sending us the elder's sound meanwhile."""
        return self._transfer is not None and self._transfer.taken is None

    # ---- what sets it going -------------------------------------------------------------------

    def ring_duty(self) -> None:
        """The elder is in danger."""
        if self._transfer is None and self._numbers and self._kit.config.handover == REFER:
            self._begin_transfer(self._numbers[0])
        if not self.transferring:
            self._ring()

    def take_over(self, number: str) -> None:
        """接管: a supervisor's telephone. Whoever has joined already stays."""
        target = Target(number, 0, self._kit.pcm_of(self._words.take_over_ask))
        if self.joined is not None:
            return
        if self._ringing is not None and not self._ringing.over:
            self._ringing.also([target], first=True)
        else:
            self._ringing = DutyRinging(self._desk, self._elder, [target], self._tell, unasked=True)

    def told(self, event: TransferTold) -> None:
        if self._transfer is not None:
            self._transfer.told(event)

    def hang_up(self) -> None:
        """The elder has gone, to the call centre perhaps."""
        if self._transfer is not None and not self.transferred and self._transfer.taken is not False:
            self.transferred = bool(self._transfer.taken)
            self._tell(0, DutyOutcome.TRANSFERRED if self.transferred else DutyOutcome.UNKNOWN)
            self._transfer = None
        if self._ringing is not None:
            self._ringing.hang_up()

    # ---- what comes of it ---------------------------------------------------------------------

    def step(self, now: float) -> DutyAnswered | DutyNext | DutyFailed | None:
        if self._transfer is not None and not self.transferred:
            self._transfer.step(now)
            if self._transfer.taken:
                self.hang_up()
                return None
            if self._transfer.taken is False and not self._fell_back:
                self._fell_back = True
                self._tell(0, DutyOutcome.NOT_TRANSFERRED)
                self._ring()
                return DutyNext()
        return self._ringing.step(now) if self._ringing is not None else None

    def _ring(self) -> None:
        if self._ringing is not None and not self._ringing.over:
            if self._ringing.unasked and self.joined is None:  # only a supervisor is rung: he may not come
                self._ringing.unasked = False
                self._ringing.also(self._targets(), self._kit.config.rounds)
            return
        if not self._numbers:
            self._tell(0, DutyOutcome.NO_NUMBER)
        self._ringing = DutyRinging(
            self._desk, self._elder, self._targets(), self._tell, self._kit.config.rounds
        )

    def _targets(self) -> list[Target]:
        ask = self._kit.pcm_of(self._words.duty_ask)
        return [Target(number, nth, ask) for nth, number in enumerate(self._numbers, 1)]

    def _begin_transfer(self, number: str) -> None:
        call = self._call_of()
        if call is None:
            return
        try:
            uri = self._kit.trunk.refer_uri(number)
        except TrunkError as error:
            _log.error("duty.not_transferred", reason=str(error))
            return
        self._transfer = Transfer(call, uri, self._seconds() + self._kit.config.ring_s)
