"""Ringing the duty people in order, without telephones: legs that do what a test says, when it says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ivr.dialogue.model import DutyAnswered, DutyFailed, DutyNext
from ivr.session.duty import AGAIN_S, MOST_MORE, SLOT_WAIT_S, TOGETHER, DutyRinging
from ivr.session.duty_leg import Target
from ivr.telephony.endpoint import NoSlot
from ivr.telephony.leg import Leg
from xunfang.errors import TrunkError
from xunfang.vocabulary import DutyOutcome as O

pytestmark = pytest.mark.unit

ONE, TWO = Target("13800000001", 1, b""), Target("13800000002", 2, b"")
SUPERVISOR = Target("13800000009", 0, b"")


class FakeLeg:
    def __init__(self, target: Target) -> None:
        self.target = target
        self.leg = Leg()
        self.taken = self.doubtful = False
        self.outcome: O | None = None

    def step(self, now: float) -> None:
        pass

    def end(self, outcome: O) -> None:
        self.outcome = outcome


class Desk:
    """A duty ringing that is stepped by hand. `legs`: every telephone that was rung, in order."""

    def __init__(self, targets: Sequence[Target], rounds: int = 1, unasked: bool = False) -> None:
        self.elder = Leg()
        self.legs: list[FakeLeg] = []
        self.told: list[tuple[int, O]] = []
        self.now = 100.0
        self.trouble: TrunkError | None = None
        desk: Any = None
        ring: Any = self._ring
        self.ringing = DutyRinging(
            desk,
            self.elder,
            targets,
            lambda nth, outcome: self.told.append((nth, outcome)),
            rounds,
            unasked=unasked,
            ring=ring,
        )

    def _ring(self, desk: object, target: Target, now: float) -> FakeLeg:
        if self.trouble is not None:
            raise self.trouble
        self.legs.append(FakeLeg(target))
        return self.legs[-1]

    def step(self, seconds: float = 0.01) -> object:
        self.now += seconds
        return self.ringing.step(self.now)

    @property
    def rung(self) -> list[int]:
        return [leg.target.nth for leg in self.legs]


def test_the_numbers_are_rung_in_order_and_round_again_and_then_nobody_has_come() -> None:
    desk = Desk([ONE, TWO], rounds=2)
    assert desk.step() is None
    heard = []
    for at in range(4):
        desk.legs[at].outcome = O.MACHINE if at % 2 else O.NO_ANSWER
        heard.append(desk.step())
        desk.step(AGAIN_S)
    assert desk.rung == [1, 2, 1, 2]
    assert heard == [DutyNext(), DutyNext(), DutyNext(), DutyFailed()]
    assert desk.told == [(1, O.NO_ANSWER), (2, O.MACHINE), (1, O.NO_ANSWER), (2, O.MACHINE), (0, O.NONE_CAME)]
    assert desk.step() is None, "said once"


def test_one_number_alone_is_given_a_moment_before_it_is_rung_again() -> None:
    desk = Desk([ONE], rounds=2)
    desk.step()
    desk.legs[0].outcome = O.BUSY
    assert desk.step() == DutyNext()
    desk.step(AGAIN_S - 1)
    assert desk.rung == [1]
    desk.step(1)
    assert desk.rung == [1, 1]


def test_a_person_is_joined_and_whoever_else_is_rung_is_let_go() -> None:
    desk = Desk([ONE, TWO])
    desk.step()
    desk.legs[0].doubtful = True
    desk.step()
    assert desk.rung == [1, 2], "in doubt the next one rings beside him"
    desk.legs[1].taken = True
    assert desk.step() == DutyAnswered()
    assert desk.ringing.joined is desk.legs[1].leg
    assert desk.elder._other is desk.legs[1].leg
    assert desk.legs[0].outcome is O.NOT_NEEDED
    assert desk.told == [(2, O.TAKEN)]


def test_nobody_is_joined_who_is_only_in_doubt() -> None:
    desk = Desk([ONE, TWO])
    desk.step()
    desk.legs[0].doubtful = True
    for _ in range(5):
        desk.step(1)
    assert desk.ringing.joined is None
    assert desk.elder._other is None
    assert len(desk.legs) == TOGETHER


def test_a_machine_that_was_joined_is_taken_out_again_and_the_next_is_rung() -> None:
    desk = Desk([ONE, TWO])
    desk.step()
    desk.legs[0].taken = True
    desk.step()
    desk.legs[0].outcome = O.MACHINE
    assert desk.step() == DutyNext()
    assert desk.elder._other is None
    desk.step()
    assert desk.rung == [1, 2]


def test_a_person_who_has_spoken_and_hung_up_ends_it() -> None:
    desk = Desk([ONE, TWO], rounds=3)
    desk.step()
    desk.legs[0].taken = True
    desk.step()
    desk.legs[0].outcome = O.LEFT
    assert desk.step() == DutyFailed()
    assert desk.ringing.over
    assert desk.told == [(1, O.TAKEN), (1, O.LEFT)]


def test_a_person_whose_line_broke_is_rung_again_beyond_his_rounds_but_not_for_ever() -> None:
    desk = Desk([ONE])
    desk.step()
    for _ in range(MOST_MORE):
        desk.legs[-1].taken = True
        assert desk.step() == DutyAnswered()
        desk.legs[-1].outcome = O.LOST
        assert desk.step() == DutyNext()
        desk.step(AGAIN_S)
    assert desk.rung == [1] * (MOST_MORE + 1)
    desk.legs[-1].taken = True
    desk.step()
    desk.legs[-1].outcome = O.LOST
    assert [desk.step(), desk.step()] == [DutyNext(), DutyFailed()], "the elder is with us before he hears it"


def test_nobody_waits_for_a_number_that_was_rung_a_moment_ago_while_another_could_be() -> None:
    desk = Desk([ONE, TWO, ONE])
    desk.step()
    desk.legs[0].outcome = O.BUSY
    desk.step()
    desk.legs[1].outcome = O.BUSY
    desk.step()
    desk.ringing.also([Target("13800000003", 3, b"")])
    desk.step()
    assert desk.rung == [1, 2, 3]


def test_without_a_number_the_elder_hears_at_once_that_nobody_comes() -> None:
    desk = Desk([])
    assert desk.step() == DutyFailed()
    assert desk.told == []


def test_a_line_without_a_free_slot_is_waited_for_before_the_number_is_given_up() -> None:
    desk = Desk([ONE, TWO])
    desk.trouble = NoSlot("full")
    assert desk.step() is None
    assert desk.step(SLOT_WAIT_S - 1) is None
    desk.trouble = None
    desk.step()
    assert desk.rung == [1]
    later = Desk([ONE, TWO])
    later.trouble = NoSlot("full")
    later.step()
    assert later.step(SLOT_WAIT_S) == DutyNext()
    assert later.told == [(1, O.NO_LINE)]


def test_a_dead_trunk_is_told_as_it_is_and_every_number_is_tried() -> None:
    desk = Desk([ONE, TWO])
    desk.trouble = TrunkError("down")
    assert [desk.step(), desk.step()] == [DutyNext(), DutyFailed()]
    assert desk.told == [(1, O.NOT_REACHED), (2, O.NOT_REACHED), (0, O.NONE_CAME)]


@pytest.mark.parametrize(("joined", "outcome"), [(False, O.NOT_REACHED), (True, O.LOST)])
def test_a_fault_of_ours_at_one_telephone_rings_the_next_and_never_costs_the_elder_his_line(
    joined: bool, outcome: O
) -> None:
    def breaks(now: float) -> None:
        raise RuntimeError("a bug")

    desk = Desk([ONE, TWO])
    desk.step()
    if joined:
        desk.legs[0].taken = True
        desk.step()
    desk.legs[0].step = breaks  # type: ignore[method-assign]
    assert desk.step() == DutyNext()
    desk.step()
    assert desk.told[-1] == (1, outcome)
    assert desk.rung == [1, 2]
    assert desk.elder._other is None


def test_a_supervisor_who_does_not_come_is_nothing_the_elder_hears_of() -> None:
    desk = Desk([SUPERVISOR], unasked=True)
    desk.step()
    desk.legs[0].outcome = O.NO_ANSWER
    assert desk.step() is None
    assert desk.ringing.over
    assert desk.told == [(0, O.NO_ANSWER)]


def test_danger_while_a_supervisor_is_being_rung_rings_the_duty_people_too() -> None:
    desk = Desk([SUPERVISOR], unasked=True)
    desk.step()
    desk.ringing.unasked = False
    desk.ringing.also([ONE, TWO])
    desk.step()
    assert desk.rung == [0, 1]
    desk.legs[0].outcome = O.NO_ANSWER
    assert desk.step() == DutyNext()


def test_a_supervisor_who_takes_over_is_rung_beside_the_duty_person() -> None:
    desk = Desk([ONE, TWO])
    desk.step()
    desk.ringing.also([SUPERVISOR], first=True)
    desk.step()
    assert desk.rung == [1, 0]
    desk.legs[1].taken = True
    assert desk.step() == DutyAnswered()


def test_when_the_elder_hangs_up_every_telephone_falls_silent() -> None:
    desk = Desk([ONE, TWO])
    desk.step()
    desk.legs[0].doubtful = True
    desk.step()
    desk.ringing.hang_up()
    assert [leg.outcome for leg in desk.legs] == [O.NOT_NEEDED, O.NOT_NEEDED]
    assert desk.step() is None
