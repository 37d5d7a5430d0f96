"""How urgent the silence of an elder is (风险): points by a table, and the reasons in words. Pure.

The table is `risk` in visits/deadlines.yaml; a county may have its own (schedule.deadlines).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from visits.model import ElderFacts
from xunfang.errors import BadSettings
from xunfang.vocabulary import Priority, Risk, zh
from xunfang.yamlfile import exact_keys

KEYS = ("living_alone", "from_age", "last_record", "from_days_unheard", "never_heard", "from_points")


@dataclass(frozen=True, slots=True)
class Weights:
    """Points. `from_age` and `from_days_unheard`: from this many years or days on; the highest that is
    reached counts. `urgent`, `high`: from so many points."""

    living_alone: int
    from_age: Mapping[int, int]
    last_record: Mapping[Risk, int]
    from_days_unheard: Mapping[int, int]
    never_heard: int
    urgent: int
    high: int


def points(facts: ElderFacts, weights: Weights) -> int:
    found = weights.living_alone if facts.living_alone else 0
    if facts.age is not None and _reached(weights.from_age, facts.age):
        found += _reached(weights.from_age, facts.age)
    elif facts.advanced_age and weights.from_age:
        found += weights.from_age[min(weights.from_age)]  # 高龄 in the ledger, though no birth date says it
    if facts.last_risk is not None:
        found += weights.last_record.get(facts.last_risk, 0)
    if facts.days_since_heard is None:
        return found + weights.never_heard
    return found + _reached(weights.from_days_unheard, facts.days_since_heard)


def risk_priority(facts: ElderFacts, weights: Weights) -> Priority:
    found = points(facts, weights)
    if found >= weights.urgent:
        return Priority.URGENT
    return Priority.HIGH if found >= weights.high else Priority.NORMAL


def reasons(facts: ElderFacts) -> tuple[str, ...]:
    """独居 · 84岁 · 上次巡访结论为需关注 · 12天没有消息: what a visitor sees of what was weighed."""
    found = ["独居"] if facts.living_alone else []
    if facts.age is not None:
        found.append(f"{facts.age}岁")
    elif facts.advanced_age:
        found.append("高龄")
    if facts.last_risk in (Risk.ATTENTION, Risk.URGENT):
        found.append(f"上次巡访结论为{zh(facts.last_risk)}")
    if facts.days_since_heard is None:
        found.append("此前没有联系上的记录")
    elif facts.days_since_heard > 0:
        found.append(f"{facts.days_since_heard}天没有消息")
    return tuple(found)


def parse_weights(data: object, where: str) -> Weights:
    """`where` names the file and key for BadSettings."""
    table = exact_keys(data, KEYS, where)
    least = exact_keys(table["from_points"], (Priority.HIGH, Priority.URGENT), f"{where}: from_points")
    risks = exact_keys(table["last_record"], (Risk.ATTENTION, Risk.URGENT), f"{where}: last_record")
    high = _whole(least[Priority.HIGH], f"{where}: from_points: high")
    urgent = _whole(least[Priority.URGENT], f"{where}: from_points: urgent")
    if urgent <= high:
        raise BadSettings(f"{where}: from_points: urgent must be more than high")
    return Weights(
        living_alone=_whole(table["living_alone"], f"{where}: living_alone"),
        from_age=_steps(table["from_age"], f"{where}: from_age"),
        last_record={Risk(each): _whole(risks[each], f"{where}: last_record: {each}") for each in risks},
        from_days_unheard=_steps(table["from_days_unheard"], f"{where}: from_days_unheard"),
        never_heard=_whole(table["never_heard"], f"{where}: never_heard"),
        urgent=urgent,
        high=high,
    )


def _reached(steps: Mapping[int, int], value: int) -> int:
    return max((given for least, given in steps.items() if value >= least), default=0)


def _steps(data: Any, where: str) -> dict[int, int]:
    if not isinstance(data, dict):
        raise BadSettings(f"{where}: write such as {{80: 1, 90: 2}}")
    return {_whole(least, where): _whole(given, where) for least, given in data.items()}


def _whole(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadSettings(f"{where}: {value!r} is no whole number from 0")
    return value
