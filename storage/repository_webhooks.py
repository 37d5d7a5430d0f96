"""Tokens of the API, kept answers, webhook endpoints with what waits for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import ApiToken, Case, KeptAnswer, Notice, Webhook
from storage.repository_areas import subtree
from xunfang.errors import BadInput

_token = Shape(ApiToken, tables.api_token)
_kept = Shape(KeptAnswer, tables.api_request)
_webhook = Shape(Webhook, tables.webhook)
_notice = Shape(Notice, tables.notice)
_case = Shape(Case, tables.case)
TO = "webhook:"  # Notice.to of an endpoint


class ApiTokens:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, **values: Any) -> ApiToken:
        """Fields of ApiToken. Raises BadInput when the name is taken; the transaction stays usable."""
        table = tables.api_token
        new = self._db.insert(table).values(**values)
        row = self._db.row(
            new.on_conflict_do_nothing(index_elements=[table.c.name]).returning(*_token.columns)
        )
        if row is None:
            raise BadInput("已有同名的令牌，请换一个名称")
        return _token.of(row)

    def find(self, token_hash: str) -> ApiToken | None:
        return self._db.one(_token, _token.select().where(tables.api_token.c.token_hash == token_hash))

    def named(self, name: str) -> ApiToken | None:
        return self._db.one(_token, _token.select().where(tables.api_token.c.name == name))

    def get(self, id: int) -> ApiToken | None:
        return self._db.one(_token, _token.select().where(tables.api_token.c.id == id))

    def page(self, after_id: int = 0, limit: int = 100, area_id: int | None = None) -> list[ApiToken]:
        """By id, also revoked ones. `area_id`: only those of this area or a part of it."""
        token = tables.api_token.c
        statement = _token.select().where(token.id > after_id)
        if area_id is not None:
            statement = statement.where(token.area_id.in_(sa.select(subtree(area_id).c.id)))
        return self._db.all(_token, statement.order_by(token.id).limit(limit))

    def used(self, id: int, at: datetime) -> None:
        self._db.change(
            sa.update(tables.api_token).where(tables.api_token.c.id == id).values(last_used_at=at)
        )

    def revoke(self, id: int, at: datetime) -> bool:
        """False when it was revoked already."""
        token = tables.api_token
        return self._db.change_one(
            sa.update(token).where(token.c.id == id, token.c.revoked_at.is_(None)).values(revoked_at=at)
        )


class KeptAnswers:
    """What a request with an Idempotency-Key was answered, in the transaction of what it did."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def begin(self, token_id: int, key: str, fingerprint: str, at: datetime) -> KeptAnswer | None:
        """None: it is new, do it and `finish`. Else what was answered; the second of two at once waits."""
        table = tables.api_request
        new = self._db.insert(table).values(
            token_id=token_id, key=key, fingerprint=fingerprint, status=0, body="", at=at
        )
        row = self._db.row(
            new.on_conflict_do_nothing(index_elements=[table.c.token_id, table.c.key]).returning(table.c.id)
        )
        if row is not None:
            return None
        which = (table.c.token_id == token_id, table.c.key == key)
        return self._db.one(_kept, _kept.select().where(*which))

    def finish(self, token_id: int, key: str, status: int, body: str) -> None:
        table = tables.api_request
        self._db.change(
            sa.update(table)
            .where(table.c.token_id == token_id, table.c.key == key)
            .values(status=status, body=body)
        )

    def purge(self, before: datetime) -> int:
        table = tables.api_request
        return self._db.change(sa.delete(table).where(table.c.at < before))


class Webhooks:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, **values: Any) -> Webhook:
        """Fields of Webhook. Raises BadInput when the name is taken; the transaction stays usable."""
        table = tables.webhook
        new = self._db.insert(table).values(active=True, **values)
        row = self._db.row(
            new.on_conflict_do_nothing(index_elements=[table.c.name]).returning(*_webhook.columns)
        )
        if row is None:
            raise BadInput("已有同名的推送地址，请换一个名称")
        return _webhook.of(row)

    def get(self, id: int) -> Webhook | None:
        return self._db.one(_webhook, _webhook.select().where(tables.webhook.c.id == id))

    def named(self, name: str) -> Webhook | None:
        return self._db.one(_webhook, _webhook.select().where(tables.webhook.c.name == name))

    def all(self) -> list[Webhook]:
        """A handful."""
        return self._db.all(_webhook, _webhook.select().order_by(tables.webhook.c.id))

    def remove(self, id: int) -> bool:
        """What still waits for it is not sent; the sender says so."""
        table = tables.webhook
        return self._db.change(sa.delete(table).where(table.c.id == id)) == 1

    def dead(self, after: datetime, limit: int = 100) -> list[Notice]:
        """Given up, newest first: unsent, and not to be tried before `after`, far in the future."""
        notice = tables.notice.c
        return self._db.all(
            _notice,
            _notice.select()
            .where(notice.sent_at.is_(None), notice.next_at > after, notice.to.startswith(TO))
            .order_by(notice.next_at.desc(), notice.id.desc())
            .limit(limit),
        )

    def revive(self, notice_id: int, at: datetime, after: datetime) -> bool:
        """A dead one is tried again, as if it were new. False: it is not dead."""
        notice = tables.notice
        return self._db.change_one(
            sa.update(notice)
            .where(
                notice.c.id == notice_id,
                notice.c.sent_at.is_(None),
                notice.c.next_at > after,
                notice.c.to.startswith(TO),
            )
            .values(next_at=at, created_at=at, attempts=0)
        )

    def newly_overdue(self, now: datetime, kind: str, limit: int = 100) -> list[Case]:
        """Open cases whose deadline is over, nobody was there, and no notice of `kind` tells of it."""
        case, notice = tables.case.c, tables.notice.c
        told = sa.exists().where(notice.case_id == case.id, notice.kind == kind)
        return self._db.all(
            _case,
            _case.select()
            .where(case.closed_at.is_(None), case.visited_at.is_(None), case.deadline < now, ~told)
            .order_by(case.id)
            .limit(limit),
        )
