"""Is the lexicon sound, and what does a change of it change? For `xunfang lexicon check`.

`check` looks at the entries alone: contradictions, phrases nobody can reach, phrases too long
to be said twice the same way. `diff` runs a corpus through two lexicons and shows every
sentence that is judged differently, before and after.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ivr.understanding.lexicon import MAX_PLAIN_PHRASE_CHARS, Entry, Lexicon
from ivr.understanding.model import Question
from ivr.understanding.patterns import PatternSet
from ivr.understanding.score import SLOTS, understand_line

_SIGNS = re.compile(r"[()|?~^$\[\]{}\\*+.]")
_COMPARED = ("alert", "answer", *SLOTS)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `kind`: conflict, duplicate, unreachable, too_long, useless."""

    kind: str
    entries: tuple[str, ...]
    phrase: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """A sentence that two lexicons judge differently. `before` and `after` hold the fields that differ."""

    id: str
    question: str
    text: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EntryChange:
    """An entry that two lexicons do not share as it is. `how`: added, changed, disabled. `before` and
    `after` hold the fields that differ; of lists of phrases only those that came or went."""

    id: str
    how: str
    before: dict[str, Any]
    after: dict[str, Any]


def plain_phrases(entry: Entry) -> list[str]:
    """The phrases of an entry that are written without pattern signs."""
    return [s for s in entry.say if not _SIGNS.search(s)]


def check(lexicon: Lexicon) -> list[Problem]:
    """Every problem found, in a stable order; an empty list is a sound lexicon."""
    problems = [
        *_too_long(lexicon),
        *_duplicates(lexicon),
        *_conflicts(lexicon),
        *_masked_by_idioms(lexicon),
        *_useless(lexicon),
    ]
    return sorted(problems, key=lambda p: (p.kind, p.entries, p.phrase))


def _too_long(lexicon: Lexicon) -> Iterable[Problem]:
    for entry in lexicon.entries:
        for phrase in plain_phrases(entry):
            if len(phrase) > MAX_PLAIN_PHRASE_CHARS:
                yield Problem(
                    "too_long",
                    (entry.id,),
                    phrase,
                    f"{len(phrase)} characters; nobody says it twice the same way: keep the core only",
                )


def _duplicates(lexicon: Lexicon) -> Iterable[Problem]:
    for entry in lexicon.entries:
        seen: set[str] = set()
        for phrase in entry.say:
            if phrase in seen:
                yield Problem("duplicate", (entry.id,), phrase, "listed twice in one entry: remove one")
            seen.add(phrase)


def _meaning(entry: Entry) -> str:
    return {
        "event": f"{entry.get('event')} {entry.get('polarity')}".strip(),
        "answer": entry.get("class"),
        "control": entry.get("class"),
        "announcement": entry.get("announcement"),
        "dialect": entry.get("means"),
        "detail": entry.get("detail"),
    }.get(entry.kind, entry.kind)


def _scopes(entry: Entry) -> tuple[str, ...]:
    """Two entries contradict each other only inside one of these."""
    if entry.kind == "answer":
        return tuple(f"answer:{q}" for q in entry.questions)
    if entry.kind == "guard":  # a word may be left alone when heard, and be what its homophone becomes
        return ()
    if entry.kind == "event" and entry.questions:
        return tuple(f"event:{q}" for q in entry.questions)
    if entry.kind == "detail":
        return (f"detail:{entry.get('topic')}",)
    return (entry.kind,)


def _conflicts(lexicon: Lexicon) -> Iterable[Problem]:
    """The same phrase with two meanings where only one can win."""
    owners: dict[tuple[str, str], list[Entry]] = {}
    for entry in lexicon.entries:
        if entry.kind in ("cue", "canon", "concern", "detail"):
            continue  # several of these may hold at once
        for scope in _scopes(entry):
            for phrase in dict.fromkeys(entry.say):
                owners.setdefault((scope, phrase), []).append(entry)
    for (scope, phrase), entries in owners.items():
        meanings = {_meaning(e) for e in entries if _meaning(e) not in ("ignore", "unclear")}
        if len(meanings) > 1:
            yield Problem(
                "conflict",
                tuple(e.id for e in entries),
                phrase,
                f"means {' and '.join(sorted(meanings))} in {scope}: keep one",
            )


def _masked_by_idioms(lexicon: Lexicon) -> Iterable[Problem]:
    idioms = lexicon.of_kind("idiom")
    masks = PatternSet((i, s) for i, e in enumerate(idioms) for s in e.say)
    for entry in (*lexicon.of_kind("event"), *lexicon.of_kind("plea")):
        for phrase in plain_phrases(entry):
            for hit in masks.find(phrase):
                if hit.start == 0 and hit.end == len(phrase):
                    yield Problem(
                        "unreachable",
                        (entry.id, idioms[hit.owner].id),
                        phrase,
                        "an idiom covers the whole phrase, so it is never found: change one of the two",
                    )
                    break


def _useless(lexicon: Lexicon) -> Iterable[Problem]:
    for entry in lexicon.of_kind("dialect"):
        for phrase in entry.say:
            if phrase == entry.get("means"):
                yield Problem("useless", (entry.id,), phrase, "is rewritten to itself: remove it")


def diff(before: Lexicon, after: Lexicon, corpus: Iterable[Mapping[str, Any]]) -> list[Change]:
    """The sentences of `corpus` (rows with id, question, text) that are judged differently."""
    changes: list[Change] = []
    for row in corpus:
        old, new = understand_line(row, lexicon=before), understand_line(row, lexicon=after)
        differing = [f for f in _COMPARED if old[f] != new[f]]
        if differing:
            changes.append(
                Change(
                    id=str(row.get("id", "")),
                    question=str(row.get("question", Question.ANY)),
                    text=str(row.get("text", "")),
                    before={f: old[f] for f in differing},
                    after={f: new[f] for f in differing},
                )
            )
    return changes


def entry_changes(before: Lexicon, after: Lexicon) -> list[EntryChange]:
    """What a county's overlay did to the entries, by id: whether it changed what was meant to change."""
    changes: list[EntryChange] = []
    for ident in sorted({*before.by_id, *after.by_id}):
        old, new = before.by_id.get(ident), after.by_id.get(ident)
        if old == new:
            continue
        if old is None or new is None:
            how = "added" if old is None else "disabled"
            changes.append(EntryChange(ident, how, _fields_of(old), _fields_of(new)))
            continue
        was, becomes = _fields_of(old), _fields_of(new)
        differing = [name for name in {**was, **becomes} if was.get(name) != becomes.get(name)]
        gone = {name: was[name] for name in differing if name in was}
        come = {name: becomes[name] for name in differing if name in becomes}
        if "say" in gone and "say" in come:
            gone["say"] = [each for each in old.say if each not in new.say]
            come["say"] = [each for each in new.say if each not in old.say]
        if gone != come:
            changes.append(EntryChange(ident, "changed", gone, come))
    return changes


def _fields_of(entry: Entry | None) -> dict[str, Any]:
    """What can be written in YAML, without what every entry must say for people."""
    if entry is None:
        return {}
    questions = {"question": [str(each) for each in entry.questions]} if entry.questions else {}
    return {**entry.fields, **questions, "say": list(entry.say)}
