"""The life of a case on real databases: races, reassigning, reminders on a clock that is moved."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import Store, database_url, migrate
from storage.engine import open_engine
from storage.model import AuditEntry, Case, Elder, Visitor
from visits.deadlines import load_deadlines
from visits.handling import KINDS, close_by_callback, handle
from visits.life import Actor, Order, Role
from visits.model import CaseDraft
from visits.reminders import remind_due
from visits.service import open_case, show
from xunfang.clock import FixedClock
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import CaseKind, CaseLevel, CaseStatus, CaseStep, Priority, ReferTo, ReportCategory

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECRET = "a secret only for tests, 0123456789"
RULES = load_deadlines()
DESK = Actor(Role.SUPERVISOR, "zhang")


class Village:
    """A county, a township, a village: 李 and 周 of the village, 赵 of the town, 孙 a stranger's child."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FixedClock(NOW)
        with store.begin() as work:
            county = work.areas.add(code="220183000000", name="测试县", level="county", phone="0431-1")
            town = work.areas.add(code="220183101000", name="测试镇", level="township", parent_id=county.id)
            village = work.areas.add(
                code="220183101205", name="测试村", level="village", parent_id=town.id, phone="0431-2"
            )
            self.areas = {each.level: each.id for each in (county, town, village)}
            self.li = self._visitor(work, "李", village.id)
            self.zhou = self._visitor(work, "周", village.id)
            self.zhao = self._visitor(work, "赵", town.id)
            self.elder = work.elders.add(name="王秀英", phone="13812340001", area_id=village.id)
            other = work.elders.add(name="陈桂英", phone="13812340002", area_id=village.id)
            self.sun = work.visitors.add(name="孙", kind="child", elder_id=other.id)

    def _visitor(self, work: Any, name: str, area_id: int) -> Visitor:
        return work.visitors.add(name=name, kind="village", phone="13900000001", area_id=area_id)  # type: ignore[no-any-return]

    def opened(self, elder: Elder | None = None, **fields: Any) -> Case:
        values: dict[str, Any] = {
            "elder_id": (elder or self.elder).id,
            "kind": CaseKind.MISSED_CALL,
            "priority": Priority.URGENT,
            "deadline": self.clock.now() + 4 * 60 * MINUTE,
            "summary": "多次未接通",
            "evidence": ({"kind": "missed_call", "call_id": None, "text": "共拨打3次"},),
        }
        with self.store.begin() as work:
            return open_case(work, CaseDraft(**(values | fields)), self.clock.now())

    def do(
        self, case: Case, step: CaseStep, who: Actor | Visitor, seen: Case | None = None, **more: Any
    ) -> Case:
        actor = who if isinstance(who, Actor) else Actor(Role.VISITOR, str(who.id))
        with self.store.begin() as work:
            order = Order(step, actor, **({"note": "老人安好"} | more))
            return handle(work, case.id, order, self.clock.now(), RULES, seen=seen)

    def tick(self, minutes: int = 0) -> int:
        self.clock.move(minutes * MINUTE)
        return remind_due(self.store, self.clock, RULES)

    def case(self, case: Case) -> Case:
        with self.store.read() as work:
            found = work.cases.get(case.id)
        assert found is not None
        return found

    def audit(self, case: Case) -> list[AuditEntry]:
        with self.store.read() as work:
            return work.audit.of(f"case:{case.id}")

    def kinds(self, case: Case) -> list[str]:
        return [each.kind for each in self.audit(case)]

    def told(self, case: Case, kind: str) -> list[str]:
        with self.store.read() as work:
            return [each.to for each in work.notices.of_case(case.id) if each.kind == kind]


@pytest.fixture
def village(store: Store) -> Village:
    return Village(store)


@pytest.fixture
def small(sqlite_store: Store) -> Village:
    return Village(sqlite_store)


# ---- steps -------------------------------------------------------------------------------------


