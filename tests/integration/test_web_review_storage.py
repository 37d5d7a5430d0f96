"""The queue below the screen, on both engines: order, claims, counts, and what brings a call in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from scheduler_kit import House, distress
from storage_cast import MINUTE, NOW, a_call, an_elder

from storage import Store, repository_review
from storage.model import ReviewFilter, Tab
from visits.deadlines import load_deadlines
from visits.life import Actor, Role
from visits.review import give_verdict
from visits.reviewing import claim, seen
from xunfang.vocabulary import Alert, CallDisposition, Priority, ReviewOutcome, ReviewVerdict, Risk

pytestmark = pytest.mark.integration
DU = Actor(Role.SUPERVISOR, "du")
EVERYTHING = ReviewFilter(login="du", soon=NOW + timedelta(hours=2))


def fill(store: Store, priorities: str) -> list[int]:
    """One call each: u(rgent), h(igh), n(ormal); each due a minute before the one before it."""
    ranks = {"u": Priority.URGENT, "h": Priority.HIGH, "n": Priority.NORMAL}
    with store.begin() as work:
        village = work.areas.add(code="220183101205", name="幸福村", level="village").id
        elder = an_elder(work, area_id=village)
        made = []
        for number, letter in enumerate(priorities):
            call = a_call(work, elder, None, intended_at=NOW)
            work.calls.finish(call.id, ended_at=NOW, disposition=CallDisposition.COMPLETED)
            work.reviews.flag(call, ranks[letter], NOW + timedelta(hours=4) - number * MINUTE, NOW)
            made.append(call.id)
    return made


def test_the_queue_is_read_in_order_and_goes_on_where_it_stopped(store: Store) -> None:
    calls = fill(store, "nuhuh")
    with store.read() as work:
        rows = work.reviews.page(EVERYTHING, 10)
        order = [calls[at] for at in (3, 1, 4, 2, 0)]
        assert [each.review.call_id for each in rows] == order
        last = rows[1].review
        rest = work.reviews.page(EVERYTHING, 10, (last.priority, last.deadline, last.call_id))
        assert [each.review.call_id for each in rest] == order[2:]
        assert rows[0].area == "幸福村"
        assert work.reviews.next(EVERYTHING, but=order[0]) == order[1]


def test_a_claim_is_won_once_and_counted_in_its_tab(store: Store) -> None:
    calls = fill(store, "uhh")
    with store.begin() as work:
        assert claim(work, calls[0], DU, NOW).won
        assert claim(work, calls[0], DU, NOW).won  # it is ours already
        lost = claim(work, calls[0], Actor(Role.SUPERVISOR, "li"), NOW)
        assert not lost.won
        assert lost.review is not None
        assert lost.review.claimed_by == "du"
        counts = work.reviews.counts(EVERYTHING)
        assert counts == {Tab.MINE: 1, Tab.UNCLAIMED: 2, Tab.SOON: 0, Tab.ALL: 3}
        assert work.reviews.next(EVERYTHING, but=0) == calls[0]
        others = ReviewFilter(login="li", soon=NOW)
        assert work.reviews.next(others, but=0) == calls[2]  # not what a colleague has in hand


def test_a_long_queue_is_counted_only_so_far(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository_review, "COUNTED_AT_MOST", 3)
    calls = fill(store, "uhhnn")
    with store.begin() as work:
        for call in calls[:2]:
            claim(work, call, DU, NOW)
        counts = work.reviews.counts(EVERYTHING)
    assert counts == {Tab.MINE: 2, Tab.UNCLAIMED: 3, Tab.SOON: 0, Tab.ALL: 3}


def test_what_waits_is_counted_below_an_area_and_only_so_far(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, "uhhnn")
    with store.begin() as work:
        village = work.areas.by_code("220183101205")
        other = work.areas.add(code="220183101206", name="桃园村", level="village")
        assert village is not None
        assert [work.reviews.waiting(each) for each in (None, village.id, other.id)] == [5, 5, 0]
        monkeypatch.setattr(repository_review, "COUNTED_AT_MOST", 3)
        assert work.reviews.waiting(village.id) == 3
    if store._engine.dialect.name == "sqlite":
        asked: list[tuple[str, Any]] = []
        keep = lambda *each: asked.append((each[2], each[3]))  # noqa: E731
        sa.event.listen(store._engine, "before_cursor_execute", keep)
        with store.read() as work:
            work.reviews.waiting(village.id)
        statement, values = next(each for each in asked if "FROM review" in each[0])
        with store._engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        assert "ix_review_area" in str(plan)


def test_an_urgent_call_is_in_the_queue_while_it_lives_and_leaves_it_by_its_verdict(
    store: Store, tmp_path: Path
) -> None:
    house = House(store, tmp_path)
    house.dispatcher.recover()
    elder = house.elder("13800001111", distress())
    call_id = house.dispatcher.call_now(elder.id)
    (order,) = house.fleet.waiting
    *during, end = distress()(call_id, house.clock.now())
    for event in during:
        house.journal.handle(event)
    with store.read() as work:
        live = work.reviews.get(call_id)
    assert live is not None
    assert (live.priority, live.alert, live.disposition) == (Priority.URGENT, Alert.URGENT, None)
    assert live.deadline == during[-1].at + timedelta(minutes=30)
    house.fleet.waiting.remove(order)
    house.journal.handle(end)
    with store.begin() as work:
        ended = work.reviews.get(call_id)
        assert ended is not None
        assert (ended.disposition, ended.risk) == (CallDisposition.COMPLETED, Risk.URGENT)
        assert ended.deadline == live.deadline
        assert not seen(work, call_id, DU, NOW)  # an alert waits for its verdict
        (turn,) = [each for each in work.turns.of(call_id) if each.alert is Alert.URGENT]
        rules = load_deadlines()
        give_verdict(work, call_id, turn.seq, ReviewVerdict.CONFIRMED, "", DU, NOW, rules)
        done = work.reviews.get(call_id)
    assert done is not None
    assert (done.outcome, done.done_by) == (ReviewOutcome.JUDGED, "user:du")
