"""Several dialling machines on one database: each with its own scripted lines, one moved clock."""

from __future__ import annotations

from scheduler_kit import HASH, House, ScriptedFleet

from scheduler.dispatch import Dispatcher
from scheduler.journal import Journal
from scheduler.owner import Identity


class Machine:
    """Another machine beside `house`: of its process nobody else can see whether it lives."""

    def __init__(self, house: House, name: str, capacity: int = 4) -> None:
        self.house = house
        self.name = name
        self.fleet = ScriptedFleet(house.clock, capacity)
        self.starts = 0
        self.boot()

    def boot(self) -> None:
        self.starts += 1
        self.dispatcher = Dispatcher(
            self.house.store,
            self.fleet,
            self.house.clock,
            self.house.config,
            lambda name: HASH,
            me=Identity(self.name, 100 + self.starts, f"boot-{self.name}"),
            running=lambda pid: True,
        )
        self.journal = Journal(
            self.house.store,
            self.house.policy,
            self.house.folder,
            self.dispatcher.ended,
            wait=lambda seconds: None,
        )
        self.fleet.handle = self.journal.handle
