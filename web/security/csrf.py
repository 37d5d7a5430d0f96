"""A request that writes must come from our own pages: Sec-Fetch-Site where the browser sends it (https and
loopback), else Origin. No token in forms. Machines with a token of /api and no cookie are not browsers."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from web.problems import problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SameOrigin:
    def __init__(self, app: ASGIApp, cookie: str) -> None:
        self._app = app
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE or self._is_ours(scope):
            await self._app(scope, receive, send)
            return
        answer = problem(
            scope, 403, "请求被拒绝", "这个请求不是从本系统的页面发出的。请从本系统的页面重新操作。"
        )
        await answer(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        machine = scope["path"].startswith("/api/") and f"{self._cookie}=" not in headers.get("cookie", "")
        if machine:
            return True
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origin = headers.get("origin", "")
        return bool(origin) and urlsplit(origin).netloc == headers.get("host", "")
