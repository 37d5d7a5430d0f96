"""Who asks: a token in `Authorization: Bearer`, looked up before anything of the request is read.

A token sees its area with everything below it, does what its scopes say, and asks so many times a minute
(a bucket per token and process). For the rest of the house it is a person at the desk named `api:NAME`.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from storage.model import ApiToken, User
from web.access import Viewer
from web.api import problem
from web.api.problem import ApiError
from web.security import tokens
from web.security.tokens import Scope as TokenScope
from web.services import House
from xunfang import log
from xunfang.errors import XunfangError
from xunfang.vocabulary import UserRole

_KNOWN_TOKENS = 1000  # buckets kept; the longest unused goes first


@dataclass(frozen=True, slots=True)
class Caller:
    token: ApiToken
    viewer: Viewer

    def may(self, scope: TokenScope) -> bool:
        return tokens.allows(self.token.scopes, scope)

    @property
    def area_id(self) -> int | None:
        return self.token.area_id

    @property
    def name(self) -> str:
        """In the audit."""
        return str(self.viewer.actor)


def caller_of(token: ApiToken) -> Caller:
    as_user = User(
        id=0,
        login=f"api:{token.name}",  # a colon: no account's login can be this
        name=f"接口 {token.name}",
        password_hash="",
        role=UserRole.SUPERVISOR,
        area_id=token.area_id,
        visitor_id=None,
        active=True,
        created_at=token.created_at,
    )
    return Caller(token, Viewer(as_user, token.token_hash))


class Buckets:
    """So many requests a minute, a minute's worth at once."""

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._left: OrderedDict[int, tuple[float, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, token_id: int, now: datetime) -> int:
        """0: go on; else seconds to wait."""
        with self._lock:
            left, at = self._left.pop(token_id, (float(self._most), now))
            left = min(self._most, left + max(0.0, (now - at).total_seconds()) * self._most / 60)
            allowed = left >= 1
            self._left[token_id] = (left - 1 if allowed else left, now)
            while len(self._left) > _KNOWN_TOKENS:
                self._left.popitem(last=False)
            return 0 if allowed else max(1, math.ceil((1 - left) * 60 / self._most))


class Authenticated:
    """Around the whole API: also an unknown address, and the description of the API, need a token."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house
        self._buckets = Buckets(house.config.api_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            token = await run_in_threadpool(self._token, Headers(scope=scope))
        except ApiError as error:
            await problem.answer(error.status, error.detail, headers=error.headers)(scope, receive, send)
            return
        except XunfangError as error:
            log.get_logger("web").error("api.failed", error=str(error), kind=type(error).__name__)
            await problem.answer(503)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller_of(token)
        await self._app(scope, receive, send)

    def _token(self, headers: Headers) -> ApiToken:
        kind, _, given = headers.get("authorization", "").partition(" ")
        now = self._house.now()
        found = None
        if kind.lower() == "bearer" and given.strip():
            with self._house.store.read() as work:
                found = work.api_tokens.find(tokens.token_hash(given.strip()))
        if found is None or not found.is_valid(now):
            raise ApiError(401, headers={"WWW-Authenticate": 'Bearer realm="xunfang"'})
        if wait := self._buckets.take(found.id, now):
            raise ApiError(429, headers={"Retry-After": str(wait)})
        if found.last_used_at is None or now - found.last_used_at >= tokens.USED_EVERY:
            with self._house.store.begin() as work:
                work.api_tokens.used(found.id, now)
        return found


class Allow:
    """The dependency behind each endpoint's parameter `caller`; `scope` is read by the description."""

    def __init__(self, scope: TokenScope) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> Caller:
        caller: Caller = request.state.caller
        if not caller.may(self.scope):
            raise ApiError(403, f"这个令牌没有权限 {self.scope.value}（{tokens.MEANING[self.scope]}）。")
        return caller


EldersRead = Annotated[Caller, Depends(Allow(TokenScope.ELDERS_READ))]
EldersWrite = Annotated[Caller, Depends(Allow(TokenScope.ELDERS_WRITE))]
PlansRead = Annotated[Caller, Depends(Allow(TokenScope.PLANS_READ))]
CallsRead = Annotated[Caller, Depends(Allow(TokenScope.CALLS_READ))]
RecordingsRead = Annotated[Caller, Depends(Allow(TokenScope.RECORDINGS_READ))]
ReviewsWrite = Annotated[Caller, Depends(Allow(TokenScope.REVIEWS_WRITE))]
CasesRead = Annotated[Caller, Depends(Allow(TokenScope.CASES_READ))]
CasesWrite = Annotated[Caller, Depends(Allow(TokenScope.CASES_WRITE))]
RecordsRead = Annotated[Caller, Depends(Allow(TokenScope.RECORDS_READ))]
ReportsRead = Annotated[Caller, Depends(Allow(TokenScope.REPORTS_READ))]
CampaignsWrite = Annotated[Caller, Depends(Allow(TokenScope.CAMPAIGNS_WRITE))]
FleetRead = Annotated[Caller, Depends(Allow(TokenScope.FLEET_READ))]
