"""Verdicts and corrections on both engines; alerts counted per lexicon entry."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from storage_cast import DAY, NOW, a_call, an_elder

from storage import Store, Work
from storage.engine import WRITES, database_url, open_engine
from storage.model import Elder, EntryCount, Turn, Verdict
from xunfang.vocabulary import Alert, ReviewVerdict, Speaker

pytestmark = pytest.mark.integration

CONFIRMED, FALSE_ALARM, MISSED = ReviewVerdict.CONFIRMED, ReviewVerdict.FALSE_ALARM, ReviewVerdict.MISSED
SAID = "老王家摔了一跤"


def a_turn(
    work: Work, elder: Elder, entries: Sequence[str], alert: Alert = Alert.REVIEW, **call: object
) -> int:
    """A call with one turn that was said; its id."""
    made = a_call(work, elder, **call)
    judgement = {"entries": list(entries), "reasons": []}
    work.turns.add(Turn(made.id, 1, Speaker.ELDER, SAID, "event", alert=alert, judgement=judgement))
    return made.id


def say(
    work: Work, call_id: int, verdict: ReviewVerdict, entries: Sequence[str] = (), why: str = ""
) -> Verdict:
    return work.verdicts.add(
        call_id=call_id,
        turn_seq=1,
        alert=Alert.REVIEW,
        verdict=verdict,
        reason=why,
        by="user:3",
        at=NOW,
        entries=entries,
        text=SAID,
    )


def test_the_last_verdict_counts_and_the_earlier_ones_stay(store: Store) -> None:
    with store.begin() as work:
        call_id = a_turn(work, an_elder(work), ["fall.plain"])
        first = say(work, call_id, CONFIRMED)
        second = say(work, call_id, FALSE_ALARM, why="说的是老王")
        assert work.verdicts.last_of_turn(call_id, 1) == second
        assert work.verdicts.last_of_turn(call_id, 2) is None
        assert work.verdicts.of_call(call_id) == [first, second]
        assert work.verdicts.get(first.id) == first
        assert first.text_hash == second.text_hash != None  # noqa: E711
        assert work.verdicts.by_entry() == [EntryCount("fall.plain", 1, 0, 1, 0)]


def test_reasons_are_ciphertext_and_the_words_are_only_a_hash(store: Store, database: str) -> None:
    with store.begin() as work:
        call_id = a_turn(work, an_elder(work), ["fall.plain"])
        say(work, call_id, FALSE_ALARM, why="说的是老王")
        work.corrections.add(
            call_id=call_id,
            question="health",
            topic="health",
            answer="worse",
            why="老王说的",
            by="user:3",
            at=NOW,
        )
    engine = open_engine(database_url(database))
    with engine.connect() as connection:
        held = [
            str(value)
            for table in ("verdict", "correction")
            for row in connection.execute(sa.text(f"SELECT * FROM {table}"))
            for value in row
        ]
    engine.dispose()
    assert not [value for value in held if "老王" in value]
    assert store.rotate_keys() >= 2


def test_an_alert_counts_for_every_entry_that_it_rests_on(store: Store) -> None:
    with store.begin() as work:
        elder = an_elder(work)
        both = a_turn(work, elder, ["fall.plain", "plea.save"], Alert.URGENT)
        a_turn(work, elder, ["fall.plain"])
        quiet = a_turn(work, elder, [], Alert.NONE)
        say(work, both, CONFIRMED, ["fall.plain", "plea.save"])
        say(work, quiet, MISSED, ["chest.pain"])
        assert work.verdicts.by_entry() == [
            EntryCount("chest.pain", 0, 0, 0, 1),
            EntryCount("fall.plain", 2, 1, 0, 0),
            EntryCount("plea.save", 1, 1, 0, 0),
        ]
        assert work.verdicts.by_entry()[1].unreviewed == 1


def test_counts_are_of_the_area_and_the_time_asked_for(store: Store) -> None:
    with store.begin() as work:
        county = work.areas.add(code="220183", name="县", level="county")
        village = work.areas.add(code="220183101", name="村", level="village", parent_id=county.id)
        other = work.areas.add(code="220184", name="邻县", level="county")
        here, there = an_elder(work, area_id=village.id), an_elder(work, area_id=other.id)
        a_turn(work, here, ["fall.plain"])
        a_turn(work, here, ["fall.plain"], intended_at=NOW - 40 * DAY)
        say(work, a_turn(work, there, ["fall.plain"]), FALSE_ALARM)

        def counted(**which: object) -> list[tuple[int, int]]:
            return [(each.raised, each.false_alarms) for each in work.verdicts.by_entry(**which)]  # type: ignore[arg-type]

        assert counted() == [(3, 1)]
        assert counted(area_id=county.id) == [(2, 0)]
        assert counted(area_id=county.id, since=NOW - DAY) == [(1, 0)]
        assert counted(area_id=other.id) == [(1, 1)]
        assert counted(since=NOW + DAY) == []


def test_a_corrected_answer_has_its_history_and_the_last_one_counts(store: Store) -> None:
    with store.begin() as work:
        call_id = a_turn(work, an_elder(work), [])
        given = {"call_id": call_id, "question": "needs", "topic": "needs", "by": "user:3", "at": NOW}
        first = work.corrections.add(**given, answer="no", why="听错")  # type: ignore[arg-type]
        last = work.corrections.add(**given, answer="yes", details=["meals"], why="重听")  # type: ignore[arg-type]
        assert work.corrections.of_call(call_id) == [first, last]
        assert work.corrections.last_of_call(call_id) == {"needs": last}
        assert last.details == ("meals",)
        assert work.corrections.of_call(999) == []


def test_turns_stored_before_this_version_are_counted_by_the_words_of_their_reasons(
    store: Store, database: str
) -> None:
    reasons = ["fall.plain: affirmed now self -> urgent", "up.no: negated now self -> none", "heard as 摔了"]
    old = {"reasons": reasons, "alert": "urgent"}
    with store.begin() as work:
        call = a_call(work, an_elder(work))
        for seq in (1, 2):
            work.turns.add(
                Turn(call.id, seq, Speaker.ELDER, SAID, "event", alert=Alert.URGENT, judgement=old)
            )
        assert work.verdicts.by_entry() == []
    migration = importlib.import_module("storage.migrations.versions.0004_verdicts")
    engine = open_engine(database_url(database))
    with (
        engine.connect().execution_options(**{WRITES: True}) as connection,
        connection.begin(),
        Operations.context(MigrationContext.configure(connection)),
    ):
        migration._name_the_entries()
    engine.dispose()
    with store.read() as work:
        assert work.verdicts.by_entry() == [EntryCount("fall.plain", 2, 0, 0, 0)]
        assert work.turns.of(call.id)[0].judgement["reasons"] == reasons
