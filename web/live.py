"""News for open pages. One thread per process looks, one cheap question for everybody, and only while
somebody is listening; what changed is fanned out as Server-Sent Events. A page that hears of a topic asks
for the part it shows (static/js/live.js turns each event into `live:TOPIC` for hx-trigger).

Each page carries the `version` it was rendered at; a stream that begins with another one is told of every
topic at once, so nothing that happened between page and stream, or during a break, is missed.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field

from storage import Store
from storage.model.overview import Marks
from web.metrics import Metrics
from xunfang import log
from xunfang.errors import XunfangError

HEARTBEAT_S = 15.0  # proxies close what is silent
RETRY_MS = 3000
TOPICS = tuple(Marks.__dataclass_fields__)


@dataclass(eq=False, slots=True)
class _Listener:
    loop: asyncio.AbstractEventLoop
    news: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, topics: frozenset[str]) -> None:
        """Runs in the listener's loop. What it has not yet read is one set: a slow page misses nothing."""
        self.news |= topics
        self.wake.set()


class Live:
    def __init__(self, store: Store, every_s: float, metrics: Metrics) -> None:
        self._store = store
        self._every_s = every_s
        self._metrics = metrics
        self._listeners: set[_Listener] = set()
        self._lock = threading.Lock()
        self._someone = threading.Event()
        self._closed = threading.Event()
        self._last: Marks | None = None
        self._epoch = secrets.token_hex(4)  # a restarted server counts anew
        self._looks = 0  # that found something
        self._thread: threading.Thread | None = None

    @property
    def version(self) -> str:
        """Of what was last seen; to be read before the page asks the database."""
        return f"{self._epoch}.{self._looks}"

    def start(self) -> None:
        self._closed.clear()
        self._thread = threading.Thread(target=self._watch, name="live", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends every stream, so that the server need not wait for them. May be called twice."""
        self._closed.set()
        self._someone.set()
        self._tell(frozenset())
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None

    def look(self) -> frozenset[str]:
        """Ask once and tell everybody; returns the topics that changed."""
        with self._store.read() as work:
            marks = work.overview.marks()
        old = {} if self._last is None else asdict(self._last)
        changed = frozenset(topic for topic, mark in asdict(marks).items() if mark != old.get(topic))
        if changed:
            with self._lock:  # a stream that begins now has either the new version or the news
                self._last = marks
                self._looks += 1
            self._tell(changed)
        return changed

    async def stream(self, since: str) -> AsyncIterator[str]:
        """Events for one page, rendered at version `since`, until it goes away or the server stops."""
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners.add(listener)
            missed = since != self.version
            self._someone.set()
        if missed:
            listener.tell(frozenset(TOPICS))
        self._metrics.viewers.inc()
        try:
            yield f"retry: {RETRY_MS}\n\n"
            while not self._closed.is_set():
                try:
                    await asyncio.wait_for(listener.wake.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                listener.wake.clear()
                news, listener.news = listener.news, set()
                for topic in sorted(news):
                    yield f"event: {topic}\ndata: {topic}\n\n"
        finally:
            self._metrics.viewers.dec()
            with self._lock:
                self._listeners.discard(listener)
                if not self._listeners and not self._closed.is_set():
                    self._someone.clear()

    def _tell(self, topics: frozenset[str]) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            if not listener.loop.is_closed():
                listener.loop.call_soon_threadsafe(listener.tell, topics)

    def _watch(self) -> None:
        while True:
            self._someone.wait()
            if self._closed.wait(self._every_s):
                return
            try:
                self.look()
            except XunfangError as error:  # the database is away: go on, pages keep what they show
                log.get_logger("web").warning("live.failed", error=str(error))
