"""Sessions live in the database, so that each of them can be ended. The cookie holds 256 bits of chance;
the table holds its hash only. Idle and absolute expiry are computed from stored times and now.

A screen on the wall has a session of its own kind (大屏登录), in a cookie of its own: it lives for weeks
without being idle, opens what admits OnTheWall and nothing else, and put into the other cookie its token is
no session at all."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.responses import Response

from storage import Work
from storage.model import User, WebSession
from xunfang.vocabulary import SessionKind

if TYPE_CHECKING:
    from web.services import House

NOTE_SEEN_EVERY = timedelta(minutes=1)  # so that not every request writes
KEEP_ENDED = timedelta(days=7)  # how late a form may come and still find its author


_COOKIES = {SessionKind.DESK: "xunfang", SessionKind.WALL: "xunfang-wall"}


def cookie_name(secure: bool, kind: SessionKind = SessionKind.DESK) -> str:
    """`__Host-` binds the cookie to this host and to https (RFC 6265bis); http cannot set it."""
    return f"__Host-{_COOKIES[kind]}" if secure else _COOKIES[kind]


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def lifetime(house: House, kind: SessionKind) -> timedelta:
    return house.config.wall_lifetime if kind is SessionKind.WALL else house.config.lifetime


def start(
    house: House,
    work: Work,
    user: User,
    now: datetime,
    kind: SessionKind = SessionKind.DESK,
    label: str | None = None,
) -> str:
    """A new session; returns the cookie's value. What is long over is removed on the way."""
    token = secrets.token_urlsafe(32)
    for each in SessionKind:
        work.sessions.purge(each, now - lifetime(house, each) - KEEP_ENDED)
    work.sessions.add(hash_of(token), user.id, now, kind, label)
    return token


def is_over(house: House, session: WebSession, now: datetime) -> bool:
    idle = session.kind is SessionKind.DESK and now >= session.seen_at + house.config.idle
    return session.ended_at is not None or idle or now >= session.created_at + lifetime(house, session.kind)


def look(
    house: House, request: Request, kind: SessionKind = SessionKind.DESK
) -> tuple[User, str, bool] | None:
    """(user, hash of the session, whether it is over); None for a stranger."""
    token = request.cookies.get(cookie_name(house.config.secure_cookies, kind), "")
    if not token:
        return None
    now, key = house.now(), hash_of(token)
    with house.store.read() as work:
        found = work.sessions.find(key)
    if found is None:
        return None
    session, user = found
    if session.kind is not kind:
        return None
    over = is_over(house, session, now)
    if not over and now - session.seen_at >= NOTE_SEEN_EVERY:
        with house.store.begin() as work:
            work.sessions.seen(key, now)
    return user, key, over


def give_cookie(house: House, response: Response, token: str, kind: SessionKind = SessionKind.DESK) -> None:
    secure = house.config.secure_cookies
    response.set_cookie(
        cookie_name(secure, kind),
        token,
        max_age=int((lifetime(house, kind) + KEEP_ENDED).total_seconds()),
        secure=secure,
        httponly=True,
        samesite="lax",
        path="/",
    )


def take_cookie(house: House, response: Response) -> None:
    secure = house.config.secure_cookies
    response.delete_cookie(cookie_name(secure), secure=secure, httponly=True, samesite="lax", path="/")
