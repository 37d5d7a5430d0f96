"""The official form at the door: what a call has filled in is shown, what it could not see is open. Pure.

A value that the call had is not written over silently: whoever saw otherwise says why (更正说明). A row
that stays empty keeps what it was (未现场核实, 未能确认, 本次未询问): nothing is made up to fill a box.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from records import model as form
from records.model import Assessment, Baseline, FormField, Level
from records.rules import plain
from xunfang.errors import BadInput
from xunfang.vocabulary import Risk, VisitMode

TEXT_CHARS = 500
ALWAYS_OPEN = frozenset({"advice"})  # what is to be done is for the one who has seen it to say
_COMPARED = (form.UNCHANGED, form.RECOVERING)  # a row with one of these is relative to the last visit
_WORRYING = {form.WORSE, form.SERIOUS, form.UNSAFE, form.FAIRLY_SAFE}
_ORDER = (Risk.NORMAL, Risk.ATTENTION, Risk.URGENT)
_LAST_ZH = {Level.GOOD.value: "良好", Level.USUAL.value: "一般", Level.BAD.value: "较差"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form on the telephone. `value`: of the call; `choices` empty: free text."""

    field: FormField
    value: str
    open: bool
    choices: tuple[str, ...]
    last: str = ""  # what was known before

    @property
    def key(self) -> str:
        return self.field.key


@dataclass(frozen=True, slots=True)
class Filled:
    fields: dict[str, str] = field(repr=False)
    seen: frozenset[str]  # keys the visitor answered for
    corrections: dict[str, dict[str, str]] = field(repr=False)  # key -> was, now, why


def rows(prefilled: Mapping[str, object], before: Baseline) -> tuple[Row, ...]:
    """`prefilled`: fields of the call's record, empty when there is none; `before`: baseline of then."""
    return tuple(
        _row(each, str(prefilled.get(each.key) or _unknown(each)), before)
        for each in form.FORM
        if each.key != "visit_mode"
    )


def complete(shown: tuple[Row, ...], given: Mapping[str, str], reasons: Mapping[str, str]) -> Filled:
    """Raises BadInput, naming all rows, for a value that is not on the form and a correction without why."""
    fields = {"visit_mode": form.VISIT_MODE[VisitMode.ON_SITE]}
    corrections: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    wrong: list[str] = []
    for row in shown:
        now, why = given.get(row.key, "").strip(), reasons.get(row.key, "").strip()
        fields[row.key] = row.value
        if not now or now == row.value:
            seen |= {row.key} if now and row.open else set()
            continue
        if (row.choices and now not in row.choices) or len(now) > TEXT_CHARS or len(why) > TEXT_CHARS:
            wrong.append(f"“{row.field.label}”的内容不在可选范围内或过长")
        elif not row.open and not why:
            wrong.append(f"更正“{row.field.label}”须写明原因")
        else:
            fields[row.key] = now
            seen.add(row.key)
            if not row.open:
                corrections[row.key] = {"was": row.value, "now": now, "why": why}
    if wrong:
        raise BadInput("；".join(wrong))
    return Filled(fields, frozenset(seen), corrections)


def baseline_after(filled: Filled, before: Baseline, after_call: Baseline) -> dict[str, str]:
    """What the next visit is compared with: what the call left, overlaid by what was seen.

    What was seen is relative to `before`, the visit before the call, as the form says it.
    """
    after = dict(after_call)
    for key in sorted(filled.seen):
        value = filled.fields[key]
        if key == "illness_name":
            after[key] = "" if value == form.NONE_SAID else value
        elif _is_relative(form.FIELDS[key]):
            after[_known_as(key)] = _level(key, value, before.get(_known_as(key))).value
    return after


def assess(filled: Filled, condition: Risk) -> Assessment:
    """`condition`: how the visitor found the elder. The graver of his word and of the form counts."""
    reasons = [
        f"现场：{form.FIELDS[key].label}{value}"
        for key, value in filled.fields.items()
        if plain(value) in _WORRYING
    ]
    needs = filled.fields["needs"]
    if needs not in form.NOT_A_STATEMENT and plain(needs) != form.NONE_SAID:
        reasons.append(f"有服务需求：{needs}")
    worrying = any(plain(value) in _WORRYING for value in filled.fields.values())
    of_form = Risk.ATTENTION if worrying else Risk.NORMAL
    return Assessment(max(condition, of_form, key=_ORDER.index), tuple(reasons))


def _row(each: FormField, value: str, before: Baseline) -> Row:
    known = before.get(_known_as(each.key))
    choices = each.values
    if _is_relative(each) and known is None:
        choices = (*choices, form.FIRST)
    is_open = each.key in ALWAYS_OPEN or value in form.NOT_A_STATEMENT
    last = known if each.key == "illness_name" else _LAST_ZH.get(known or "", "")
    return Row(each, value, is_open, choices, last or "")


def _unknown(each: FormField) -> str:
    return form.NOT_ASKED if each.by_phone else form.UNSEEN


def _is_relative(each: FormField) -> bool:
    return any(value in _COMPARED for value in each.values)


def _known_as(key: str) -> str:
    """Baselines name what was asked by its topic, the rest by the key of the form."""
    topic = form.FIELDS[key].topic
    return key if topic is None else topic.value


def _level(key: str, value: str, before: str | None) -> Level:
    value = plain(value)
    if key == "family_size":
        return Level.USUAL
    if value in (form.WORSE, form.SERIOUS):
        return Level.BAD
    if value == form.BETTER:
        return Level.USUAL if before == Level.BAD else Level.GOOD
    if value == form.UNCHANGED and before is not None:
        return Level(before)
    return Level.USUAL
