"""What a caller is told who is not asked a visit (来电): which of a household he is, or a number to ring.

He has a row of `incoming` and no Call; his events carry its id as a negative call id. What he says is
not kept, danger is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ivr.dialogue.model import Callee
from ivr.dialogue.plan import Callback, Dialplan, choice_text
from ivr.session.model import CallOrder
from ivr.session.protocol import Caller
from scheduler import rung_back
from scheduler.caller import Who, may_be_told, public_number
from scheduler.order import OrderConfig
from storage.model import Elder
from visits.people import title

if TYPE_CHECKING:
    from storage import Work


class Announcing:
    """`plan_of` loads a dialplan, `can_offer` tells whether a text is recorded. `line`: this process."""

    def __init__(
        self,
        config: OrderConfig,
        plan_of: Callable[[str], Dialplan],
        can_offer: Callable[[str], bool],
        line: str,
    ) -> None:
        self._config = config
        self._plan_of = plan_of
        self._can_offer = can_offer
        self._line = line

    def number(self, work: Work, caller: Caller, who: Who, now: datetime) -> CallOrder:
        """The village's number, or the county's; a contact also hears that we tried."""
        said = self._number_of(work, who)
        if who.contact is not None and may_be_told(work, who.contact):
            said = (self._words().tried, *said)
        return self._announce(work, caller, who, now, said)

    def on_line(self, work: Work, caller: Caller, who: Who, now: datetime) -> CallOrder:
        """We are ringing him at this moment."""
        return self._announce(work, caller, who, now, (self._words().on_line, self._words().danger))

    def which(self, work: Work, caller: Caller, who: Who, now: datetime) -> CallOrder | None:
        """Several share the number: he says who he is. None when they cannot be told apart by it."""
        choices = self._choices(who.elders)
        if not choices:
            return None
        return self._announce(work, caller, who, now, self._number_of(work, who), choices)

    def _announce(
        self,
        work: Work,
        caller: Caller,
        who: Who,
        now: datetime,
        said: tuple[str, ...],
        choices: tuple[str, ...] = (),
    ) -> CallOrder:
        row = work.incoming.add(
            rang_at=now, kind=who.kind, phone=caller.number, elder_id=who.elder_id, line=self._line
        )
        path = self._config.dialplan_path
        return CallOrder(
            call_id=-row.id,
            number=caller.number,
            dialplan=rung_back.DIALPLAN if path is None else path(rung_back.DIALPLAN),
            callee=Callee(recorded=False, announce=said, choices=choices, stranger=not who.at_home),
            tail_ms=self._config.tail_ms,
            duty_number=self._config.duty_number,
            ring=caller.ring,
        )

    def _choices(self, elders: tuple[Elder, ...]) -> tuple[str, ...]:
        titles = tuple(title(each.name, each.sex) for each in elders)
        sayable = all(each and self._can_offer(choice_text(each)) for each in titles)
        if not sayable or len(set(titles)) < len(titles) or len(titles) > len(self._words().press):
            return ()
        return titles

    def _number_of(self, work: Work, who: Who) -> tuple[str, ...]:
        words = self._words()
        digits = words.read_out(public_number(work, who.elders[0] if who.elders else None))
        if not digits:
            return (words.no_number, words.danger)
        return (words.number, *digits, words.again, *digits, words.danger)

    def _words(self) -> Callback:
        plan = self._plan_of(rung_back.DIALPLAN)
        assert plan.callback is not None, "the shipped dialplan for callers has its words"
        return plan.callback
