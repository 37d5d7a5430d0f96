"""Dialplans that can be spoken, and those that cannot at present (话术).

A dialplan without its prompts must not stop the elders of another one: its plans stay due and are not
even looked at for a while, and the supervisor is told once, however many elders have it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.telling import tell_dialplan_broken, tell_dialplan_mended
from xunfang.errors import XunfangError
from xunfang.log import get_logger

if TYPE_CHECKING:
    from storage import Work

TRIED_AGAIN = timedelta(minutes=15)

_log = get_logger("scheduler")


class Unusable(Exception):
    """A dialplan that cannot be loaded or spoken: no call with it begins."""

    def __init__(self, name: str, why: XunfangError) -> None:
        super().__init__(name)
        self.name, self.why = name, why


class Dialplans:
    """`hash_of`: the dialplan's hash; XunfangError when it cannot be loaded or lacks prompts."""

    def __init__(self, hash_of: Callable[[str], str]) -> None:
        self._hash_of = hash_of
        self._broken: dict[str, datetime] = {}  # -> when it is tried again
        self._sound: set[str] = set()  # could be used in this process

    def hash(self, work: Work, name: str, now: datetime) -> str:
        """Raises Unusable."""
        try:
            digest = self._hash_of(name)
        except XunfangError as error:
            if error.retryable:
                raise
            raise Unusable(name, error) from None
        if name not in self._sound:
            self._sound.add(name)
            tell_dialplan_mended(work, name, now)
        return digest

    def hold(self, work: Work, found: Unusable, now: datetime) -> None:
        self._broken[found.name] = now + TRIED_AGAIN
        self._sound.discard(found.name)
        if tell_dialplan_broken(work, found.name, str(found.why), now):
            _log.error("dispatch.dialplan_broken", dialplan=found.name, why=str(found.why))

    def held(self, now: datetime) -> list[str]:
        """Those not to be looked at now."""
        self._broken = {name: until for name, until in self._broken.items() if until > now}
        return sorted(self._broken)

    def is_held(self, name: str) -> bool:
        return name in self._broken
