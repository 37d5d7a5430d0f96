"""The ledger 台账: elders, their contacts and their consents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.db import Db, Shape
from storage.model import Consent, Contact, Elder
from storage.repository_areas import subtree
from storage.repository_review import follow_elders
from xunfang.errors import NotFound
from xunfang.vocabulary import ConsentPurpose

_elder = Shape(Elder, tables.elder)
_contact = Shape(Contact, tables.contact)
_consent = Shape(Consent, tables.consent)
_LAST_WORD = (
    sa.select(tables.consent.c.granted)
    .where(tables.consent.c.elder_id == sa.bindparam("elder"))
    .where(tables.consent.c.purpose == sa.bindparam("purpose"))
    .order_by(tables.consent.c.at.desc(), tables.consent.c.id.desc())
    .limit(1)
)


class Elders:
    def __init__(self, db: Db) -> None:
        self._db = db

    def add(self, *, name: str, **fields: Any) -> Elder:
        """`fields`: those of storage.model.Elder, with its defaults (TypeError for any other).

        A second elder with the same ID card is refused with StorageError.
        """
        return self._db.add(_elder, self._indexed(_elder.values(Elder(id=0, name=name, **fields))))

    def update(self, id: int, **fields: Any) -> Elder:
        """Change some fields. Raises NotFound for an unknown elder, TypeError for an unknown field."""
        unknown = set(fields) - set(_elder.names)
        if unknown:
            raise TypeError(f"an elder has no field to change named {', '.join(sorted(unknown))}")
        if fields:
            elder = tables.elder
            self._db.change(sa.update(elder).where(elder.c.id == id).values(**self._indexed(fields)))
        if "area_id" in fields:
            follow_elders(self._db, [id])
        found = self.get(id)
        if found is None:
            raise NotFound(f"there is no elder {id}")
        return found

    def get(self, id: int) -> Elder | None:
        return self._db.one(_elder, _elder.by("id"), {"id": id})

    def find_by_phone(self, phone: str) -> list[Elder]:
        """All elders behind this number (a landline may be shared), however it is written; also those
        whose second number it is."""
        indexes = self._db.vault.phone_indexes(phone)
        elder = tables.elder.c
        behind = sa.or_(elder.phone_index.in_(indexes), elder.other_phone_index.in_(indexes))
        return self._db.all(_elder, _elder.select().where(behind).order_by(elder.id))

    def find_by_id_card(self, card: str) -> Elder | None:
        indexes = self._db.vault.id_card_indexes(card)
        return self._db.one(_elder, _elder.select().where(tables.elder.c.id_card_index.in_(indexes)))

    def page(self, after_id: int = 0, limit: int = 100, area_id: int | None = None) -> list[Elder]:
        """Also inactive ones, by id. `area_id`: this area and everything below it."""
        elder = tables.elder.c
        statement = _elder.select().where(elder.id > after_id)
        if area_id is not None:
            statement = statement.where(elder.area_id.in_(sa.select(subtree(area_id).c.id)))
        return self._db.all(_elder, statement.order_by(elder.id).limit(limit))

    def _indexed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Wherever a number is written, its blind index is written with it."""
        vault = self._db.vault
        values = dict(values)
        if "phone" in values:
            values["phone_index"] = vault.phone_index(values["phone"])
        if "other_phone" in values:
            values["other_phone_index"] = vault.phone_index(values["other_phone"])
        if "id_card" in values:
            values["id_card_index"] = vault.id_card_index(values["id_card"])
        return values


class Contacts:
    """紧急联系人."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self,
        *,
        elder_id: int,
        position: int,
        name: str = "",
        relation: str = "",
        phone: str = "",
        same_place: bool = False,
        may_be_told: bool = False,
    ) -> Contact:
        values: dict[str, Any] = {
            "elder_id": elder_id,
            "position": position,
            "name": name,
            "relation": relation,
            "phone": phone,
            "phone_index": self._db.vault.phone_index(phone),
            "same_place": same_place,
            "may_be_told": may_be_told,
        }
        return self._db.add(_contact, values)

    def find_by_phone(self, phone: str) -> list[Contact]:
        """Whose contact this number is, however it is written."""
        contact = tables.contact.c
        indexes = self._db.vault.phone_indexes(phone)
        return self._db.all(
            _contact,
            _contact.select().where(contact.phone_index.in_(indexes)).order_by(contact.position, contact.id),
        )

    def get(self, id: int) -> Contact | None:
        return self._db.one(_contact, _contact.by("id"), {"id": id})

    def of(self, elder_id: int) -> list[Contact]:
        """In the order in which they are called."""
        ordered = _contact.by("elder_id", order=("position", "id"))
        return self._db.all(_contact, ordered, {"elder_id": elder_id})


class Consents:
    """自愿: per purpose and dated; the latest word counts."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def add(
        self, elder_id: int, purpose: ConsentPurpose, granted: bool, at: datetime, source: str = ""
    ) -> Consent:
        values = {"elder_id": elder_id, "purpose": purpose, "granted": granted, "at": at, "source": source}
        return self._db.add(_consent, values)

    def current(self, elder_id: int, purpose: ConsentPurpose) -> bool | None:
        """None: never asked."""
        row = self._db.row(_LAST_WORD, {"elder": elder_id, "purpose": purpose})
        return None if row is None else bool(row[0])

    def of(self, elder_id: int) -> list[Consent]:
        """Oldest first."""
        given = _consent.by("elder_id", order=("at", "id"))
        return self._db.all(_consent, given, {"elder_id": elder_id})
