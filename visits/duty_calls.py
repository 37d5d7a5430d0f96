"""What came of ringing the duty telephones (值班电话), in the history of the case.

So that a supervisor sees that a voicemail answered, or that nobody came, without listening to the call.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from xunfang.errors import XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import DutyOutcome

if TYPE_CHECKING:
    from storage import Store, Work

RANG = "duty.rang"
ACTOR = "system"

_log = get_logger("visits")


def rang(store: Store, call_id: int, nth: int, outcome: DutyOutcome, at: datetime) -> None:
    """`call_id` below 0: a caller who is no elder (docs/adr/0021). The transcript has it too."""
    detail = {"call_id": call_id, "nth": nth, "outcome": outcome.value}
    try:
        with store.begin() as work:
            work.audit.write(at, ACTOR, RANG, _subject(work, call_id), detail)
    except XunfangError as error:
        _log.error("duty.not_written", call_id=call_id, why=str(error))


def _subject(work: Work, call_id: int) -> str:
    """The case that the danger has opened; the call where there is none."""
    if call_id < 0:
        return f"incoming:{-call_id}"
    call = work.calls.get(call_id)
    case = None if call is None else work.cases.open_for(call.elder_id)
    return f"call:{call_id}" if case is None else f"case:{case.id}"
