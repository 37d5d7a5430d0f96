"""kill -9 at every named point, on both databases: nothing is lost, nothing is doubled.

A process of its own is forked for each life: it opens the database anew, plans, dials, journals and
sends notices with the code of the service, and is ended by SIGKILL at the point (scheduler.crashpoints).
Scripted are the telephone lines (real SIP: tests/acceptance) and the receiver of the notices, a file.
The next life starts on what the first one left.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from scheduler_kit import HASH, MONDAY_NINE, WELL, ScriptedFleet, answers, distress, ends
from storage_cast import SECRET

from scheduler.caps import CapsConfig
from scheduler.crashpoints import POINTS, arm, reached
from scheduler.dispatch import DispatchConfig, Dispatcher
from scheduler.journal import Journal
from scheduler.overdue import close_overdue
from scheduler.owner import Identity
from scheduler.planning import plan_due
from scheduler.policy import Policy
from storage import Store
from storage.model import Notice
from visits.channels import NoticeConfig
from visits.notices import Sender
from xunfang.clock import FixedClock
from xunfang.vocabulary import CallDisposition, CaseKind, ConsentPurpose, PlanStatus, VisitMode

pytestmark = pytest.mark.integration

WELL_PHONE, FALLEN_PHONE, BUSY_PHONE = "13812340001", "13812340002", "13812340003"
POLICY = Policy()
CONFIG = DispatchConfig(policy=POLICY, caps=CapsConfig(min_gap=timedelta(0)))
LAST_WEEK = "2026-W47"
STEP = timedelta(minutes=8)
CHUNK = 2  # elders planned in one transaction, so that there is a "between"
MEMORY = Path("/dev/shm")
OTHER_MACHINE = Identity("elsewhere", 1, "boot-elsewhere")


class Mailbox:
    """Where notices arrive; what is written here stays, as a message that has left does."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def send(self, notice: Notice, phone: str, now: datetime) -> None:
        reached("notice.claimed")
        with self.file.open("a") as out:
            out.write(json.dumps([notice.id, notice.kind, notice.to, notice.case_id]) + "\n")
        reached("notice.sent")

    def arrived(self) -> list[list[object]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []


def a_life(url: str, folder: Path, start: datetime, until: datetime) -> None:
    """What a service does, tick by tick, on a moved clock."""
    store, clock = Store(url, [SECRET]), FixedClock(start)
    fleet = ScriptedFleet(clock)
    fleet.scripts = {
        WELL_PHONE: [answers(WELL)],
        FALLEN_PHONE: [distress()],
        BUSY_PHONE: [ends(CallDisposition.BUSY), answers(WELL | {"health": "worse"})],
    }
    dispatcher = Dispatcher(store, fleet, clock, CONFIG, lambda name: HASH)
    journal = Journal(store, POLICY, folder, dispatcher.ended, wait=lambda seconds: None)
    fleet.handle = journal.handle
    box = Mailbox(folder / "box")
    sender = Sender(store, clock, NoticeConfig(), desk=box, webhook=box, person=box)
    dispatcher.recover()
    plan_due(store, clock, POLICY, chunk=CHUNK)
    close_overdue(store, clock, POLICY)
    while clock.now() < until and _unfinished(store, clock.now()):
        dispatcher.beat()
        dispatcher.tick()
        fleet.play()
        sender.tick(limit=100)
        clock.move(STEP)
    dispatcher.leave()
    store.close()


def _unfinished(store: Store, now: datetime) -> bool:
    with store.read() as work:
        later = now + timedelta(days=1)
        waits = work.plans.due(later, 1) or work.plans.in_flight() or work.notices.pending(later, 1)
    return bool(waits)


def forked(point: str, url: str, folder: Path, start: datetime, until: datetime) -> int:
    """Live in a child process; its exit status, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            arm(point)
            a_life(url, folder, start, until)
            code = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def a_ledger(store: Store) -> dict[str, int]:
    """Three who answer in their ways, one whose last week ended unheard, one dead machine's call."""
    with store.begin() as work:
        county = work.areas.add(code="220183000000", name="测试县", level="county")
        village = work.areas.add(code="220183101205", name="村", level="village", parent_id=county.id)
        work.visitors.add(name="村巡访员", kind="village", phone="13900000001", area_id=village.id)
        ids = {}
        for phone in (WELL_PHONE, FALLEN_PHONE, BUSY_PHONE, "13812340004", "13812340005"):
            elder = work.elders.add(name="王秀英", phone=phone, area_id=village.id)
            before = MONDAY_NINE - timedelta(days=60)
            work.consents.add(elder.id, ConsentPurpose.PHONE_VISIT, True, before, "paper")
            ids[phone] = elder.id
        lapsed = {
            "elder_id": ids["13812340004"],
            "period": LAST_WEEK,
            "mode": VisitMode.PHONE,
            "due_from": MONDAY_NINE - timedelta(days=8),
            "due_until": MONDAY_NINE - timedelta(hours=1),
            "dialplan": "weekly_short",
        }
        work.plans.ensure([lapsed])
    _a_call_of_a_dead_machine(store)
    return ids


def _a_call_of_a_dead_machine(store: Store) -> None:
    """Its elder is the fifth; the machine fell silent two minutes ago, in the middle of the call."""
    clock = FixedClock(MONDAY_NINE - timedelta(minutes=2))
    with store.begin() as work:
        elder = work.elders.find_by_phone("13812340005")[0]
        work.consents.add(elder.id, ConsentPurpose.ON_SITE_VISIT, True, clock.now(), "paper")
    dispatcher = Dispatcher(
        store, ScriptedFleet(clock), clock, CONFIG, lambda name: HASH, OTHER_MACHINE, lambda pid: True
    )
    dispatcher.call_now(elder.id, anyway=True)


@pytest.fixture
def quick_database(database: str, tmp_path: Path) -> Iterator[str]:
    """SQLite in memory-backed files where there are some: a killed process is no power cut, and the tests'
    PostgreSQL does not wait for its disk either."""
    if not database.startswith("sqlite") or not MEMORY.is_dir():
        yield database
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        shutil.copy(database.removeprefix("sqlite:///"), folder)
        yield f"sqlite:///{folder}/{Path(database).name}"


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_nothing_is_lost_and_nothing_doubled(
    quick_database: str, tmp_path: Path, point: str
) -> None:
    database = quick_database
    store = Store(database, [SECRET])
    ids = a_ledger(store)
    store.close()  # nothing of ours is open while children live on it
    end = MONDAY_NINE + timedelta(minutes=120)
    assert forked(point, database, tmp_path, MONDAY_NINE, end) == -signal.SIGKILL, "the point was not reached"
    assert forked("", database, tmp_path, MONDAY_NINE + timedelta(minutes=3), end) == 0
    store = Store(database, [SECRET])
    try:
        _nothing_is_live(store)
        _everybody_was_heard_or_has_a_case(store, ids)
        _nothing_is_doubled(store, ids)
        _every_notice_arrived(store, Mailbox(tmp_path / "box"), point)
    finally:
        store.close()


def _nothing_is_live(store: Store) -> None:
    with store.read() as work:
        assert work.calls.open() == []
        assert work.channels.used("trunk") == 0
        assert work.plans.in_flight() == []


def _everybody_was_heard_or_has_a_case(store: Store, ids: dict[str, int]) -> None:
    with store.read() as work:
        for phone in (WELL_PHONE, BUSY_PHONE):
            plan = work.plans.of_period(ids[phone], "2026-W48")
            assert plan is not None
            assert plan.status is PlanStatus.DONE, phone
            heard = {each.question: each.answer for each in work.answers.of_plan(plan.id)}
            assert heard == WELL | ({"health": "worse"} if phone == BUSY_PHONE else {})
        kinds = {
            elder: case.kind for elder in ids.values() if (case := work.cases.open_for(elder)) is not None
        }
        plans = [work.plans.of_period(elder, "2026-W48") for elder in ids.values()]
    assert None not in plans
    assert kinds.get(ids[FALLEN_PHONE]) is CaseKind.DISTRESS
    assert kinds.get(ids["13812340004"]) is CaseKind.NOT_DIALLED
    assert ids[BUSY_PHONE] in kinds
    assert ids[WELL_PHONE] not in kinds
    statuses = [each.status for each in plans if each is not None]
    assert set(statuses) <= {PlanStatus.DONE, PlanStatus.ESCALATED}, statuses


def _nothing_is_doubled(store: Store, ids: dict[str, int]) -> None:
    with store.read() as work:
        calls = work.calls.page(limit=1000)
        for elder in ids.values():
            records = work.records.of_elder(elder)
            assert len({each.call_id for each in records}) == len(records)
            complete = [
                each for each in calls
                if each.elder_id == elder and each.disposition is CallDisposition.COMPLETED
            ]  # fmt: skip
            assert len(complete) <= 1, "asked all over again"
            case = work.cases.open_for(elder)
            if case is not None:
                told = Counter((each.get("call_id"), each.get("text")) for each in case.evidence)
                assert set(told.values()) <= {1}, told
        assert len(work.cases.queue(100)) == len({each.elder_id for each in work.cases.queue(100)})
        taken = [each for each in calls if each.elder_id == ids["13812340005"]]
        assert next(each.disposition for each in taken) is CallDisposition.INTERRUPTED


def _every_notice_arrived(store: Store, box: Mailbox, point: str) -> None:
    """At least once; twice only the one that had left when we were killed, under the same id."""
    arrived = Counter(str(each[0]) for each in box.arrived())
    with store.read() as work:
        assert work.notices.pending(MONDAY_NINE + timedelta(days=1), 1000) == []
        for case in work.cases.queue(100):
            notices = work.notices.of_case(case.id)
            assert notices
            unsent = [each.id for each in notices if each.sent_at is None]
            assert unsent == [], [each.last_error for each in notices]
            assert {str(each.id) for each in notices} <= set(arrived)
            assert len({(each.kind, each.to, each.body) for each in notices}) == len(notices)
    twice = {id for id, times in arrived.items() if times > 1}
    assert len(twice) <= (1 if point == "notice.sent" else 0)
    assert max(arrived.values()) <= 2
