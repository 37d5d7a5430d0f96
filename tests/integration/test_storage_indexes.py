"""What the repositories really ask is answered from an index, so that a ledger can grow.

Checked with SQLite's EXPLAIN QUERY PLAN on the statements as they are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event
from storage_cast import DAY, ID_CARD, NOW, PHONE, SECRET, a_case, an_elder

from storage import Store, Work
from xunfang.vocabulary import CallDisposition, ConsentPurpose

pytestmark = pytest.mark.integration

Ask = Callable[[Work], Any]


def query_plan(store: Store, ask: Ask) -> str:
    sent: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "WITH", "DELETE")):
            sent.append((statement, values))

    event.listen(store._engine, "before_cursor_execute", keep)
    with store.begin() as work:
        ask(work)
    event.remove(store._engine, "before_cursor_execute", keep)
    assert sent
    with store._engine.connect() as connection:
        steps = [
            step
            for statement, values in sent
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    return "\n".join(str(step[3]) for step in steps)


ORDERED: dict[str, Ask] = {
    "the plan of a period": lambda work: work.plans.of_period(1, "2026-W48"),
    "live calls": lambda work: work.calls.open(),
    "calls of a plan": lambda work: work.calls.of_plan(1),
    "contacts to be called": lambda work: work.contact_calls.due(NOW, 10),
    "the contact of a call": lambda work: work.contact_calls.of_call(1),
    "calls of an elder": lambda work: work.calls.of_elder(1),
    "calls to a number": lambda work: work.calls.to_number_since(PHONE, NOW),
    "a page of calls": lambda work: work.calls.page(after_id=5),
    "the queue": lambda work: work.cases.queue(),
    "the next page of the queue": lambda work: work.cases.queue(after=work.cases.get(1)),
    "cases to look at": lambda work: work.cases.to_look_at(NOW),
    "the open case": lambda work: work.cases.open_for(1),
    "cases of an elder": lambda work: work.cases.of_elder(1),
    "pending notices": lambda work: work.notices.pending(NOW),
    "notices of a case": lambda work: work.notices.of_case(1),
    "past calls of an elder": lambda work: work.times.past(1, NOW, 60),
    "the best hour of an elder": lambda work: work.times.best(1),
    "calls that rang a number": lambda work: work.times.rang(PHONE, NOW, [CallDisposition.BUSY]),
    "is a number live": lambda work: work.times.is_live(PHONE),
    "the elder of an ID card": lambda work: work.elders.find_by_id_card(ID_CARD),
    "a page of elders": lambda work: work.elders.page(after_id=5),
    "contacts": lambda work: work.contacts.of(1),
    "the present consent": lambda work: work.consents.current(1, ConsentPurpose.RECORDING),
    "turns": lambda work: work.turns.of(1),
    "the baseline": lambda work: work.records.latest(1, before=NOW),
    "the record of a call": lambda work: work.records.of_call(1),
    "the audit of a subject": lambda work: work.audit.of("case:1"),
}
# These sort what they found: few rows by their nature (lines, one call, one elder, one limit).
FOUND: dict[str, Ask] = {
    "due plans": lambda work: work.plans.due(NOW, 10),  # those whose time has come, not those put off
    "plans in flight": lambda work: work.plans.in_flight(),
    "elders behind a number": lambda work: work.elders.find_by_phone(PHONE),
    "overdue plans": lambda work: work.plans.overdue(NOW + 30 * DAY),
    "answers of a call": lambda work: work.answers.of(1),
    "answers of a plan": lambda work: work.answers.of_plan(1),
    "elders of an area": lambda work: work.elders.page(area_id=1),
    "consents of an elder": lambda work: work.consents.of(1),
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(str(tmp_path_factory.mktemp("indexes") / "x.db"), [SECRET])
    store.migrate()
    with store.begin() as work:
        a_case(work, an_elder(work))
    yield store
    store.close()


@pytest.mark.parametrize("name", [*ORDERED, *FOUND])
def test_no_question_reads_a_whole_table(asked: Store, name: str) -> None:
    plan = query_plan(asked, (ORDERED | FOUND)[name])
    scans = [step for step in plan.splitlines() if step.startswith("SCAN") and "subtree" not in step]
    # Reading a partial index from its start in order is what it is there for.
    assert [step for step in scans if "ix_call_live" not in step and "ix_case_queue" not in step] == []


@pytest.mark.parametrize("name", ORDERED)
def test_lists_come_in_the_order_of_their_index(asked: Store, name: str) -> None:
    assert "TEMP B-TREE" not in query_plan(asked, ORDERED[name])
