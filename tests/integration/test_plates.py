"""门牌: what a scanned code opens, on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from storage_cast import NOW, SECRET, an_elder

from storage import Store
from visits import plates
from xunfang.errors import BadInput, NotFound

pytestmark = pytest.mark.integration
DU = "user:du"


def code(plate: plates.Plate) -> str:
    return plate.path.removeprefix("/v/")


def test_the_plate_of_a_door_leads_to_its_elder_and_says_nothing_about_him(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        plate = plates.issue(work, elder.id, DU, NOW)
        assert plates.check(work, code(plate), NOW) == plates.PlateCheck(elder.id, plate_id=plate.id)
        assert [entry.kind for entry in work.audit.of(f"elder:{elder.id}")] == [plates.ISSUED]
    assert elder.name not in plate.path
    assert elder.phone not in plate.path


def test_printing_again_gives_the_plate_that_already_hangs_there(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        first = plates.issue(work, elder.id, DU, NOW)
        assert plates.issue(work, elder.id, DU, NOW + timedelta(days=9)) == first
        assert len(work.audit.of(f"elder:{elder.id}")) == 1


def test_a_forged_code_an_unknown_plate_and_a_revoked_one_are_told_apart(store: Store) -> None:
    with store.begin() as work:
        elder, other = an_elder(work), an_elder(work, phone="13812340002")
        old = plates.issue(work, elder.id, DU, NOW)
        new = plates.replace(work, elder.id, DU, "遗失", NOW)
        theirs = plates.issue(work, other.id, DU, NOW)
        number, _, signature = code(theirs).partition("-")
        never = f"999-{work.plates._signature(999)}"
        forged = (
            f"{new.id}-{signature}",
            f"999-{signature}",
            f"{number}-{signature[:-1]}",
            f"０{number}-{signature}",
            "",
            "1' OR 1=1",
            "7-" + "0" * 4000,
            f"{number}-{signature}\0",
        )
        assert [plates.check(work, each, NOW).why for each in forged] == [plates.FORGED] * len(forged)
        assert plates.check(work, never, NOW) == plates.PlateCheck(None, plates.UNKNOWN)
        assert plates.check(work, code(old), NOW) == plates.PlateCheck(None, plates.REVOKED, old.id)
        assert plates.check(work, code(new), NOW).elder_id == elder.id
        assert set(plates.WORDS) == {plates.FORGED, plates.UNKNOWN, plates.REVOKED}


def test_a_plate_is_only_revoked_with_a_reason_and_only_once(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        plate = plates.issue(work, elder.id, DU, NOW)
        for why in ("", "  ", "长" * 201):
            with pytest.raises(BadInput):
                plates.revoke(work, plate.id, DU, why, NOW)
        plates.revoke(work, plate.id, DU, "损毁", NOW)
        plates.revoke(work, plate.id, "user:other", "again", NOW)
        kept = work.plates.get(plate.id)
        assert kept is not None
        assert (kept.why, kept.revoked_by) == ("损毁", DU)
        with pytest.raises(NotFound):
            plates.revoke(work, 4711, DU, "没有", NOW)
        with pytest.raises(NotFound):
            plates.issue(work, 4711, DU, NOW)


def test_a_village_gets_plates_only_where_there_are_none(store: Store) -> None:
    with store.begin() as work:
        village = work.areas.add(code="220183101205", name="幸福村", level="village").id
        elders = [an_elder(work, phone=f"1381234{at:04d}", area_id=village).id for at in range(5)]
        an_elder(work, phone="13812349999", area_id=None)
        gone = an_elder(work, phone="13812348888", area_id=village, active=False)
        has = plates.issue(work, elders[2], DU, NOW)
        lacking = work.plates.lacking(village, 100)
        assert lacking == [id for id in elders if id != elders[2]]
        new = plates.issue_all(work, [*lacking, elders[2]], DU, NOW)
        assert sorted(each.elder_id for each in new) == lacking
        assert work.plates.valid([*elders, gone.id]).keys() == set(elders)
        assert work.plates.valid(elders)[elders[2]] == has
        assert len({each.path for each in work.plates.valid(elders).values()}) == 5


def test_plates_on_the_doors_outlive_the_key_they_were_signed_with(sqlite_url: str) -> None:
    old, both, new = ["old-" + SECRET], ["new-" + SECRET, "old-" + SECRET], ["new-" + SECRET]
    store = Store(sqlite_url, [*old, SECRET])
    with store.begin() as work:
        plate = plates.issue(work, an_elder(work).id, DU, NOW)
    store.rotate_keys()
    store.close()
    rotating = Store(sqlite_url, [*both, SECRET])
    rotating.rotate_keys()
    rotating.close()
    today = Store(sqlite_url, [*new, SECRET])
    with today.read() as work:
        assert plates.check(work, code(plate), NOW).elder_id == plate.elder_id
    today.close()
