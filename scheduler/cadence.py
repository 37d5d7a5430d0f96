"""巡访频次: how often an elder is visited at least, as a table in YAML (scheduler/cadence.yaml)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.model import CadenceRule
from xunfang.errors import BadSettings
from xunfang.vocabulary import Cadence, Category
from xunfang.yamlfile import read_mapping

DEFAULT_FILE = Path(__file__).with_name("cadence.yaml")
MOST_OFTEN_FIRST = (Cadence.WEEKLY, Cadence.MONTHLY, Cadence.QUARTERLY)
_KEYS = {"at_least", "every", "some", "reason", "source"}


@dataclass(frozen=True, slots=True)
class CadencePolicy:
    rules: tuple[CadenceRule, ...] = ()

    def holds(self, own: Cadence, categories: Collection[Category]) -> Cadence:
        """The elder's own cadence, or what policy asks for when that is more often."""
        asked = [rule.at_least for rule in self.rules if matches(rule, categories)]
        return min([own, *asked], key=MOST_OFTEN_FIRST.index)


def matches(rule: CadenceRule, categories: Collection[Category]) -> bool:
    having = frozenset(categories)
    return rule.every <= having and (not rule.some or bool(rule.some & having))


def load_cadence(file: Path | None = None) -> CadencePolicy:
    """BadSettings names the rule and what is allowed."""
    path = file or DEFAULT_FILE
    rules = read_mapping(path, "leave the setting out for the shipped one", "a list `rules:`").get("rules")
    if not isinstance(rules, Sequence) or isinstance(rules, str):
        raise BadSettings(f"{path}: write a list `rules:`, as in scheduler/cadence.yaml")
    return CadencePolicy(tuple(_rule(each, f"{path}, rule {at}") for at, each in enumerate(rules, start=1)))


def _rule(data: Any, where: str) -> CadenceRule:
    if not isinstance(data, Mapping):
        raise BadSettings(f"{where}: a rule has the keys {', '.join(sorted(_KEYS))}")
    unknown = set(data) - _KEYS
    if unknown:
        raise BadSettings(f"{where}: unknown {', '.join(map(str, sorted(unknown)))}; allowed: {_list(_KEYS)}")
    at_least = data.get("at_least")
    if not isinstance(at_least, str) or at_least not in list(Cadence):
        raise BadSettings(f"{where}: at_least {at_least!r} is none of {_list(list(Cadence))}")
    reason, source = (str(data.get(key) or "").strip() for key in ("reason", "source"))
    if not reason or not source:
        raise BadSettings(f"{where}: say the reason and the source: somebody has to answer for it")
    return CadenceRule(
        Cadence(at_least),
        _categories(data.get("every"), where),
        _categories(data.get("some"), where),
        reason,
        source,
    )


def _categories(values: Any, where: str) -> frozenset[Category]:
    if values is None:
        return frozenset()
    if not isinstance(values, list):
        raise BadSettings(f"{where}: every and some are lists of categories")
    for value in values:
        if value not in list(Category):
            raise BadSettings(f"{where}: category {value!r} is none of {_list(list(Category))}")
    return frozenset(Category(value) for value in values)


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
