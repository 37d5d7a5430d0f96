"""门牌: issued, looked up by id, revoked. What stands on one is signed here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Plate
from storage.repository_areas import subtree

PURPOSE = "door plate"
SIGNATURE_CHARS = 20  # hex: 80 bits, and a QR that is still coarse enough for a cheap camera

_plate = Shape(Plate, tables.plate)


class Plates:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, elder_ids: Sequence[int], by: str, at: datetime) -> list[Plate]:
        """One for each of these elders who has no valid one; signed with the newest key."""
        table = tables.plate
        blank = {"issued_at": at, "by": by, "revoked_by": "", "why": "", "signature": ""}
        if elder_ids:
            insert = self._db.insert(table).on_conflict_do_nothing(
                index_elements=["elder_id"], index_where=table.c.revoked_at.is_(None)
            )
            self._db.change_many(insert, [{"elder_id": id, **blank} for id in elder_ids])
        new = [each for each in self.valid(elder_ids).values() if not each.signature]
        sign = (
            sa.update(table).where(table.c.id == sa.bindparam("row_id")).values(signature=sa.bindparam("sig"))
        )
        self._db.change_many(sign, [{"row_id": each.id, "sig": self._signature(each.id)} for each in new])
        signed = self.valid(each.elder_id for each in new)
        return list(signed.values())

    def _signature(self, id: int) -> str:
        return self._db.vault.sign(PURPOSE, str(id))[:SIGNATURE_CHARS]

    def get(self, id: int) -> Plate | None:
        return self._db.one(_plate, _plate.select().where(tables.plate.c.id == id))

    def of_elder(self, elder_id: int, limit: int = 20) -> list[Plate]:
        """Newest first, also revoked ones."""
        plate = tables.plate.c
        which = _plate.select().where(plate.elder_id == elder_id)
        return self._db.all(_plate, which.order_by(plate.id.desc()).limit(limit))

    def valid(self, elder_ids: Iterable[int]) -> dict[int, Plate]:
        """By elder: one question for a whole page of rows."""
        plate, wanted = tables.plate.c, sorted(set(elder_ids))
        if not wanted:
            return {}
        which = _plate.select().where(plate.elder_id.in_(wanted), plate.revoked_at.is_(None))
        return {each.elder_id: each for each in self._db.all(_plate, which.order_by(plate.id))}

    def lacking(self, area_id: int | None, limit: int) -> list[int]:
        """Active elders of the area and below it without a valid plate, by id."""
        elder, plate = tables.elder.c, tables.plate.c
        has = sa.exists().where(plate.elder_id == elder.id, plate.revoked_at.is_(None))
        statement = sa.select(elder.id).where(elder.active.is_(True), ~has)
        if area_id is not None:
            statement = statement.where(elder.area_id.in_(sa.select(subtree(area_id).c.id)))
        return [int(row[0]) for row in self._db.rows(statement.order_by(elder.id).limit(limit))]

    def revoke(self, id: int, by: str, why: str, at: datetime) -> bool:
        """False when it was revoked already."""
        plate = tables.plate
        changed = sa.update(plate).where(plate.c.id == id, plate.c.revoked_at.is_(None))
        return self._db.change_one(changed.values(revoked_at=at, revoked_by=by, why=why))

    def is_signed(self, text: str, signature: str) -> bool:
        """Under one of today's keys."""
        return self._db.vault.is_signed(PURPOSE, text, signature, SIGNATURE_CHARS)
