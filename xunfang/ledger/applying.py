"""What stands beside an elder in the ledger: contacts, visitors, consents, notes, as a row or a form says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from storage import Work
from storage.model import Consent, Contact, Visitor
from xunfang.ledger.matching import Changes

PAPER = "paper"  # where a consent in a spreadsheet or a form comes from


@dataclass(frozen=True, slots=True)
class Beside:
    elder_id: int
    area_id: int | None  # where the elder lives, after the change
    changes: Changes


def write_beside(work: Work, batch: Iterable[Beside]) -> None:
    """A handful of statements, however many elders."""
    contacts, visitors, consents = [], [], []
    changed_contacts: dict[int, dict[str, Any]] = {}
    changed_visitors: dict[int, dict[str, Any]] = {}
    notes: dict[int, str] = {}
    for each in batch:
        elder_id, found = each.elder_id, each.changes
        contacts += [Contact(id=0, elder_id=elder_id, **given) for given in found.new_contacts]
        changed_contacts |= found.contacts
        changed_visitors |= found.visitors
        if found.new_visitor:
            # 第一巡访员 lives where the elder lives: that is what makes him the first (Jilin 2020, 四(二)4).
            visitors.append(Visitor(id=0, elder_id=elder_id, area_id=each.area_id, **found.new_visitor))
        consents += [
            Consent(0, elder_id, purpose, granted, at, PAPER) for purpose, granted, at in found.consents
        ]
        if found.note is not None:
            notes[elder_id] = found.note
    work.ledger.add_contacts(contacts)
    work.ledger.change_contacts(changed_contacts)
    work.ledger.change_visitors(changed_visitors)
    work.ledger.add_visitors(visitors)
    work.ledger.add_consents(consents)
    work.ledger.put_notes(notes)
