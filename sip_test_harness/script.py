"""When an elder says what. Pure: no audio, no time but what is passed in.

    caller speaks ──► pauses ──► quiet long enough for a reply that fits? ──► our turn
         ▲                │ speaks on (acknowledgement and question come as one stream)
         └────────────────┘

The texts of all prompts heard since our last turn are kept; the newest is looked at first, so the
question decides and not the acknowledgement before it. Prompts that nobody recognises, and prompts
that no reply fits, wait longer before the turn is taken: they may have been a pause for breath.
"""

from __future__ import annotations

from collections import Counter

from sip_test_harness.model import Attempt, Reply

TURN_MS = 1200  # quiet before a reply by turn
OTHERWISE_MS = 2000  # quiet before `otherwise`


class Script:
    """One answered call. Times in milliseconds."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._texts: list[str] = []
        self._used: Counter[int] = Counter()
        self._turn = 0
        self._otherwise = 0
        self._beginnings: list[int] = []  # when the caller began to speak, each time
        self._spoken_to = False

    def began(self, now_ms: int) -> None:
        """The caller began to speak."""
        self._beginnings.append(now_ms)

    def paused(self, text: str | None) -> None:
        """The caller fell quiet; `text` is the prompt that just ended, if it is known."""
        self._spoken_to = True
        if text:
            self._texts.append(text)

    def due(self, now_ms: int, quiet_ms: int, busy: bool) -> Reply | None:
        """What to do now, if anything. `quiet_ms` 0: the caller is speaking; `busy`: we are."""
        if busy:
            return None
        barging = self._barging(now_ms)
        if barging is not None:
            return barging
        if not self._spoken_to or quiet_ms == 0:
            return None
        found = self._fitting()
        if found is not None:
            at, wait_ms = found
            if quiet_ms < wait_ms:
                return None
            return self._take(at)
        if self._attempt.otherwise and quiet_ms >= OTHERWISE_MS:
            say = self._attempt.otherwise[self._otherwise % len(self._attempt.otherwise)]
            self._otherwise += 1
            self._next_turn()
            return Reply(say=say)
        return None

    def _barging(self, now_ms: int) -> Reply | None:
        for at, reply in enumerate(self._attempt.replies):
            if (
                reply.barge_ms is not None
                and reply.nth is not None
                and not self._used[at]
                and reply.nth <= len(self._beginnings)
                and now_ms - self._beginnings[reply.nth - 1] >= reply.barge_ms
            ):
                return self._take(at)
        return None

    def _fitting(self) -> tuple[int, int] | None:
        """(index of the reply, how long to wait)."""
        for text in reversed(self._texts):
            for at, reply in enumerate(self._attempt.replies):
                if reply.when is not None and self._left(at) and reply.when.search(text):
                    return at, reply.wait_ms
        for at, reply in enumerate(self._attempt.replies):
            if (
                reply.when is None
                and reply.barge_ms is None
                and reply.nth == self._turn + 1
                and self._left(at)
            ):
                return at, max(TURN_MS, reply.wait_ms)
        return None

    def _left(self, at: int) -> bool:
        times = self._attempt.replies[at].times
        return times is None or self._used[at] < times

    def _take(self, at: int) -> Reply:
        self._used[at] += 1
        self._next_turn()
        return self._attempt.replies[at]

    def _next_turn(self) -> None:
        self._turn += 1
        self._texts.clear()
        self._spoken_to = False
