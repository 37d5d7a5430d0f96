"""Planning asks by chunk and by elder: nothing reads a whole table, whatever the size of the county."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from storage_cast import NOW, SECRET, a_plan, an_elder
from test_storage_indexes import Ask, query_plan

from scheduler.due import terms
from scheduler.planning import campaigns
from scheduler.policy import Policy
from storage import Store
from storage.model import Campaign, Chunk, Occurrence, VisitPlan
from xunfang.vocabulary import CampaignKind, Category, PlanStatus, VisitMode

pytestmark = pytest.mark.integration

TERMS = terms(NOW, Policy())
CHUNK = Chunk(0, 1000)
SURGE = Campaign(
    1,
    "heat-1",
    "高温",
    CampaignKind.HEAT,
    (1,),
    frozenset({Category.LIVING_ALONE}),
    "surge_heat",
    date(2026, 11, 23),
    date(2026, 11, 30),
    1,
    "user:1",
    NOW,
)
ROUND = Occurrence(SURGE, "campaign:heat-1:2026-11-23", NOW, TERMS.tomorrow, ("campaign:flood:2026-11-23",))
LAST = VisitPlan(1, 1, "2026-W47", VisitMode.PHONE, NOW, NOW, "weekly_short")

ASKED: dict[str, Ask] = {
    "the next chunk": lambda work: work.planning.chunk(0, 10),
    "new elders": lambda work: work.planning.newcomers(CHUNK),
    "welcoming them": lambda work: work.planning.welcome(TERMS, CHUNK),
    "what is not planned": lambda work: work.planning.unplanned(TERMS, CHUNK),
    "planning": lambda work: work.planning.plan(TERMS, CHUNK),
    "whom to ask": lambda work: work.planning.to_ask(TERMS, CHUNK, 10),
    "pauses to resume": lambda work: work.planning.to_resume(TERMS, 0, 10),
    "pauses that ended": lambda work: work.planning.pauses_ended(TERMS.today, 10),
    "open plans of an elder": lambda work: work.planning.open_of(1, NOW),
    "lapsed plans": lambda work: work.planning.lapsed(PlanStatus.DUE, NOW, None, 10),
    "more lapsed plans": lambda work: work.planning.lapsed(PlanStatus.WAITING, NOW, LAST, 10),
    "visits that were made on site": lambda work: work.planning.visited_on_site(NOW),
    "campaigns that run": lambda work: work.campaigns.not_over(TERMS.today),
    "what a surge has not planned": lambda work: work.campaigns.unplanned(ROUND, TERMS, CHUNK),
    "planning a surge": lambda work: work.campaigns.plan(ROUND, TERMS, CHUNK),
    "putting off other calls": lambda work: work.campaigns._put_off(ROUND, TERMS, CHUNK),
    "progress of a surge": lambda work: work.campaigns.counts(1),
    "taking a surge back": lambda work: work.campaigns.withdraw(1),
}
BY_ELDER = ("open plans of an elder", "putting off other calls", "planning", "what is not planned")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(str(tmp_path_factory.mktemp("planning") / "x.db"), [SECRET])
    store.migrate()
    with store.begin() as work:
        work.areas.add(code="220183000000", name="测试县", level="county")
        a_plan(work, an_elder(work))
        campaigns.add(work, SURGE, NOW)
    yield store
    store.close()


@pytest.mark.parametrize("name", ASKED)
def test_no_step_of_planning_reads_a_whole_table(asked: Store, name: str) -> None:
    plan = query_plan(asked, ASKED[name])
    own = ("SCAN facts", "SCAN below", "SCAN anon", "SCAN counted", "SCAN (subquery", "SCAN CONSTANT")
    assert [step for step in plan.splitlines() if step.startswith("SCAN") and not step.startswith(own)] == []


@pytest.mark.parametrize("name", BY_ELDER)
def test_plans_of_an_elder_are_not_looked_for_among_all_open_plans(asked: Store, name: str) -> None:
    assert "ix_visit_plan_status" not in query_plan(asked, ASKED[name])


def test_lapsed_plans_are_paged_in_the_order_of_their_index(asked: Store) -> None:
    for name in ("lapsed plans", "more lapsed plans", "pauses that ended"):
        assert "TEMP B-TREE" not in query_plan(asked, ASKED[name])
