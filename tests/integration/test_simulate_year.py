"""推演: the simulated year uses the real house, loses nobody, and would say so if it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from storage_cast import DAY, NOW, SECRET, an_elder
from typer.testing import CliRunner

from storage import Store
from storage.repository_fates import CASE, HEARD, LOST, PAUSED, VISITED
from xunfang.cli.app import app
from xunfang.errors import BadInput
from xunfang.simulate import show
from xunfang.simulate.result import YearResult
from xunfang.simulate.year import Plan, simulate, usual
from xunfang.vocabulary import CallDirection, CaseKind, PlanStatus, Priority, Risk, VisitMode

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def two_months(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[YearResult, Store]]:
    """September and October 2026: an outage, a crash, a surge, and the week of the National Day."""
    store = Store(str(tmp_path_factory.mktemp("year") / "year.db"), [SECRET])
    store.migrate()
    first = date(2026, 9, 1)
    plan = Plan(
        elders=30,
        months=2,
        first_month=9,
        channels=3,
        outage=first + timedelta(days=9),
        crash=first + timedelta(days=13),
        heat=(first + timedelta(days=16), first + timedelta(days=20)),
    )
    yield simulate(store, plan), store
    store.close()


def test_whatever_goes_wrong_in_two_months_everybody_due_was_heard_visited_paused_or_has_a_case(
    two_months: tuple[YearResult, Store],
) -> None:
    result, _ = two_months
    assert result.nobody_lost, result.lost
    assert {fate for _, fate in result.fates} >= {HEARD, VISITED}
    assert result.periods > 2 * result.elders, "weekly visits, monthly ones and rounds of the surge"
    assert [each.what[:4] for each in result.disturbances] == ["中继线路", "拨号进程", "高温专项"]


def test_the_months_are_the_indicators_of_the_county_and_its_holidays_were_quiet(
    two_months: tuple[YearResult, Store],
) -> None:
    result, store = two_months
    assert [each.month for each in result.months] == ["2026-09", "2026-10"]
    for each in result.months:
        assert each.active == result.elders
        assert each.due == each.visited + sum(each.unvisited.values()), "an honest denominator"
        assert each.visited > 0.8 * each.due
    with store.read() as work:
        calls = work.calls.page(0, 10_000)
    elders = [each for each in calls if each.contact_id is None and each.direction is CallDirection.OUTBOUND]
    assert len(elders) == result.calls == sum(each.calls for each in result.months)
    assert None not in {each.disposition for each in calls}
    days = {(each.intended_at + timedelta(hours=8)).date() for each in elders}
    assert not days & {date(2026, 10, day) for day in (1, 2, 3)}, "statutory days"
    ours = [each for each in calls if each.direction is CallDirection.OUTBOUND]
    hours = {(each.intended_at + timedelta(hours=8)).hour for each in ours}
    assert hours <= {8, 9, 10, 11, 14, 15, 16, 17, 18, 19}


def test_the_result_reads_as_chinese_for_a_supervisor(two_months: tuple[YearResult, Store]) -> None:
    result, _ = two_months
    page, table = show.as_html(result), show.as_csv(result)
    assert all(word in page for word in ("无人遗漏", "月探访率", "2026-10"))
    assert table.splitlines()[0].startswith("\ufeff月份,应访,已访,月探访率")
    assert len(table.splitlines()) == 3
    tables = show.as_markdown(result)
    assert "| 2026-10 |" in tables
    assert "老人回电" in tables


def test_who_was_missed_rings_back_and_contacts_are_asked(two_months: tuple[YearResult, Store]) -> None:
    result, store = two_months
    assert result.rang_us > 0
    assert result.contacts > 0
    assert result.notices["duty"] > 0
    with store.read() as work:
        rows = work.incoming.page(limit=1000)
        calls = work.calls.page(0, 10_000)
    assert len(rows) >= result.rang_us
    assert sum(each.contact_id is not None for each in calls) == result.contacts


def test_real_elders_are_never_mixed_with_invented_ones(sqlite_store: Store) -> None:
    with sqlite_store.begin() as work:
        an_elder(work)
    with pytest.raises(BadInput, match="empty database"):
        simulate(sqlite_store, usual(5, 2026))


def test_a_period_of_which_nobody_can_say_what_became_is_found(store: Store) -> None:
    """Otherwise 'nobody was lost' would say nothing. On both engines."""
    fates: dict[str, tuple[PlanStatus, bool, bool]] = {
        LOST: (PlanStatus.DUE, False, False),
        HEARD: (PlanStatus.DONE, True, False),
        CASE: (PlanStatus.ESCALATED, False, True),
        "escalated without a case": (PlanStatus.ESCALATED, False, False),
        "done without a record": (PlanStatus.DONE, False, False),
    }
    row = {"mode": VisitMode.PHONE, "due_from": NOW - 7 * DAY, "due_until": NOW, "dialplan": "weekly_short"}
    ids = {}
    with store.begin() as work:
        for name, (status, record, case) in fates.items():
            elder = work.elders.add(name="王秀英")
            ids[name] = elder.id
            work.plans.ensure([{**row, "elder_id": elder.id, "period": "2026-W47", "status": status}])
            if record:
                work.records.put(
                    elder_id=elder.id,
                    plan_id=None,
                    call_id=None,
                    mode=VisitMode.PHONE,
                    visited_at=NOW - DAY,
                    fields={},
                    risk=Risk.NORMAL,
                )
            if case:
                work.cases.open(
                    elder_id=elder.id,
                    kind=CaseKind.MISSED_CALL,
                    priority=Priority.NORMAL,
                    opened_at=NOW - DAY,
                    deadline=NOW,
                )
        paused = work.elders.add(name="王秀英", paused_until=NOW.date(), pause_reason="住院")
        work.plans.ensure([{**row, "elder_id": paused.id, "period": "2026-W47", "status": PlanStatus.PAUSED}])
    with store.read() as work:
        lost = work.fates.lost(NOW, NOW + DAY)
        counted = work.fates.of_ended(NOW, NOW + DAY)
    assert {each.elder_id for each in lost} == {
        ids[LOST],
        ids["escalated without a case"],
        ids["done without a record"],
    }
    phone = VisitMode.PHONE
    assert counted == {(phone, LOST): 3, (phone, HEARD): 1, (phone, CASE): 1, (phone, PAUSED): 1}


def test_it_is_typed_as_one_command(tmp_path: Path) -> None:
    page = tmp_path / "year.html"
    words = ["simulate-year", "--elders", "3", "--months", "1", "--json", "--html", str(page)]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 0, ran.output
    shown = json.loads(ran.stdout)
    assert shown["nobody_lost"] is True
    assert shown["months"][0]["month"] == "2026-01"
    assert "巡访推演" in page.read_text(encoding="utf-8")
