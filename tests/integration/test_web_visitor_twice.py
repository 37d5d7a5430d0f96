"""One form, sent by several at one moment, on both engines: taken once, counted once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from storage_cast import NOW
from web_kit import Cast, seed

from storage import Store
from storage.model import DoorForm
from visits import door_forms, plates, timebank
from visits.deadlines import load_deadlines
from visits.door_forms import Sent
from visits.doorstep import Claim, Rules
from xunfang.vocabulary import DoorOutcome, Risk

pytestmark = pytest.mark.integration
SENDERS = 4


def a_form(cast: Cast, code: str, key: str = "one") -> Sent:
    return Sent(
        key=key,
        case_id=cast.case,
        visitor_id=cast.visitor,
        filled_at=NOW,
        claim=Claim(code=code),
        values={"rooms": "无变化"},
        reasons={},
        condition=Risk.NORMAL,
        note="情况平稳",
        close=True,
    )


def test_a_form_sent_by_several_at_one_moment_is_taken_once(store: Store) -> None:
    with store.begin() as work:
        cast = seed(work)
        code = plates.issue(work, cast.elder, "user:du", NOW).path.removeprefix("/v/")
    together = Barrier(SENDERS)
    deadlines, rules = load_deadlines(), Rules(timebank.load_rules())

    def send(_number: int) -> tuple[DoorForm, bool]:
        together.wait()
        with store.begin() as work:
            return door_forms.submit(work, a_form(cast, code), [], NOW, deadlines, rules)

    with ThreadPoolExecutor(SENDERS) as pool:
        answers = list(pool.map(send, range(SENDERS)))
    assert sorted(again for _, again in answers) == [False, True, True, True]
    assert len({(form.id, form.said, form.points) for form, _ in answers}) == 1
    with store.read() as work:
        assert [each.outcome for each in work.doorstep.forms_of_case(cast.case)] == [DoorOutcome.CLOSED]
        assert len(work.records.of_elder(cast.elder)) == 1
        assert len(work.points.of(cast.visitor, 10)) == 1


def test_two_forms_of_one_case_close_it_once_and_both_are_kept(store: Store) -> None:
    """The visitor has filled in on two telephones."""
    with store.begin() as work:
        cast = seed(work)
        code = plates.issue(work, cast.elder, "user:du", NOW).path.removeprefix("/v/")
    deadlines, rules = load_deadlines(), Rules(timebank.load_rules())
    outcomes = []
    for key in ("one", "two"):
        with store.begin() as work:
            form, _ = door_forms.submit(work, a_form(cast, code, key), [], NOW, deadlines, rules)
            outcomes.append(form.outcome)
    assert outcomes == [DoorOutcome.CLOSED, DoorOutcome.SUPPLEMENTARY]
