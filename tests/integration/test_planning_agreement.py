"""The rules of planning stand twice, pure and as SQL: over random ledgers they must say the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.due import Way, eligible, is_paused, plan_row, terms
from scheduler.policy import Policy
from storage import Store
from storage.model import Chunk, Elder, VisitPlan
from storage.repository_plans import lot
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, PlanStatus, VisitMode

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)  # a Wednesday
POLICY = Policy()
EVERYONE = Chunk(0, 2**31)
CONSENTS = (ConsentPurpose.PHONE_VISIT, ConsentPurpose.ON_SITE_VISIT)

elders = st.fixed_dictionaries(
    {
        "categories": st.frozensets(st.sampled_from(Category), max_size=3),
        "self_caring": st.booleans(),
        "good_health": st.booleans(),
        "mode": st.sampled_from(VisitMode),
        "cadence": st.sampled_from(Cadence),
        "dialplan": st.sampled_from(("weekly_short", "monthly_full")),
        "paused_until": st.sampled_from(
            (None, None, date(2026, 11, 24), date(2026, 11, 25), date(2026, 12, 1))
        ),
        "windows": st.sampled_from(((), (), ("09:00-11:00",))),
        "active": st.sampled_from((True, True, True, False)),
    }
)
# What each elder said, in this order; two words of one moment: the later row counts.
words = st.lists(
    st.tuples(st.sampled_from(CONSENTS), st.booleans(), st.integers(0, 2)), min_size=0, max_size=4
)


def clean(store: Store) -> None:
    with store.begin() as work:
        for table in ("visit_plan", "consent", "elder"):
            work.db._connection.exec_driver_sql(f"DELETE FROM {table}")


@given(st.lists(st.tuples(elders, words), min_size=1, max_size=10), st.data())
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_sql_plans_what_the_rules_say(
    store: Store, cast: list[tuple[dict[str, Any], list[Any]]], data: st.DataObject
) -> None:
    clean(store)
    now = terms(NOW, POLICY)
    new = data.draw(st.booleans(), label="all of them came in just now")
    expected: dict[int, tuple[str, VisitPlan]] = {}
    with store.begin() as work:
        for fields, said in cast:
            elder = work.elders.add(name="王秀英", phone="13812340001", **fields)
            current: dict[ConsentPurpose, tuple[int, bool]] = {}
            for purpose, granted, day in said:
                work.consents.add(elder.id, purpose, granted, NOW - timedelta(days=day), "paper")
                if purpose not in current or day <= current[purpose][0]:
                    current[purpose] = (day, granted)
            if elder.active:
                consents = (current[each][1] if each in current else None for each in CONSENTS)
                way = eligible(elder, *consents)
                expected[elder.id] = (kind(elder, way), plan_row(elder, way, NOW, POLICY))
        if new:
            assert work.planning.welcome(now, EVERYONE) == len(expected)
        counted = work.planning.unplanned(now, EVERYONE)
        created = work.planning.plan(now, EVERYONE)
        asked = [each.id for each in work.planning.to_ask(now, EVERYONE, 100)]
    kinds = [kind for kind, _ in expected.values()]
    assert counted == {each: kinds.count(each) for each in set(kinds)}
    assert created == {each: n for each, n in counted.items() if each not in ("ask", "none")}
    assert asked == [id for id, (each, _) in expected.items() if each == "ask"]
    with store.read() as work:
        for id, (each, row) in expected.items():
            plan = work.plans.of_period(id, row.period)
            if each in ("ask", "none"):
                assert plan is None
                continue
            assert plan is not None
            until = row.due_until
            if new and until > now.first_visit_by:
                until = now.first_visit_by
            asked = {
                "id": plan.id,
                "due_until": until,
                "next_attempt_at": None if new else row.next_attempt_at,
            }
            assert plan == VisitPlan(**{**as_dict(row), **asked})
        drawn = {row[0]: (row[1], row[2]) for row in stored_lots(work)}
    assert all(drawn[id][1] == lot(id, drawn[id][0]) for id in drawn)
    with store.begin() as work:
        assert work.planning.plan(now, EVERYONE).total() == 0, "planning twice changes nothing"


def kind(elder: Elder, way: Way) -> str:
    if way is not Way.NONE and is_paused(elder, NOW, POLICY):
        return PlanStatus.PAUSED.value
    return way.value


def as_dict(row: VisitPlan) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def stored_lots(work: Any) -> Any:
    return work.db._connection.exec_driver_sql("SELECT elder_id, period, lot FROM visit_plan")
