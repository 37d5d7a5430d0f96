"""The notice outbox, written with the fact it tells of, and the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import AuditEntry, Notice, Webhook

_ERROR_CHARS = 500
WEBHOOK = "webhook"  # Notice.to: the one of the settings, and with it every endpoint that wants it

_notice = Shape(Notice, tables.notice)
_webhook = Shape(Webhook, tables.webhook)
_audit = Shape(AuditEntry, tables.audit)


class Notices:
    """A notice is tried when `next_at` has come and it is unsent.

    A claim moves `next_at` behind a lease: when the sender dies, the notice comes back by itself.
    """

    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        *,
        kind: str,
        to: str,
        title: str,
        body: str,
        created_at: datetime,
        case_id: int | None = None,
        next_at: datetime | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Notice:
        """`next_at`: not before this moment; at once when not given. To "webhook": also a notice of its own
        to each registered endpoint that wants `kind`. `data`: for machines, nothing personal."""
        values: dict[str, Any] = {
            "kind": kind,
            "to": to,
            "title": title,
            "body": body,
            "case_id": case_id,
            "created_at": created_at,
            "attempts": 0,
            "next_at": next_at or created_at,
            "last_error": "",
            "data": None if data is None else dict(data),
        }
        if to == WEBHOOK:
            self._to_endpoints(values)
        return self._db.add(_notice, values)

    def to_endpoints(
        self,
        *,
        kind: str,
        title: str,
        body: str,
        created_at: datetime,
        case_id: int | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> int:
        """Only to registered endpoints; to how many. Nobody asked for it: nothing is written."""
        values: dict[str, Any] = {
            "kind": kind,
            "title": title,
            "body": body,
            "case_id": case_id,
            "created_at": created_at,
            "attempts": 0,
            "next_at": created_at,
            "last_error": "",
            "data": None if data is None else dict(data),
        }
        return self._to_endpoints(values)

    def _to_endpoints(self, values: dict[str, Any]) -> int:
        endpoints = self._db.all(_webhook, _webhook.select().where(tables.webhook.c.active.is_(True)))
        wanting = [each for each in endpoints if each.wants(values["kind"])]
        rows = [values | {"to": f"{WEBHOOK}:{each.id}"} for each in wanting]
        self._db.add_many(tables.notice, rows)
        return len(rows)

    def pending(self, now: datetime, limit: int = 100) -> list[Notice]:
        """Unsent and not claimed by anybody, longest waiting first."""
        notice = tables.notice.c
        return self._db.all(
            _notice,
            _notice.select()
            .where(notice.sent_at.is_(None), notice.next_at <= now)
            .order_by(notice.next_at, notice.id)
            .limit(limit),
        )

    def claim(self, id: int, now: datetime, lease_s: float) -> bool:
        """Take it for `lease_s` seconds and count an attempt. False: somebody else has it."""
        notice = tables.notice
        return self._db.change_one(
            sa.update(notice)
            .where(notice.c.id == id, notice.c.sent_at.is_(None), notice.c.next_at <= now)
            .values(next_at=now + timedelta(seconds=lease_s), attempts=notice.c.attempts + 1)
        )

    def sent(self, id: int, at: datetime) -> bool:
        """False when it was already sent."""
        notice = tables.notice
        return self._db.change_one(
            sa.update(notice)
            .where(notice.c.id == id, notice.c.sent_at.is_(None))
            .values(sent_at=at, last_error="")
        )

    def sent_all(self, ids: Sequence[int], at: datetime) -> int:
        notice = tables.notice
        return self._db.change(
            sa.update(notice)
            .where(notice.c.id.in_(ids), notice.c.sent_at.is_(None))
            .values(sent_at=at, last_error="")
        )

    def failed(self, id: int, error: str, next_at: datetime) -> None:
        """`error` is shown to the operator: no personal data."""
        notice = tables.notice
        self._db.change(
            sa.update(notice)
            .where(notice.c.id == id, notice.c.sent_at.is_(None))
            .values(last_error=error[:_ERROR_CHARS], next_at=next_at)
        )

    def get(self, id: int) -> Notice | None:
        return self._db.one(_notice, _notice.select().where(tables.notice.c.id == id))

    def of_case(self, case_id: int) -> list[Notice]:
        notice = tables.notice.c
        return self._db.all(_notice, _notice.select().where(notice.case_id == case_id).order_by(notice.id))


class Audit:
    """Only ever added to."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def write(
        self, at: datetime, actor: str, kind: str, subject: str, detail: Mapping[str, Any] | None = None
    ) -> AuditEntry:
        values = {"at": at, "actor": actor, "kind": kind, "subject": subject, "detail": dict(detail or {})}
        return self._db.add(_audit, values)

    def of(self, subject: str, after_id: int = 0, limit: int = 1000) -> list[AuditEntry]:
        """Oldest first."""
        audit = tables.audit.c
        return self._db.all(
            _audit,
            _audit.select()
            .where(audit.subject == subject, audit.id > after_id)
            .order_by(audit.id)
            .limit(limit),
        )
