"""补贴线索: which benefits an elder may be entitled to, by rules over answers and the ledger.

`match` is pure. `sweep` looks at every visit record once, in the order of their ids, and keeps a worklist;
`decide` is a person's step on it, audited. The rules are YAML (subsidies.yaml; a county may have its own).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ivr.understanding.model import Question
from records import model as form
from storage.model import Answer, Elder, SubsidyClue
from xunfang.clock import age
from xunfang.errors import BadInput, BadSettings, Conflict, NotFound
from xunfang.vocabulary import Category, Subsidy, SubsidyStatus, zh
from xunfang.yamlfile import read_mapping

if TYPE_CHECKING:
    from storage import Store, Work

DEFAULT_FILE = Path(__file__).with_name("subsidies.yaml")
FORMAT = 1
STEP = "subsidies"  # name of the recurring step, whose detail holds how far the sweep has come
AFTER = "after_record"
BATCH_RECORDS = 200
NOTE_CHARS = 500
DECIDED = "subsidy.decided"
REOPENED = "subsidy.reopened"
SYSTEM = "system"

Evidence = dict[str, Any]
_TESTS = ("answer", "detail", "said", "category", "age_from", "self_caring", "good_health", "all")
_FLAGS = ("self_caring", "good_health")
_KEYS = frozenset({"why", "source", "all", "any", "unless"})
_SUBJECTS = frozenset({*(each.value for each in Question), form.HOUSEHOLD, form.SPECIAL})
_NO = frozenset({"no", "none", "enough", "unclear"})  # answers in which a word is no clue


@dataclass(frozen=True, slots=True)
class Rule:
    benefit: Subsidy
    why: str
    source: str
    every: tuple[Mapping[str, Any], ...]
    some: tuple[Mapping[str, Any], ...]
    unless: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Rules:
    rules: tuple[Rule, ...]
    reopen_after: timedelta


@dataclass(frozen=True, slots=True)
class Match:
    benefit: Subsidy
    why: str
    evidence: tuple[Evidence, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Swept:
    records: int
    matches: int


# ---- rules -----------------------------------------------------------------------------------------


@cache
def load_rules(file: Path | None = None) -> Rules:
    """BadSettings with the place of what is wrong."""
    file = file or DEFAULT_FILE
    data = read_mapping(file, what="a mapping with format, reopen_after, benefits")
    if data.get("format") != FORMAT:
        raise BadSettings(f"{file.name}: format must be {FORMAT}")
    days, benefits = data.get("reopen_after"), data.get("benefits")
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        raise BadSettings(f"{file.name}: reopen_after must be a number of days")
    if not isinstance(benefits, dict) or not benefits:
        raise BadSettings(f"{file.name}: benefits must be a mapping of benefits to their rules")
    known = {each.value: each for each in Subsidy}
    unknown = sorted(str(name) for name in benefits if name not in known)
    if unknown:
        raise BadSettings(f"{file.name}: no benefit named {', '.join(unknown)}; there are {', '.join(known)}")
    rules = tuple(_rule(known[name], rule, f"{file.name}: {name}") for name, rule in benefits.items())
    return Rules(rules, timedelta(days=days))


def _rule(benefit: Subsidy, data: object, where: str) -> Rule:
    if not isinstance(data, dict) or not set(data) <= _KEYS or not {"why", "source"} <= set(data):
        raise BadSettings(f"{where}: takes why, source and all, any, unless")
    if not data.get("all") and not data.get("any"):
        raise BadSettings(f"{where}: needs all or any, or it would match everybody")
    lists = [_tests(data.get(key, []), f"{where}.{key}") for key in ("all", "any", "unless")]
    return Rule(benefit, str(data["why"]), str(data["source"]), *lists)


def _tests(data: object, where: str) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(data, list):
        raise BadSettings(f"{where}: must be a list of conditions")
    return tuple(_test(each, f"{where}[{number}]") for number, each in enumerate(data))


def _test(data: object, where: str) -> Mapping[str, Any]:
    if not isinstance(data, dict) or len(data) != 1 or next(iter(data)) not in _TESTS:
        raise BadSettings(f"{where}: one condition, one of {', '.join(_TESTS)}")
    ((name, value),) = data.items()
    if name == "all":
        return {"all": _tests(value, f"{where}.all")}
    right = {
        "answer": isinstance(value, dict) and len(value) == 1 and set(value) <= _SUBJECTS,
        "detail": isinstance(value, str),
        "said": isinstance(value, list) and all(isinstance(each, str) and each for each in value),
        "category": value in [each.value for each in Category],
        "age_from": isinstance(value, int) and not isinstance(value, bool),
    }.get(name, isinstance(value, bool))
    if not right:
        raise BadSettings(f"{where}: {name} cannot be {value!r}")
    return data


# ---- matching, pure ------------------------------------------------------------------------------------


def match(rules: Rules, elder: Elder, answers: Iterable[Answer], today: date) -> tuple[Match, ...]:
    """Each benefit at most once, with everything that speaks for it."""
    said = tuple(answers)
    found = []
    for rule in rules.rules:
        every = _all(rule.every, elder, said, today)
        some = [held for each in rule.some if (held := _holds(each, elder, said, today)) is not None]
        against = any(_holds(each, elder, said, today) is not None for each in rule.unless)
        if every is None or against or (rule.some and not some):
            continue
        evidence = [*every, *(item for held in some for item in held)]
        unique = list({tuple(item.items()): item for item in evidence}.values())
        found.append(Match(rule.benefit, rule.why, tuple(unique)))
    return tuple(found)


def _all(
    tests: Sequence[Mapping[str, Any]], elder: Elder, said: Sequence[Answer], today: date
) -> list[Evidence] | None:
    evidence: list[Evidence] = []
    for each in tests:
        held = _holds(each, elder, said, today)
        if held is None:
            return None
        evidence += held
    return evidence


def _holds(
    test: Mapping[str, Any], elder: Elder, said: Sequence[Answer], today: date
) -> list[Evidence] | None:
    """What speaks for it; None when it does not hold."""
    ((name, value),) = test.items()
    if name == "all":
        return _all(value, elder, said, today)
    if name == "answer":
        ((subject, wanted),) = value.items()
        return _quoted(each for each in said if _subject(each) == subject and each.answer == wanted)
    if name == "detail":
        return _quoted(each for each in said if value in each.details)
    if name == "said":
        return _quoted(
            each for each in said if each.answer not in _NO and any(word in each.text for word in value)
        )
    if name == "category":
        return [{"fact": "category", "value": value}] if Category(value) in elder.categories else None
    if name == "age_from":
        years = age(elder.birth_date, today)
        return [{"fact": "age", "value": years}] if years is not None and years >= value else None
    assert name in _FLAGS
    return [{"fact": name, "value": value}] if getattr(elder, name) is value else None


def _subject(answer: Answer) -> str:
    """One topic serves several questions of the dialplans: those are known by their own name."""
    return answer.question if answer.question in (form.HOUSEHOLD, form.SPECIAL) else answer.topic


def _quoted(answers: Iterable[Answer]) -> list[Evidence] | None:
    return [
        {"call": each.call_id, "question": each.question, "answer": each.answer} for each in answers
    ] or None


# ---- the worklist --------------------------------------------------------------------------------------


def sweep(store: Store, rules: Rules, now: datetime, zone: ZoneInfo, anew: bool = False) -> Swept:
    """Look at the records since the last time (`anew`: at all). Doing it twice changes nothing."""
    with store.read() as work:
        last = work.recurring.get(STEP)
    after = 0 if anew or last is None else int(last.detail.get(AFTER, 0))
    records = matches = 0
    while True:
        with store.begin() as work:
            batch = work.subsidies.records_after(after, BATCH_RECORDS)
            if batch:
                elders = work.subsidies.elders(each.elder_id for each in batch)
                said = work.subsidies.answers(each.call_id for each in batch if each.call_id is not None)
                for record in batch:
                    answers = () if record.call_id is None else said.get(record.call_id, ())
                    found = match(rules, elders[record.elder_id], answers, now.astimezone(zone).date())
                    matches += len(found)
                    for each in found:
                        _keep(work, record.elder_id, record.call_id, each, rules, now)
                after = batch[-1].id
                records += len(batch)
            work.recurring.began(STEP, now, SYSTEM)
            work.recurring.ended(STEP, now, {AFTER: after})
        if len(batch) < BATCH_RECORDS:
            return Swept(records, matches)


def _keep(work: Work, elder_id: int, call_id: int | None, found: Match, rules: Rules, now: datetime) -> None:
    clue = work.subsidies.found(
        elder_id=elder_id,
        benefit=found.benefit,
        why=found.why,
        evidence=found.evidence,
        call_id=call_id,
        at=now,
    )
    long_ago = clue.decided_at is not None and clue.decided_at + rules.reopen_after <= now
    if (
        clue.status is SubsidyStatus.NOT_ELIGIBLE
        and long_ago
        and work.subsidies.decide(clue, SubsidyStatus.NEW, by=SYSTEM, at=now)
    ):
        work.audit.write(now, SYSTEM, REOPENED, f"elder:{elder_id}", {"subsidy": clue.id})


def decide(
    work: Work, clue_id: int, status: SubsidyStatus, actor: str, now: datetime, note: str = "", seen: str = ""
) -> SubsidyClue:
    """A person's decision. `seen`: the status he saw; somebody else's decision meanwhile is a Conflict.

    NotFound, BadInput (不符合 needs a reason), Conflict.
    """
    clue = work.subsidies.get(clue_id)
    if clue is None:
        raise NotFound("没有这条补贴线索")
    note = note.strip()
    if status is SubsidyStatus.NOT_ELIGIBLE and not note:
        raise BadInput("认定不符合时请写明理由")
    if len(note) > NOTE_CHARS:
        raise BadInput(f"说明最多{NOTE_CHARS}个字")
    overtaken = bool(seen) and seen != clue.status.value
    if overtaken or not work.subsidies.decide(clue, status, by=actor, at=now, note=note):
        raise Conflict("这条线索刚被他人处理，请刷新后再看")
    detail = {
        "subsidy": clue.id,
        "benefit": clue.benefit.value,
        "from": clue.status.value,
        "to": status.value,
    }
    work.audit.write(now, actor, DECIDED, f"elder:{clue.elder_id}", detail)
    changed = work.subsidies.get(clue_id)
    assert changed is not None
    return changed


def evidence_zh(clue: SubsidyClue, said: Mapping[tuple[int, str], str]) -> list[str]:
    """For people. `said`: the words by call and question; what was erased meanwhile is said to be so."""
    return [_sentence(each, said) for each in clue.evidence]


def _sentence(each: Evidence, said: Mapping[tuple[int, str], str]) -> str:
    if "call" not in each:
        return f"台账：{_fact(str(each['fact']), each['value'])}"
    words = said.get((int(each["call"]), str(each["question"])))
    if words is None:
        return "通话中的回答（原话已按规定清除）"
    return f"通话中说：“{words}”" if words else "通话中按键回答"


def _fact(name: str, value: Any) -> str:
    if name == "age":
        return f"{value}周岁"
    if name == "category":
        return zh(Category(value))
    return {
        ("self_caring", True): "生活能自理",
        ("self_caring", False): "生活不能自理",
        ("good_health", True): "身体状况良好",
        ("good_health", False): "健康状况欠佳",
    }[name, bool(value)]
