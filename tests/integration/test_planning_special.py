"""Surges, pauses that end, first visits, follow-ups, the end of a period: on both engines, calls scripted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from scheduler_kit import MONDAY_NINE, WELL, House, answers, distress, ends

from scheduler.due import terms
from scheduler.overdue import close_overdue
from scheduler.planning import PlanReport, campaigns, plan_due
from storage import Store
from storage.model import Campaign, Chunk, Elder, VisitPlan
from storage.repository_planning import Planning
from xunfang.errors import StorageError
from xunfang.vocabulary import (
    Cadence,
    CallDisposition,
    CampaignKind,
    CaseKind,
    Category,
    ConsentPurpose,
    PlanStatus,
    VisitMode,
)

pytestmark = pytest.mark.integration

PHONE = "13812340001"
DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
MONDAY = date(2026, 11, 23)
ON_SITE = (ConsentPurpose.ON_SITE_VISIT,)


@pytest.fixture
def house(store: Store, tmp_path: Path) -> Iterator[House]:
    return House(store, tmp_path)


def planned(house: House) -> PlanReport:
    return plan_due(house.store, house.clock, house.policy)


def plans_of(house: House, elder: Elder) -> dict[str, VisitPlan]:
    with house.store.read() as work:
        rows = work.db._connection.exec_driver_sql(
            f"SELECT id FROM visit_plan WHERE elder_id = {elder.id} ORDER BY id"
        )
        found = [work.plans.get(row[0]) for row in rows.fetchall()]
    return {plan.period: plan for plan in found if plan}


def start(house: House, **fields: Any) -> Campaign:
    given: dict[str, Any] = {
        "id": 0,
        "code": "flood-1",
        "name": "防汛",
        "kind": CampaignKind.FLOOD,
        "areas": (),
        "categories": frozenset(),
        "dialplan": "surge_flood",
        "starts": MONDAY,
        "ends": MONDAY + 2 * DAY,
        "every_days": 1,
        "created_by": "user:1",
        "created_at": house.clock.now(),
    }
    with house.store.begin() as work:
        return campaigns.add(work, Campaign(**(given | fields)), house.clock.now())


# ---- surges ------------------------------------------------------------------------------------


def test_a_surge_calls_those_it_names_and_puts_off_their_other_call(house: House) -> None:
    alone = house.elder(PHONE, categories=frozenset({Category.LIVING_ALONE}), cadence=Cadence.MONTHLY)
    other = house.elder("13812340002", cadence=Cadence.MONTHLY)
    planned(house)
    start(house, categories=frozenset({Category.LIVING_ALONE}), starts=MONDAY)
    assert planned(house).campaign == 1
    assert planned(house).campaign == 0
    surge = plans_of(house, alone)["campaign:flood-1:2026-11-23"]
    assert (surge.status, surge.dialplan) == (PlanStatus.DUE, "surge_flood")
    assert surge.due_until - surge.due_from == DAY
    tomorrow = surge.due_until
    assert plans_of(house, alone)["2026-11"].next_attempt_at == tomorrow
    assert plans_of(house, other)["2026-11"].next_attempt_at is None
    house.run(hours=4)
    assert sorted(order.number for order in house.fleet.orders) == [PHONE, "13812340002"]


def test_an_answered_surge_does_the_weekly_visit_and_not_the_monthly(house: House) -> None:
    weekly = house.elder(PHONE, answers(WELL))
    monthly = house.elder("13812340002", answers(WELL), cadence=Cadence.MONTHLY)
    start(house, every_days=None)
    house.run(hours=6, by=HALF_HOUR)
    assert house.plan_of(weekly).status is PlanStatus.DONE
    assert len(house.dispositions(weekly)) == 1, "one call, not two"
    assert plans_of(house, monthly)["2026-11"].status is PlanStatus.DUE
    house.run(hours=24, by=HALF_HOUR)
    assert plans_of(house, monthly)["2026-11"].status is PlanStatus.DONE, "the form is filled on another day"
    assert len(house.dispositions(monthly)) == 2


def test_two_surges_call_an_elder_one_after_the_other_the_graver_first(house: House) -> None:
    elder = house.elder(PHONE, answers(WELL))
    start(house, code="spring", kind=CampaignKind.FESTIVAL, dialplan="weekly_short", every_days=None)
    start(house, every_days=None)
    planned(house)
    assert sorted(plans_of(house, elder)) == ["2026-W48", "campaign:flood-1:2026-11-23"]
    house.run(hours=12, by=HALF_HOUR)
    assert plans_of(house, elder)["campaign:spring:2026-11-23"].status is PlanStatus.DONE
    assert len(house.dispositions(elder)) == 2


def test_a_surge_reaches_an_area_with_all_below_it_and_nobody_who_is_paused(house: House) -> None:
    with house.store.begin() as work:
        county = work.areas.by_code("220183000000")
        elsewhere = work.areas.add(code="220184000000", name="邻县", level="county")
    assert county is not None
    here, away = house.elder(PHONE), house.elder("13812340002", area_id=elsewhere.id)
    house.elder("13812340003", paused_until=MONDAY + 30 * DAY)
    frail = house.elder("13812340004", consents=ON_SITE, good_health=False)
    unasked = house.elder("13812340005", consents=())
    campaign = start(house, areas=(county.id,))
    would = campaigns.would_call(
        house.store, replace(campaign, code="flood-2"), house.clock.now(), house.policy
    )
    assert would == {"phone": 1, "on_site": 1}
    assert planned(house).campaign == 2
    with house.store.read() as work:
        view = campaigns.view(work, "flood-1", MONDAY)
    assert view.rounds == {"campaign:flood-1:2026-11-23": {"due": 1, "on_site": 1}}
    assert view.running
    key = "campaign:flood-1:2026-11-23"
    assert plans_of(house, here)[key].mode is VisitMode.PHONE
    assert plans_of(house, frail)[key].status is PlanStatus.ON_SITE
    assert key not in plans_of(house, away)
    assert key not in plans_of(house, unasked)


def test_ending_a_surge_takes_back_what_was_not_tried_and_keeps_looking_for_the_silent(house: House) -> None:
    silent = house.elder(PHONE, ends(CallDisposition.NO_ANSWER))
    start(house, every_days=None)
    house.run(hours=1)
    late = house.elder("13812340002")
    planned(house)
    assert campaigns.end(house.store, "flood-1", "user:1", house.clock.now()) == 1
    assert campaigns.end(house.store, "flood-1", "user:1", house.clock.now()) == 0
    assert planned(house).campaign == 0
    key = "campaign:flood-1:2026-11-23"
    assert key not in plans_of(house, late)
    assert plans_of(house, silent)[key].status is PlanStatus.WAITING
    with house.store.read() as work:
        assert [each.kind for each in work.audit.of("campaign:flood-1")] == [
            "campaign.added",
            "campaign.ended",
        ]


# ---- pauses ------------------------------------------------------------------------------------


def test_a_pause_that_ends_resumes_the_visits_and_is_told_of_once(house: House) -> None:
    elder = house.elder(PHONE, paused_until=MONDAY, pause_reason="住院")
    unasked = house.elder("13812340002", consents=(), paused_until=MONDAY)
    planned(house)
    assert house.plan_of(elder).status is PlanStatus.PAUSED, "he stays in the denominator"
    house.clock.move(DAY)
    report = planned(house)
    assert (report.resumed, report.pauses_ended) == (2, 2)
    assert house.plan_of(elder).status is PlanStatus.DUE
    assert house.plan_of(unasked).status is PlanStatus.ESCALATED
    (case,) = [each for each in house.cases() if each.elder_id == elder.id]
    assert case.kind is CaseKind.PAUSE_ENDED
    assert "暂停到期" in case.summary
    again = planned(house)
    assert (again.resumed, again.pauses_ended) == (0, 0)
    with house.store.begin() as work:
        work.elders.update(elder.id, paused_until=MONDAY + 2 * DAY)
    house.clock.move(3 * DAY)
    assert planned(house).pauses_ended == 1, "another pause, another end"


# ---- new elders --------------------------------------------------------------------------------


def test_a_new_elder_is_due_within_days_and_later_elders_of_the_same_quarter_too(house: House) -> None:
    first = house.elder(PHONE, cadence=Cadence.QUARTERLY)
    planned(house)
    assert plans_of(house, first)["2026-Q4"].due_until == MONDAY_NINE + 7 * DAY
    house.clock.move(10 * DAY)
    later = house.elder("13812340002", cadence=Cadence.QUARTERLY)
    planned(house)
    assert plans_of(house, later)["2026-Q4"].due_until == MONDAY_NINE + 17 * DAY
    house.clock.move(30 * DAY)
    planned(house)
    quarter = plans_of(house, first)["2027-Q1"]
    assert quarter.due_until - quarter.due_from == timedelta(days=90), "only the first visit hurries"


# ---- after an alarming call --------------------------------------------------------------------


def test_an_alarming_record_is_followed_by_a_call_the_next_day_once(house: House) -> None:
    elder = house.elder(PHONE, distress(), answers(WELL))
    house.run(hours=2)
    (period,) = [each for each in plans_of(house, elder) if each.startswith("followup:")]
    plan = plans_of(house, elder)[period]
    assert (plan.due_from, plan.due_until - plan.due_from) == (MONDAY_NINE + timedelta(hours=15), DAY)
    house.run(hours=24, by=HALF_HOUR)
    assert plans_of(house, elder)[period].status is PlanStatus.DONE
    assert len(house.dispositions(elder)) == 2
    assert [each for each in plans_of(house, elder) if each.startswith("followup:")] == [period]


def test_a_follow_up_that_is_not_answered_is_a_missed_call_the_same_day(house: House) -> None:
    elder = house.elder(PHONE, distress(), ends(CallDisposition.NO_ANSWER))
    house.run(hours=48, by=HALF_HOUR)
    (case,) = [each for each in house.cases() if each.elder_id == elder.id]
    assert {each["kind"] for each in case.evidence} == {"distress", "missed_call"}


def test_the_week_that_begins_on_the_day_of_a_follow_up_waits_for_it(house: House) -> None:
    house.clock.set(MONDAY_NINE - DAY)  # Sunday
    elder = house.elder(PHONE, distress(), answers(WELL))
    house.run(hours=3)
    house.clock.set(MONDAY_NINE - timedelta(hours=8))  # early on Monday
    planned(house)
    later = house.plan_of(elder).next_attempt_at
    assert later is not None
    assert later >= MONDAY_NINE + timedelta(hours=15), "not before Tuesday"
    house.run(hours=20, by=HALF_HOUR)
    assert len(house.dispositions(elder)) == 2
    assert house.plan_of(elder).status is PlanStatus.DONE, "the follow-up did the week's visit"


@pytest.mark.parametrize(
    ("said", "mode"),
    [
        ({"health": "worse", "mobility": "worse"}, VisitMode.ON_SITE),
        ({"health": "worse"}, VisitMode.PHONE),
        ({"mobility": "worse"}, VisitMode.PHONE),
    ],
)
def test_an_answer_can_move_an_elder_out_of_phone_mode(
    house: House, said: dict[str, str], mode: VisitMode
) -> None:
    elder = house.elder(PHONE, answers(WELL | said))
    house.run(hours=1, by=HALF_HOUR)
    with house.store.read() as work:
        now = work.elders.get(elder.id)
        changed = [each.kind for each in work.audit.of(f"elder:{elder.id}")]
    assert now is not None
    assert now.mode is mode
    assert ("elder.mode_changed" in changed) == (mode is VisitMode.ON_SITE)


# ---- the end of a period -----------------------------------------------------------------------


def test_three_ends_of_a_period_are_three_kinds_of_case(house: House) -> None:
    undialled = house.elder(PHONE)
    broken = house.elder("13812340002", ends(CallDisposition.TRUNK_FAILURE))
    silent = house.elder("13812340003", ends(CallDisposition.NO_ANSWER))
    frail = house.elder("13812340004", consents=ON_SITE, good_health=False)
    visited = house.elder("13812340005", consents=ON_SITE, good_health=False)
    paused = house.elder("13812340006", paused_until=MONDAY + 30 * DAY)
    planned(house)
    with house.store.begin() as work:
        later = MONDAY_NINE + timedelta(days=6, hours=14)
        work.plans.set_status(house.plan_of(undialled).id, PlanStatus.DUE, next_attempt_at=later)
        work.records.put(
            elder_id=visited.id,
            plan_id=house.plan_of(visited).id,
            call_id=None,
            mode=VisitMode.ON_SITE,
            visited_at=house.clock.now(),
            fields={},
        )
    house.run(hours=2)
    house.clock.move(7 * DAY)
    close_overdue(house.store, house.clock, house.policy)
    kinds = {case.elder_id: case.kind for case in house.cases()}
    assert kinds == {
        undialled.id: CaseKind.NOT_DIALLED,
        broken.id: CaseKind.NOT_DIALLED,
        silent.id: CaseKind.MISSED_CALL,
        frail.id: CaseKind.NOT_VISITED,
    }
    assert house.plan_of(visited).status is PlanStatus.DONE
    assert house.plan_of(paused).status is PlanStatus.PAUSED
    assert close_overdue(house.store, house.clock, house.policy) == 0


def test_all_overdue_plans_are_closed_however_many_pages(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.overdue.PAGE", 7)
    monkeypatch.setattr("scheduler.overdue.TOGETHER", 3)
    elders = [house.elder(f"1381234{number:04d}") for number in range(20)]
    planned(house)
    house.clock.move(7 * DAY)
    assert close_overdue(house.store, house.clock, house.policy) == 20
    assert {case.elder_id for case in house.cases()} == {each.id for each in elders}


# ---- interruption and company ------------------------------------------------------------------


def test_planning_that_is_interrupted_goes_on_where_it_stopped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        agreed = (ConsentPurpose.PHONE_VISIT,) if number % 10 else ()
        house.elder(f"1381234{number:04d}", consents=agreed)
    start(house)
    real, calls = Planning.plan, []

    def dies(self: Planning, *args: Any) -> Any:
        done = real(self, *args)
        calls.append(1)
        if len(calls) == 3:
            raise StorageError("the disk is full")
        return done

    monkeypatch.setattr(Planning, "plan", dies)
    with pytest.raises(StorageError):
        plan_due(house.store, house.clock, house.policy, chunk=7)
    monkeypatch.setattr(Planning, "plan", real)
    rest = plan_due(house.store, house.clock, house.policy, chunk=7)
    assert 0 < rest.phone < 27
    assert plan_due(house.store, house.clock, house.policy, chunk=7) == PlanReport()
    with house.store.read() as work:
        assert len(work.plans.due(house.clock.now(), 100)) == 27, "the surge"
        assert len(work.plans.due(house.clock.now() + DAY, 100)) == 27, "the week's visits, put off by it"
    assert len([each for each in house.cases() if each.kind is CaseKind.CONSENT]) == 3


def test_two_planners_at_once_plan_everybody_once(house: House) -> None:
    for number in range(40):
        house.elder(f"1381234{number:04d}")
    reports: list[PlanReport] = []

    def run() -> None:
        reports.append(plan_due(house.store, house.clock, house.policy, chunk=10))

    planners = [threading.Thread(target=run) for _ in range(2)]
    for each in planners:
        each.start()
    for each in planners:
        each.join(30)
    assert sum(each.created for each in reports) == 40


def test_a_dry_run_counts_and_stores_nothing(house: House) -> None:
    house.elder(PHONE)
    house.elder("13812340002", consents=())
    start(house)
    dry = plan_due(house.store, house.clock, house.policy, dry_run=True)
    assert (dry.phone, dry.consent_cases, dry.campaign, dry.created) == (1, 1, 1, 3)
    assert house.cases() == []
    assert planned(house) == dry
    with house.store.read() as work:
        census = work.planning.census(terms(house.clock.now(), house.policy))
        assert work.planning.chunk(0, 10) == Chunk(0, 2)
        assert work.planning.chunk(2, 10) is None
    assert census == [("ask", Cadence.WEEKLY, 1), ("phone", Cadence.WEEKLY, 1)]
