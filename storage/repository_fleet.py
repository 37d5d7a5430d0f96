"""Who dials (拨号机), which channels of the trunk are taken, what ran when.

A dialler is one start of one process. It holds its lease as long as it renews `heartbeat_at`; whoever
finds it lapsed buries it by a conditional update, so that of the dead one waking up and the one taking
over exactly one wins. From then on the dead one's id opens nothing any more (fencing): `holds` is asked
inside every transaction that dials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Call, Dialler, Recurring
from xunfang.errors import StorageError
from xunfang.vocabulary import DiallerState

_dialler = Shape(Dialler, tables.dialler)
_call = Shape(Call, tables.call)
_recurring = Shape(Recurring, tables.recurring)


class Diallers:
    def __init__(self, db: Db) -> None:
        self._db = db

    def register(self, dialler: Dialler) -> Dialler:
        """A new row, therefore a new token; its id is the database's to give."""
        return self._db.add(_dialler, _dialler.values(dialler))

    def beat(
        self,
        id: int,
        now: datetime,
        state: DiallerState,
        *,
        capacity: int,
        live: int,
        lag_ms: float,
        breaker: str,
    ) -> bool:
        """Renew the lease. False: it was taken away meanwhile, stop acting as the owner."""
        table = tables.dialler
        values = {
            "heartbeat_at": now,
            "state": state,
            "capacity": capacity,
            "live": live,
            "lag_ms": lag_ms,
            "breaker": breaker,
        }
        return self._db.change_one(
            sa.update(table).where(table.c.id == id, table.c.state != DiallerState.GONE).values(**values)
        )

    def holds(self, id: int) -> bool:
        """Whether the lease still is this dialler's; until this transaction ends nobody can take it."""
        return self._db.row(_HOLDS, {"of": id}) is not None

    def get(self, id: int) -> Dialler | None:
        return self._db.one(_dialler, _dialler.select().where(tables.dialler.c.id == id))

    def present(self) -> list[Dialler]:
        """Those that hold a lease, lapsed or not, oldest first."""
        table = tables.dialler.c
        return self._db.all(
            _dialler, _dialler.select().where(table.state != DiallerState.GONE).order_by(table.id)
        )

    def bury(self, seen: Dialler) -> bool:
        """Take the lease away. False: it has beaten since it was seen, or somebody else was first."""
        table = tables.dialler
        return self._db.change_one(
            sa.update(table)
            .where(
                table.c.id == seen.id,
                table.c.state != DiallerState.GONE,
                table.c.heartbeat_at == seen.heartbeat_at,
            )
            .values(state=DiallerState.GONE, live=0)
        )

    def left(self, id: int, now: datetime) -> bool:
        """It ends by itself, in good order."""
        table = tables.dialler
        return self._db.change_one(
            sa.update(table)
            .where(table.c.id == id, table.c.state != DiallerState.GONE)
            .values(state=DiallerState.GONE, heartbeat_at=now, live=0)
        )

    def ownerless_calls(self, before: datetime) -> list[Call]:
        """Open calls whose dialler is gone; without any (older versions): those begun before `before`."""
        call, dialler = tables.call.c, tables.dialler.c
        nobodys = sa.or_(
            dialler.state == DiallerState.GONE,
            sa.and_(call.dialler_id.is_(None), call.intended_at < before),
        )
        return self._db.all(
            _call,
            _call.select()
            .outerjoin(tables.dialler, dialler.id == call.dialler_id)
            .where(call.ended_at.is_(None), nobodys)
            .order_by(call.id),
        )

    def lock_number(self, phone: str) -> None:
        """Until the end of this transaction nobody else decides whether this number may be rung."""
        index = self._db.vault.phone_index(phone)
        if index is not None and self._db.dialect == "postgresql":
            key = int(index[:15], 16)  # 60 bits: fits PostgreSQL's bigint
            self._db.row(sa.select(sa.func.pg_advisory_xact_lock(key)))


