"""The lexicon: what elders say, as data. YAML files in `lexicon/`, one list of entries each.

    - id: fall.plain            unique in the whole lexicon; a county overlay changes it by this id
      kind: event               see KINDS
      event: fall               fields that the kind asks for (see _REQUIRED)
      say: [摔了, 绊(倒|了)]     patterns (language: see patterns.py)
      reason: why it is here    both are mandatory: an entry nobody can explain cannot be tuned
      source: where it is from

A file may open with `defaults:` (kind, source, ...) that its entries inherit. A county overlay
is one more YAML document: `add:` (new entries), `change:` (entries whose given fields replace
those of the same id) and `disable:` (ids).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from math import inf
from typing import Any

import yaml

from ivr.understanding.durations import days_within
from ivr.understanding.model import ANSWERS, CONTROLS, Event, Polarity, Question, Subject, Time
from ivr.understanding.pattern_keys import PatternError, keys_of
from ivr.understanding.patterns import PatternSet
from xunfang.errors import BadLexicon
from xunfang.vocabulary import Alert, CallDisposition

KINDS = (
    "event",  # a danger or health event
    "plea",  # a cry for help, urgent by itself
    "idiom",  # masks the words inside it: 累死了 is not death
    "cue",  # negation, time, subject and other words around an event
    "control",  # an answer that may come at any time
    "answer",  # an answer class of one or more questions
    "concern",  # worth a look by a human today, without an event
    "detail",  # names a need or an illness
    "announcement",  # a carrier or an answering machine speaks
    "dialect",  # rewritten to the standard word before anything else
    "repair",  # words that a recogniser damages into homophones
    "guard",  # ordinary words that sound like a repair word and must stay as they are
    "canon",  # short phrases for the recogniser's grammar
)

# Every scalar stays a string: an answer class may be called `yes` or `no`. Builds no objects, so it is safe.
_PlainLoader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

# What each kind must say, and what each field may hold.
_REQUIRED: dict[str, tuple[str, ...]] = {
    "event": ("event",),
    "cue": ("cue",),
    "control": ("class",),
    "answer": ("class", "question"),
    "concern": ("topic",),
    "detail": ("detail", "topic"),
    "announcement": ("class", "announcement"),
    "dialect": ("means",),
    "canon": ("list",),
}
_CHOICES: dict[str, frozenset[str]] = {
    "event": frozenset(Event),
    "polarity": frozenset(Polarity),
    "time": frozenset(Time),
    "subject": frozenset(Subject),
    "level": frozenset({"urgent", "review", "mild"}),
    "alert": frozenset(Alert),
    "announcement": frozenset(CallDisposition),
    "list": frozenset({"distress", "control", "announcement", *Question}),
}
_FIELDS = frozenset(
    {
        "id",
        "kind",
        "say",
        "reason",
        "source",
        "class",
        "question",
        "topic",
        "detail",
        "means",
        "cue",
        "near",
        "days",
        "at_most_days",
        "except",
        "weight",
    }
) | frozenset(_CHOICES)

MAX_PLAIN_PHRASE_CHARS = 24  # longer than this nobody says it twice the same way


@dataclass(frozen=True, slots=True)
class Entry:
    """One lexicon entry. `fields` holds what its kind asks for, as written."""

    id: str
    kind: str
    say: tuple[str, ...]
    reason: str
    source: str
    file: str
    fields: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    # The match must tell of so many days: 三天没吃, but neither 半天没吃 nor (of company) 三年没见着.
    days: tuple[float, float] | None = None

    def get(self, name: str, default: str = "") -> str:
        return self.fields.get(name, default)

    def told_in(self, text: str, start: int, end: int) -> bool:
        """Is the length of time told at `start:end` one that this entry is about?"""
        return self.days is None or self.days[0] <= days_within(text, start, end) <= self.days[1]


@dataclass(frozen=True)
class Lexicon:
    """All entries, with the compiled forms made at first use. Never changes after loading."""

    entries: tuple[Entry, ...]

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        return {e.id: e for e in self.entries}

    def of_kind(self, kind: str) -> list[Entry]:
        return [e for e in self.entries if e.kind == kind]

    @cached_property
    def compiled(self) -> dict[object, Any]:
        """Room for the compiled structures of the other modules, one slot each."""
        return {}

    def patterns(self, *kinds: str) -> tuple[list[Entry], PatternSet]:
        """The entries of these kinds and one pattern set over them (owner = index in the list)."""
        slot = ("patterns", kinds)
        if slot not in self.compiled:
            entries = [e for e in self.entries if e.kind in kinds]
            self.compiled[slot] = (entries, _pattern_set(entries))
        found: tuple[list[Entry], PatternSet] = self.compiled[slot]
        return found

    def answers_for(self, question: Question) -> tuple[list[Entry], PatternSet]:
        slot = ("answers", question)
        if slot not in self.compiled:
            entries = [e for e in self.entries if e.kind == "answer" and question in e.questions]
            self.compiled[slot] = (entries, _pattern_set(entries))
        found: tuple[list[Entry], PatternSet] = self.compiled[slot]
        return found

    def cue(self, name: str) -> str:
        """All patterns of one cue as a single alternative, longest first."""
        slot = ("cue", name)
        if slot not in self.compiled:
            words = [s for e in self.entries if e.kind == "cue" and e.get("cue") == name for s in e.say]
            if not words:
                raise BadLexicon(f"lexicon has no cue {name!r}: the files are incomplete")
            self.compiled[slot] = "|".join(sorted(words, key=len, reverse=True))
        text: str = self.compiled[slot]
        return text


def _pattern_set(entries: list[Entry]) -> PatternSet:
    return PatternSet((i, s) for i, e in enumerate(entries) for s in e.say)


def _entry(raw: object, file: str) -> Entry:
    if not isinstance(raw, dict):
        raise BadLexicon(f"{file}: every entry must be a mapping with id, say, reason, source; got {raw!r}")
    name = str(raw.get("id", "")).strip()
    if not name:
        raise BadLexicon(f"{file}: an entry has no id: give it one, e.g. fall.plain")
    where = f"{file}: entry {name}"
    unknown = sorted(set(map(str, raw)) - _FIELDS)
    if unknown:
        raise BadLexicon(f"{where}: unknown field {', '.join(unknown)}; known: {', '.join(sorted(_FIELDS))}")
    kind = str(raw.get("kind", ""))
    if kind not in KINDS:
        raise BadLexicon(f"{where}: kind {kind!r} is not one of {', '.join(KINDS)}")
    for needed in ("reason", "source", *_REQUIRED.get(kind, ())):
        if not str(raw.get(needed, "") or "").strip():
            raise BadLexicon(f"{where}: {needed} is missing")
    say = raw.get("say")
    if not isinstance(say, list) or not say or not all(isinstance(s, str) and s for s in say):
        raise BadLexicon(
            f"{where}: say must be a list of phrases (quote a phrase that YAML reads as a number)"
        )
    for name_of_field, choices in _CHOICES.items():
        if name_of_field in raw and str(raw[name_of_field]) not in choices:
            raise BadLexicon(
                f"{where}: {name_of_field} {raw[name_of_field]!r} is not one of {', '.join(sorted(choices))}"
            )
    for bound in ("days", "at_most_days"):
        if bound in raw and not str(raw[bound]).replace(".", "", 1).isdigit():
            raise BadLexicon(f"{where}: {bound} {raw[bound]!r} must be a number of days")
    questions = _questions(raw.get("question"), where)
    _check_class(kind, str(raw.get("class", "")), questions, where)
    if kind not in ("cue", "canon", "dialect", "repair", "guard"):
        for pattern in say:
            try:
                keys_of(pattern)
            except PatternError as exc:
                raise BadLexicon(f"{where}: {exc}") from exc
    plain = {
        str(k): str(v)
        for k, v in raw.items()
        if k not in ("id", "kind", "say", "reason", "source", "question") and v is not None
    }
    return Entry(
        id=name,
        kind=kind,
        say=tuple(say),
        reason=str(raw["reason"]),
        source=str(raw["source"]),
        file=file,
        fields=plain,
        questions=questions,
        days=_days(raw),
    )


def _days(raw: Mapping[str, object]) -> tuple[float, float] | None:
    if "days" not in raw and "at_most_days" not in raw:
        return None
    return float(str(raw.get("days", 0))), float(str(raw.get("at_most_days", inf)))


def _questions(raw: object, where: str) -> tuple[Question, ...]:
    if raw is None:
        return ()
    names = raw if isinstance(raw, list) else [raw]
    out: list[Question] = []
    for name in names:
        if str(name) not in frozenset(Question):
            raise BadLexicon(f"{where}: question {name!r} is not one of {', '.join(Question)}")
        out.append(Question(str(name)))
    return tuple(out)


def _check_class(kind: str, klass: str, questions: tuple[Question, ...], where: str) -> None:
    if kind in ("control", "announcement") and klass not in CONTROLS:
        raise BadLexicon(f"{where}: class {klass!r} is not one of {', '.join(sorted(CONTROLS))}")
    if kind == "answer":
        for question in questions:
            if klass != "ignore" and klass not in ANSWERS[question]:
                raise BadLexicon(
                    f"{where}: class {klass!r} is not an answer to {question}: "
                    f"use {', '.join(sorted(ANSWERS[question]))} or ignore"
                )


def _read_document(text: str, file: str) -> list[Entry]:
    try:
        document = yaml.load(text, Loader=_PlainLoader)
    except yaml.YAMLError as exc:
        raise BadLexicon(f"{file}: not readable as YAML: {exc}") from exc
    if not isinstance(document, dict) or not isinstance(document.get("entries"), list):
        raise BadLexicon(f"{file}: must hold a mapping with a list named entries")
    defaults = document.get("defaults") or {}
    return [
        _entry({**defaults, **raw} if isinstance(raw, dict) else raw, file) for raw in document["entries"]
    ]


def _unique(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    seen: dict[str, Entry] = {}
    for entry in entries:
        if entry.id in seen:
            raise BadLexicon(
                f"{entry.file}: id {entry.id} is already used in {seen[entry.id].file}: choose another id, "
                "or use change: in the overlay"
            )
        seen[entry.id] = entry
    return tuple(seen.values())


@cache
def default_lexicon() -> Lexicon:
    """The lexicon shipped with the program, read once."""
    folder = resources.files("ivr.understanding") / "lexicon"
    entries: list[Entry] = []
    for item in sorted(folder.iterdir(), key=lambda p: p.name):
        if item.name.endswith(".yaml"):
            entries.extend(_read_document(item.read_text(encoding="utf-8"), item.name))
    if not entries:
        raise BadLexicon("the lexicon folder is empty: reinstall the program")
    return Lexicon(_unique(entries))


def with_overlay(base: Lexicon, overlay: str, name: str = "overlay") -> Lexicon:
    """A county's own words on top of `base`: `add`, `change` (by id) and `disable` (by id).

    `overlay` is the text of the county's YAML file (reading the file is the caller's business).
    """
    try:
        document = yaml.load(overlay, Loader=_PlainLoader)
    except yaml.YAMLError as exc:
        raise BadLexicon(f"{name}: not readable as YAML: {exc}") from exc
    if not document:
        return base
    if not isinstance(document, dict) or set(document) - {"add", "change", "disable"}:
        raise BadLexicon(f"{name}: an overlay holds only add, change and disable")
    for part in ("add", "change", "disable"):
        if not isinstance(document.get(part) or [], list):
            raise BadLexicon(f"{name}: {part} must be a list")
    known = dict(base.by_id)
    for ident in document.get("disable") or []:
        if str(ident) not in known:
            raise BadLexicon(f"{name}: disable: there is no entry {ident}")
        del known[str(ident)]
    for raw in document.get("change") or []:
        ident = str(raw.get("id", "")) if isinstance(raw, dict) else ""
        if ident not in known:
            raise BadLexicon(f"{name}: change: there is no entry {ident or raw}")
        known[ident] = _entry({**_raw(known[ident]), **raw}, name)
    added = [
        _entry({"source": name, **raw} if isinstance(raw, dict) else raw, name)
        for raw in document.get("add") or []
    ]
    return Lexicon(_unique([*known.values(), *added]))


def _raw(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "say": list(entry.say),
        "reason": entry.reason,
        "source": entry.source,
        **entry.fields,
        **({"question": [str(q) for q in entry.questions]} if entry.questions else {}),
    }


def distress_phrases(lexicon: Lexicon | None = None) -> list[str]:
    """Short canonical cries and danger sentences for the recogniser's grammar."""
    return _canon("distress", lexicon)


def control_phrases(lexicon: Lexicon | None = None) -> list[str]:
    """Short canonical controls (再说一遍, 听不清, ...) for the recogniser's grammar."""
    return _canon("control", lexicon)


def announcement_phrases(lexicon: Lexicon | None = None) -> list[str]:
    """What carriers and voicemail say, for the grammar of the opening and of early media."""
    return _canon("announcement", lexicon)


def answer_phrases(question: Question | str, lexicon: Lexicon | None = None) -> list[str]:
    """Short canonical answers to one question for the recogniser's grammar."""
    return _canon(str(Question(question)), lexicon)


def _canon(name: str, lexicon: Lexicon | None) -> list[str]:
    lexicon = lexicon or default_lexicon()
    out: dict[str, None] = {}
    for entry in lexicon.of_kind("canon"):
        if entry.get("list") == name:
            out.update(dict.fromkeys(entry.say))
    return list(out)
