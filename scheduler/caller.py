"""Who rings us (来电): known by the number, as far as the ledger knows it. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.model import Contact, Elder
from xunfang.vocabulary import CallerKind, ConsentPurpose

if TYPE_CHECKING:
    from storage import Work


@dataclass(frozen=True, slots=True)
class Who:
    kind: CallerKind
    elders: tuple[Elder, ...] = ()  # of a contact: whose contact
    contact: Contact | None = None

    @property
    def elder_id(self) -> int | None:
        return self.elders[0].id if self.elders else None

    @property
    def at_home(self) -> bool:
        """An elder lives behind this number."""
        return self.kind in (CallerKind.ELDER, CallerKind.HOUSEHOLD)


def who_rings(work: Work, number: str) -> Who:
    if not number:
        return Who(CallerKind.STRANGER)
    elders = tuple(each for each in work.elders.find_by_phone(number) if each.active)
    if elders:
        return Who(CallerKind.ELDER if len(elders) == 1 else CallerKind.HOUSEHOLD, elders)
    for contact in work.contacts.find_by_phone(number):
        elder = work.elders.get(contact.elder_id)
        if elder is not None and elder.active:
            return Who(CallerKind.CONTACT, (elder,), contact)
    return Who(CallerKind.STRANGER)


def may_be_told(work: Work, contact: Contact) -> bool:
    """That we tried to reach the elder: only with both consents."""
    agreed = work.consents.current(contact.elder_id, ConsentPurpose.FAMILY_NOTICE) is True
    return agreed and contact.may_be_told


def public_number(work: Work, elder: Elder | None) -> str:
    """Of the elder's village, else of what lies above it; of nobody known: the county's."""
    if elder is not None and elder.area_id is not None:
        for area in reversed(work.areas.path(elder.area_id)):
            if area.phone:
                return area.phone
    return next((area.phone for area in work.areas.children(None) if area.phone), "") or ""
