"""时间银行: the rules, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from visits.timebank import DEFAULT_FILE, VisitFacts, load_rules, points_for
from xunfang.errors import BadSettings
from xunfang.vocabulary import CaseKind, Priority

ZONE = ZoneInfo("Asia/Shanghai")
RULES = load_rules()
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=ZONE)
PLAIN = VisitFacts("volunteer", CaseKind.REQUEST, Priority.NORMAL, NOON)


def test_a_visit_earns_what_its_kind_is_worth() -> None:
    earned = points_for(PLAIN, RULES)
    assert earned is not None
    assert (earned.points, earned.why) == (10, "上门（服务需求）10分")


def test_urgent_and_night_are_added_and_said() -> None:
    facts = replace(PLAIN, case_kind=CaseKind.DISTRESS, priority=Priority.URGENT, local=NOON.replace(hour=23))
    earned = points_for(facts, RULES)
    assert earned is not None
    assert earned.points == 25
    assert "紧急5分" in earned.why
    assert "夜间5分" in earned.why


@pytest.mark.parametrize(("hour", "night"), [(19, False), (20, True), (0, True), (6, True), (7, False)])
def test_the_night_runs_over_midnight(hour: int, night: bool) -> None:
    earned = points_for(replace(PLAIN, local=NOON.replace(hour=hour)), RULES)
    assert earned is not None
    assert (earned.points == 15) is night


def test_children_and_relatives_earn_nothing() -> None:
    for kind in ("child", "relative", "guardian"):
        assert points_for(replace(PLAIN, visitor_kind=kind), RULES) is None


def test_a_supplementary_record_earns_its_own_points_without_extras() -> None:
    facts = replace(PLAIN, priority=Priority.URGENT, supplementary=True)
    earned = points_for(facts, RULES)
    assert earned is not None
    assert earned.points == 5


def test_at_the_days_cap_the_entry_says_why_it_is_small() -> None:
    earned = points_for(replace(PLAIN, earned_today=55), RULES)
    assert earned is not None
    assert earned.points == 5
    assert earned.why.endswith("当日上限60分，计入5分")
    over = points_for(replace(PLAIN, earned_today=90), RULES)
    assert over is not None
    assert over.points == 0


@given(earned=st.integers(0, 200), hour=st.integers(0, 23), kind=st.sampled_from(CaseKind))
def test_no_day_ever_counts_more_than_its_cap(earned: int, hour: int, kind: CaseKind) -> None:
    facts = replace(PLAIN, earned_today=earned, local=NOON.replace(hour=hour), case_kind=kind)
    found = points_for(facts, RULES)
    assert found is not None
    assert found.points >= 0
    assert found.points == 0 or earned + found.points <= RULES.day_cap


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"urgent": -1}, "urgent"),
        ({"urgent": True}, "urgent"),
        ({"who": "volunteer"}, "who"),
        ({"visit": {"distress": 1}}, "default"),
        ({"visit": {"default": 1, "distres": 2}}, "distres"),
        ({"night": {"from": "8pm", "until": "07:00", "points": 5}}, "8pm"),
        ({"hour": 0}, "hour"),
    ],
)
def test_rules_that_cannot_be_meant_are_named(change: dict[str, object], words: str, tmp_path: Path) -> None:
    data = yaml.safe_load(DEFAULT_FILE.read_text("utf-8")) | change
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(data), "utf-8")
    with pytest.raises(BadSettings, match=words):
        load_rules(file)
