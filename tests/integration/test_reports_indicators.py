"""Every indicator, recomputed in plain Python over random counties, on both engines."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from records import indicators
from records.indicator_table import COUNTS, RATES, UNVISITED
from storage import Store, Work
from storage.model import Elder, Turn
from storage.repository_coverage import BAD_NUMBER, CUT_SHORT, UNANSWERED
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import (
    Alert,
    CallDisposition,
    CaseKind,
    ConsentPurpose,
    PlanStatus,
    Priority,
    ReviewVerdict,
    Speaker,
    VisitMode,
)

pytestmark = pytest.mark.integration

ZONE = ZoneInfo("Asia/Shanghai")
MONTH = indicators.month_of("2026-11", ZONE)
NOW = datetime(2026, 12, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Seen:
    """What was stored for one elder, remembered outside the database."""

    elder: Elder
    plans: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)
    consents: list[tuple[datetime, bool]] = field(default_factory=list)
    alerts: list[tuple[datetime, ReviewVerdict | None]] = field(default_factory=list)


def a_county(work: Work, dice: random.Random, elders: int) -> tuple[list[Seen], dict[int, int | None]]:
    county = work.areas.add(code="220182000000", name="榆树市", level="county")
    towns = [
        work.areas.add(code=f"22018210{n}000", name=f"{n}号镇", level="township", parent_id=county.id)
        for n in range(2)
    ]
    villages = [
        work.areas.add(code=f"22018210{at}20{n}", name=f"{at}{n}村", level="village", parent_id=town.id)
        for at, town in enumerate(towns)
        for n in range(2)
    ]
    parents = {each.id: each.parent_id for each in (county, *towns, *villages)}
    homes: list[int | None] = [None, county.id, *(each.id for each in villages)]
    return [an_elder(work, dice, dice.choice(homes)) for _ in range(elders)], parents


def sometime(dice: random.Random, days: int = 45) -> datetime:
    """Around the month; also exactly on its edges."""
    edge = dice.choice((MONTH.start, MONTH.end, MONTH.start - timedelta(seconds=1), None, None, None, None))
    return edge or MONTH.start + timedelta(seconds=dice.randrange(-15 * 86400, days * 86400))


def an_elder(work: Work, dice: random.Random, area_id: int | None) -> Seen:
    elder = work.elders.add(
        name="老人",
        phone="13812340001",
        area_id=area_id,
        active=dice.random() < 0.8,
        pause_reason=dice.choice((None, "住院", "外出")),
        paused_until=date(2026, 12, 31),
    )
    seen = Seen(elder)
    for number in range(dice.randrange(4)):
        period, due_from, due_until = dice.choice(PERIODS)
        plan = {
            "elder_id": elder.id,
            "period": period
            if number == 0
            else f"{dice.choice(('campaign:', 'followup:', ''))}{period}x{number}",
            "mode": dice.choice((VisitMode.PHONE, VisitMode.PHONE, VisitMode.ON_SITE)),
            "due_from": due_from,
            "due_until": due_until,
            "dialplan": "weekly_short",
            "status": dice.choice(list(PlanStatus)),
        }
        work.plans.ensure([plan])
        seen.plans.append(plan)
    for _ in range(dice.randrange(4)):
        a_call(work, dice, seen)
    if dice.random() < 0.3:
        record = {"mode": dice.choice(list(VisitMode)), "visited_at": sometime(dice), "disposition": None}
        seen.records.append(record)
        work.records.put(
            elder_id=elder.id,
            plan_id=None,
            call_id=None,
            mode=record["mode"],
            visited_at=record["visited_at"],
            fields={},
        )
    for _ in range(dice.randrange(2)):
        at, granted = sometime(dice), dice.random() < 0.5
        work.consents.add(elder.id, ConsentPurpose.PHONE_VISIT, granted, at)
        seen.consents.append((at, granted))
    cases = dice.randrange(3)
    for number in range(cases):  # only one case of an elder is ever open: the last may stay so
        a_case(work, dice, seen, stays_open=number == cases - 1 and dice.random() < 0.5)
    return seen


def a_call(work: Work, dice: random.Random, seen: Seen) -> None:
    at, disposition = sometime(dice), dice.choice([*CallDisposition, None])
    call = work.calls.begin(
        plan_id=None,
        elder_id=seen.elder.id,
        attempt=1,
        dialplan="weekly_short",
        dialplan_hash="0123456789ab",
        intended_at=at,
        number="13812340001",
    )
    if disposition is not None:
        work.calls.finish(call.id, ended_at=at + HOUR, disposition=disposition)
    seen.calls.append({"at": at, "disposition": disposition})
    if dice.random() < 0.5:
        seen.records.append(
            {"mode": VisitMode.PHONE, "visited_at": at + HOUR, "disposition": disposition, "call": 1}
        )
        work.records.put(
            elder_id=seen.elder.id,
            plan_id=None,
            call_id=call.id,
            mode=VisitMode.PHONE,
            visited_at=at + HOUR,
            fields={},
        )
    for seq in range(dice.randrange(3)):
        alert = dice.choice(list(Alert))
        work.turns.add(Turn(call_id=call.id, seq=seq, speaker=Speaker.ELDER, text="话", alert=alert))
        last = None
        for _ in range(dice.randrange(3)):
            last = dice.choice((ReviewVerdict.CONFIRMED, ReviewVerdict.FALSE_ALARM))
            work.verdicts.add(
                call_id=call.id, turn_seq=seq, alert=alert, verdict=last, reason="听了", by="user:a", at=at
            )
        if alert is not Alert.NONE:
            seen.alerts.append((at, last))


def a_case(work: Work, dice: random.Random, seen: Seen, stays_open: bool) -> None:
    opened = sometime(dice)
    deadline = opened + dice.randrange(1, 200) * HOUR
    case: dict[str, Any] = {
        "opened": opened,
        "deadline": deadline,
        "kind": dice.choice(list(CaseKind)),
        "priority": dice.choice(list(Priority)),
        "accepted": None,
        "visited": None,
        "closed": None,
    }
    made = work.cases.open(
        elder_id=seen.elder.id,
        kind=case["kind"],
        priority=case["priority"],
        opened_at=opened,
        deadline=deadline,
    )
    if dice.random() < 0.6:
        case["accepted"] = opened + timedelta(seconds=dice.randrange(7200))
        for late in (HOUR, timedelta()):  # accepted twice: the first counts
            work.audit.write(case["accepted"] + late, "visitor:1", "case.accept", f"case:{made.id}", {})
    if dice.random() < 0.6:
        case["visited"] = opened + timedelta(seconds=dice.randrange(86400 * 5))
        assert work.cases.advance(made, replace(made, visited_at=case["visited"]), look_at=opened)
    if not stays_open:
        case["closed"] = dice.choice((deadline, deadline + HOUR, opened))
        assert work.cases.close(made.id, "已看望", case["closed"])
    seen.cases.append(case)


PERIODS = (
    ("2026-W45", datetime(2026, 11, 1, 16, tzinfo=UTC), datetime(2026, 11, 8, 16, tzinfo=UTC)),
    ("2026-W49", datetime(2026, 11, 29, 16, tzinfo=UTC), datetime(2026, 12, 6, 16, tzinfo=UTC)),
    ("2026-10", datetime(2026, 9, 30, 16, tzinfo=UTC), MONTH.start),
    ("2026-11", MONTH.start, MONTH.end),
    ("2026-Q4", datetime(2026, 9, 30, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC)),
    ("2026-Q3", datetime(2026, 8, 31, 16, tzinfo=UTC), MONTH.end),
)


# ---- the same in plain Python ------------------------------------------------------------------------


def naive(seen: Seen) -> tuple[Counter[str], str | None]:
    """The counts of one elder, and his reason when he counts as paused."""
    counts: Counter[str] = Counter()
    ordinary = [each for each in seen.plans if not each["period"].startswith(("campaign:", "followup:"))]
    if seen.elder.active:
        counts["active"] += 1
        covered = any(each["due_from"] < MONTH.end and each["due_until"] > MONTH.start for each in ordinary)
        counts["unplanned"] += not covered
    due = [each for each in ordinary if MONTH.start < each["due_until"] <= MONTH.end]
    reason = None
    if due:
        counts["due"] += 1
        fate = fate_of(seen, due, counts)
        counts[fate] += 1
        if fate == "paused":
            reason = seen.elder.pause_reason or indicators.NO_REASON
    for each in seen.calls:
        if within(each["at"]) and each["disposition"] is not None:
            counts[f"call_{each['disposition'].value}"] += 1
    for each in seen.cases:
        if within(each["opened"]):
            count_case(each, counts)
    for at, verdict in seen.alerts:
        if within(at):
            counts["alerts"] += 1
            counts["confirmed"] += verdict is ReviewVerdict.CONFIRMED
            counts["false_alarms"] += verdict is ReviewVerdict.FALSE_ALARM
            counts["reviewed"] += verdict is not None
    return counts, reason


def within(at: datetime, since: datetime = MONTH.start) -> bool:
    return since <= at < MONTH.end


def fate_of(seen: Seen, due: list[dict[str, Any]], counts: Counter[str]) -> str:
    since = min(
        each["due_from"] if "-Q" in each["period"][4:6] and len(each["period"]) == 7 else MONTH.start
        for each in due
    )
    modes = {
        each["mode"]
        for each in seen.records
        if within(each["visited_at"], since)
        and (
            each["mode"] is not VisitMode.PHONE
            or "call" not in each
            or each["disposition"] is CallDisposition.COMPLETED
        )
    }
    if any(each["visited"] and within(each["visited"], since) for each in seen.cases):
        modes.add(VisitMode.ON_SITE)
    for mode in modes:
        counts[mode.value] += 1
    called = {each["disposition"] for each in seen.calls if within(each["at"], since)}
    said = sorted(
        ((at, number, granted) for number, (at, granted) in enumerate(seen.consents) if at < MONTH.end)
    )
    refused = bool(said) and not said[-1][2]
    refused |= any(each["kind"] is CaseKind.REFUSAL and within(each["opened"], since) for each in seen.cases)
    if modes:
        return "visited"
    if any(each["status"] is PlanStatus.PAUSED for each in due):
        return "paused"
    if refused:
        return "refused"
    if any(each["mode"] is not VisitMode.PHONE or each["status"] is PlanStatus.ON_SITE for each in due):
        return "on_site_pending"
    for name, which in (("bad_number", BAD_NUMBER), ("cut_short", CUT_SHORT), ("unanswered", UNANSWERED)):
        if called & which:
            return name
    return "not_dialled"


def count_case(case: dict[str, Any], counts: Counter[str]) -> None:
    counts["cases"] += 1
    counts[f"kind_{case['kind'].value}"] += 1
    if case["closed"] is not None:
        state = "closed_in_time" if case["closed"] <= case["deadline"] else "closed_late"
    else:
        state = "open_overdue" if case["deadline"] < NOW else "open_in_time"
    counts[state] += 1
    counts["case_due"] += state != "open_in_time"
    if case["priority"] is Priority.URGENT:
        counts["urgent"] += 1
        if case["accepted"]:
            counts["urgent_accepted"] += 1
            counts["urgent_accept_s"] += int((case["accepted"] - case["opened"]).total_seconds())
        if case["visited"]:
            counts["urgent_visited"] += 1
            counts["urgent_visit_s"] += int((case["visited"] - case["opened"]).total_seconds())
            counts["urgent_visited_in_time"] += case["visited"] <= case["deadline"]


def expected(
    county: list[Seen], parents: dict[int, int | None]
) -> tuple[dict[Any, Counter[str]], dict[Any, Counter[str]]]:
    sums: dict[Any, Counter[str]] = defaultdict(Counter)
    pauses: dict[Any, Counter[str]] = defaultdict(Counter)
    for seen in county:
        counts, reason = naive(seen)
        above: list[Any] = ["all"]
        at = seen.elder.area_id
        if at is None:
            above.append("none")
        while at is not None:
            above.append(at)
            at = parents[at]
        for each in above:
            sums[each].update(counts)
            if reason:
                pauses[each][reason] += 1
    return sums, pauses


def key(row: indicators.Row) -> Any:
    return row.area_id if row.area_id is not None else row.level


@pytest.mark.parametrize("seed", range(2))
def test_every_number_is_what_plain_python_counts(store: Store, seed: int) -> None:
    dice = random.Random(seed)
    with store.begin() as work:
        county, parents = a_county(work, dice, 60)
    with store.read() as work:
        made = indicators.report(work, MONTH, NOW)
    sums, pauses = expected(county, parents)
    keys = {*(each.key for each in COUNTS), "urgent_accept_s", "urgent_visit_s"}
    for row in made.rows:
        assert {name: row.count(name) for name in keys} == {name: sums[key(row)][name] for name in keys}
        assert row.pauses == dict(pauses[key(row)])
    assert {key(row) for row in made.rows} >= set(sums)
    assert made.total.count("due") > 10


def test_every_elder_that_is_due_is_counted_in_exactly_one_place(sqlite_store: Store) -> None:
    with sqlite_store.begin() as work:
        a_county(work, random.Random(12), 150)
    with sqlite_store.read() as work:
        made = indicators.report(work, MONTH, NOW)
    for row in made.rows:
        parts = row.count("visited") + sum(row.count(each.key) for each in UNVISITED)
        assert row.count("due") == parts
        assert row.count("paused") == sum(row.pauses.values())
    assert all(made.total.count(each.key) for each in UNVISITED)


def test_a_township_sees_its_own_villages_only(store: Store) -> None:
    with store.begin() as work:
        _, parents = a_county(work, random.Random(7), 40)
        county = work.areas.by_code("220182000000")
        town = work.areas.by_code("220182100000")
    assert county is not None
    assert town is not None
    with store.read() as work:
        whole = {row.area_id: row for row in indicators.report(work, MONTH, NOW, county.id).rows}
        part = indicators.report(work, MONTH, NOW, town.id)
    below = {id for id, parent in parents.items() if parent == town.id} | {town.id}
    assert {row.area_id for row in part.rows} == below
    for row in part.rows:
        assert row.counts == whole[row.area_id].counts
    assert [row.depth for row in part.rows] == [0, 1, 1]


def test_the_only_county_of_a_house_is_counted_as_one_of_several_would_be(sqlite_store: Store) -> None:
    """Asked for as everything it must hold nobody who belongs to no area."""
    with sqlite_store.begin() as work:
        a_county(work, random.Random(7), 60)
        county = work.areas.by_code("220182000000")
    assert county is not None
    with sqlite_store.read() as work:
        everything = indicators.report(work, MONTH, NOW)
        alone = indicators.report(work, MONTH, NOW, county.id)
        trend = indicators.trend(work, MONTH, ZONE, county.id)
    assert everything.rows[-1].level == "none"
    assert everything.total.count("due") > alone.total.count("due") > 0
    with sqlite_store.begin() as work:
        work.areas.add(code="220199000000", name="邻县", level="county")
    with sqlite_store.read() as work:
        beside = indicators.report(work, MONTH, NOW, county.id)
        assert indicators.trend(work, MONTH, ZONE, county.id) == trend
    assert alone.rows == beside.rows


def test_the_number_of_questions_does_not_grow_with_the_county(sqlite_store: Store) -> None:
    def questions() -> int:
        asked: list[str] = []

        def keep(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
            if statement.startswith(("SELECT", "WITH")):
                asked.append(statement)

        event.listen(sqlite_store._engine, "before_cursor_execute", keep)
        with sqlite_store.read() as work:
            indicators.report(work, MONTH, NOW)
        event.remove(sqlite_store._engine, "before_cursor_execute", keep)
        return len(asked)

    questions()  # the first one also proves the key
    empty = questions()
    with sqlite_store.begin() as work:
        a_county(work, random.Random(3), 50)
    assert questions() == empty


def test_a_rate_over_nothing_is_no_rate(sqlite_store: Store) -> None:
    with sqlite_store.read() as work:
        made = indicators.report(work, MONTH, NOW)
    assert made.total.rates() == {each.key: None for each in RATES}


def test_a_month_begins_and_ends_in_the_time_of_the_county() -> None:
    assert datetime(2026, 10, 31, 16, tzinfo=UTC) == MONTH.start
    assert datetime(2026, 11, 30, 16, tzinfo=UTC) == MONTH.end
    assert indicators.before(indicators.month_of("2026-01", ZONE), 1, ZONE).text == "2025-12"
    for wrong in ("2026-13", "2026", "2026-1", "十一月", "0000-01"):
        with pytest.raises(BadInput):
            indicators.month_of(wrong, ZONE)


def test_an_unknown_area_is_said_so(sqlite_store: Store) -> None:
    with sqlite_store.read() as work, pytest.raises(NotFound):
        indicators.report(work, MONTH, NOW, 999)
