"""Random days, as a state machine: whatever order things happen in, nobody is lost and nobody is pestered.

Real database, real planning, ladder, dispatch, settlement, call-back and case life; the telephones are
scripted. Time passes only in `time_passes`, by whole hours or until tomorrow; holidays are closed days.
XUNFANG_EXAMPLES runs more of them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import postgres_server
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from scheduler_kit import MONDAY_NINE, WELL, House, Script, answers, distress, ends, opts_out
from storage_cast import SECRET

from ivr.dialogue import dialplan
from ivr.dialogue.model import Because
from ivr.session.model import CallEnded, CallOrder
from ivr.session.protocol import Caller
from scheduler.dispatch import DispatchConfig
from scheduler.hours import HoursConfig, is_open, local_date, next_opening
from scheduler.inbound import Reception
from scheduler.planning import plan_due
from scheduler.policy import Policy
from storage import Store
from storage.model import Elder
from visits.handling import handle
from visits.life import Actor, Order, Role
from visits.reminders import remind_due
from xunfang.vocabulary import (
    Cadence,
    CallDirection,
    CallDisposition,
    CaseStep,
    ConsentPurpose,
)

pytestmark = pytest.mark.integration

HOLIDAYS = frozenset({date(2026, 11, 25), date(2026, 11, 28), date(2026, 12, 2), date(2026, 12, 3)})
POLICY = Policy(hours=HoursConfig(closed=HOLIDAYS))
EXAMPLES = int(os.environ.get("XUNFANG_EXAMPLES", "0"))
PHONES = ("13812340001", "13812340001", "13812340003", "13812340004")  # two of them share one
NEVER_RANG = {CallDisposition.TRUNK_FAILURE, CallDisposition.NOT_DIALLED}
LOAD = cache(dialplan.load)
SUPERVISOR = Actor(Role.SUPERVISOR, "desk")
ENDINGS: dict[str, Script] = {
    **{each.value: ends(each) for each in CallDisposition if each is not CallDisposition.COMPLETED},
    "well": answers(WELL),
    "cut off": answers({"health": "good"}, CallDisposition.HUNG_UP_EARLY, Because.HUNG_UP),
    "worse": answers(WELL | {"health": "worse"}),
    "unclear": answers(WELL | {"gas": "unclear"}),
    "wrong number": ends(CallDisposition.OTHER_PERSON, Because.WRONG_NUMBER),
    "danger": distress(),
    "danger, cut off": distress(ending=CallDisposition.HUNG_UP_EARLY),
    "never again": opts_out,
}
ending = st.sampled_from(sorted(ENDINGS))
who = st.integers(0, len(PHONES) - 1)


NEIGHBOUR = "13700000099"


class Days(RuleBasedStateMachine):
    open_store: ClassVar[staticmethod[[Path], Store]]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = type(self).open_store(Path(self.folder.name))
        self.house = House(self.store, Path(self.folder.name), DispatchConfig(policy=POLICY))
        self.checked_until = MONDAY_NINE
        self.last_call = 0
        self.rings = 0
        # What the law of the house says at the moment of dialling, noted then.
        self.no_consent: set[int] = set()
        self.paused: dict[int, date] = {}

    @initialize(weekly=st.lists(st.booleans(), min_size=4, max_size=4))
    def a_village(self, weekly: list[bool]) -> None:
        both = (ConsentPurpose.PHONE_VISIT, ConsentPurpose.ON_SITE_VISIT, ConsentPurpose.FAMILY_NOTICE)
        self.elders: list[Elder] = [
            self.house.elder(
                phone, cadence=Cadence.WEEKLY if often else Cadence.MONTHLY, name=f"老人{at}", consents=both
            )
            for at, (phone, often) in enumerate(zip(PHONES, weekly, strict=True))
        ]
        with self.store.begin() as work:
            # A child of his own, who may not be told of every second elder; a neighbour whom all have named.
            self.phone_of_contact = {
                work.contacts.add(
                    elder_id=elder.id, position=place, phone=phone, may_be_told=bool(place > 1 or at % 2)
                ).id: phone
                for at, elder in enumerate(self.elders)
                for place, phone in enumerate((f"1370000000{at}", NEIGHBOUR), start=1)
            }
        self.house.plan()

    # ---- what happens ----------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 1, 2, 5]))
    def time_passes(self, hours: int) -> None:
        self._pass(timedelta(hours=hours))

    @rule()
    def the_next_morning_comes(self) -> None:
        now = self.house.clock.now()
        self._pass(next_opening(now + timedelta(hours=14), POLICY.hours) - now)

    @rule(days=st.integers(3, 8))
    def nobody_works_for_days(self, days: int) -> None:
        """The machine is off: no tick, no planning."""
        self.house.fleet.die()
        self.house.clock.move(timedelta(days=days))
        self.house.start()
        self.house.dispatcher.recover()

    @rule(endings=st.lists(ending, min_size=1, max_size=6), minutes=st.sampled_from([3, 3, 21]))
    def telephones_are_rung(self, endings: list[str], minutes: int) -> None:
        for name in endings:
            self.house.dispatcher.tick()
            self._look_at_new_calls()
            for order in list(self.house.fleet.waiting):
                self._play(order, ENDINGS[name])
            self.house.clock.move(timedelta(minutes=minutes))

    @rule(part=st.integers(0, 3), name=ending)
    def the_dialler_dies_in_the_middle_of_a_call(self, part: int, name: str) -> None:
        self.house.dispatcher.tick()
        self._look_at_new_calls()
        for order in self.house.fleet.waiting:
            heard = ENDINGS[name](order.call_id, self.house.clock.now())
            for event in [each for each in heard if not isinstance(each, CallEnded)][:part]:
                self.house.journal.handle(event)
        self.house.fleet.die()
        self.house.start()
        self.house.dispatcher.recover()

    @rule()
    def somebody_plans_twice(self) -> None:
        plan_due(self.store, self.house.clock, POLICY)
        assert plan_due(self.store, self.house.clock, POLICY).created == 0

    @rule(at=who, days=st.integers(0, 9))
    def a_family_tells_of_a_pause(self, at: int, days: int) -> None:
        until = local_date(self.house.clock.now(), POLICY.hours) + timedelta(days=days)
        with self.store.begin() as work:
            work.elders.update(self.elders[at].id, paused_until=until, pause_reason="住院")
        self.paused[self.elders[at].id] = until

    @rule(at=who, granted=st.booleans())
    def an_elder_is_asked_for_consent(self, at: int, granted: bool) -> None:
        with self.store.begin() as work:
            now = self.house.clock.now()
            work.consents.add(self.elders[at].id, ConsentPurpose.PHONE_VISIT, granted, now, "paper")

    @rule(at=who, name=st.sampled_from(["well", "cut off", "danger"]))
    def an_elder_rings_back(self, at: int, name: str) -> None:
        desk = Reception(
            self.store,
            self.house.clock,
            self.house.config,
            plan_of=LOAD,
            can_offer=lambda text: True,
            owner=lambda: self.house.dispatcher.dialler_id,
            wait=lambda seconds: None,
        )
        self.house.dispatcher.beat()
        self.rings += 1
        order = desk.caller(Caller(f"ring-{self.rings}", PHONES[at]))
        if isinstance(order, CallOrder):
            script = ENDINGS[name] if name != "well" else answers({"identity": "self"} | WELL)
            for event in script(order.call_id, self.house.clock.now()):
                if not desk.heard(event):
                    self.house.journal.handle(event)

    @rule(at=who)
    def a_supervisor_closes_a_case(self, at: int) -> None:
        with self.store.begin() as work:
            case = work.cases.open_for(self.elders[at].id)
            if case is not None:
                order = Order(CaseStep.CLOSE, SUPERVISOR, note="已电话核实，老人平安。")
                handle(work, case.id, order, self.house.clock.now(), POLICY.deadlines)

    @rule(at=who)
    def a_visitor_is_at_the_door(self, at: int) -> None:
        with self.store.begin() as work:
            case = work.cases.open_for(self.elders[at].id)
            if case is None or case.visitor_id is None:
                return
            actor = Actor(Role.VISITOR, str(case.visitor_id))
            for step in (CaseStep.ACCEPT, CaseStep.VISITED, CaseStep.CLOSE):
                case = handle(
                    work,
                    case.id,
                    Order(step, actor, note="已上门，老人平安。"),
                    self.house.clock.now(),
                    POLICY.deadlines,
                )

    # ---- what must hold --------------------------------------------------------------------------

    @invariant()
    def no_number_has_two_live_calls(self) -> None:
        numbers = Counter(each.number for each in self.house.fleet.waiting)
        assert all(count == 1 for count in numbers.values())

    @invariant()
    def no_elder_has_two_open_cases_or_a_plan_twice(self) -> None:
        cases = Counter(each.elder_id for each in self.house.cases())
        assert all(count == 1 for count in cases.values())
        for elder in getattr(self, "elders", ()):
            with self.store.read() as work:
                plans = work.plans.of_elder(elder.id, 100)
            assert len({each.period for each in plans}) == len(plans)

    def teardown(self) -> None:
        """The days end: what still is open gets its time, then everybody must be accounted for."""
        try:
            if hasattr(self, "elders"):
                for order in list(self.house.fleet.waiting):
                    self._play(order, ENDINGS["no_answer"])
                self._pass(timedelta(days=1))
                self._nobody_is_lost()
                self._nobody_was_pestered()
        finally:
            self.store.close()
            self.folder.cleanup()

    # ---- inside ----------------------------------------------------------------------------------

    def _pass(self, by: timedelta) -> None:
        self.house.clock.move(by)
        self.house.plan()
        remind_due(self.store, self.house.clock, POLICY.deadlines)
        self._nobody_is_lost()

    def _nobody_is_lost(self) -> None:
        """Of every period that has ended; asked again and again, over all of them."""
        self.house.plan()
        with self.store.read() as work:
            lost = work.fates.lost(MONDAY_NINE - timedelta(days=40), self.house.clock.now())
        assert lost == []

    def _play(self, order: CallOrder, script: Script) -> None:
        for event in script(order.call_id, self.house.clock.now()):
            self.house.journal.handle(event)
        self.house.fleet.waiting.remove(order)

    def _look_at_new_calls(self) -> None:
        """At the moment of dialling: hours, consent, pause, caps."""
        now = self.house.clock.now()
        with self.store.read() as work:
            for call in work.calls.page(self.last_call, 1000):
                self.last_call = call.id
                if call.direction is CallDirection.INBOUND or call.intended_at != now:
                    continue
                assert is_open(now, POLICY.hours), "a call outside of the hours"
                if call.contact_id is not None:
                    contact = work.contacts.get(call.contact_id)
                    assert contact is not None
                    assert contact.may_be_told, "a call to a contact whom the elder did not name for it"
                    continue
                agreed = work.consents.current(call.elder_id, ConsentPurpose.PHONE_VISIT)
                assert agreed is True, "a call to somebody who does not want one"
                until = self.paused.get(call.elder_id)
                assert until is None or local_date(now, POLICY.hours) > until, "a call in a pause"

    def _nobody_was_pestered(self) -> None:
        by_number: dict[str, list[datetime]] = {}
        with self.store.read() as work:
            phone_of = {each.id: each.phone for each in self.elders}
            for call in work.calls.page(0, 10_000):
                if call.direction is CallDirection.OUTBOUND and call.disposition not in NEVER_RANG:
                    own = phone_of[call.elder_id]
                    number = own if call.contact_id is None else self.phone_of_contact[call.contact_id]
                    by_number.setdefault(number, []).append(call.intended_at)
                assert call.contact_id is None or work.records.of_call(call.id) is None, "he was not heard"
        for times in by_number.values():
            days = Counter(local_date(each, POLICY.hours) for each in times)
            assert max(days.values()) <= 3
            assert all(b - a >= timedelta(minutes=10) for a, b in pairwise(times))


def _run(open_store: object, examples: int, steps: int) -> None:
    machine = type("DaysHere", (Days,), {"open_store": staticmethod(open_store)})  # type: ignore[arg-type]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES or examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_random_days_on_sqlite(sqlite_template: Path) -> None:
    def opened(folder: Path) -> Store:
        shutil.copy(sqlite_template, folder / "days.db")
        return Store(f"sqlite:///{folder}/days.db", [SECRET])

    _run(opened, 8, 14)


def test_random_days_on_postgresql(postgres: postgres_server.PostgresServer, postgres_template: str) -> None:
    def opened(folder: Path) -> Store:
        return Store(postgres.url(postgres.create(template=postgres_template)), [SECRET])

    _run(opened, 3, 10)
