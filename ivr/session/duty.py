"""Ringing the duty people (值班人员) while the elder stays on the line, until a person takes over.

Further outgoing calls from the same line: one number after the other, round again. While somebody has
answered of whom nobody knows yet whether he is a person, the next one rings beside him; the first who is a
person is joined with the elder. Both then hear one another through us, and the recording of the elder's
call goes on with the duty person's voice on our channel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from ivr.dialogue.model import DutyAnswered, DutyFailed, DutyNext
from ivr.session.duty_leg import DutyDesk, DutyLeg, Target
from ivr.telephony.endpoint import NoSlot
from ivr.telephony.leg import Leg
from xunfang.errors import TrunkError
from xunfang.log import get_logger
from xunfang.vocabulary import DutyOutcome

TOGETHER = 2  # telephones at the same time: each takes one of the line's four slots
AGAIN_S = 8.0  # before the same number is rung again: whoever is busy or was cut off needs a moment
MOST_MORE = 2  # rings beyond the rounds: of who was joined, and whose line broke or who was a machine
SLOT_WAIT_S = 10.0  # all slots of the line are taken: wait so long before the number counts as not reached

Tell = Callable[[int, DutyOutcome], None]
Ring = Callable[[DutyDesk, Target, float], DutyLeg]

_log = get_logger("session")


class DutyRinging:
    """Never raises: whatever goes wrong is told, and in the end a DutyFailed, so that the elder hears what
    is true. `tell(nth, outcome)`: what came of each telephone (Target.nth). `unasked`: a supervisor takes
    the call over by himself; nobody is in danger."""

    def __init__(
        self,
        desk: DutyDesk,
        elder: Leg,
        targets: Iterable[Target],
        tell: Tell,
        rounds: int = 1,
        *,
        unasked: bool = False,
        ring: Ring = DutyLeg,
    ) -> None:
        self.over = False
        self.unasked = unasked
        self._desk = desk
        self._elder = elder
        self._queue: deque[Target] = deque([*targets] * rounds)
        self._tell = tell
        self._ring = ring
        self._legs: list[DutyLeg] = []
        self._joined: DutyLeg | None = None
        self._at_once = False  # somebody was added: he is rung beside whoever is rung already
        self._again_at: dict[str, float] = {}
        self._no_slot_since: float | None = None
        self._more = 0
        self._rung = False  # there was somebody to ring

    @property
    def joined(self) -> Leg | None:
        """Of the person who hears and is heard."""
        return self._joined.leg if self._joined is not None else None

    def also(self, targets: Iterable[Target], rounds: int = 1, *, first: bool = False) -> None:
        """Ring these too: behind the others, or before them."""
        more = [*targets] * rounds
        if first:
            self._queue.extendleft(reversed(more))
        else:
            self._queue.extend(more)
        self._at_once = True

    def step(self, now: float) -> DutyAnswered | DutyNext | DutyFailed | None:
        """DutyAnswered when both hear one another; DutyNext when nobody has come and we go on; DutyFailed
        when nobody came at all, or the person has left again."""
        if self.over:
            return None
        gone = self._with_person(now) if self._joined is not None else None
        if gone is DutyOutcome.LEFT or (gone is not None and self.unasked):
            self.over = True
            return DutyFailed()
        if gone is not None:
            return DutyNext()  # first of all the elder must hear that he is not alone
        if self._joined is not None:
            return None
        missed = False
        for leg in list(self._legs):
            self._step(leg, now)
            if leg.taken and leg.outcome is None:
                return self._join(leg)
            if leg.outcome is not None:
                self._forget(leg, leg.outcome, now)
                missed = True
        missed = self._ring_next(now) or missed
        if not self._legs and not self._queue:
            return self._give_up()
        return DutyNext() if missed else None

    def hang_up(self) -> None:
        """The elder has gone, or is elsewhere."""
        self.over = True
        self._elder.bridge(None)
        for leg in [*self._legs, *([self._joined] if self._joined is not None else [])]:
            if leg.outcome is None:
                leg.end(DutyOutcome.NOT_NEEDED)

    # ---- steps ------------------------------------------------------------------------------

    @staticmethod
    def _step(leg: DutyLeg, now: float) -> None:
        try:
            leg.step(now)
        except Exception as error:
            # A fault on this side must not cost the elder his line: the next telephone is rung.
            _log.error("duty.our_fault", nth=leg.target.nth, kind=type(error).__name__)
            leg.end(DutyOutcome.LOST if leg.taken else DutyOutcome.NOT_REACHED)

    def _with_person(self, now: float) -> DutyOutcome | None:
        """Why the one who had taken over is there no more."""
        assert self._joined is not None
        self._step(self._joined, now)
        outcome = self._joined.outcome
        if outcome is None:
            return None
        self._elder.bridge(None)
        leg, self._joined = self._joined, None
        self._forget(leg, outcome, now)
        if outcome is not DutyOutcome.LEFT and self._more < MOST_MORE:
            self._more += 1
            self._queue.append(leg.target)
        return outcome

    def _join(self, leg: DutyLeg) -> DutyAnswered:
        self._legs.remove(leg)
        for other in self._legs:
            other.end(DutyOutcome.NOT_NEEDED)
        self._legs.clear()
        self._joined = leg
        self._elder.bridge(leg.leg)
        self._tell(leg.target.nth, DutyOutcome.TAKEN)
        return DutyAnswered(unasked=self.unasked)

    def _forget(self, leg: DutyLeg, outcome: DutyOutcome, now: float) -> None:
        if leg in self._legs:
            self._legs.remove(leg)
        self._missed(leg.target, outcome, now)

    def _missed(self, target: Target, outcome: DutyOutcome, now: float) -> None:
        self._rung = True
        self._again_at[target.number] = now + AGAIN_S
        _log.warning("duty.telephone", nth=target.nth, outcome=outcome.value)
        self._tell(target.nth, outcome)

    def _ring_next(self, now: float) -> bool:
        """True when a number could not even be rung."""
        wanted = not self._legs or self._at_once or all(leg.doubtful for leg in self._legs)
        if not wanted or not self._queue or len(self._legs) >= TOGETHER:
            return False
        target = next((each for each in self._queue if self._may_ring(each, now)), None)
        if target is None:
            return False
        try:
            self._legs.append(self._ring(self._desk, target, now))
        except NoSlot:
            if self._legs or self._still_waits(now):
                return False
            self._queue.remove(target)
            self._missed(target, DutyOutcome.NO_LINE, now)
            return True
        except TrunkError as error:
            _log.error("duty.not_rung", nth=target.nth, reason=str(error))
            self._queue.remove(target)
            self._missed(target, DutyOutcome.NOT_REACHED, now)
            return True
        self._queue.remove(target)
        self._at_once, self._no_slot_since = False, None
        return False

    def _may_ring(self, target: Target, now: float) -> bool:
        rings = any(leg.target.number == target.number for leg in self._legs)
        return not rings and now >= self._again_at.get(target.number, now)

    def _still_waits(self, now: float) -> bool:
        since = self._no_slot_since if self._no_slot_since is not None else now
        self._no_slot_since = since if now - since < SLOT_WAIT_S else None
        return self._no_slot_since is not None

    def _give_up(self) -> DutyFailed | None:
        """A supervisor who wanted to take over and did not come is nothing the elder need hear of."""
        self.over = True
        if self.unasked:
            return None
        if self._rung:
            self._tell(0, DutyOutcome.NONE_CAME)
        return DutyFailed()
