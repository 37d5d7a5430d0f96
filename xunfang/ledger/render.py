"""Ledger values as a person reads them: cells of an export, and old → new of a dry run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from storage.repository_ledger import LedgerEntry
from xunfang.ledger import weekdays
from xunfang.ledger.areas import COUNTY, TOWNSHIP, VILLAGE, AreaBook
from xunfang.ledger.columns import CONSENTS, RELATIONS, consent_date_key, consent_key, contact_key
from xunfang.log import mask
from xunfang.vocabulary import Category, zh

_SEX = {"M": "男", "F": "女"}
_ORDER = {category: place for place, category in enumerate(Category)}


def yes_no(value: bool) -> str:
    return "是" if value else "否"


def self_caring(value: bool) -> str:
    return "能" if value else "否"


def relation(value: str) -> str:
    return RELATIONS.get(value, value)


def categories(found: frozenset[Category]) -> str:
    return "、".join(zh(category) for category in sorted(found, key=_ORDER.__getitem__))


def shown(name: str, value: object, areas: AreaBook | None = None) -> str:
    """One value of a field, numbers masked."""
    if value is None:
        return ""
    if name in ("phone", "other_phone", "id_card"):
        return mask(str(value)) if value else ""
    if name == "area_id" and areas is not None and isinstance(value, int):
        return areas.describe(value)
    if name == "sex":
        return _SEX.get(str(value), str(value))
    if name in ("relation", "kind"):
        return relation(str(value))
    if name == "self_caring":
        return self_caring(bool(value))
    if isinstance(value, bool):
        return yes_no(value)
    if isinstance(value, frozenset):
        return categories(value)
    if isinstance(value, tuple):
        return "、".join(str(part) for part in value)
    if isinstance(value, StrEnum):
        return zh(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def cells(entry: LedgerEntry, areas: AreaBook, zone: ZoneInfo, full: bool) -> Mapping[str, str]:
    """Column key -> text of one elder. `full`: numbers unmasked."""
    elder = entry.elder
    path = areas.path(elder.area_id)

    def number(value: str | None) -> str:
        return (value or "") if full or not value else mask(value)

    found = {
        "name": elder.name,
        "sex": _SEX.get(elder.sex, ""),
        "id_card": number(elder.id_card),
        "birth_date": elder.birth_date.isoformat() if elder.birth_date else "",
        "phone": number(elder.phone),
        "other_phone": number(elder.other_phone),
        "area_code": areas.code(elder.area_id),
        "county": path[COUNTY].name if COUNTY in path else "",
        "township": path[TOWNSHIP].name if TOWNSHIP in path else "",
        "village": path[VILLAGE].name if VILLAGE in path else "",
        "address": elder.address,
        "categories": categories(elder.categories),
        "self_caring": self_caring(elder.self_caring),
        "good_health": yes_no(elder.good_health),
        "mode": zh(elder.mode),
        "cadence": zh(elder.cadence),
        "windows": weekdays.shown(elder.windows),
        "note": entry.note,
    }
    for position, contact in enumerate(entry.contacts, start=1):
        found[contact_key(position, "name")] = contact.name
        found[contact_key(position, "relation")] = relation(contact.relation)
        found[contact_key(position, "phone")] = number(contact.phone)
        found[contact_key(position, "same_place")] = yes_no(contact.same_place)
        found[contact_key(position, "may_be_told")] = yes_no(contact.may_be_told)
    if entry.visitors:
        first = entry.visitors[0]
        found["visitor.name"] = first.name
        found["visitor.relation"] = relation(first.kind)
        found["visitor.phone"] = number(first.phone)
    for purpose, _title, _others in CONSENTS:
        consent = entry.consents.get(purpose)
        if consent is not None:
            found[consent_key(purpose)] = yes_no(consent.granted)
            found[consent_date_key(purpose)] = consent.at.astimezone(zone).date().isoformat()
    return found
