"""Numbers for Prometheus. One registry per app. Labels are routes, never URLs: no ids, no names."""

from __future__ import annotations

import time
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage import Store

_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "xunfang_web_requests_total",
            "Answers by route",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "xunfang_web_seconds",
            "Time to the first byte",
            ("route",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.calls = Gauge("xunfang_calls_live", "Calls in progress", registry=self.registry)
        self.cases = Gauge("xunfang_cases_open", "Open cases", ("which",), registry=self.registry)
        self.notices = Gauge("xunfang_notices_due", "Notices that wait to be sent", registry=self.registry)
        self.viewers = Gauge("xunfang_web_live_viewers", "Open live streams", registry=self.registry)

    def text(self, store: Store, now: datetime) -> bytes:
        with store.read() as work:
            counts = work.overview.cases(now)
            self.calls.set(len(work.calls.open()))
            self.notices.set(len(work.notices.pending(now, limit=1000)))
        self.cases.labels("all").set(counts.open)
        self.cases.labels("urgent").set(counts.urgent)
        self.cases.labels("overdue").set(counts.overdue)
        return generate_latest(self.registry)


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
                route = getattr(scope.get("route"), "path", "other")
                self._metrics.requests.labels(route, scope["method"], str(message["status"])).inc()
                self._metrics.seconds.labels(route).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)
