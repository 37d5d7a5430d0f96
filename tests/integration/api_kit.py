"""Tokens over the county of web_kit: `api(desk, "cases:read")` is a client that has one."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient
from web_kit import Desk

from storage.model import ApiToken
from web.api import PREFIX
from web.security import tokens

EVERYTHING = ("admin", "elders:reveal")


def a_token(desk: Desk, *scopes: str, name: str = "county-desk", **fields: Any) -> tuple[ApiToken, str]:
    with desk.store.begin() as work:
        return tokens.add(work, desk.clock.now(), "user:admin", name=name, scopes=scopes, **fields)


class Api(TestClient):
    """Paths are those below /api/v1. No cookies, no Sec-Fetch-Site: a machine."""

    def __init__(self, desk: Desk, token: str) -> None:
        super().__init__(
            desk.app,
            base_url=f"https://console.test{PREFIX}",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            follow_redirects=False,
            raise_server_exceptions=False,
        )


def api(desk: Desk, *scopes: str, **fields: Any) -> Api:
    return Api(desk, a_token(desk, *(scopes or EVERYTHING), **fields)[1])
