"""The read models of wall, duty screen, callers and visit queue on both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from storage_cast import NOW, a_case, an_elder
from web_kit import Cast, seed, seed_users

from storage import Store
from storage.model.wall import CaseFilter, CaseTab
from visits import duty
from visits.life import Actor, Role
from xunfang.vocabulary import CallerKind, CaseStatus, Priority

pytestmark = pytest.mark.integration

SOON = NOW + timedelta(hours=2)


@pytest.fixture
def cast(store: Store) -> Cast:
    with store.begin() as work:
        made = seed(work)
        seed_users(work, made)
    return made


def test_lists_and_counts_agree_and_go_on_by_key(store: Store, cast: Cast) -> None:
    with store.begin() as work:
        for number in range(12):
            village = (cast.village, cast.village_2, cast.far_village)[number % 3]
            who = an_elder(work, area_id=village, phone=f"1380000{number:04}")
            a_case(
                work,
                who,
                priority=tuple(Priority)[number % 2],
                deadline=NOW + timedelta(hours=number - 4),
                status=CaseStatus.VISITED if number == 11 else CaseStatus.OPEN,
            )
        work.cases.close(cast.case, "好了", NOW)
    with store.read() as work:
        for tab in CaseTab:
            which = CaseFilter(SOON, area_id=cast.township, tab=tab)
            found, after = [], None
            while page := work.case_lists.page(which, 3, after):
                found += page
                last = page[-1].case
                after = (last.priority, last.deadline, last.id)
            assert len({each.case.id for each in found}) == len(found)
            assert len(found) == work.case_lists.counts(which).get(tab, 1)  # one is closed
            assert {each.area for each in found} <= {"幸福村", "桃园村"}
        late = work.case_lists.page(CaseFilter(SOON, tab=CaseTab.LATE), 50)
        assert all(each.case.deadline < SOON and each.case.status is CaseStatus.OPEN for each in late)
        assert [each.case.id for each in work.case_lists.page(CaseFilter(SOON, tab=CaseTab.CLOSED), 5)] == [
            cast.case
        ]


def test_villages_add_up_and_come_the_worst_first(store: Store, cast: Cast) -> None:
    with store.begin() as work:
        a_case(work, an_elder(work, area_id=None, phone="13800001111"), deadline=NOW + timedelta(days=9))
        late = NOW - timedelta(hours=1)
        a_case(work, an_elder(work, area_id=cast.village_2, phone="13800001112"), deadline=late)
    with store.read() as work:
        which = CaseFilter(SOON)
        rows = work.case_lists.by_village(which, NOW, 50)
        assert [each.area_id for each in rows] == [cast.village, cast.far_village, cast.village_2, None]
        assert sum(each.open for each in rows) == work.case_lists.counts(which)[CaseTab.OPEN]
        assert [(each.urgent, each.late, each.nobody) for each in rows] == [
            (1, 0, 0),
            (0, 1, 1),
            (0, 1, 1),
            (0, 0, 1),
        ]
        key = (rows[0].worst, rows[0].deadline, rows[0].area_id or 0)
        assert work.case_lists.by_village(which, NOW, 50, key) == rows[1:]


def test_live_calls_and_callers_of_an_area(store: Store, cast: Cast) -> None:
    with store.begin() as work:
        for kind, phone in ((CallerKind.HOUSEHOLD, "13812340002"), (CallerKind.STRANGER, "13700001111")):
            work.incoming.add(rang_at=NOW, kind=kind, phone=phone)
    with store.read() as work:
        assert [each.call.id for each in work.wall.live_calls(cast.township, 10)] == [cast.live_call]
        assert work.wall.live_calls(cast.far_township, 10) == []
        known = [each.incoming.kind for each in work.wall.callers(cast.township, False, 0, 10)]
        assert known == [CallerKind.HOUSEHOLD]
        unknown = [each.incoming.kind for each in work.wall.callers(cast.far_township, True, 0, 10)]
        assert unknown == [CallerKind.STRANGER]


def test_of_two_at_the_duty_screen_exactly_one_accepts(store: Store, cast: Cast) -> None:
    ready = Barrier(2)

    def accept(login: str) -> duty.Heard:
        ready.wait()
        with store.begin() as work:
            return duty.accept(work, cast.case, Actor(Role.SUPERVISOR, login), NOW)

    with ThreadPoolExecutor(2) as people:
        heard = list(people.map(accept, ("du", "admin")))
    won, lost = sorted(heard, key=lambda each: not each.won)
    assert won.won
    assert not lost.won
    assert won.first is not None
    assert lost.first == won.first


def test_marks_tell_of_diallers_and_callers(store: Store, cast: Cast) -> None:
    with store.begin() as work:
        before = work.overview.marks()
        work.incoming.add(rang_at=NOW, kind=CallerKind.STRANGER)
        after = work.overview.marks()
    assert before.callers != after.callers
    assert before.fleet == after.fleet
