"""Whatever the telephone does, no elder is lost and nothing is doubled. Real database, random endings."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scheduler_kit import WELL, House, Script, answers, distress, ends, opts_out

from ivr.dialogue.model import Because
from scheduler.dispatch import DispatchConfig
from scheduler.hours import is_open
from scheduler.policy import Policy
from storage import Store
from xunfang.vocabulary import CallDisposition, PlanStatus

pytestmark = pytest.mark.integration

POLICY = Policy()
SECRET = "a secret only for tests, 0123456789"
CRASH = "crash"

_part = answers({"health": "good"}, CallDisposition.HUNG_UP_EARLY, Because.HUNG_UP)
_scripts: dict[str, Script] = {
    **{each.value: ends(each) for each in CallDisposition if each is not CallDisposition.COMPLETED},
    "well": answers(WELL),
    "cut off": _part,
    "worse": answers(WELL | {"health": "worse"}),
    "unclear": answers(WELL | {"gas": "unclear"}),
    "wrong number": ends(CallDisposition.OTHER_PERSON, Because.WRONG_NUMBER),
    "unheard": ends(CallDisposition.HUNG_UP_EARLY, Because.UNHEARD),
    "danger": distress(),
    "danger, cut off": distress(ending=CallDisposition.HUNG_UP_EARLY),
    "never again": opts_out,
}
_endings = st.lists(st.sampled_from([*_scripts, CRASH]), min_size=1, max_size=9)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(households=st.lists(_endings, min_size=1, max_size=3), shared=st.booleans())
def test_every_plan_ends_heard_or_with_one_case(
    sqlite_template: Path, households: list[list[str]], shared: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "xunfang.db"
        shutil.copy(sqlite_template, file)
        store = Store(f"sqlite:///{file}", [SECRET])
        try:
            _live_a_week(House(store, Path(folder), DispatchConfig(policy=POLICY)), households, shared)
        finally:
            store.close()


def _live_a_week(house: House, households: list[list[str]], shared: bool) -> None:
    phones = ["13812340001" if shared else f"1381234000{number}" for number in range(len(households))]
    elders = [house.elder(phone) for phone in phones]
    left = dict(zip([each.id for each in elders], [list(each) for each in households], strict=True))
    house.plan()
    while house.clock.now() < house.plan_of(elders[0]).due_until + timedelta(hours=1):
        house.dispatcher.tick()
        assert len({each.number for each in house.fleet.waiting}) == len(house.fleet.waiting)
        if house.fleet.waiting:
            _play(house, left)
            house.clock.move(timedelta(minutes=1))
        else:
            house.clock.move(timedelta(minutes=45))
        with house.store.read() as work:
            opened = [each.elder_id for each in work.cases.queue(1000)]
        assert len(opened) == len(set(opened)), "two open cases of one elder"
    house.plan()
    assert all(is_open(at, POLICY.hours) for at in house.fleet.dialled_at)
    for elder in elders:
        plan = house.plan_of(elder)
        assert plan.status in (PlanStatus.DONE, PlanStatus.ESCALATED)
        with house.store.read() as work:
            calls = work.calls.of_plan(plan.id)
            case = work.cases.open_for(elder.id)
            records = work.records.of_elder(elder.id)
        endings = [each.disposition for each in calls]
        assert None not in endings
        if plan.status is PlanStatus.ESCALATED:
            assert case is not None
        else:
            assert endings[-1] is CallDisposition.COMPLETED
            assert records
        assert plan.attempts == sum(each is not None and POLICY.ladder.counts(each) for each in endings)
        assert plan.attempts <= POLICY.ladder.max_attempts
        assert len({each.call_id for each in records}) == len(records)


def _play(house: House, left: dict[int, list[str]]) -> None:
    """Let the live calls happen; a crash takes all of them down and the process starts anew."""
    with house.store.read() as work:
        elder_of = {each.id: each.elder_id for each in work.calls.open()}
    for order in list(house.fleet.waiting):
        script = left[elder_of[order.call_id]]
        ending = script.pop(0) if len(script) > 1 else script[0]
        if ending == CRASH:
            script[:] = script if len(script) > 1 else ["no_answer"]
            house.fleet.die()
            house.start()
            house.dispatcher.recover()
            return
        house.fleet.scripts[order.number] = [_scripts[ending]]
        for event in _scripts[ending](order.call_id, house.clock.now()):
            house.journal.handle(event)
        house.fleet.waiting.remove(order)
