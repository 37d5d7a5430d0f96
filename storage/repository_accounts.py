"""Accounts of the console, their sessions and the counting of failed sign-ins."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import User, WebSession
from storage.repository_areas import subtree
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import SessionKind, UserRole

_user = Shape(User, tables.account)
_session = Shape(WebSession, tables.web_session)
_CHANGEABLE = frozenset({"name", "password_hash", "role", "area_id", "visitor_id", "active"})


class Accounts:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        *,
        login: str,
        name: str,
        password_hash: str,
        role: UserRole,
        created_at: datetime,
        area_id: int | None = None,
        visitor_id: int | None = None,
    ) -> User:
        """Raises BadInput when the login is taken; the transaction stays usable."""
        table = tables.account
        row = self._db.row(
            self._db.insert(table)
            .values(
                login=login,
                name=name,
                password_hash=password_hash,
                role=role,
                area_id=area_id,
                visitor_id=visitor_id,
                active=True,
                created_at=created_at,
            )
            .on_conflict_do_nothing(index_elements=[table.c.login])
            .returning(*_user.columns)
        )
        if row is None:
            raise BadInput(f"用户名 {login} 已被使用，请换一个")
        return _user.of(row)

    def get(self, id: int) -> User | None:
        return self._db.one(_user, _user.select().where(tables.account.c.id == id))

    def by_login(self, login: str) -> User | None:
        return self._db.one(_user, _user.select().where(tables.account.c.login == login))

    def update(self, id: int, **fields: Any) -> User:
        """Raises NotFound for an unknown user, TypeError for a field that does not change."""
        if unknown := set(fields) - _CHANGEABLE:
            raise TypeError(f"not a field of an account that changes: {', '.join(sorted(unknown))}")
        self._db.change(sa.update(tables.account).where(tables.account.c.id == id).values(**fields))
        found = self.get(id)
        if found is None:
            raise NotFound(f"there is no user {id}")
        return found

    def page(
        self,
        after_login: str = "",
        limit: int = 50,
        area_id: int | None = None,
        role: UserRole | None = None,
    ) -> list[User]:
        """By login. `area_id`: only those who see this area or a part of it."""
        account = tables.account.c
        statement = _user.select().where(account.login > after_login)
        if role is not None:
            statement = statement.where(account.role == role)
        if area_id is not None:
            statement = statement.where(account.area_id.in_(sa.select(subtree(area_id).c.id)))
        return self._db.all(_user, statement.order_by(account.login).limit(limit))


class Sessions:
    """Found by the hash of their cookie. A session that ended or expired stays until `purge`."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        token_hash: str,
        account_id: int,
        at: datetime,
        kind: SessionKind = SessionKind.DESK,
        label: str | None = None,
    ) -> WebSession:
        values = {
            "token_hash": token_hash,
            "account_id": account_id,
            "created_at": at,
            "seen_at": at,
            "kind": kind,
            "label": label,
        }
        return self._db.add(_session, values)

    def find(self, token_hash: str) -> tuple[WebSession, User] | None:
        """One question per request: the session with its account."""
        row = self._db.row(
            sa.select(*_session.columns, *_user.columns)
            .join(tables.account, tables.account.c.id == tables.web_session.c.account_id)
            .where(tables.web_session.c.token_hash == token_hash)
        )
        if row is None:
            return None
        cut = len(_session.columns)
        return WebSession(*row[:cut]), User(*row[cut:])

    def seen(self, token_hash: str, at: datetime) -> None:
        session = tables.web_session
        self._db.change(sa.update(session).where(session.c.token_hash == token_hash).values(seen_at=at))

    def end(self, token_hash: str, at: datetime) -> bool:
        """False when it had ended already."""
        return self._end(tables.web_session.c.token_hash == token_hash, at) == 1

    def end_all(self, account_id: int, at: datetime, except_hash: str = "") -> int:
        session = tables.web_session.c
        return self._end(sa.and_(session.account_id == account_id, session.token_hash != except_hash), at)

    def _end(self, which: sa.ColumnElement[bool], at: datetime) -> int:
        session = tables.web_session
        return self._db.change(
            sa.update(session).where(which, session.c.ended_at.is_(None)).values(ended_at=at)
        )

    def walls(
        self, area_id: int | None, created_after: datetime, limit: int
    ) -> list[tuple[WebSession, User]]:
        """Screens that have not ended, newest first, with who opened them: of an area and below it."""
        session, account = tables.web_session.c, tables.account.c
        statement = (
            sa.select(*_session.columns, *_user.columns)
            .join(tables.account, account.id == session.account_id)
            .where(
                session.kind == SessionKind.WALL,
                session.ended_at.is_(None),
                session.created_at > created_after,
            )
        )
        if area_id is not None:
            statement = statement.where(account.area_id.in_(sa.select(subtree(area_id).c.id)))
        rows = self._db.rows(statement.order_by(session.created_at.desc(), session.token_hash).limit(limit))
        cut = len(_session.columns)
        return [(WebSession(*row[:cut]), User(*row[cut:])) for row in rows]

    def purge(self, kind: SessionKind, created_before: datetime) -> int:
        session = tables.web_session
        return self._db.change(
            sa.delete(session).where(session.c.kind == kind, session.c.created_at < created_before)
        )


class SignIns:
    """Attempts that failed or have not succeeded yet, counted over all processes."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def attempt(self, key: str, at: datetime) -> None:
        self._db.change(sa.insert(tables.sign_in_failure).values(key=key, at=at))

    def recent(self, key: str, since: datetime, limit: int) -> list[datetime]:
        """Newest first."""
        failure = tables.sign_in_failure.c
        rows = self._db.rows(
            sa.select(failure.at)
            .where(failure.key == key, failure.at > since)
            .order_by(failure.at.desc())
            .limit(limit)
        )
        return [row[0] for row in rows]

    def forgive(self, keys: Collection[str]) -> None:
        failure = tables.sign_in_failure
        self._db.change(sa.delete(failure).where(failure.c.key.in_(keys)))

    def forgive_one(self, key: str) -> None:
        """The newest."""
        failure = tables.sign_in_failure
        newest = sa.select(sa.func.max(failure.c.id)).where(failure.c.key == key).scalar_subquery()
        self._db.change(sa.delete(failure).where(failure.c.id == newest))

    def purge(self, before: datetime) -> int:
        failure = tables.sign_in_failure
        return self._db.change(sa.delete(failure).where(failure.c.at < before))
