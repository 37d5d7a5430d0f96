"""Sessions live in the database, so that each of them can be ended. The cookie holds 256 bits of chance;
the table holds its hash only. Idle and absolute expiry are computed from stored times and now."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.responses import Response

from storage import Work
from storage.model import User, WebSession

if TYPE_CHECKING:
    from web.services import House

NOTE_SEEN_EVERY = timedelta(minutes=1)  # so that not every request writes
KEEP_ENDED = timedelta(days=7)  # how late a form may come and still find its author


def cookie_name(secure: bool) -> str:
    """`__Host-` binds the cookie to this host and to https (RFC 6265bis); http cannot set it."""
    return "__Host-xunfang" if secure else "xunfang"


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def start(house: House, work: Work, user: User, now: datetime) -> str:
    """A new session; returns the cookie's value. What is long over is removed on the way."""
    token = secrets.token_urlsafe(32)
    work.sessions.purge(now - house.config.lifetime - KEEP_ENDED)
    work.sessions.add(hash_of(token), user.id, now)
    return token


def is_over(house: House, session: WebSession, now: datetime) -> bool:
    config = house.config
    return (
        session.ended_at is not None
        or now >= session.created_at + config.lifetime
        or now >= session.seen_at + config.idle
    )


def look(house: House, request: Request) -> tuple[User, str, bool] | None:
    """(user, hash of the session, whether it is over); None for a stranger."""
    token = request.cookies.get(cookie_name(house.config.secure_cookies), "")
    if not token:
        return None
    now, key = house.now(), hash_of(token)
    with house.store.read() as work:
        found = work.sessions.find(key)
    if found is None:
        return None
    session, user = found
    over = is_over(house, session, now)
    if not over and now - session.seen_at >= NOTE_SEEN_EVERY:
        with house.store.begin() as work:
            work.sessions.seen(key, now)
    return user, key, over


def give_cookie(house: House, response: Response, token: str) -> None:
    secure = house.config.secure_cookies
    response.set_cookie(
        cookie_name(secure),
        token,
        max_age=int((house.config.lifetime + KEEP_ENDED).total_seconds()),
        secure=secure,
        httponly=True,
        samesite="lax",
        path="/",
    )


def take_cookie(house: House, response: Response) -> None:
    secure = house.config.secure_cookies
    response.delete_cookie(cookie_name(secure), secure=secure, httponly=True, samesite="lax", path="/")
