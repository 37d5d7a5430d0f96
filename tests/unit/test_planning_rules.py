"""Who is due and how: cadence by policy, first visits, rounds of surges, festivals. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.dialogue import dialplan
from scheduler.cadence import MOST_OFTEN_FIRST, load_cadence
from scheduler.due import terms
from scheduler.hours import HoursConfig
from scheduler.planning import campaigns
from scheduler.planning.festivals import FESTIVALS, campaigns_of, day_of
from scheduler.policy import Policy
from storage.model import Campaign
from xunfang.errors import BadInput, BadSettings
from xunfang.vocabulary import Cadence, CampaignKind, Category

pytestmark = pytest.mark.unit

POLICY = Policy()
CADENCE = POLICY.cadence
HOURS = HoursConfig()
NOW = datetime(2026, 7, 20, 1, 0, tzinfo=UTC)


def heat(**fields: object) -> Campaign:
    given: dict[str, object] = {
        "id": 1,
        "code": "heat-1",
        "name": "高温",
        "kind": CampaignKind.HEAT,
        "areas": (),
        "categories": frozenset(),
        "dialplan": "surge_heat",
        "starts": date(2026, 7, 20),
        "ends": date(2026, 7, 24),
        "every_days": 2,
        "created_by": "user:1",
        "created_at": NOW,
    }
    return Campaign(**(given | fields))  # type: ignore[arg-type]


# ---- cadence -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "categories", "holds"),
    [
        (Cadence.QUARTERLY, set(), Cadence.QUARTERLY),
        (Cadence.QUARTERLY, {Category.ADVANCED_AGE}, Cadence.QUARTERLY),
        (Cadence.QUARTERLY, {Category.LIVING_ALONE}, Cadence.MONTHLY),  # 鄂 2023 三(二)
        (Cadence.QUARTERLY, {Category.LEFT_BEHIND, Category.ADVANCED_AGE}, Cadence.MONTHLY),
        (
            Cadence.MONTHLY,
            {Category.LEFT_BEHIND, Category.DESTITUTE, Category.ADVANCED_AGE},  # 吉 2018 三(三)
            Cadence.WEEKLY,
        ),
        (Cadence.WEEKLY, set(), Cadence.WEEKLY),
    ],
)
def test_policy_asks_for_more_where_it_says_so(
    own: Cadence, categories: set[Category], holds: Cadence
) -> None:
    assert CADENCE.holds(own, categories) is holds


@given(st.sampled_from(Cadence), st.frozensets(st.sampled_from(Category)))
def test_nobody_is_visited_less_often_than_his_own_cadence(
    own: Cadence, categories: frozenset[Category]
) -> None:
    assert MOST_OFTEN_FIRST.index(CADENCE.holds(own, categories)) <= MOST_OFTEN_FIRST.index(own)


def test_every_group_of_special_difficulty_is_visited_monthly_at_least() -> None:
    for category in set(Category) - {Category.ADVANCED_AGE}:
        assert CADENCE.holds(Cadence.QUARTERLY, {category}) is not Cadence.QUARTERLY, category


def test_every_rule_says_why_and_where_it_is_written() -> None:
    assert all(rule.reason and rule.source for rule in CADENCE.rules)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: 3", "rules:"),
        ("rules: [{at_least: daily, reason: a, source: b}]", "daily"),
        ("rules: [{at_least: weekly, some: [tall], reason: a, source: b}]", "tall"),
        ("rules: [{at_least: weekly, some: tall, reason: a, source: b}]", "lists"),
        ("rules: [{at_least: weekly}]", "reason"),
        ("rules: [{at_least: weekly, reason: a, source: b, when: now}]", "when"),
    ],
)
def test_a_wrong_cadence_table_is_refused_with_the_rule(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "cadence.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadSettings, match=says):
        load_cadence(file)


# ---- first visits ------------------------------------------------------------------------------


def period(now: datetime, cadence: Cadence, days: int = 7):  # type: ignore[no-untyped-def]
    found = terms(now, replace(POLICY, first_visit=timedelta(days=days)))
    return next(each for each in found.periods if each.cadence is cadence)


def test_a_new_elder_is_visited_within_days_though_the_quarter_is_long() -> None:
    quarter = period(NOW, Cadence.QUARTERLY)
    assert quarter.entrants_until == NOW + timedelta(days=7) < quarter.due_until


def test_the_period_ends_first_when_it_is_shorter() -> None:
    week = period(datetime(2026, 7, 22, 1, 0, tzinfo=UTC), Cadence.WEEKLY, days=30)
    assert week.entrants_until == week.due_until


def test_who_comes_in_on_the_last_evening_of_a_week_has_one_day_more() -> None:
    sunday_evening = datetime(2026, 7, 19, 11, 0, tzinfo=UTC)
    week = period(sunday_evening, Cadence.WEEKLY)
    assert week.entrants_until == week.due_until + timedelta(days=1)


# ---- surges ------------------------------------------------------------------------------------


def test_a_surge_runs_in_rounds_that_follow_one_another_and_end_with_it() -> None:
    days = [date(2026, 7, 19) + timedelta(days=n) for n in range(8)]
    rounds = [campaigns.occurrence(heat(), day, HOURS) for day in days]
    assert [each and each.period for each in rounds] == [
        None,
        "campaign:heat-1:2026-07-20",
        "campaign:heat-1:2026-07-20",
        "campaign:heat-1:2026-07-22",
        "campaign:heat-1:2026-07-22",
        "campaign:heat-1:2026-07-24",
        None,
        None,
    ]
    found = {each.period: each for each in rounds if each}
    first, second, last = found.values()
    assert (first.due_until, second.due_until) == (second.due_from, last.due_from)
    assert last.due_until - last.due_from == timedelta(days=1)


def test_once_is_one_round_over_all_its_days() -> None:
    found = campaigns.occurrence(heat(every_days=None), date(2026, 7, 23), HOURS)
    assert found is not None
    assert found.period == "campaign:heat-1:2026-07-20"
    assert found.due_until - found.due_from == timedelta(days=5)


def test_a_daily_round_on_a_day_without_calls_is_left_out() -> None:
    closed = HoursConfig(closed=frozenset({date(2026, 7, 21)}))
    daily = heat(every_days=1)
    assert campaigns.occurrence(daily, date(2026, 7, 21), closed) is None
    assert campaigns.occurrence(daily, date(2026, 7, 22), closed) is not None


def test_the_graver_surge_goes_first_and_the_other_yields() -> None:
    today = date(2026, 7, 20)
    festival = heat(id=1, code="festival", kind=CampaignKind.FESTIVAL)
    flood = heat(id=2, code="flood", kind=CampaignKind.FLOOD)
    found = [campaigns.occurrence(each, today, HOURS) for each in (festival, flood)]
    first, second = campaigns.in_order(each for each in found if each)
    assert (first.campaign.code, first.yields_to) == ("flood", ())
    assert (second.campaign.code, second.yields_to) == ("festival", (first.period,))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"code": "Heat 1"}, "code"),
        ({"ends": date(2026, 7, 19)}, "before it starts"),
        ({"ends": date(2027, 7, 19)}, "at most"),
        ({"every_days": 0}, "every"),
    ],
)
def test_a_surge_that_makes_no_sense_is_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        campaigns.check(heat(**fields))


def test_every_kind_of_surge_has_a_dialplan_that_asks_about_danger() -> None:
    for kind in CampaignKind:
        plan = dialplan.load(campaigns.DIALPLANS[kind])
        assert any("urgent" in ask.keys.values() for ask in plan.questions), kind


def test_the_flood_dialplan_asks_whether_he_was_moved_and_whether_he_must_be_fetched() -> None:
    """鄂 2023 三(四): 转移安置."""
    flood = dialplan.load("surge_flood")
    moved, fetched = flood.question("relocated"), flood.question("transfer_help")
    assert moved is not None
    assert "未转移" in moved.review_on
    assert fetched is not None
    assert fetched.when is not None
    assert set(fetched.when.answers) == {"未转移", "unclear"}


# ---- festivals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2026, ("2026-02-17", "2026-09-25", "2026-10-18")),
        (2027, ("2027-02-06", "2027-09-15", "2027-10-08")),
        (2030, ("2030-02-03", "2030-09-12", "2030-10-05")),
    ],
)
def test_festivals_fall_on_the_days_of_the_lunar_calendar(year: int, days: tuple[str, ...]) -> None:
    """Published calendars: 春节, 中秋节, 重阳节."""
    assert tuple(day_of(each, year).isoformat() for each in FESTIVALS) == days


def test_the_calls_of_a_festival_are_made_before_it_and_pass_the_check() -> None:
    for festival, campaign in zip(FESTIVALS, campaigns_of(2027, "user:1", NOW), strict=True):
        campaigns.check(campaign)
        assert campaign.starts < campaign.ends <= day_of(festival, 2027)
