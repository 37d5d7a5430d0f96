"""How long each step of a case may take before somebody is reminded, and the next level is rung."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from visits.durations import parse_duration
from xunfang.errors import BadSettings
from xunfang.vocabulary import CaseLevel, Priority
from xunfang.yamlfile import exact_keys

VISITOR = "visitor"
# The county is the last: beyond it nobody is left to ring, only reminders go on.
RUNGS = (VISITOR, CaseLevel.VILLAGE.value, CaseLevel.TOWNSHIP.value)
KEYS = ("accept_within", "close_within", "reminder_every", "contacts_every", "escalate_after")


@dataclass(frozen=True, slots=True)
class Patience:
    """Durations per priority; urgent ones run in wall time, the others in service hours.

    `accept_within`: a visitor is told until he accepts. `close_within`: visited or referred until
    closed with 处置情况. `escalate_after`: a level was rung (the visitor: his time was over) until
    the next one is; None stands for the visitor.
    """

    accept_within: Mapping[Priority, timedelta]
    close_within: Mapping[Priority, timedelta]
    reminder_every: Mapping[Priority, timedelta]
    contacts_every: Mapping[Priority, timedelta]
    escalate_after: Mapping[CaseLevel | None, Mapping[Priority, timedelta]]


def parse_patience(data: object, where: str) -> Patience:
    """`where` names the file and key for BadSettings."""
    table = exact_keys(data, KEYS, where)
    rungs = exact_keys(table["escalate_after"], RUNGS, f"{where}: escalate_after")
    return Patience(
        accept_within=_per_priority(table["accept_within"], f"{where}: accept_within"),
        close_within=_per_priority(table["close_within"], f"{where}: close_within"),
        reminder_every=_per_priority(table["reminder_every"], f"{where}: reminder_every"),
        contacts_every=_per_priority(table["contacts_every"], f"{where}: contacts_every"),
        escalate_after={
            None if rung == VISITOR else CaseLevel(rung): _per_priority(
                rungs[rung], f"{where}: escalate_after: {rung}"
            )
            for rung in RUNGS
        },
    )


def _per_priority(data: object, where: str) -> dict[Priority, timedelta]:
    table = exact_keys(data, tuple(Priority), where)
    found = {each: parse_duration(table[each.value], f"{where}: {each}") for each in Priority}
    for each, duration in found.items():
        if not duration:
            raise BadSettings(f"{where}: {each}: must be longer than nothing: nobody acts in no time")
    return found