def test_every_step_is_audited_with_who_and_when(village: Village) -> None:
    case = village.opened()
    steps = (
        (CaseStep.ASSIGN, DESK, {"visitor_id": village.zhou.id}),
        (CaseStep.ACCEPT, village.zhou, {}),
        (CaseStep.START, village.zhou, {}),
        (CaseStep.VISITED, village.zhou, {}),
        (CaseStep.CLOSE, village.zhou, {}),
    )
    for step, who, more in steps:
        village.clock.move(MINUTE)
        village.do(case, step, who, **more)
    told = [(each.kind, each.actor, each.at - NOW) for each in village.audit(case)]
    zhou = f"visitor:{village.zhou.id}"
    assert told == [
        ("case.opened", "system", 0 * MINUTE),
        ("case.assign", "user:zhang", MINUTE),
        ("case.accept", zhou, 2 * MINUTE),
        ("case.start", zhou, 3 * MINUTE),
        ("case.visited", zhou, 4 * MINUTE),
        ("case.close", zhou, 5 * MINUTE),
    ]
    closed = village.case(case)
    assert (closed.status, closed.disposition_note) == (CaseStatus.CLOSED, "老人安好")
    assert (closed.closed_at, closed.visited_at) == (NOW + 5 * MINUTE, NOW + 4 * MINUTE)
    assert village.told(case, "case.released") == [f"visitor:{village.li.id}"], "who was proposed need not go"


def test_closing_twice_tells_who_closed_it(village: Village) -> None:
    case = village.opened()
    village.do(case, CaseStep.CLOSE, DESK)
    with pytest.raises(Conflict, match=r"不能办结（已由督导zhang于11月23日09:00办结）"):
        village.do(case, CaseStep.CLOSE, Actor(Role.SUPERVISOR, "wang"))
    assert village.kinds(case).count("case.close") == 1


def test_closing_without_a_visit_is_said_in_the_audit(village: Village) -> None:
    case = village.opened()
    village.do(case, CaseStep.CLOSE, DESK, note="听录音为误报")
    assert village.kinds(case)[-2:] == ["case.close", "visit_not_made"]


def test_an_order_that_is_refused_leaves_nothing_behind(village: Village) -> None:
    case = village.opened()
    before = village.kinds(case)
    with pytest.raises(BadInput, match="处置情况"):
        village.do(case, CaseStep.CLOSE, DESK, note=" ")
    with pytest.raises(NotFound, match="巡访员999"):
        village.do(case, CaseStep.ASSIGN, DESK, visitor_id=999)
    with pytest.raises(BadInput, match="只负责另一位老人"):
        village.do(case, CaseStep.ASSIGN, DESK, visitor_id=village.sun.id)
    with pytest.raises(NotFound, match="no case 99"), village.store.begin() as work:
        handle(work, 99, Order(CaseStep.ACCEPT, DESK), NOW, RULES)
    assert (village.case(case), village.kinds(case)) == (case, before)


def test_a_referral_keeps_the_case_open_and_reaches_the_desk(village: Village) -> None:
    case = village.opened()
    to = {"to": ReferTo.CIVIL_AFFAIRS, "category": ReportCategory.HARDSHIP}
    referred = village.do(case, CaseStep.REFER, DESK, **to)
    assert (referred.status, referred.closed_at) == (CaseStatus.REFERRED, None)
    stored = village.case(case)
    assert (stored.referred_to, stored.report_category) == (ReferTo.CIVIL_AFFAIRS, ReportCategory.HARDSHIP)
    assert village.audit(case)[-1].detail["category"] == "hardship"
    assert village.told(case, "case.refer") == ["duty", "webhook"]


def together(*tasks: Any) -> list[Any]:
    """All let go at the same moment; what was raised is returned."""
    gate = threading.Barrier(len(tasks))

    def one(task: Any) -> Any:
        gate.wait(10)
        try:
            return task()
        except Conflict as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(one, tasks))


def test_of_two_who_accept_one_wins_and_the_other_is_told_who(village: Village) -> None:
    for _ in range(5):
        case = village.opened()
        outcomes = together(
            lambda case=case: village.do(case, CaseStep.ACCEPT, village.li),
            lambda case=case: village.do(case, CaseStep.ACCEPT, village.zhou),
        )
        (lost,) = [each for each in outcomes if isinstance(each, Conflict)]
        winner = village.case(case).visitor_id
        assert f"已由巡访员{winner}于11月23日09:00接受" in str(lost)
        assert village.kinds(case).count("case.accept") == 1
        village.do(case, CaseStep.CLOSE, DESK)


