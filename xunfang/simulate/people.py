"""Whoever goes to the door: visitors with their cases, visits of those who are never telephoned, pauses
that families tell of. Everything through the steps and tables that the desk and the visitors use.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from storage import Store, Work
from storage.model import Case, VisitPlan
from visits.deadlines import Deadlines
from visits.handling import elder_of, handle
from visits.life import Actor, Order, Role
from visits.service import candidates
from xunfang.clock import FixedClock
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.simulate.telephones import Telephone
from xunfang.vocabulary import CaseKind, CaseStatus, CaseStep, ConsentPurpose, Priority, Risk, VisitMode

PAUSES_A_DAY = 0.0006  # of the elders: 住院, 外出, 亲友家; about one in five a year
PAUSE_DAYS = (3, 35)
PAUSE_REASONS = ("住院", "外出", "亲友家")
DAY_OF_WORK = (time(7, 30), time(19, 30))
REFUSES = 0.04  # of the cases a visitor is told of
SILENT = 0.04
FORGETS = 0.02  # visits on site that are not made in their period
# Until he accepts, until he is there after that, until he has written what was done.
ACCEPTS = {Priority.URGENT: (2, 9), Priority.HIGH: (10, 100), Priority.NORMAL: (20, 600)}  # minutes
ARRIVES = {Priority.URGENT: (10, 35), Priority.HIGH: (60, 420), Priority.NORMAL: (240, 2400)}
WRITES = {Priority.URGENT: (20, 120), Priority.HIGH: (20, 240), Priority.NORMAL: (20, 600)}
SAYS_YES_AGAIN = 0.35  # of those who are asked for consent at the door
NOTE = "已上门看望，老人情况已了解，问题已处理（推演）。"

Step = tuple[datetime, int, int, CaseStep]  # when, a number, case, what


@dataclass(slots=True)
class People:
    store: Store
    clock: FixedClock
    deadlines: Deadlines
    zone: ZoneInfo
    chance: random.Random
    telephones: dict[str, Telephone]
    on_site: int = 0  # visits at the door, with those of cases
    steps_taken: Counter[CaseStep] = field(default_factory=Counter)
    pauses: int = 0
    _known: set[int] = field(default_factory=set)
    _agenda: list[Step] = field(default_factory=list)
    _visits: list[tuple[datetime, int, VisitPlan]] = field(default_factory=list)
    _planned: set[int] = field(default_factory=set)
    _number: count[int] = field(default_factory=count)

    @property
    def closed(self) -> int:
        return self.steps_taken[CaseStep.CLOSE]

    # ---- cases -----------------------------------------------------------------------------------

    def hear_of(self, case: Case) -> None:
        """Its visitor was told: when will he accept it, refuse it, or stay silent?"""
        drawn = self.chance.random()
        if drawn < SILENT:
            # Somebody else is told by and by; in the end somebody goes.
            self._later(case, CaseStep.ACCEPT, self.clock.now() + timedelta(hours=30))
        elif drawn < SILENT + REFUSES and case.visitor_id is not None:
            self._in(case, CaseStep.REFUSE, ACCEPTS)
        else:
            self._in(case, CaseStep.ACCEPT, ACCEPTS)

    def look(self) -> None:
        """New cases, also of planning and of ended periods."""
        after: Case | None = None
        while True:
            with self.store.read() as work:
                page = work.cases.queue(500, after=after)
            for case in page:
                if case.id not in self._known:
                    self._known.add(case.id)
                    self.hear_of(case)
            if len(page) < 500:
                return
            after = page[-1]

    def next_step(self) -> datetime | None:
        due = [each[0][0] for each in (self._agenda, self._visits) if each]
        return min(due, default=None)

    def act(self) -> None:
        now = self.clock.now()
        while self._agenda and self._agenda[0][0] <= now:
            _, _, case_id, step = heapq.heappop(self._agenda)
            self._take(case_id, step, now)
        while self._visits and self._visits[0][0] <= now:
            _, _, plan = heapq.heappop(self._visits)
            self._visit(plan, now)

    def _take(self, case_id: int, step: CaseStep, now: datetime) -> None:
        with self.store.begin() as work:
            case = work.cases.get(case_id)
            if case is None or case.closed_at is not None:
                self._known.discard(case_id)
                return
            visitor = case.visitor_id
            actor = Actor(Role.SUPERVISOR, "desk") if visitor is None else Actor(Role.VISITOR, str(visitor))
            order = Order(step, actor, note=NOTE if step in (CaseStep.CLOSE, CaseStep.REFUSE) else "")
            if visitor is None and step is not CaseStep.CLOSE:
                elder = elder_of(work, case)
                near = candidates(work, elder)
                order = (
                    Order(CaseStep.ASSIGN, actor, visitor_id=near[0].id)
                    if near
                    else Order(CaseStep.CLOSE, actor, note=NOTE)
                )
            try:
                becomes = handle(work, case_id, order, now, self.deadlines)
            except (Conflict, BadInput, NotFound):
                becomes = case  # somebody was first, or it was opened again: looked at anew below
            else:
                self.steps_taken[order.step] += 1
                if order.step is CaseStep.VISITED:
                    self._at_the_door(work, becomes, now)
        self._continue(becomes)

    def _continue(self, case: Case) -> None:
        match case.status:
            case CaseStatus.OPEN | CaseStatus.ASSIGNED:
                self._in(case, CaseStep.ACCEPT, ACCEPTS)
            case CaseStatus.ACCEPTED | CaseStatus.ON_THE_WAY:
                self._in(case, CaseStep.VISITED, ARRIVES)
            case CaseStatus.VISITED | CaseStatus.REFERRED:
                self._in(case, CaseStep.CLOSE, WRITES)
            case CaseStatus.CLOSED:
                self._known.discard(case.id)

    def _at_the_door(self, work: Work, case: Case, now: datetime) -> None:
        self.on_site += 1
        elder = work.elders.get(case.elder_id)
        assert elder is not None
        work.records.put(
            elder_id=elder.id,
            plan_id=None,
            call_id=None,
            mode=VisitMode.ON_SITE,
            visited_at=now,
            fields={},
            risk=Risk.NORMAL,
        )
        if case.kind is CaseKind.NUMBER_PROBLEM and elder.phone in self.telephones:
            self.telephones[elder.phone].mended()
        if case.kind in (CaseKind.REFUSAL, CaseKind.CONSENT):
            agrees = self.chance.random() < SAYS_YES_AGAIN
            work.consents.add(elder.id, ConsentPurpose.PHONE_VISIT, agrees, now, "paper")
            work.consents.add(elder.id, ConsentPurpose.ON_SITE_VISIT, True, now, "paper")

    # ---- visits on site ----------------------------------------------------------------------------

    def plan_visits(self) -> None:
        """Once a day: whoever waits for a visit gets a day within the period."""
        now, after = self.clock.now(), 0
        while True:
            with self.store.read() as work:
                page = work.fates.at_home(now, after, 500)
            for plan in page:
                if plan.id not in self._planned:
                    self._planned.add(plan.id)
                    self._choose_day(plan, now)
            if len(page) < 500:
                return
            after = page[-1].id

    def _choose_day(self, plan: VisitPlan, now: datetime) -> None:
        if self.chance.random() < FORGETS:
            return
        left = plan.due_until - now - timedelta(hours=6)
        at = self._at_work(now + left * self.chance.random())
        if at < plan.due_until:
            heapq.heappush(self._visits, (at, next(self._number), plan))

    def _visit(self, plan: VisitPlan, now: datetime) -> None:
        self.on_site += 1
        with self.store.begin() as work:
            work.records.put(
                elder_id=plan.elder_id,
                plan_id=plan.id,
                call_id=None,
                mode=VisitMode.ON_SITE,
                visited_at=now,
                fields={},
                risk=Risk.NORMAL,
            )

    # ---- pauses ------------------------------------------------------------------------------------

    def pause_some(self, elder_ids: list[int], today: date) -> None:
        how_many = sum(self.chance.random() < PAUSES_A_DAY for _ in elder_ids)
        for elder_id in self.chance.sample(elder_ids, how_many):
            until = today + timedelta(days=self.chance.randrange(*PAUSE_DAYS))
            reason = self.chance.choice(PAUSE_REASONS)
            with self.store.begin() as work:
                work.elders.update(elder_id, paused_until=until, pause_reason=reason)
            self.pauses += 1

    # ---- inside ------------------------------------------------------------------------------------

    def _in(self, case: Case, step: CaseStep, minutes: dict[Priority, tuple[int, int]]) -> None:
        after = timedelta(minutes=self.chance.randrange(*minutes[case.priority]))
        at = self.clock.now() + after
        self._later(case, step, at if case.priority is Priority.URGENT else self._at_work(at))

    def _later(self, case: Case, step: CaseStep, at: datetime) -> None:
        heapq.heappush(self._agenda, (at, next(self._number), case.id, step))

    def _at_work(self, at: datetime) -> datetime:
        """Visitors of villages work every day, but not at night."""
        local = at.astimezone(self.zone)
        begins, ends = DAY_OF_WORK
        if begins <= local.time() < ends:
            return at
        day = local.date() + timedelta(days=local.time() >= ends)
        minutes = self.chance.randrange(180)
        return datetime.combine(day, begins, self.zone).astimezone(at.tzinfo) + timedelta(minutes=minutes)
