"""A house on a real database, a clock that is moved, and a scripted telephone process group.

`ScriptedFleet` is the only double: it stands for ivr.session.fleet, which the acceptance tests run
for real. A script is a list of endings, one per call to that number; each ending is a list of
events that the journal gets when `play` lets the calls happen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ivr.dialogue.model import Because
from ivr.session.model import (
    AlertRaised,
    Answered,
    AnswerGiven,
    CallEnded,
    CallEvent,
    CallOrder,
    Remembered,
    TurnHeard,
)
from scheduler.dispatch import DispatchConfig, Dispatcher
from scheduler.journal import Journal
from scheduler.overdue import close_overdue
from scheduler.planning import plan_due
from scheduler.policy import Policy
from storage import Store
from storage.model import Case, Elder, VisitPlan
from xunfang.clock import FixedClock
from xunfang.vocabulary import Alert, AnswerSource, CallDisposition, ConsentPurpose, Speaker

# A Monday, 9:00 in China: inside the first calling window, at the start of a week.
MONDAY_NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
HASH = "0123456789ab"
SIX = ("health", "mood", "gas", "electricity", "family", "needs")
WELL = {
    "health": "good",
    "mood": "good",
    "gas": "safe",
    "electricity": "safe",
    "family": "visits",
    "needs": "no",
}

Script = Callable[[int, datetime], list[CallEvent]]


def ends(disposition: CallDisposition, because: Because | None = None) -> Script:
    return lambda call_id, at: [CallEnded(call_id, at, disposition, because)]


def answers(
    said: dict[str, str],
    ending: CallDisposition = CallDisposition.COMPLETED,
    because: Because = Because.FINISHED,
    source: AnswerSource = AnswerSource.SELF,
    details: dict[str, tuple[str, ...]] | None = None,
) -> Script:
    """A call in which these topics were answered, each with the words `topic：answer`."""

    def play(call_id: int, at: datetime) -> list[CallEvent]:
        events: list[CallEvent] = [Answered(call_id, at)]
        for seq, (topic, answer) in enumerate(said.items()):
            when = at + timedelta(seconds=10 * seq)
            text = f"{topic}：{answer}"
            speaker = Speaker.RELATIVE if source is AnswerSource.RELATIVE else Speaker.ELDER
            alert = Alert.REVIEW if answer in ("worse", "unsafe", "short", "neglected") else Alert.NONE
            judged = {"answer": answer}
            events.append(
                TurnHeard(call_id, when, seq, speaker, text, topic, seq, seq + 1, 0.9, alert, judged)
            )
            if alert is Alert.REVIEW:
                told_by_relative = source is AnswerSource.RELATIVE
                events.append(
                    AlertRaised(
                        call_id,
                        when,
                        alert,
                        topic,
                        text,
                        start_s=seq,
                        end_s=seq + 1,
                        relative=told_by_relative,
                    )
                )
            events.append(
                AnswerGiven(
                    call_id,
                    when,
                    topic,
                    topic,
                    answer,
                    details=(details or {}).get(topic, ()),
                    text=text,
                    source=source,
                )
            )
        events.append(CallEnded(call_id, at + timedelta(seconds=90), ending, because, hung_up_by="us"))
        return events

    return play


def distress(text: str = "我摔了起不来", ending: CallDisposition = CallDisposition.COMPLETED) -> Script:
    def play(call_id: int, at: datetime) -> list[CallEvent]:
        spoken = at + timedelta(seconds=8)
        judged: dict[str, object] = {"answer": "worse", "reasons": ["跌倒"]}
        return [
            Answered(call_id, at),
            TurnHeard(call_id, spoken, 1, Speaker.ELDER, text, "health", 5.0, 7.5, 0.9, Alert.URGENT, judged),
            AlertRaised(
                call_id,
                spoken,
                Alert.URGENT,
                "health",
                text,
                evidence=(text,),
                reasons=("跌倒",),
                event="fall",
                start_s=5.0,
                end_s=7.5,
            ),
            CallEnded(call_id, at + timedelta(seconds=60), ending, Because.URGENT),
        ]

    return play


def opts_out(call_id: int, at: datetime) -> list[CallEvent]:
    text = "以后别给我打了"
    judged: dict[str, object] = {"answer": "opt_out"}
    return [
        Answered(call_id, at),
        TurnHeard(call_id, at, 1, Speaker.ELDER, text, "health", 3.0, 5.0, 0.9, Alert.REVIEW, judged),
        AlertRaised(call_id, at, Alert.REVIEW, "health", text, start_s=3.0, end_s=5.0),
        Remembered(call_id, at, "opt_out"),
        CallEnded(call_id, at + timedelta(seconds=20), CallDisposition.COMPLETED, Because.OPT_OUT),
    ]


class ScriptedFleet:
    """Stands for the process group that makes real calls."""

    def __init__(self, clock: FixedClock, capacity: int = 4) -> None:
        self.clock = clock
        self.capacity = capacity
        self.orders: list[CallOrder] = []
        self.dialled_at: list[datetime] = []
        self.waiting: list[CallOrder] = []
        self.scripts: dict[str, list[Script]] = {}
        self.handle: Callable[[CallEvent], None] = lambda event: None
        self.refuses = False
        self.lag = 0.0
        self.hung_up: list[int] = []

    def lag_ms(self) -> float:
        return self.lag

    def hang_up(self, call_id: int) -> None:
        """Nobody is told: whoever lost the lease has settled it already."""
        self.hung_up.append(call_id)
        self.waiting = [each for each in self.waiting if each.call_id != call_id]

    def free(self) -> int:
        return self.capacity - len(self.waiting)

    def live(self) -> list[int]:
        return [each.call_id for each in self.waiting]

    def dial(self, order: CallOrder) -> None:
        if self.refuses:
            raise RuntimeError("no line process")
        self.orders.append(order)
        self.dialled_at.append(self.clock.now())
        self.waiting.append(order)

    def play(self) -> None:
        """Let every waiting call happen. A script's last ending repeats."""
        for order in list(self.waiting):
            left = self.scripts.get(order.number) or [answers(WELL)]
            script = left.pop(0) if len(left) > 1 else left[0]
            for event in script(order.call_id, self.clock.now()):
                if isinstance(event, CallEnded):
                    self.waiting.remove(order)
                self.handle(event)

    def die(self) -> None:
        """The whole process group is gone, nobody is told."""
        self.waiting.clear()