def test_of_two_desks_that_saw_the_same_case_one_assigns(village: Village) -> None:
    for _ in range(5):
        case = village.opened()
        outcomes = together(
            *(
                lambda case=case, who=who, name=name: village.do(
                    case, CaseStep.ASSIGN, Actor(Role.SUPERVISOR, name), seen=case, visitor_id=who.id
                )
                for who, name in ((village.zhou, "wang"), (village.zhao, "liu"))
            )
        )
        (lost,) = [each for each in outcomes if isinstance(each, Conflict)]
        assert "分派，现为“已分派”" in str(lost)
        assert village.kinds(case).count("case.assign") == 1
        village.do(case, CaseStep.CLOSE, DESK)


def test_a_reminder_in_between_does_not_cost_a_person_his_step(village: Village) -> None:
    case = village.opened()
    village.tick(5)
    assert village.case(case).reminded_at is not None
    assert village.do(case, CaseStep.ACCEPT, village.li, seen=case).status is CaseStatus.ACCEPTED


# ---- refusal and silence -----------------------------------------------------------------------


def test_a_refusal_sends_the_next_at_once_and_nobody_is_asked_twice(village: Village) -> None:
    case = village.opened()
    assert case.visitor_id == village.li.id
    second = village.do(case, CaseStep.REFUSE, village.li, note="人在外地")
    assert (second.status, second.visitor_id) == (CaseStatus.ASSIGNED, village.zhou.id)
    third = village.do(case, CaseStep.REFUSE, village.zhou, note="生病")
    assert third.visitor_id == village.zhao.id
    last = village.do(case, CaseStep.REFUSE, village.zhao, note="开会")
    assert (last.status, last.visitor_id, last.level) == (CaseStatus.OPEN, None, CaseLevel.VILLAGE)
    assert set(last.asked) == {village.li.id, village.zhou.id, village.zhao.id}
    assert village.kinds(case)[-3:] == ["case.refuse", "not_reassigned", "case.escalated"]
    assert village.told(case, "case.escalated") == [f"area:{village.areas['village']}", "duty", "webhook"]


def test_silence_is_reminded_then_reassigned_and_rung_upwards_to_the_county(village: Village) -> None:
    case = village.opened()
    assert village.tick(4) == 0
    assert village.tick(1) == 1
    assert village.told(case, "case.reminded") == [f"visitor:{village.li.id}", "webhook"]
    village.tick(5)
    now = village.case(case)
    assert (now.level, now.visitor_id, now.status) == (
        CaseLevel.VILLAGE,
        village.zhou.id,
        CaseStatus.ASSIGNED,
    )
    silent = [each.detail["visitor_id"] for each in village.audit(case) if each.kind == "visitor_silent"]
    assert silent == [village.li.id]
    assert f"visitor:{village.li.id}" in village.told(case, "case.released")
    village.tick(10)
    now = village.case(case)
    assert (now.level, now.visitor_id) == (CaseLevel.TOWNSHIP, village.zhao.id)
    village.tick(10)
    assert village.case(case).level is CaseLevel.COUNTY
    for _ in range(30):
        village.tick(10)
    rung = [each.detail["to"] for each in village.audit(case) if each.kind == "case.escalated"]
    assert rung == ["village", "township", "county"], "each level is rung once"
    assert village.kinds(case).count("case.reminded") >= 30, "reminders repeat until somebody acts"
    assert village.case(case).closed_at is None, "nothing closes itself"


def test_whoever_acts_ends_the_reminders_until_his_own_time_is_over(village: Village) -> None:
    case = village.opened()
    village.tick(5)
    village.do(case, CaseStep.ACCEPT, village.li)
    before = village.kinds(case)
    assert village.tick(60) == 0
    assert village.kinds(case) == before
    village.clock.set(case.deadline)
    assert village.tick() == 1
    assert village.kinds(case)[-1] == "case.reminded"
    assert village.case(case).visitor_id == village.li.id
    village.tick(5)
    late = village.case(case)
    assert (late.level, late.visitor_id, late.status) == (
        CaseLevel.VILLAGE,
        village.li.id,
        CaseStatus.ACCEPTED,
    )
    assert "visitor_silent" not in village.kinds(case), "who is on his way is not replaced"
    village.do(case, CaseStep.VISITED, village.li)
    assert village.case(case).level is None, "a new step is rung from below again"


