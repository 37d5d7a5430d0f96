"""The moved clock (推演): from one moment at which something happens to the next.

A simulated day plans, closes what lapsed, learns the hours and reminds of cases, as the service's ticks
do; while telephones can ring it dispatches. Between two moments at which nothing can happen the clock
jumps. What goes wrong is on purpose: a day without trunk, a dialler that dies with its calls.
"""

from __future__ import annotations

import gc
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from ivr.dialogue import dialplan as plans
from ivr.session.model import CallEvent
from records.indicators import month_of, report
from scheduler.admission import AdmissionConfig
from scheduler.calendar import Calendar, ClosedDays
from scheduler.dispatch import DispatchConfig, Dispatcher
from scheduler.due import midnight
from scheduler.hours import HoursConfig, openings
from scheduler.inbound import Reception
from scheduler.journal import Journal
from scheduler.learning import learn_daily
from scheduler.overdue import close_overdue
from scheduler.owner import LeaseConfig
from scheduler.planning import campaigns, plan_due
from scheduler.policy import Policy
from storage import Store, Work
from storage.model import Campaign, Elder
from visits.deadlines import load_deadlines
from visits.reminders import remind_due
from xunfang.clock import FixedClock
from xunfang.errors import BadInput
from xunfang.simulate.lines import AWAKE, SimulatedLines
from xunfang.simulate.people import People
from xunfang.simulate.post import Post
from xunfang.simulate.result import Disturbance, MonthResult, YearResult, reasons
from xunfang.simulate.telephones import Telephone, telephone
from xunfang.synthetic import make_county
from xunfang.vocabulary import CampaignKind, CaseKind, Category, ConsentPurpose

DAY = timedelta(days=1)
STEP = timedelta(minutes=1)  # while telephones ring
BLOCKED = timedelta(minutes=5)  # while something is due and may not be dialled (breaker, caps)
REMIND = timedelta(hours=1)
REMIND_AT_NIGHT = timedelta(hours=3)
HAS_CONTACT = 0.7  # of the elders; he may be told
BEAT = timedelta(minutes=10)
ELDERS_A_CHANNEL = 400
HASH = "simulated000"
COLLECT_AFTER = 100_000  # objects
Progress = Callable[[date, int], None]  # the day that is over, calls so far


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated. `outage`: a day without trunk; `crash`: from when on the dialler dies, with several
    calls,
    `heat`: first and last day of a surge. None: without."""

    elders: int = 2000
    year: int = 2026
    months: int = 12
    first_month: int = 1
    seed: int = 7
    channels: int | None = None  # None: by the number of elders
    outage: date | None = None
    crash: date | None = None
    heat: tuple[date, date] | None = None

    @property
    def first_day(self) -> date:
        return date(self.year, self.first_month, 1)

    @property
    def last_day(self) -> date:
        after = self.first_month + self.months - 1
        return date(self.year + after // 12, after % 12 + 1, 1) - DAY


def usual(elders: int, year: int, months: int = 12, first_month: int = 1, seed: int = 7) -> Plan:
    """With a trunk that is dead for a day, a dialler that dies and a heat wave, where they fall within."""
    if elders < 1 or not 1 <= months <= 12 or not 1 <= first_month <= 12:
        raise BadInput("simulate-year: at least one elder, 1 to 12 months, a first month from 1 to 12")
    plan = Plan(elders, year, months, first_month, seed)
    month = min(first_month + months // 3, first_month + months - 1)
    at = date(year + (month - 1) // 12, (month - 1) % 12 + 1, 10)
    heat = (date(year, 7, 15), date(year, 7, 24))
    within = plan.first_day <= heat[0] and heat[1] <= plan.last_day
    return Plan(
        elders,
        year,
        months,
        first_month,
        seed,
        outage=at,
        crash=at + 5 * DAY,
        heat=heat if within else (at + 8 * DAY, at + 12 * DAY),
    )


def simulate(store: Store, plan: Plan, progress: Progress = lambda day, calls: None) -> YearResult:
    """`store`: migrated and empty. Raises BadInput when it is not."""
    with store.read() as work:
        if work.elders.page(limit=1):
            raise BadInput(
                "simulate-year needs an empty database: invented elders must not mix with real ones"
            )
    began = time.perf_counter()
    with _without_pauses():
        world = _World(store, plan)
        day = plan.first_day
        while day <= plan.last_day:
            with store.together():  # a day: thousands of transactions of which nobody else sees anything
                world.live(day)
            progress(day, world.lines.dialled)
            day += DAY
        with store.together():
            world.close()
    world.result.seconds = time.perf_counter() - began
    return world.result


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Millions of short-lived rows, and nothing that refers to itself: looking for rubbish costs a tenth."""
    gc.collect()
    gc.freeze()
    usual_threshold = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *usual_threshold[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual_threshold)
        gc.unfreeze()


