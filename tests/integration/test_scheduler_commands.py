"""What the console asks of calls: taken by the dialler that carries them, done once, answered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from scheduler_kit import House

from scheduler.commands import Commands
from storage import Store
from storage.model import CallCommand
from xunfang.vocabulary import CommandKind, CommandResult, ConsentPurpose

pytestmark = pytest.mark.integration
PHONE = "13800001111"


class Joining:
    """The fleet of the kit, that can also be told to let somebody join."""

    def __init__(self, house: House) -> None:
        self._fleet = house.fleet
        self.joined: list[tuple[int, str]] = []
        self.breaks = False

    def free(self) -> int:
        return self._fleet.free()

    def live(self) -> list[int]:
        return self._fleet.live()

    def hang_up(self, call_id: int) -> None:
        if self.breaks:
            raise RuntimeError("no pipe")
        self._fleet.hang_up(call_id)

    def take_over(self, call_id: int, number: str) -> bool:
        self.joined.append((call_id, number))
        return True


class Room:
    def __init__(self, store: Store, folder: Path) -> None:
        self.house = House(store, folder)
        self.house.dispatcher.recover()
        self.fleet = Joining(self.house)
        self.commands = Commands(store, self.fleet, self.house.dispatcher, self.house.clock)
        self.elder = self.house.elder(PHONE)
        self.call_id = self.house.dispatcher.call_now(self.elder.id)

    def ask(self, kind: CommandKind, call_id: int | None = None, **fields: object) -> int:
        with self.house.store.begin() as work:
            return work.commands.add(
                kind=kind,
                call_id=call_id or self.call_id,
                elder_id=self.elder.id,
                by="user:du",
                at=self.house.clock.now(),
                **fields,  # type: ignore[arg-type]
            ).id

    def answer(self, id: int) -> CallCommand:
        with self.house.store.read() as work:
            return next(each for each in work.commands.of_call(self.call_id, 50) if each.id == id)


@pytest.fixture
def room(store: Store, tmp_path: Path) -> Room:
    return Room(store, tmp_path)


def test_a_call_is_hung_up_once_and_the_answer_is_in_the_audit(room: Room) -> None:
    asked = room.ask(CommandKind.HANG_UP)
    assert room.commands.tick() == 1
    assert room.commands.tick() == 0
    assert room.house.fleet.hung_up == [room.call_id]
    assert room.answer(asked).result is CommandResult.DONE
    with room.house.store.read() as work:
        kinds = [each.kind for each in work.audit.of(f"call:{room.call_id}")]
    assert kinds.count("call.command_answered") == 1


def test_taking_over_rings_the_number_and_forgets_it(room: Room) -> None:
    asked = room.ask(CommandKind.TAKE_OVER, number="13912340009")
    room.commands.tick()
    assert room.fleet.joined == [(room.call_id, "13912340009")]
    assert room.answer(asked).result is CommandResult.DONE
    assert room.answer(asked).number is None


def test_a_call_that_is_over_cannot_be_ended_again(room: Room) -> None:
    room.house.fleet.die()
    asked = room.ask(CommandKind.HANG_UP)
    room.commands.tick()
    assert room.answer(asked).result is CommandResult.CALL_OVER


def test_a_fleet_that_fails_is_told_and_not_waited_for(room: Room) -> None:
    room.fleet.breaks = True
    asked = room.ask(CommandKind.HANG_UP)
    assert room.commands.tick() == 1
    assert room.answer(asked).result is CommandResult.FAILED


def test_another_diallers_call_and_what_is_stale_is_left_alone(room: Room) -> None:
    with room.house.store.begin() as work:
        foreign = work.calls.begin(
            plan_id=None,
            elder_id=room.elder.id,
            attempt=1,
            dialplan="weekly_short",
            dialplan_hash="0123456789ab",
            intended_at=room.house.clock.now(),
        )
    room.ask(CommandKind.HANG_UP, foreign.id)
    assert room.commands.tick() == 0
    stale = room.ask(CommandKind.HANG_UP)
    room.house.clock.move(timedelta(minutes=1))
    assert room.commands.tick() == 0
    assert room.answer(stale).taken_at is None


def test_an_elder_is_called_now_and_the_new_call_is_named(room: Room) -> None:
    room.house.fleet.play()
    early = room.ask(CommandKind.CALL_NOW)
    room.commands.tick()
    assert room.answer(early).result is CommandResult.NOT_NOW  # called a minute ago
    anyway = room.ask(CommandKind.CALL_NOW, anyway=True)
    room.commands.tick()
    done = room.answer(anyway)
    assert done.result is CommandResult.DONE
    assert done.new_call_id in room.house.fleet.live()
    again = room.ask(CommandKind.CALL_NOW, anyway=True)
    room.commands.tick()
    assert room.answer(again).result is CommandResult.ON_THE_PHONE


def test_consent_is_never_overridden(room: Room) -> None:
    room.house.fleet.play()
    with room.house.store.begin() as work:
        purpose = ConsentPurpose.PHONE_VISIT
        work.consents.add(room.elder.id, purpose, False, room.house.clock.now(), "paper")
    asked = room.ask(CommandKind.CALL_NOW, anyway=True)
    room.commands.tick()
    assert room.answer(asked).result is CommandResult.NO_CONSENT