class Channels:
    """中继通道: one row a channel; it is free while it has no dialler."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def provide(self, trunk: str, count: int) -> None:
        """Make sure that rows 0 … count-1 exist. Rows beyond are kept: `take` does not look at them."""
        table = tables.channel_lease
        have = self._db.row(sa.select(sa.func.count()).where(table.c.trunk == trunk, table.c.slot < count))
        if have is not None and have[0] == count:
            return
        rows = [{"trunk": trunk, "slot": slot} for slot in range(count)]
        self._db.change_many(self._db.insert(table).on_conflict_do_nothing(), rows)

    def take(self, trunk: str, count: int, dialler_id: int, now: datetime) -> int | None:
        """A free channel of the first `count`, or None. Two diallers never get the same one."""
        row = self._db.row(_FREE, {"of": trunk, "count": count})
        if row is None:
            return None
        values = {"of": trunk, "at": row[0], "dialler_id": dialler_id, "taken_at": now}
        taken = self._db.change_one(_TAKE, values)
        return int(row[0]) if taken else None

    def carries(self, trunk: str, slot: int, call_id: int) -> None:
        if not self._db.change_one(_CARRIES, {"of": trunk, "at": slot, "call_id": call_id}):
            raise StorageError(f"channel {slot} of the trunk is not in the table")

    def free(self, call_id: int) -> bool:
        """The call has ended. Called by Calls.finish, so that no end forgets it."""
        return self._db.change(_ENDED, {"of": call_id}) > 0

    def used(self, trunk: str) -> int:
        row = self._db.row(_USED, {"of": trunk})
        assert row is not None
        return int(row[0])


class RecurringSteps:
    def __init__(self, db: Db) -> None:
        self._db = db

    def began(self, name: str, now: datetime, by: str) -> None:
        table = tables.recurring
        values: dict[str, Any] = {"began_at": now, "ended_at": None, "by": by, "detail": {}}
        new = self._db.insert(table).values(name=name, **values)
        self._db.change(new.on_conflict_do_update(index_elements=[table.c.name], set_=values))

    def ended(self, name: str, now: datetime, detail: Mapping[str, Any]) -> None:
        table = tables.recurring
        self._db.change(
            sa.update(table).where(table.c.name == name).values(ended_at=now, detail=dict(detail))
        )

    def get(self, name: str) -> Recurring | None:
        return self._db.one(_recurring, _recurring.select().where(tables.recurring.c.name == name))

    def all(self) -> Sequence[Recurring]:
        return self._db.all(_recurring, _recurring.select().order_by(tables.recurring.c.name))


def _emptied(which: sa.ColumnElement[bool]) -> sa.Update:
    return sa.update(tables.channel_lease).where(which).values(dialler_id=None, call_id=None, taken_at=None)


# Built once: asked in every dialling transaction.
_channel = tables.channel_lease.c
_HOLDS = (
    sa.select(tables.dialler.c.id)
    .where(tables.dialler.c.id == sa.bindparam("of"), tables.dialler.c.state != DiallerState.GONE)
    .with_for_update(read=True)
)
_FREE = (
    sa.select(_channel.slot)
    .where(
        _channel.trunk == sa.bindparam("of"),
        _channel.slot < sa.bindparam("count"),
        _channel.dialler_id.is_(None),
    )
    .order_by(_channel.slot)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_SLOT = sa.update(tables.channel_lease).where(
    _channel.trunk == sa.bindparam("of"), _channel.slot == sa.bindparam("at")
)
_TAKE = _SLOT.where(_channel.dialler_id.is_(None)).values(
    dialler_id=sa.bindparam("dialler_id"), taken_at=sa.bindparam("taken_at")
)
_CARRIES = _SLOT.values(call_id=sa.bindparam("call_id"))
_ENDED = _emptied(_channel.call_id == sa.bindparam("of"))
_USED = sa.select(sa.func.count()).where(
    _channel.trunk == sa.bindparam("of"), _channel.dialler_id.is_not(None)
)
