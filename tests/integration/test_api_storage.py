"""What the API asks of the database, on both engines."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from storage_cast import NOW, a_call, a_case, a_plan, an_elder

from storage import Store
from web.security import tokens
from xunfang.errors import BadInput
from xunfang.vocabulary import PlanStatus, VisitMode

pytestmark = pytest.mark.integration


def test_lists_are_of_an_area_and_newest_first(store: Store) -> None:
    with store.begin() as work:
        town = work.areas.add(code="220100101000", name="镇", level="township").id
        village = work.areas.add(code="220100101001", name="村", level="village", parent_id=town).id
        here = an_elder(work, area_id=village)
        there = an_elder(work, phone="13812340002", area_id=None)
        plans = [a_plan(work, each) for each in (here, there)]
        calls = [a_call(work, each) for each in (here, here, there)]
        record = work.records.put(
            elder_id=here.id, plan_id=None, call_id=None, mode=VisitMode.ON_SITE, visited_at=NOW, fields={}
        )
        case = a_case(work, here, opened_at=NOW - timedelta(hours=1))
        work.notices.add(kind="x", to="duty", title="", body="", created_at=NOW)
    with store.read() as work:
        lists = work.lists
        assert [each.id for each in lists.calls(town, 10)] == [calls[1].id, calls[0].id]
        assert [each.id for each in lists.calls(None, 1, calls[2].id)] == [calls[1].id]
        assert lists.calls(None, 10, since=NOW + timedelta(seconds=1)) == []
        assert [each.id for each in lists.plans(None, 10, status=PlanStatus.DUE)] == [
            each.id for each in reversed(plans)
        ]
        assert [each.id for each in lists.plans(None, 10, elder_id=there.id)] == [plans[1].id]
        assert lists.records(town, 10) == [record]
        load = work.overview.load(NOW)
    assert (load.live, load.notices_due, load.oldest_case) == (3, 1, case.opened_at)


def test_of_two_equal_requests_at_one_moment_one_is_done(store: Store) -> None:
    with store.begin() as work:
        token, _ = tokens.add(work, NOW, "user:cli", name="one", scopes=["admin"])
        with pytest.raises(BadInput, match="同名"):
            tokens.add(work, NOW, "user:cli", name="one", scopes=["admin"])
    done: list[str] = []
    both = threading.Barrier(2)

    def ask() -> None:
        both.wait()
        with store.begin() as work:
            kept = work.kept_answers.begin(token.id, "key", "print", NOW)
            if kept is None:
                done.append("did it")
                work.kept_answers.finish(token.id, "key", 201, '{"id": 7}')
            else:
                done.append(kept.body)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert sorted(done) == ["did it", '{"id": 7}']
    with store.begin() as work:
        assert work.kept_answers.purge(NOW) == 0
        assert work.kept_answers.purge(NOW + timedelta(seconds=1)) == 1
