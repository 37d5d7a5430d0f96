"""The ledger 台账 in bulk: what import and export read and write, a batch of elders at a time.

Set-based throughout: a batch of any size costs a handful of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Area, Consent, Contact, Elder, Visitor
from storage.repository_areas import subtree
from storage.repository_review import follow_elders
from xunfang.vocabulary import ConsentPurpose

_ADVISORY_LOCK = 0x6C6564676572  # "ledger"
_ROW_ID = "row_id"

_area = Shape(Area, tables.area)
_elder = Shape(Elder, tables.elder)
_contact = Shape(Contact, tables.contact)
_consent = Shape(Consent, tables.consent)
_visitor = Shape(Visitor, tables.visitor)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """All that the ledger says about one elder."""

    elder: Elder
    contacts: tuple[Contact, ...] = ()  # in the order in which they are called
    visitors: tuple[Visitor, ...] = ()  # active ones of this elder, the oldest entry first
    consents: Mapping[ConsentPurpose, Consent] = field(default_factory=dict)  # the latest word
    note: str = field(default="", repr=False)


class Ledger:
    def __init__(self, db: Db) -> None:
        self._db = db

    def lock(self) -> None:
        """Until the transaction ends no other import writes: two could both create a nameless pair.

        SQLite has one writer anyway.
        """
        if self._db.dialect == "postgresql":
            self._db.row(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))

    # ---- reading ------------------------------------------------------------------------------

    def areas(self) -> list[Area]:
        """Every county, township and village: a few thousand at most."""
        return self._db.all(_area, _area.select().order_by(tables.area.c.id))

    def with_id_cards(self, cards: Iterable[str]) -> list[Elder]:
        indexes = [index for card in cards for index in self._db.vault.id_card_indexes(card)]
        return self._found(tables.elder.c.id_card_index, indexes)

    def with_phones(self, phones: Iterable[str]) -> list[Elder]:
        indexes = [index for phone in phones for index in self._db.vault.phone_indexes(phone)]
        return self._found(tables.elder.c.phone_index, indexes)

    def entries(self, elders: Sequence[Elder]) -> list[LedgerEntry]:
        """The same elders in the same order, with everything beside them."""
        ids = [elder.id for elder in elders]
        if not ids:
            return []
        contact, visitor, note = tables.contact.c, tables.visitor.c, tables.elder_note.c
        contacts: dict[int, list[Contact]] = defaultdict(list)
        for one in self._db.all(
            _contact,
            _contact.select().where(contact.elder_id.in_(ids)).order_by(contact.position, contact.id),
        ):
            contacts[one.elder_id].append(one)
        visitors: dict[int, list[Visitor]] = defaultdict(list)
        for person in self._db.all(
            _visitor,
            _visitor.select().where(visitor.elder_id.in_(ids), visitor.active.is_(True)).order_by(visitor.id),
        ):
            visitors[person.elder_id or 0].append(person)
        notes = {
            row[0]: row[1]
            for row in self._db.rows(sa.select(note.elder_id, note.text).where(note.elder_id.in_(ids)))
        }
        consents = self._latest_consents(ids)
        return [
            LedgerEntry(
                elder=elder,
                contacts=tuple(contacts.get(elder.id, ())),
                visitors=tuple(visitors.get(elder.id, ())),
                consents=consents.get(elder.id, {}),
                note=notes.get(elder.id, ""),
            )
            for elder in elders
        ]

    def page(self, after_id: int = 0, limit: int = 500, area_id: int | None = None) -> list[LedgerEntry]:
        """By id, also inactive elders. `area_id`: this area and everything below it."""
        statement = _elder.select().where(tables.elder.c.id > after_id, *self._within(area_id))
        return self.entries(self._db.all(_elder, statement.order_by(tables.elder.c.id).limit(limit)))

    def count(self, area_id: int | None = None) -> int:
        row = self._db.row(sa.select(sa.func.count()).select_from(tables.elder).where(*self._within(area_id)))
        return int(row[0]) if row else 0

    def most_contacts(self, area_id: int | None = None) -> int:
        """Of any one elder: how many groups of columns an export needs."""
        counted = sa.select(sa.func.count().label("n")).select_from(tables.contact)
        if area_id is not None:
            counted = counted.join(tables.elder, tables.elder.c.id == tables.contact.c.elder_id)
            counted = counted.where(*self._within(area_id))
        each = counted.group_by(tables.contact.c.elder_id).subquery()
        row = self._db.row(sa.select(sa.func.max(each.c.n)))
        return int(row[0] or 0) if row else 0

    # ---- writing ------------------------------------------------------------------------------

    def add_elders(self, elders: Sequence[Elder]) -> list[int]:
        """The ids, in order. A second elder with the same ID card is refused with StorageError."""
        return self._db.add_many(tables.elder, [self._indexed(_elder.values(one)) for one in elders])

    def add_contacts(self, contacts: Sequence[Contact]) -> None:
        self._add(tables.contact, [self._indexed(_contact.values(one)) for one in contacts])

    def add_visitors(self, visitors: Sequence[Visitor]) -> None:
        self._add(tables.visitor, [self._indexed(_visitor.values(one)) for one in visitors])

    def add_consents(self, consents: Sequence[Consent]) -> None:
        self._add(tables.consent, [_consent.values(one) for one in consents])

    def change_elders(self, changes: Mapping[int, Mapping[str, Any]]) -> int:
        """id -> the fields to set; only these are written, so what a call stores meanwhile stays."""
        changed = self._change(tables.elder, changes)
        if moved := [id for id, fields in changes.items() if "area_id" in fields]:
            follow_elders(self._db, moved)
        return changed

    def change_contacts(self, changes: Mapping[int, Mapping[str, Any]]) -> int:
        return self._change(tables.contact, changes)

    def change_visitors(self, changes: Mapping[int, Mapping[str, Any]]) -> int:
        return self._change(tables.visitor, changes)

    def put_notes(self, notes: Mapping[int, str]) -> None:
        """elder id -> 备注; the empty text takes the note away."""
        gone = [id for id, text in notes.items() if not text]
        note = tables.elder_note
        if gone:
            self._db.change(sa.delete(note).where(note.c.elder_id.in_(gone)))
        kept = [{"elder_id": id, "text": text} for id, text in notes.items() if text]
        if kept:
            insert = self._db.insert(note)
            upsert = insert.on_conflict_do_update(
                index_elements=["elder_id"], set_={"text": insert.excluded.text}
            )
            self._db.change_many(upsert, kept)

    def write_audit(
        self, at: datetime, actor: str, entries: Iterable[tuple[str, str, Mapping[str, Any]]]
    ) -> None:
        """`entries`: (kind, subject, detail) of one moment."""
        self._add(
            tables.audit,
            [
                {"at": at, "actor": actor, "kind": kind, "subject": subject, "detail": dict(detail)}
                for kind, subject, detail in entries
            ],
        )

    # ---- inside -------------------------------------------------------------------------------

    def _found(self, column: sa.Column[Any], indexes: Collection[str]) -> list[Elder]:
        if not indexes:
            return []
        statement = _elder.select().where(column.in_(indexes)).order_by(tables.elder.c.id)
        return self._db.all(_elder, statement)

    def _latest_consents(self, ids: Sequence[int]) -> dict[int, dict[ConsentPurpose, Consent]]:
        consent = tables.consent.c
        latest: dict[int, dict[ConsentPurpose, Consent]] = defaultdict(dict)
        for one in self._db.all(
            _consent,
            _consent.select().where(consent.elder_id.in_(ids)).order_by(consent.at, consent.id),
        ):
            latest[one.elder_id][one.purpose] = one
        return latest

    def _within(self, area_id: int | None) -> list[sa.ColumnElement[bool]]:
        if area_id is None:
            return []
        return [tables.elder.c.area_id.in_(sa.select(subtree(area_id).c.id))]

    def _indexed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Wherever a number is written, its blind index is written with it."""
        indexed = dict(values)
        if "phone" in values:
            indexed["phone_index"] = self._db.vault.phone_index(values["phone"])
        if "other_phone" in values:
            indexed["other_phone_index"] = self._db.vault.phone_index(values["other_phone"])
        if "id_card" in values:
            indexed["id_card_index"] = self._db.vault.id_card_index(values["id_card"])
        return indexed

    def _add(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._db.change_many(sa.insert(table), rows)

    def _change(self, table: sa.Table, changes: Mapping[int, Mapping[str, Any]]) -> int:
        """One statement for all rows that change in the same fields."""
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for id, values in changes.items():
            indexed = self._indexed(values)
            alike[tuple(sorted(indexed))].append({_ROW_ID: id, **indexed})
        changed = 0
        for names, rows in alike.items():
            statement = (
                sa.update(table)
                .where(table.c.id == sa.bindparam(_ROW_ID))
                .values({name: sa.bindparam(name) for name in names})
            )
            changed += self._db.change_many(statement, rows)
        return changed
