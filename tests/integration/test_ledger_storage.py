"""The ledger in bulk, on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import SECRET
from storage_cast import ADDRESS, ID_CARD, NAME, NOW, an_elder

from storage import Store
from storage.model import Consent, Contact, Elder, Visitor
from xunfang.errors import StorageError
from xunfang.vocabulary import ConsentPurpose

pytestmark = pytest.mark.integration
PURPOSE = ConsentPurpose.PHONE_VISIT


def test_ids_come_back_in_the_order_given_also_for_more_than_one_chunk(store: Store) -> None:
    count = 2300
    with store.begin() as work:
        ids = work.ledger.add_elders([Elder(id=0, name=f"老人{n}", phone=f"{n}") for n in range(count)])
    assert len(set(ids)) == count
    with store.read() as work:
        for place in (0, 999, 1000, 1001, count - 1):
            elder = work.elders.get(ids[place])
            assert elder is not None
            assert (elder.name, elder.phone) == (f"老人{place}", f"{place}")


def test_many_are_found_by_their_numbers_however_written(store: Store) -> None:
    with store.begin() as work:
        her = an_elder(work, id_card=ID_CARD)
        him = an_elder(work, name="王大山", phone="0431-88881234")
        again = an_elder(work, name="王小山", phone="043188881234")
        assert work.ledger.with_id_cards([ID_CARD.lower(), "x"]) == [her]
        assert work.ledger.with_phones(["(0431)88881234", "13812340001"]) == [her, him, again]
        assert work.ledger.with_phones([]) == []
        assert work.ledger.with_id_cards([""]) == []


def test_an_entry_holds_all_that_belongs_to_an_elder_and_to_nobody_else(store: Store) -> None:
    with store.begin() as work:
        her, him = an_elder(work), an_elder(work, name="王大山")
        for elder in (her, him):
            work.ledger.add_contacts(
                [
                    Contact(0, elder.id, 2, f"second of {elder.id}"),
                    Contact(0, elder.id, 1, f"first of {elder.id}"),
                ]
            )
            work.ledger.add_visitors(
                [
                    Visitor(0, "gone", elder_id=elder.id, active=False),
                    Visitor(0, f"son of {elder.id}", elder_id=elder.id),
                ]
            )
        work.ledger.add_consents(
            [Consent(0, her.id, PURPOSE, False, NOW), Consent(0, her.id, PURPOSE, True, NOW - timedelta(1))]
        )
        work.ledger.put_notes({her.id: "耳背", him.id: ""})
        entries = work.ledger.entries([him, her])
    assert [entry.elder.id for entry in entries] == [him.id, her.id]
    assert [contact.name for contact in entries[1].contacts] == [f"first of {her.id}", f"second of {her.id}"]
    assert [visitor.name for visitor in entries[0].visitors] == [f"son of {him.id}"]
    assert entries[1].consents[PURPOSE].granted is False  # the latest word, not the latest row
    assert entries[0].consents == {}
    assert [entry.note for entry in entries] == ["", "耳背"]


def test_changes_write_only_the_fields_named_and_the_index_with_the_number(store: Store) -> None:
    with store.begin() as work:
        one, two, three = (an_elder(work, name=name) for name in ("甲", "乙", "丙"))
        changed = work.ledger.change_elders(
            {
                one.id: {"phone": "13900001111"},
                two.id: {"address": "新址"},
                three.id: {"phone": "13900002222"},
            }
        )
        assert changed == 3
        assert work.elders.find_by_phone("13900002222")[0].name == "丙"
        after = work.elders.get(two.id)
        assert after is not None
        assert (after.address, after.phone, after.name) == ("新址", two.phone, "乙")
        assert work.ledger.change_elders({}) == 0


def test_a_second_elder_with_the_same_card_is_refused_without_naming_it(store: Store) -> None:
    with pytest.raises(StorageError) as caught, store.begin() as work:
        work.ledger.add_elders(
            [Elder(id=0, name=NAME, id_card=ID_CARD), Elder(id=0, name="乙", id_card=ID_CARD)]
        )
    assert ID_CARD not in str(caught.value)
    with store.read() as work:
        assert work.ledger.count() == 0


def test_pages_and_counts_of_an_area_include_what_lies_below(store: Store) -> None:
    with store.begin() as work:
        county = work.areas.add(code="1", name="县", level="county")
        village = work.areas.add(code="2", name="村", level="village", parent_id=county.id)
        inside, _outside = an_elder(work, area_id=village.id), an_elder(work, name="乙")
        work.ledger.add_contacts([Contact(0, inside.id, n, "x") for n in (1, 2)])
        assert [entry.elder.id for entry in work.ledger.page(area_id=county.id)] == [inside.id]
        assert (work.ledger.count(county.id), work.ledger.count()) == (1, 2)
        assert (work.ledger.most_contacts(county.id), work.ledger.most_contacts()) == (2, 2)
        assert work.ledger.page(after_id=inside.id, area_id=county.id) == []


def test_a_note_is_rewritten_cleared_and_survives_a_change_of_keys(sqlite_url: str) -> None:
    store = Store(sqlite_url, [SECRET])
    with store.begin() as work:
        one, two = an_elder(work), an_elder(work, name="乙")
        work.ledger.put_notes({one.id: "旧", two.id: ADDRESS})
        work.ledger.put_notes({one.id: "新", two.id: ""})
    store.close()
    rotated = Store(sqlite_url, ["a newer secret, 0123456789", SECRET])
    rotated.rotate_keys()
    rotated.close()
    newest = Store(sqlite_url, ["a newer secret, 0123456789"])
    with newest.read() as work:
        assert [entry.note for entry in work.ledger.page()] == ["新", ""]
    newest.close()