def test_a_level_where_nobody_is_registered_is_skipped_and_that_is_said(small: Village) -> None:
    with small.store.begin() as work:
        alone = work.elders.add(name="独居老人", phone="13812340003")
    case = small.opened(alone)
    assert case.visitor_id is None
    small.tick(10)
    skipped = [each.detail["level"] for each in small.audit(case) if each.kind == "level_skipped"]
    assert (skipped, small.case(case).level) == (["village", "township"], CaseLevel.COUNTY)
    assert small.told(case, "case.escalated") == ["duty", "webhook"]


def test_two_services_that_tick_together_tell_everybody_once(village: Village) -> None:
    elders = []
    with village.store.begin() as work:
        for number in range(12):
            area = village.areas["village"]
            elders.append(work.elders.add(name="老人", phone=f"1381235{number:04}", area_id=area))
    cases = [village.opened(each) for each in elders]
    village.clock.move(5 * MINUTE)
    together(*(lambda: remind_due(village.store, village.clock, RULES) for _ in range(3)))
    village.clock.move(5 * MINUTE)
    together(*(lambda: remind_due(village.store, village.clock, RULES) for _ in range(3)))
    for case in cases:
        kinds = village.kinds(case)
        assert (kinds.count("case.reminded"), kinds.count("case.escalated")) == (1, 1)
        assert len(village.told(case, "case.reminded")) == 2


def test_after_a_long_standstill_each_level_still_gets_its_own_time(small: Village) -> None:
    case = small.opened()
    small.tick(3 * 24 * 60)
    assert small.case(case).level is CaseLevel.VILLAGE
    small.tick(9)
    assert small.case(case).level is CaseLevel.VILLAGE
    small.tick(1)
    assert small.case(case).level is CaseLevel.TOWNSHIP


def test_what_becomes_urgent_is_awaited_by_the_urgent_clock_at_once(small: Village) -> None:
    case = small.opened(priority=Priority.NORMAL, deadline=NOW + timedelta(days=3))
    assert small.tick(20) == 0
    small.opened(
        kind=CaseKind.DISTRESS,
        deadline=small.clock.now() + 30 * MINUTE,
        evidence=({"kind": "distress", "call_id": None, "text": "救命"},),
    )
    assert small.tick() == 1
    assert small.case(case).level is CaseLevel.VILLAGE


# ---- what comes later --------------------------------------------------------------------------


def test_a_new_call_after_the_visit_opens_the_case_again(small: Village) -> None:
    case = small.opened()
    small.do(case, CaseStep.ACCEPT, small.li)
    small.do(case, CaseStep.VISITED, small.li)
    with small.store.begin() as work:
        call = work.calls.begin(
            elder_id=small.elder.id, plan_id=None, attempt=1, dialplan="d", dialplan_hash="h",
            intended_at=NOW, number=small.elder.phone,
        )  # fmt: skip
    danger = {"kind": "distress", "call_id": call.id, "text": "救命"}
    again = small.opened(kind=CaseKind.DISTRESS, call_id=call.id, evidence=(danger,))
    assert (again.id, again.status, again.visited_at) == (case.id, CaseStatus.OPEN, None)
    assert again.visitor_id == small.li.id, "who was there is proposed again"
    assert "case.reopened" in small.kinds(case)
    small.do(case, CaseStep.REFER, DESK, to=ReferTo.AMBULANCE, category=ReportCategory.CRITICAL_ILLNESS)
    same_call = danger | {"text": "快来人"}
    kept = small.opened(kind=CaseKind.DISTRESS, call_id=call.id, evidence=(same_call,))
    assert kept.status is CaseStatus.REFERRED, "the rest of the same call is what was referred"


