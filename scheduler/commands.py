"""What the console asks of this process's calls (接管、结束、立即拨打): taken once, done, answered.

The web is another process: it writes a row, the dialler that carries the call takes it within a second.
What nobody took in time is never done later: a supervisor who pressed a minute ago is not waiting any more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from storage.model import CallCommand
from xunfang.clock import Clock
from xunfang.errors import BadInput, XunfangError
from xunfang.log import get_logger
from xunfang.vocabulary import CommandKind, CommandResult, ConsentPurpose

if TYPE_CHECKING:
    from storage import Store

FRESH = timedelta(seconds=30)
ANSWERED = "call.command_answered"  # audit kind
ACTOR = "system"

_log = get_logger("scheduler")


class Fleet(Protocol):
    def free(self) -> int: ...

    def live(self) -> list[int]: ...

    def hang_up(self, call_id: int) -> None: ...

    def take_over(self, call_id: int, number: str) -> bool: ...


class Dialler(Protocol):
    @property
    def dialler_id(self) -> int | None: ...

    def call_now(self, elder_id: int, anyway: bool = False) -> int: ...


class Commands:
    """One per process; `tick` from one thread."""

    def __init__(self, store: Store, fleet: Fleet, dialler: Dialler, clock: Clock) -> None:
        self._store = store
        self._fleet = fleet
        self._dialler = dialler
        self._clock = clock

    def tick(self) -> int:
        """Returns how many were answered."""
        mine, now = self._dialler.dialler_id, self._clock.now()
        if mine is None:
            return 0
        with self._store.read() as work:
            waiting = work.commands.waiting(mine, now - FRESH)
        return sum(self._obey(each) for each in waiting)

    def _obey(self, command: CallCommand) -> bool:
        with self._store.begin() as work:
            if not work.commands.take(command.id, self._clock.now()):
                return False
        new_call_id: int | None = None
        try:
            result, new_call_id = self._do(command)
        except Exception as error:
            # Answered in any case: the page must not go on waiting.
            why = str(error) if isinstance(error, XunfangError) else type(error).__name__
            _log.error("command.failed", command_id=command.id, why=why)
            result = CommandResult.FAILED
        with self._store.begin() as work:
            work.commands.answer(command.id, result, new_call_id)
            detail = {
                "command_id": command.id,
                "kind": command.kind.value,
                "result": result.value,
                "new_call_id": new_call_id,
            }
            of_call = command.call_id is not None
            subject = f"call:{command.call_id}" if of_call else f"elder:{command.elder_id}"
            work.audit.write(self._clock.now(), ACTOR, ANSWERED, subject, detail)
        return True

    def _do(self, command: CallCommand) -> tuple[CommandResult, int | None]:
        if command.kind is CommandKind.CALL_NOW:
            return self._call_now(command)
        if command.call_id is None or command.call_id not in self._fleet.live():
            return CommandResult.CALL_OVER, None
        if command.kind is CommandKind.HANG_UP:
            self._fleet.hang_up(command.call_id)
            return CommandResult.DONE, None
        if not command.number:
            return CommandResult.NO_NUMBER, None
        joined = self._fleet.take_over(command.call_id, command.number)
        return CommandResult.DONE if joined else CommandResult.CALL_OVER, None

    def _call_now(self, command: CallCommand) -> tuple[CommandResult, int | None]:
        try:
            return CommandResult.DONE, self._dialler.call_now(command.elder_id, command.anyway)
        except BadInput as error:
            result = self._why_not(command)
            _log.warning("command.refused", command_id=command.id, why=str(error))
            return result, None

    def _why_not(self, command: CallCommand) -> CommandResult:
        """In a word for the page; the dialler's own sentence is for the log."""
        with self._store.read() as work:
            elder = work.elders.get(command.elder_id)
            if elder is None or not any(letter.isdigit() for letter in elder.phone):
                return CommandResult.NO_NUMBER
            if work.consents.current(elder.id, ConsentPurpose.PHONE_VISIT) is not True:
                return CommandResult.NO_CONSENT
            if work.times.is_on_the_line(elder.id):
                return CommandResult.ON_THE_PHONE
        if self._fleet.free() <= 0:
            return CommandResult.NO_LINE
        return CommandResult.FAILED if command.anyway else CommandResult.NOT_NOW
