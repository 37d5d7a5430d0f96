"""Handing an elder in danger to a human: transfer by REFER, the bridge when it fails, a supervisor beside it.

No telephone: the elder's call keeps what it was asked, and the trunk is down, so that every number that is
rung is told as not reached.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ivr.dialogue import dialplan
from ivr.dialogue.model import DutyFailed, DutyNext
from ivr.session.config import DutyConfig
from ivr.session.duty import AGAIN_S
from ivr.session.handover import Handover, HandoverKit
from ivr.telephony.call import TransferTold
from ivr.telephony.leg import Leg
from ivr.understanding import understand
from xunfang.errors import BadSettings, TrunkError
from xunfang.vocabulary import DutyOutcome as O

pytestmark = pytest.mark.unit

NUMBER, OTHER, SUPERVISOR = "13800000001", "13800000002", "13800000009"
REFUSED, FAILED, NO_NEWS = TransferTold(603, True), TransferTold(486, True), TransferTold(100, True)
TRYING, TAKEN = TransferTold(100, False), TransferTold(200, True)


class Elder:
    """His call and its handover, stepped by hand."""

    def __init__(self, handover: str = "refer", number: str | None = NUMBER) -> None:
        self.asked: list[str] = []
        self.rung: list[str] = []
        self.told: list[tuple[int, O]] = []
        call: Any = SimpleNamespace(transfer=self.asked.append)
        trunk: Any = SimpleNamespace(refer_uri=lambda number: f"sip:{number}@county.test", route=self._route)
        workers: Any = None
        config = DutyConfig(others=(OTHER,), ring_s=30.0, rounds=1, handover=handover)
        self.handover = Handover(
            HandoverKit(trunk, workers, understand, lambda text: b"", config),
            dialplan.load("demo_short"),
            Leg(),
            number,
            lambda: call,
            lambda nth, outcome: self.told.append((nth, outcome)),
            lambda: self.now,
        )
        self.now = 1000.0

    def _route(self, number: str) -> list[str]:
        self.rung.append(number)
        raise TrunkError("down")

    def in_danger(self) -> Elder:
        self.handover.ring_duty()
        return self

    def step(self, seconds: float = 0.01) -> object:
        self.now += seconds
        return self.handover.step(self.now)


@pytest.fixture
def elder() -> Elder:
    return Elder().in_danger()


def test_a_county_with_a_call_centre_has_the_call_transferred_and_nobody_rung(elder: Elder) -> None:
    elder.handover.told(TRYING)
    assert elder.step() is None
    assert elder.handover.transferring
    elder.handover.told(TAKEN)
    assert elder.step() is None
    assert elder.handover.transferred
    assert elder.asked == [f"sip:{NUMBER}@county.test"]
    assert (elder.rung, elder.told) == ([], [(0, O.TRANSFERRED)])


@pytest.mark.parametrize("news", [REFUSED, FAILED, NO_NEWS], ids=["refused", "busy", "no news"])
def test_whatever_is_no_clear_yes_rings_and_bridges_at_once(elder: Elder, news: TransferTold) -> None:
    elder.handover.told(news)
    assert elder.step() == DutyNext()
    elder.step()
    elder.step()
    assert not elder.handover.transferred
    assert elder.rung == [NUMBER, OTHER]
    assert elder.told[0] == (0, O.NOT_TRANSFERRED)


def test_a_transfer_of_which_nothing_is_heard_is_given_up_in_time_and_a_late_yes_still_counts(
    elder: Elder,
) -> None:
    assert elder.step(29.0) is None
    assert elder.step(1.0) == DutyNext()
    elder.handover.told(TAKEN)
    elder.step()
    assert elder.handover.transferred
    assert elder.told == [(0, O.NOT_TRANSFERRED), (0, O.TRANSFERRED)]


def test_an_elder_whose_line_ends_in_a_transfer_that_is_open_may_be_anywhere(elder: Elder) -> None:
    elder.handover.told(TRYING)
    elder.step()
    elder.handover.hang_up()
    assert elder.told == [(0, O.UNKNOWN)]


def test_an_elder_whose_line_ends_with_the_yes_is_transferred(elder: Elder) -> None:
    elder.handover.told(TAKEN)
    elder.handover.hang_up()
    assert elder.told == [(0, O.TRANSFERRED)]


def test_without_a_number_it_is_said_that_none_is_set() -> None:
    elder = Elder(number=None).in_danger()
    assert elder.step() == DutyFailed()
    assert elder.told == [(0, O.NO_NUMBER)]
    assert elder.asked == []


def test_danger_while_a_supervisor_is_being_rung_rings_the_duty_people_too() -> None:
    """It was not rung at all, and the elder waited for a telephone that nobody had dialled."""
    elder = Elder("bridge")
    elder.handover.take_over(SUPERVISOR)
    elder.in_danger()
    for _ in range(4):
        elder.step(AGAIN_S)
    assert elder.rung == [SUPERVISOR, NUMBER, OTHER]
    assert elder.told[-1] == (0, O.NONE_CAME)


def test_a_supervisor_may_take_over_while_the_duty_people_are_rung_in_vain() -> None:
    elder = Elder("bridge").in_danger()
    elder.handover.take_over(SUPERVISOR)
    elder.step()
    assert elder.rung == [SUPERVISOR]


@pytest.mark.parametrize(
    ("config", "word"),
    [
        (DutyConfig(handover="park"), "handover"),
        (DutyConfig(rounds=0), "rounds"),
        (DutyConfig(screen_s=0), "screen_s"),
    ],
)
def test_settings_that_cannot_work_are_named(config: DutyConfig, word: str) -> None:
    with pytest.raises(BadSettings, match=word):
        config.check()


def test_the_numbers_of_duty_people_are_not_printed() -> None:
    assert OTHER not in repr(DutyConfig(others=(OTHER,)))
