"""搬家: everything arrives in the other database, can be found there, and life goes on."""

from __future__ import annotations

import pytest
from storage_cast import NOW, PHONE, SECRET, a_call, a_case, a_plan, an_elder

from storage import Store
from storage.move import move
from xunfang.errors import BadInput
from xunfang.vocabulary import CallDisposition, ConsentPurpose

pytestmark = pytest.mark.integration


@pytest.fixture
def old(sqlite_template: object, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(str(tmp_path_factory.mktemp("old") / "old.db"), [SECRET])
    store.migrate()
    with store.begin() as work:
        county = work.areas.add(code="220183000000", name="测试县", level="county")
        village = work.areas.add(code="220183101205", name="测试村", level="village", parent_id=county.id)
        elder = an_elder(work, area_id=village.id)
        work.consents.add(elder.id, ConsentPurpose.PHONE_VISIT, True, NOW, "paper")
        call = a_call(work, elder, a_plan(work, elder))
        work.calls.finish(call.id, ended_at=NOW, disposition=CallDisposition.COMPLETED)
        a_case(work, elder)
        work.audit.write(NOW, "system", "moved", "elder:1", {"中文": True})
    return store


def test_everything_arrives_and_life_goes_on(old: Store, store: Store) -> None:
    moved = move(old, store)
    assert moved["elder"] == moved["call"] == moved["case"] == 1
    assert moved["area"] == 2
    with old.read() as before, store.read() as after:
        (elder,) = after.elders.find_by_phone(PHONE)
        assert elder == before.elders.get(elder.id)
        assert after.calls.of_elder(elder.id) == before.calls.of_elder(elder.id)
        assert after.cases.queue() == before.cases.queue()
        assert after.areas.path(elder.area_id or 0) == before.areas.path(elder.area_id or 0)
        assert after.audit.of("elder:1") == before.audit.of("elder:1")
    with store.begin() as work:
        newcomer = work.elders.add(name="李建国")
        assert newcomer.id > elder.id
    old.close()


def test_a_database_that_is_not_empty_or_has_another_key_is_refused(old: Store, store: Store) -> None:
    with store.begin() as work:
        an_elder(work)
    with pytest.raises(BadInput, match="not empty"):
        move(old, store)
    other = Store(store._url, ["another secret for tests, 9876543210"])
    with pytest.raises(BadInput, match="same secret key"):
        move(old, other)
    old.close()
    other.close()


def test_nothing_is_moved_while_a_call_is_live(old: Store, store: Store) -> None:
    with old.begin() as work:
        elder = work.elders.page()[0]
        a_call(work, elder)
    with pytest.raises(BadInput, match="live"):
        move(old, store)
    with store.read() as work:
        assert work.elders.page() == []
    old.close()
