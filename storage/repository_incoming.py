"""来电: who rang us, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import FOREVER, Db, Shape
from storage.model import Incoming
from xunfang.vocabulary import Alert, CallerKind

_ALERTS_BELOW = {Alert.NONE: (), Alert.REVIEW: (Alert.NONE,), Alert.URGENT: (Alert.NONE, Alert.REVIEW)}

_incoming = Shape(Incoming, tables.incoming)


class Incomings:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        *,
        rang_at: datetime,
        kind: CallerKind,
        phone: str = "",
        elder_id: int | None = None,
        call_id: int | None = None,
        line: str = "",
        missed: bool = False,
        ended_at: datetime | None = None,
    ) -> Incoming:
        values = _incoming.values(
            Incoming(0, rang_at, kind, phone, elder_id, call_id, line, missed, ended_at=ended_at)
        )
        return self._db.add(_incoming, {**values, "phone_index": self._db.vault.phone_index(phone)})

    def get(self, id: int) -> Incoming | None:
        return self._db.one(_incoming, _incoming.select().where(tables.incoming.c.id == id))

    def of_call(self, call_id: int) -> Incoming | None:
        return self._db.one(_incoming, _incoming.select().where(tables.incoming.c.call_id == call_id))

    def became(self, id: int, elder_id: int, call_id: int) -> None:
        """The caller of a shared telephone said who he is."""
        self._change(id, elder_id=elder_id, call_id=call_id)

    def finish(self, id: int, ended_at: datetime, because: str = "") -> bool:
        """False when it had ended before."""
        row = tables.incoming
        return self._db.change_one(
            sa.update(row)
            .where(row.c.id == id, row.c.ended_at.is_(None))
            .values(ended_at=ended_at, because=because)
        )

    def raise_alert(self, id: int, alert: Alert) -> bool:
        """Only ever upwards. True when it rose by this."""
        row = tables.incoming
        return self._db.change_one(
            sa.update(row).where(row.c.id == id, row.c.alert.in_(_ALERTS_BELOW[alert])).values(alert=alert)
        )

    def page(self, before_id: int = FOREVER, limit: int = 100) -> list[Incoming]:
        """Newest first."""
        row = tables.incoming.c
        return self._db.all(
            _incoming, _incoming.select().where(row.id < before_id).order_by(row.id.desc()).limit(limit)
        )

    def _change(self, id: int, **values: Any) -> None:
        self._db.change(sa.update(tables.incoming).where(tables.incoming.c.id == id).values(**values))
