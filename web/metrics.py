"""Numbers for Prometheus. One registry per app. Labels are routes and words of the vocabulary, never URLs:
no ids, no names. What is counted in the database is counted once in KEPT at most, however many ask."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage import Store
from storage.model.overview import Load
from xunfang.vocabulary import CallDisposition, DiallerState

_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
KEPT = timedelta(seconds=10)
LIVE = "live"  # disposition of a call that goes on
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    def __init__(self) -> None:
        registry = CollectorRegistry()

        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"xunfang_{name}", meaning, labels, registry=registry)

        self.registry = registry
        self.requests = Counter(
            "xunfang_web_requests_total", "Answers by route", ("route", "method", "status"), registry=registry
        )
        self.seconds = Histogram(
            "xunfang_web_seconds", "Time to the first byte", ("route",), buckets=_BUCKETS_S, registry=registry
        )
        self.viewers = gauge("web_live_viewers", "Open live streams")
        self.calls = gauge("calls_live", "Calls in progress")
        self.today = gauge("calls_today", "Calls of the last 24 hours by why they ended", "disposition")
        self.plans = gauge("plans", "Plans that may be dialled now, or later", "when")
        self.reviews = gauge("reviews_open", "Flagged calls that nobody has judged, counted to 1000")
        self.review_age = gauge("review_oldest_seconds", "How long the oldest of them waits")
        self.cases = gauge("cases_open", "Open cases", "which")
        self.case_age = gauge("case_oldest_seconds", "How long the oldest open case waits")
        self.notices = gauge("notices", "Unsent notices, counted to 1000: due, waiting, failed", "state")
        self.diallers = gauge("diallers", "Diallers by state", "state")
        self.lag = gauge("recogniser_lag_seconds", "p95 of the recogniser's lag, the worst dialler's")
        self.breaker = gauge("breaker_open", "Diallers whose breaker is not closed")
        self._counted_at: datetime | None = None
        self._lock = threading.Lock()

    def text(self, store: Store, now: datetime) -> bytes:
        with self._lock:
            fresh = self._counted_at is not None and timedelta(0) <= now - self._counted_at < KEPT
            if not fresh:
                self._count(store, now)
                self._counted_at = now
        return generate_latest(self.registry)

    def _count(self, store: Store, now: datetime) -> None:
        with store.read() as work:
            cases = work.overview.cases(now)
            calls = work.overview.calls_between(now - timedelta(days=1), now + timedelta(seconds=1))
            ready, later = work.plans.queued(now)
            load: Load = work.overview.load(now)
            diallers = work.diallers.present()
        self.calls.set(load.live)
        for word in CallDisposition:
            self.today.labels(word.value).set(calls.get(word, 0))
        self.today.labels(LIVE).set(calls.get(None, 0))
        for when, number in (("ready", ready), ("later", later)):
            self.plans.labels(when).set(number)
        self.reviews.set(load.reviews)
        self.review_age.set(_age(load.oldest_review, now))
        self.case_age.set(_age(load.oldest_case, now))
        for which in ("open", "urgent", "overdue", "unassigned"):
            self.cases.labels("all" if which == "open" else which).set(getattr(cases, which))
        for state, number in (
            ("due", load.notices_due),
            ("waiting", load.notices_waiting),
            ("failed", load.notices_failed),
        ):
            self.notices.labels(state).set(number)
        for state in DiallerState:
            if state is not DiallerState.GONE:
                self.diallers.labels(state.value).set(sum(each.state is state for each in diallers))
        self.lag.set(max((each.lag_ms for each in diallers), default=0.0) / 1000)
        self.breaker.set(sum(each.breaker != "closed" for each in diallers))


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


class Measured:
    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route, method = _route(scope), scope["method"]
                method = method if method in METHODS else "other"  # a stranger may send any word
                self._metrics.requests.labels(route, method, str(message["status"])).inc()
                self._metrics.seconds.labels(route).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)


def _route(scope: Scope) -> str:
    """The template; of what is mounted (the API) with where it is mounted."""
    path = getattr(scope.get("route"), "path", None)
    return "other" if path is None else f"{scope.get('root_path', '')}{path}"