class House:
    """One county with one village, wired as the composition root wires it."""

    def __init__(self, store: Store, folder: Path, config: DispatchConfig | None = None) -> None:
        self.folder = folder
        self.clock = FixedClock(MONDAY_NINE)
        self.store = store
        self.config = config or DispatchConfig(policy=Policy())
        self.policy = self.config.policy
        self.fleet = ScriptedFleet(self.clock)
        self.start()
        with self.store.begin() as work:
            county = work.areas.add(code="220183000000", name="测试县", level="county")
            self.village = work.areas.add(
                code="220183101205", name="测试村", level="village", parent_id=county.id
            ).id
            work.visitors.add(name="村巡访员", kind="village", phone="13900000001", area_id=self.village)

    def start(self) -> None:
        """A process starts (again): nothing is kept but the database."""
        self.dispatcher = Dispatcher(self.store, self.fleet, self.clock, self.config, lambda name: HASH)
        self.journal = Journal(
            self.store, self.policy, self.folder, self.dispatcher.ended, wait=lambda seconds: None
        )
        self.fleet.handle = self.journal.handle

    def elder(
        self,
        phone: str,
        *script: Script,
        consents: tuple[ConsentPurpose, ...] = (ConsentPurpose.PHONE_VISIT,),
        **fields: Any,
    ) -> Elder:
        with self.store.begin() as work:
            values = {"name": "王秀英", "sex": "F", "area_id": self.village, "phone": phone} | fields
            elder = work.elders.add(**values)
            for purpose in consents:
                work.consents.add(elder.id, purpose, True, self.clock.now() - timedelta(days=30), "paper")
        if script:
            self.fleet.scripts[phone] = list(script)
        return elder

    def plan(self) -> None:
        plan_due(self.store, self.clock, self.policy)
        close_overdue(self.store, self.clock, self.policy)

    def step(self, by: timedelta = timedelta(minutes=1)) -> int:
        """One dispatch tick, then the calls happen, then time passes."""
        dialled = self.dispatcher.tick()
        self.fleet.play()
        self.clock.move(by)
        return dialled

    def run(self, hours: float, by: timedelta = timedelta(minutes=10)) -> None:
        """Plans every six hours, dispatches in steps of `by`."""
        until = self.clock.now() + timedelta(hours=hours)
        plan_at = self.clock.now()
        while self.clock.now() < until:
            if self.clock.now() >= plan_at:
                self.plan()
                plan_at += timedelta(hours=6)
            self.step(by)

    def plan_of(self, elder: Elder) -> VisitPlan:
        with self.store.read() as work:
            plan = work.plans.of_period(elder.id, "2026-W48")
        assert plan is not None
        return plan

    def cases(self) -> list[Case]:
        with self.store.read() as work:
            return work.cases.queue(1000)

    def dispositions(self, elder: Elder) -> list[CallDisposition | None]:
        with self.store.read() as work:
            return [each.disposition for each in reversed(work.calls.of_elder(elder.id))]