@dataclass(slots=True)
class _Tally:
    """Of the running month."""

    dialled: int = 0
    picked_up: int = 0
    on_site: int = 0
    open_most: int = 0
    loads: list[int] = field(default_factory=list)


class _World:
    def __init__(self, store: Store, plan: Plan) -> None:
        self.store = store
        self.plan = plan
        hours = HoursConfig(closed=ClosedDays(Calendar()))
        self.policy = Policy(hours=hours, deadlines=load_deadlines(None, timezone=hours.timezone))
        self.zone = ZoneInfo(hours.timezone)
        self.clock = FixedClock(midnight(plan.first_day, hours.timezone))
        self.checked_until = self.clock.now()
        county = make_county(store, plan.elders, self.clock.now(), plan.seed)
        self.channels = plan.channels or max(4, plan.elders // ELDERS_A_CHANNEL)
        self.telephones: dict[str, Telephone] = {}
        self.elder_ids: list[int] = []
        self._settle_in()
        chance = random.Random(f"lines:{plan.seed}")
        self.lines = SimulatedLines(self.clock, self.channels, self._telephone, self.zone, chance)
        self.people = People(
            store,
            self.clock,
            self.policy.deadlines,
            self.zone,
            random.Random(f"people:{plan.seed}"),
            self.telephones,
        )
        self.post = Post(store)
        self.config = DispatchConfig(
            policy=self.policy,
            # A tick stands still: what may leave within a minute leaves at once.
            admission=AdmissionConfig(self.channels, calls_per_second=self.channels),
            lease=LeaseConfig(heartbeat=BEAT, lease=6 * BEAT),
        )
        self.result = YearResult(
            plan.elders, county.villages, plan.seed, plan.first_day, plan.last_day, store.dialect
        )
        self.tally = _Tally()
        self.remind_at = self.clock.now() + REMIND
        self.crash = plan.crash
        self.start()

    def start(self) -> None:
        """A dialler starts (again): nothing is kept but the database."""
        self.dispatcher = Dispatcher(self.store, self.lines, self.clock, self.config, lambda name: HASH)
        self.journal = Journal(
            self.store, self.policy, None, self.dispatcher.ended, wait=lambda seconds: None
        )
        self.reception = Reception(
            self.store,
            self.clock,
            self.config,
            plan_of=cache(plans.load),
            can_offer=lambda text: True,
            owner=lambda: self.dispatcher.dialler_id,
            wait=lambda seconds: None,
        )
        self.lines.handle = self._heard
        self.lines.reply = self.reception.caller
        self.dispatcher.recover()

    def _heard(self, event: CallEvent) -> None:
        if not self.reception.heard(event):
            self.journal.handle(event)

    # ---- a day -------------------------------------------------------------------------------------

    def live(self, day: date) -> None:
        self._until(midnight(day, str(self.zone)))
        if day.day == 1 and day != self.plan.first_day:
            self._end_of_month(day - DAY)
        self._disturb(day)
        self.people.pause_some(self.elder_ids, day)
        self._plan()
        self.people.plan_visits()
        learn_daily(self.store, self.clock, self.policy)
        for opens, closes in openings(self.clock.now(), self.policy.hours, (), days=1):
            self._until(opens)
            while self.clock.now() < closes:
                self._tick()
                if self.crash is not None and day >= self.crash and len(self.lines.live()) > 1:
                    self._crash()
                self._until(min(self._next(), closes))
        self._until(midnight(day, str(self.zone)) + timedelta(hours=20))
        self._count_cases()
        self.post.deliver(self.clock.now())

    def close(self) -> None:
        """The morning after the last day: what lapsed at midnight is closed, and all is counted."""
        self._until(midnight(self.plan.last_day + DAY, str(self.zone)))
        self._plan()
        self._end_of_month(self.plan.last_day)
        self.result.by_hour = dict(sorted(_hours(self.lines.by_hour).items()))
        self.result.calls, self.result.picked_up = self.lines.dialled, self.lines.picked_up
        self.result.contacts, self.result.rang_us = self.lines.contacts, self.lines.rang_us
        self.result.notices = self.post.delivered
        with self.store.read() as work:
            self.result.closed_by_callback = work.fates.closed_by_elders()
        self.result.on_site, self.result.pauses = self.people.on_site, self.people.pauses
        self.dispatcher.leave()

    def _tick(self) -> int:
        self.result.ticks += 1
        return self.dispatcher.tick()

    def _plan(self) -> None:
        plan_due(self.store, self.clock, self.policy)
        close_overdue(self.store, self.clock, self.policy)
        self.people.look()
        now = self.clock.now()
        with self.store.read() as work:
            self.result.fates += work.fates.of_ended(self.checked_until, now)
            self.result.lost += work.fates.lost(self.checked_until, now)
        self.checked_until = now

    def _next(self) -> datetime:
        """When something can be dialled again. A call that ends may have a retry: looked at anew."""
        now, ends = self.clock.now(), self.lines.next_end()
        if not self.lines.free() and ends is not None:
            return ends
        with self.store.read() as work:
            if work.plans.due(now, 1) or work.contact_calls.due(now, 1):
                return now + (STEP if self.lines.live() else BLOCKED)
            later = (work.plans.next_attempt(now), work.contact_calls.next_attempt())
        # What became due with this very moment's calls is dialled a step later.
        known = [max(each, now + STEP) for each in (*later, ends) if each is not None]
        return min(known, default=now + DAY)

    def _until(self, moment: datetime) -> None:
        """Move the clock there, by whatever happens on the way: ends of calls, steps of people, reminders."""
        while True:
            soon = min(
                (
                    each
                    for each in (
                        self.lines.next_end(),
                        self.lines.next_ring(),
                        self.people.next_step(),
                        self.remind_at,
                    )
                    if each is not None
                ),
            )
            if soon > moment:
                self.clock.set(max(moment, self.clock.now()))
                return
            self.clock.set(max(soon, self.clock.now()))
            self.lines.play()
            self.lines.ring_us()
            self.people.act()
            if self.clock.now() >= self.remind_at:
                self.remind_at = self.clock.now() + self._remind_after()
                remind_due(self.store, self.clock, self.policy.deadlines)
                self.people.look()

    def _remind_after(self) -> timedelta:
        """At night only what is urgent moves."""
        hour = self.clock.now().astimezone(self.zone).hour
        return REMIND if AWAKE[0] <= hour < AWAKE[1] else REMIND_AT_NIGHT

    # ---- what goes wrong ---------------------------------------------------------------------------

    def _disturb(self, day: date) -> None:
        self.lines.trunk = day != self.plan.outage
        if day == self.plan.outage:
            self._note("中继线路全天故障")
        if self.plan.heat is not None and day == self.plan.heat[0]:
            first, last = self.plan.heat
            campaign = Campaign(
                id=0,
                code=f"heat-{first:%Y-%m}",
                name="高温专项巡访",
                kind=CampaignKind.HEAT,
                areas=(),
                categories=frozenset({Category.LIVING_ALONE, Category.ADVANCED_AGE}),
                dialplan="surge_heat",
                starts=first,
                ends=last,
                every_days=2,
                created_by="simulation",
                created_at=self.clock.now(),
            )
            with self.store.begin() as work:
                campaigns.add(work, campaign, self.clock.now())
            self._note(f"高温专项巡访开始，独居、高龄老人每两天一次，至{last:%m-%d}")

    def _crash(self) -> None:
        self.crash = None
        lost = len(self.lines.live())
        self.lines.die()
        self.start()
        self._note(f"拨号进程崩溃，{lost}通正在进行的电话中断，重启后重新安排")

    def _note(self, what: str) -> None:
        self.result.disturbances.append(Disturbance(self.clock.now(), what))

    # ---- counting ----------------------------------------------------------------------------------

    def _count_cases(self) -> None:
        loads: Counter[int] = Counter()
        open_now, after = 0, None
        while True:
            with self.store.read() as work:
                page = work.cases.queue(500, after=after)
            open_now += len(page)
            loads.update(each.visitor_id for each in page if each.visitor_id is not None)
            if len(page) < 500:
                break
            after = page[-1]
        self.tally.open_most = max(self.tally.open_most, open_now)
        self.tally.loads += loads.values()

    def _end_of_month(self, last: date) -> None:
        month = month_of(f"{last:%Y-%m}", self.zone)
        with self.store.read() as work:
            made = report(work, month, self.clock.now(), levels=0)
        total, tally = made.total, self.tally
        hours = {at: calls for at, calls in self.lines.by_hour.items() if f"{at:%Y-%m}" == month.text}
        kinds = {kind.value: count for kind in CaseKind if (count := total.count(f"kind_{kind.value}"))}
        due, visited = total.count("due"), total.count("visited")
        self.result.months.append(
            MonthResult(
                month=month.text,
                days=last.day,
                active=total.count("active"),
                due=due,
                visited=visited,
                rate=visited / due if due else None,
                unvisited=reasons(made),
                calls=self.lines.dialled - tally.dialled,
                picked_up=self.lines.picked_up - tally.picked_up,
                busiest_hour=max(hours.values(), default=0),
                days_called=len({at.date() for at in hours}),
                cases=kinds,
                on_site=self.people.on_site - tally.on_site,
                open_most=tally.open_most,
                caseload_most=max(tally.loads, default=0),
                caseload_mean=sum(tally.loads) / len(tally.loads) if tally.loads else 0.0,
            )
        )
        self.result.cases += sum(kinds.values())
        self.result.closed = self.people.closed
        self.tally = _Tally(self.lines.dialled, self.lines.picked_up, self.people.on_site)

    # ---- the county ----------------------------------------------------------------------------------

    def _settle_in(self) -> None:
        """A visitor for every village, a telephone for every number."""
        after = 0
        while True:
            with self.store.read() as work:
                page = work.elders.page(after, 1000)
            for elder in page:
                self._moves_in(elder)
            if page:
                self._families(page)
            if len(page) < 1000:
                break
            after = page[-1].id
        with self.store.begin() as work:
            _visitors(work)

    def _moves_in(self, elder: Elder) -> None:
        self.elder_ids.append(elder.id)
        if elder.phone:
            self._telephone(elder.phone)

    def _telephone(self, number: str) -> Telephone:
        if number not in self.telephones:
            self.telephones[number] = telephone(number, self.plan.seed, self.plan.year)
        return self.telephones[number]

    def _families(self, elders: list[Elder]) -> None:
        """Most have somebody who may be told, and asked, when they are silent."""
        chance = random.Random(f"families:{self.plan.seed}:{elders[0].id}")
        with self.store.begin() as work:
            for elder in elders:
                if chance.random() < HAS_CONTACT:
                    work.consents.add(elder.id, ConsentPurpose.FAMILY_NOTICE, True, self.clock.now(), "paper")
                    work.contacts.add(
                        elder_id=elder.id,
                        position=1,
                        name="家属",
                        relation="child",
                        phone=f"1990{elder.id:07d}",
                        may_be_told=True,
                    )


def _visitors(work: Work) -> None:
    county = next(each for each in work.reports.areas() if each.level == "county")
    for township in work.areas.children(county.id):
        for village in work.areas.children(township.id):
            name = f"{village.name}巡访员"
            work.visitors.add(name=name, kind="village", area_id=village.id)


def _hours(by_hour: dict[datetime, int]) -> dict[int, int]:
    found: Counter[int] = Counter()
    for at, calls in by_hour.items():
        found[at.hour] += calls
    return found
