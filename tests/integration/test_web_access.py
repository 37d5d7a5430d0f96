"""Over all routes of the app, also those that are added later: who is admitted, what a stranger sees."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from web_kit import Desk

from web.access import PUBLIC_PATHS, SAFE_METHODS, Admit
from xunfang.vocabulary import UserRole

pytestmark = pytest.mark.integration


def _admits(dependant: Dependant) -> Iterator[Admit]:
    if isinstance(dependant.call, Admit):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _admits(inner)


def _routes(desk: Desk) -> list[RouteContext]:
    """Without the mount of /static, which has no dependencies."""
    routes = [route for route in iter_route_contexts(desk.app.routes) if hasattr(route, "dependant")]
    assert len(routes) > 8
    return routes


def _url(route: RouteContext) -> str:
    assert route.path is not None
    return re.sub(r"\{[^}]+\}", "1", route.path)


def test_every_route_is_public_by_name_or_says_whom_it_admits(shared_desk: Desk) -> None:
    silent = {
        route.path for route in _routes(shared_desk) if len(list(_admits(route.dependant))) != 1
    } - PUBLIC_PATHS
    assert silent == set()


def test_what_is_public_is_really_there(shared_desk: Desk) -> None:
    assert {route.path for route in _routes(shared_desk)} >= PUBLIC_PATHS


def test_a_stranger_gets_404_everywhere(shared_desk: Desk) -> None:
    stranger = shared_desk.stranger()
    asked = 0
    for route in _routes(shared_desk):
        if route.path in PUBLIC_PATHS:
            continue
        for method in sorted(route.methods):
            answer = stranger.request(method, _url(route))
            assert answer.status_code == 404, f"{method} {route.path}"
            asked += 1
    assert asked > 5


@pytest.mark.parametrize(
    ("role", "login"),
    [
        (UserRole.COUNTY_ADMIN, "admin"),
        (UserRole.SUPERVISOR, "du"),
        (UserRole.AUDITOR, "shen"),
        (UserRole.VISITOR, "xun"),
    ],
)
def test_a_role_that_is_not_admitted_gets_404(role: UserRole, login: str, shared_desk: Desk) -> None:
    client = shared_desk.signed_in(login)
    for route in _routes(shared_desk):
        for admit in _admits(route.dependant):
            for method in sorted(route.methods):
                reads_only = role is UserRole.AUDITOR and not admit.auditor_writes
                if role not in admit.roles or (reads_only and method not in SAFE_METHODS):
                    answer = client.request(method, _url(route))
                    assert answer.status_code == 404, f"{method} {route.path} for {role}"