def test_ringing_back_closes_missed_calls_and_nothing_else(village: Village) -> None:
    case = village.opened()
    with village.store.begin() as work:
        closed = close_by_callback(work, case.id, 7, NOW, RULES)
    assert (closed.status, closed.closed_at) == (CaseStatus.CLOSED, NOW)
    assert "通话7" in closed.disposition_note
    assert village.audit(case)[-2].actor == f"elder:{village.elder.id}"
    wish = {"kind": "request", "call_id": None, "text": "想让人送饭"}
    mixed = village.opened(evidence=({"kind": "missed_call", "call_id": None, "text": "三次"}, wish))
    with pytest.raises(Conflict, match="不只是未接通"), village.store.begin() as work:
        close_by_callback(work, mixed.id, 8, NOW, RULES)


def test_nobody_who_is_on_the_way_is_called_off_by_a_call_back(small: Village) -> None:
    case = small.opened()
    small.do(case, CaseStep.ACCEPT, small.li)
    small.do(case, CaseStep.START, small.li)
    with pytest.raises(Conflict, match="在路上"), small.store.begin() as work:
        close_by_callback(work, case.id, 7, NOW, RULES)


def test_a_supervisor_reads_the_history_with_names(small: Village) -> None:
    case = small.opened()
    small.do(case, CaseStep.ACCEPT, DESK, note="电话里答应的")
    shown = show(small.store, case.id, NOW)
    assert shown["history"][-1]["text"] == f"巡访员李（{small.li.id}）接受任务：电话里答应的"
    assert shown["history"][-1]["actor_zh"] == "督导zhang"
    assert [each["name"] for each in shown["candidates"]] == ["李", "周", "赵"]
    assert shown["evidence_zh"] == ["共拨打3次"]


def test_cases_that_were_open_before_this_version_are_not_forgotten(empty_database: str) -> None:
    store = Store(empty_database, [SECRET])
    store.migrate()
    case = Village(store).opened()
    migrate.downgrade(database_url(empty_database), "0002")
    store.migrate()
    with store.read() as work:
        assert [each.id for each in work.cases.to_look_at(NOW)] == [case.id]
    store.close()
    engine = open_engine(database_url(empty_database))
    with engine.connect() as connection:
        assert connection.execute(sa.text('SELECT asked FROM "case"')).scalar() is None
    engine.dispose()


# ---- any day -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def county(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    path = tmp_path_factory.mktemp("life") / "xunfang.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = Store(str(path), [SECRET])
    yield Village(store)
    store.close()


DAY = st.lists(
    st.tuples(
        st.sampled_from([*CaseStep, "tick"]),
        st.sampled_from(["li", "zhou", "zhao", "desk"]),
        st.integers(0, 40),
    ),
    max_size=15,
)


@settings(max_examples=40, deadline=None)
@given(day=DAY)
def test_whatever_happens_the_audit_tells_it_without_a_gap(
    county: Village, day: list[tuple[Any, str, int]]
) -> None:
    with county.store.begin() as work:
        elder = work.elders.add(name="老人", phone="13812349999", area_id=county.areas["village"])
    case = county.opened(elder)
    done = 0
    for step, who, minutes in day:
        county.clock.move(minutes * MINUTE)
        if step == "tick":
            county.tick()
            continue
        actor = DESK if who == "desk" else getattr(county, who)
        more = {"visitor_id": county.zhou.id} if step is CaseStep.ASSIGN else {}
        if step is CaseStep.REFER:
            more = {"to": ReferTo.VILLAGE, "category": ReportCategory.ROAMING}
        try:
            county.do(case, step, actor, **more)
            done += 1
        except (Conflict, BadInput):
            continue
    entries = [each for each in county.audit(case) if each.kind in KINDS.values()]
    assert sum(each.actor != "system" for each in entries) == done
    assert {each.kind for each in entries if each.actor == "system"} <= {"case.assign"}
    status = CaseStatus.OPEN.value
    for entry in entries:
        assert entry.detail["from"] == status, "a step is missing in the audit"
        status = entry.detail["to"]
    now = county.case(case)
    assert now.status == status
    assert (now.closed_at is not None) == (status == CaseStatus.CLOSED)
    if now.closed_at is None:
        county.do(case, CaseStep.CLOSE, DESK)
