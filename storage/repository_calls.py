"""Calls. `begin` is the committed intent to dial; `finish` happens once."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage import tables
from storage.db import FOREVER, Db, Shape
from storage.model import Call
from storage.repository_fleet import Channels
from storage.vault import normalise_phone
from xunfang.errors import StorageError
from xunfang.log import mask
from xunfang.vocabulary import Alert, CallDirection, CallDisposition, Risk

_ALERTS_BELOW = {Alert.NONE: (), Alert.REVIEW: (Alert.NONE,), Alert.URGENT: (Alert.NONE, Alert.REVIEW)}

_call = Shape(Call, tables.call)
_of = tables.call.c
_CHANGE = sa.update(tables.call).where(_of.id == sa.bindparam("of"))
_ANSWERED = _CHANGE.where(_of.answered_at.is_(None))
_FINISH = _CHANGE.where(_of.ended_at.is_(None))
_OPEN = _call.select().where(tables.call.c.ended_at.is_(None)).order_by(tables.call.c.id)


@cache
def _beginning(dialect: str) -> sa.Executable:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    new = insert(tables.call).on_conflict_do_nothing(
        index_elements=[_of.plan_id], index_where=tables.STILL_LIVE
    )
    return new.returning(*_call.columns)


class Calls:
    def __init__(self, db: Db) -> None:
        self._db = db

    def begin(
        self,
        *,
        plan_id: int | None,
        elder_id: int,
        attempt: int,
        dialplan: str,
        dialplan_hash: str,
        intended_at: datetime,
        number: str = "",
        recording: str | None = None,
        line: str = "",
        direction: CallDirection = CallDirection.OUTBOUND,
        dialler_id: int | None = None,
        contact_id: int | None = None,
    ) -> Call:
        """The intent, to be committed before the INVITE leaves.

        Of the number only a blind index (for the daily cap) and a masked hint are kept.
        Raises StorageError while another call of the same plan lives.
        """
        values: dict[str, Any] = {
            "plan_id": plan_id,
            "elder_id": elder_id,
            "attempt": attempt,
            "dialplan": dialplan,
            "dialplan_hash": dialplan_hash,
            "intended_at": intended_at,
            "because": "",
            "hung_up_by": "",
            "recording": recording,
            "alert": Alert.NONE,
            "line": line,
            "direction": direction,
            "dialler_id": dialler_id,
            "contact_id": contact_id,
            "number_hint": mask(normalise_phone(number)),
            "number_index": self._db.vault.phone_index(number),
        }
        row = self._db.row(_beginning(self._db.dialect), values)
        if row is None:
            raise StorageError(f"plan {plan_id} already has a live call: finish it before dialling again")
        return _call.of(row)

    def set_line(self, id: int, line: str) -> None:
        """Which line process carries the call, once that is known."""
        self._db.change(sa.update(tables.call).where(tables.call.c.id == id).values(line=line))

    def answered(self, id: int, at: datetime) -> bool:
        """False when it was already noted."""
        return self._db.change_one(_ANSWERED, {"of": id, "answered_at": at})

    def finish(
        self,
        id: int,
        *,
        ended_at: datetime,
        disposition: CallDisposition,
        because: str = "",
        sip_code: int | None = None,
        q850: int | None = None,
        hung_up_by: str = "",
    ) -> bool:
        """False when the call had already ended: the first reason stands. Its channel is free again."""
        Channels(self._db).free(id)
        values = {
            "of": id,
            "ended_at": ended_at,
            "disposition": disposition,
            "because": because,
            "sip_code": sip_code,
            "q850": q850,
            "hung_up_by": hung_up_by,
        }
        return self._db.change_one(_FINISH, values)

    def set_risk(self, id: int, risk: Risk) -> None:
        self._db.change(_CHANGE, {"of": id, "risk": risk})

    def raise_alert(self, id: int, alert: Alert) -> bool:
        """Only ever upwards. True when the call's alert rose by this."""
        call = tables.call
        return self._db.change_one(
            sa.update(call).where(call.c.id == id, call.c.alert.in_(_ALERTS_BELOW[alert])).values(alert=alert)
        )

    def forget_recording(self, id: int) -> None:
        """The file could not be written, or was removed after its time."""
        self._db.change(sa.update(tables.call).where(tables.call.c.id == id).values(recording=None))

    def get(self, id: int) -> Call | None:
        return self._db.one(_call, _call.by("id"), {"id": id})

    def of_plan(self, plan_id: int) -> list[Call]:
        """Oldest first."""
        return self._db.all(_call, _call.by("plan_id", order=("id",)), {"plan_id": plan_id})

    def of_elder(self, elder_id: int, limit: int = 100, before_id: int = FOREVER) -> list[Call]:
        """Newest first."""
        call = tables.call.c
        return self._db.all(
            _call,
            _call.select()
            .where(call.elder_id == elder_id, call.id < before_id)
            .order_by(call.id.desc())
            .limit(limit),
        )

    def open(self) -> list[Call]:
        """Calls that have not ended, oldest first: never more than the lines can carry."""
        return self._db.all(_call, _OPEN)

    def to_number_since(self, phone: str, since: datetime) -> tuple[int, datetime | None]:
        """How often we dialled this number since then, for whomever, and when last."""
        call = tables.call.c
        row = self._db.row(
            sa.select(sa.func.count(), sa.func.max(call.intended_at)).where(
                call.number_index.in_(self._db.vault.phone_indexes(phone)),
                call.direction == CallDirection.OUTBOUND,
                call.intended_at >= since,
            )
        )
        assert row is not None
        return row[0], row[1]

    def page(self, after_id: int = 0, limit: int = 100) -> list[Call]:
        call = tables.call.c
        return self._db.all(_call, _call.select().where(call.id > after_id).order_by(call.id).limit(limit))
