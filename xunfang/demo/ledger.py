"""The invented village becomes rows of the ledger 台账. Doing it twice changes nothing."""

from __future__ import annotations

from datetime import date, datetime

from sip_test_harness.model import DemoElder, DemoPerson, DemoVillage, Persona
from storage import Store, Work
from storage.model import Elder
from xunfang.vocabulary import Cadence, ConsentPurpose

# An invented statistical code: no county of China begins with 99.
COUNTY, TOWNSHIP, VILLAGE = "990100000000", "990100101000", "990100101201"
KINDS = {"儿子": "child", "女儿": "child", "邻居": "neighbour", "村级巡访员": "village"}


def enrol_village(store: Store, village: DemoVillage, dialplan: str, now: datetime) -> dict[int, DemoElder]:
    """Elder id -> who it is in the village's file."""
    with store.begin() as work:
        area_id = _areas(work, village)
        if not work.visitors.for_area(area_id):
            visitor = village.village_visitor
            work.visitors.add(name=visitor.name, kind="village", phone=visitor.phone, area_id=area_id)
        return {_elder(work, elder, area_id, dialplan, now).id: elder for elder in village.elders}


def enrol_persona(work: Work, persona: Persona, dialplan: str, now: datetime) -> Elder:
    """A persona alone, with every consent: enough to be called."""
    known = work.elders.find_by_phone(persona.number)
    if known:
        return known[0]
    elder = work.elders.add(
        name=persona.name,
        sex="F" if persona.sex == "female" else "M",
        phone=persona.number,
        dialplan=dialplan,
        cadence=Cadence.WEEKLY,
    )
    for purpose in ConsentPurpose:
        work.consents.add(elder.id, purpose, True, now, "paper")
    return elder


def _elder(work: Work, member: DemoElder, area_id: int, dialplan: str, now: datetime) -> Elder:
    known = work.elders.find_by_phone(member.persona.number)
    if known:
        return known[0]
    elder = enrol_persona(work, member.persona, dialplan, now)
    elder = work.elders.update(
        elder.id,
        area_id=area_id,
        address=member.address,
        birth_date=date(now.year - member.age, 1, 1),
        categories=member.categories,
    )
    for position, contact in enumerate(member.contacts, 1):
        work.contacts.add(
            elder_id=elder.id,
            position=position,
            name=contact.name,
            relation=KINDS.get(contact.relation, "relative"),
            phone=contact.phone,
            same_place=contact.phone == member.first_visitor.phone,
            may_be_told=True,
        )
    _first_visitor(work, elder, member.first_visitor, area_id)
    return elder


def _first_visitor(work: Work, elder: Elder, person: DemoPerson, area_id: int) -> None:
    kind = KINDS.get(person.relation, "relative")
    if kind != "village":
        work.visitors.add(name=person.name, kind=kind, phone=person.phone, area_id=area_id, elder_id=elder.id)


def _areas(work: Work, village: DemoVillage) -> int:
    parent = None
    for code, name, level, phone in (
        (COUNTY, village.county, "county", None),
        (TOWNSHIP, village.township, "township", None),
        (VILLAGE, village.village, "village", village.village_visitor.phone),
    ):
        known = work.areas.by_code(code)
        area = known or work.areas.add(code=code, name=name, level=level, parent_id=parent, phone=phone)
        parent = area.id
    assert parent is not None
    return parent
