"""Rewrite personal data under the newest key (see docs/adr/0010-storage-encryption-and-unit-of-work.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db
from storage.types import Encrypted

if TYPE_CHECKING:
    from storage.store import Store

BATCH_ROWS = 500  # one short transaction each, so that calls go on meanwhile


def rotate(store: Store) -> int:
    rewritten = 0
    for table in tables.metadata.sorted_tables:
        secret = [column for column in table.columns if isinstance(column.type, Encrypted)]
        if not secret:
            continue
        last: Any = None
        while True:
            with store.begin() as work:
                done = _rewrite(work.db, table, secret, last)
            if done is None:
                break
            count, last = done
            rewritten += count
    return rewritten


def _rewrite(db: Db, table: sa.Table, secret: list[sa.Column[Any]], last: Any) -> tuple[int, Any] | None:
    """One batch after key `last`; writing a decrypted value back encrypts it anew."""
    (key,) = table.primary_key.columns
    statement = sa.select(key, *secret).order_by(key).limit(BATCH_ROWS).with_for_update()
    rows = db.rows(statement if last is None else statement.where(key > last))
    for row in rows:
        values = {column.name: row[at] for at, column in enumerate(secret, start=1)}
        if "phone_index" in table.c:
            values["phone_index"] = db.vault.phone_index(values["phone"])
        if "other_phone_index" in table.c:
            values["other_phone_index"] = db.vault.phone_index(values["other_phone"])
        if "id_card_index" in table.c:
            values["id_card_index"] = db.vault.id_card_index(values["id_card"])
        db.change(sa.update(table).where(key == row[0]).values(**values))
    return (len(rows), rows[-1][0]) if rows else None
