"""Areas, elders, contacts, consents, visitors on both engines."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from storage_cast import DAY, ID_CARD, NAME, NOW, PHONE, an_elder

from storage import Store
from storage.model import Area
from xunfang.errors import NotFound, StorageError
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode

pytestmark = pytest.mark.integration


@pytest.fixture
def village(store: Store) -> Area:
    with store.begin() as work:
        county = work.areas.add(code="220183000000", name="德惠市", level="county")
        town = work.areas.add(code="220183101000", name="大青咀镇", level="township", parent_id=county.id)
        return work.areas.add(
            code="220183101205", name="幸福村", level="village", parent_id=town.id, phone="0431-88881234"
        )


def test_areas_form_a_tree_from_the_county_down(store: Store, village: Area) -> None:
    with store.read() as work:
        path = work.areas.path(village.id)
        assert [area.name for area in path] == ["德惠市", "大青咀镇", "幸福村"]
        assert path[-1].phone == "0431-88881234"
        assert work.areas.children(None) == [path[0]]
        assert work.areas.children(path[0].id) == [path[1]]
        assert work.areas.get(village.id) == village
        assert work.areas.by_code("220183101205") == village
        assert work.areas.path(999) == []
        assert work.areas.get(999) is None


def test_the_village_of_a_village_is_itself_and_a_town_has_none(store: Store, village: Area) -> None:
    with store.read() as work:
        assert work.areas.village_of(village.id) == village
        assert village.parent_id is not None
        assert work.areas.village_of(village.parent_id) is None


def test_an_area_code_belongs_to_one_area(store: Store, village: Area) -> None:
    with pytest.raises(StorageError, match=r"area.code|uq_area_code"), store.begin() as work:
        work.areas.add(code=village.code, name="另一村", level="village")


def test_an_elder_comes_back_as_stored(store: Store, village: Area) -> None:
    with store.begin() as work:
        elder = an_elder(
            work, id_card=ID_CARD, area_id=village.id, birth_date=date(1949, 12, 31), tail_ms=2200, sex="F"
        )
        silent = work.elders.add(name="李")
    with store.read() as work:
        assert work.elders.get(elder.id) == elder
        assert work.elders.get(silent.id) == silent
        assert work.elders.get(999) is None
    assert (elder.name, elder.phone, elder.id_card) == (NAME, PHONE, ID_CARD)
    assert elder.categories == {Category.LIVING_ALONE, Category.ADVANCED_AGE}
    assert elder.windows == ("09:00-11:00",)
    assert (elder.mode, elder.cadence, elder.birth_date) == (
        VisitMode.PHONE,
        Cadence.WEEKLY,
        date(1949, 12, 31),
    )
    assert (silent.phone, silent.id_card, silent.categories, silent.windows) == ("", None, frozenset(), ())


def test_an_unknown_field_of_an_elder_is_refused(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        with pytest.raises(TypeError, match="favourite_tea"):
            work.elders.add(name="x", favourite_tea="green")
        with pytest.raises(TypeError, match="favourite_tea"):
            work.elders.update(elder.id, favourite_tea="green")


def test_a_changed_number_is_found_and_the_old_one_no_longer(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        changed = work.elders.update(elder.id, phone="13900001111", hard_of_hearing=True)
        assert (changed.phone, changed.hard_of_hearing, changed.name) == ("13900001111", True, NAME)
        assert work.elders.find_by_phone(PHONE) == []
        assert work.elders.find_by_phone("139 0000 1111") == [changed]
        assert work.elders.update(elder.id) == changed


def test_changing_nobody_is_an_error(store: Store) -> None:
    with pytest.raises(NotFound), store.begin() as work:
        work.elders.update(999, active=False)


def test_a_shared_landline_finds_everybody_behind_it(store: Store) -> None:
    with store.begin() as work:
        her = an_elder(work, phone="0431-88881234")
        him = an_elder(work, name="王大山", phone="043188881234")
        an_elder(work, name="李", phone="")
        assert work.elders.find_by_phone("(0431) 8888 1234") == [her, him]
        assert work.elders.find_by_phone("+86 431 8888 1234") == [her, him]
        assert work.elders.find_by_phone("") == []


def test_an_id_card_belongs_to_one_elder(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work, id_card=ID_CARD)
        assert work.elders.find_by_id_card(ID_CARD.lower()) == elder
        assert work.elders.find_by_id_card("110105194912310039") is None
    with pytest.raises(StorageError, match="id_card_index") as caught, store.begin() as work:
        an_elder(work, name="另一人", id_card=ID_CARD.lower())
    assert ID_CARD not in str(caught.value)


def test_elders_are_paged_by_key_also_for_a_whole_county(store: Store, village: Area) -> None:
    with store.begin() as work:
        elders = [an_elder(work, name=f"老人{n}", area_id=village.id if n % 2 else None) for n in range(5)]
        county = work.areas.path(village.id)[0]
    with store.read() as work:
        assert work.elders.page(limit=2) == elders[:2]
        assert work.elders.page(after_id=elders[1].id) == elders[2:]
        assert work.elders.page(area_id=county.id) == [elders[1], elders[3]]
        assert work.elders.page(area_id=village.id, after_id=elders[1].id) == [elders[3]]
        assert work.elders.page(area_id=999) == []


def test_contacts_come_in_the_order_in_which_they_are_called(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        second = work.contacts.add(elder_id=elder.id, position=2, name="王小妹", relation="relative")
        first = work.contacts.add(
            elder_id=elder.id,
            position=1,
            name="王建国",
            relation="child",
            phone="13700001111",
            same_place=True,
            may_be_told=True,
        )
        assert work.contacts.of(elder.id) == [first, second]
        assert work.contacts.of(999) == []
        assert (first.name, first.phone, first.same_place, first.may_be_told) == (
            "王建国", "13700001111", True, True,
        )  # fmt: skip


def test_the_latest_word_about_consent_counts_whenever_it_was_typed_in(store: Store) -> None:
    purpose = ConsentPurpose.PHONE_VISIT
    with store.begin() as work:
        elder = an_elder(work)
        assert work.consents.current(elder.id, purpose) is None
        withdrawn = work.consents.add(elder.id, purpose, False, NOW, "voice")
        paper = work.consents.add(elder.id, purpose, True, NOW - DAY, "paper")
        assert work.consents.current(elder.id, purpose) is False
        assert work.consents.current(elder.id, ConsentPurpose.RECORDING) is None
        assert work.consents.of(elder.id) == [paper, withdrawn]
        again = work.consents.add(elder.id, purpose, True, NOW, "visitor")
        assert work.consents.current(elder.id, purpose) is True
        assert again.at == NOW


def test_times_come_back_in_utc_whatever_zone_they_were_given_in(store: Store) -> None:
    beijing = timezone(timedelta(hours=8))
    with store.begin() as work:
        elder = an_elder(work)
        work.consents.add(
            elder.id, ConsentPurpose.RECORDING, True, datetime(2026, 11, 23, 9, 0, tzinfo=beijing)
        )
    with store.read() as work:
        at = work.consents.of(elder.id)[0].at
    assert at == NOW
    assert at.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
    with pytest.raises(ValueError, match="time zone"), store.begin() as work:
        work.consents.add(elder.id, ConsentPurpose.RECORDING, True, NOW.replace(tzinfo=None))


def test_visitors_of_one_elder_and_of_a_village_are_kept_apart(store: Store, village: Area) -> None:
    with store.begin() as work:
        elder = an_elder(work, area_id=village.id)
        son = work.visitors.add(
            name="王建国", kind="child", phone="13700001111", elder_id=elder.id, area_id=village.id
        )
        clerk = work.visitors.add(name="村委小张", phone="13700002222", area_id=village.id)
        work.visitors.add(name="走了的人", area_id=village.id, active=False)
        assert work.visitors.for_elder(elder.id) == [son]
        assert work.visitors.for_area(village.id) == [clerk]
        assert work.visitors.get(clerk.id) == clerk
        assert work.visitors.get(999) is None
        assert clerk.phone == "13700002222"
