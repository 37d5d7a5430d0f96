"""The pattern language of the lexicon, and a fast way to look for thousands of patterns at once.

A pattern is a plain phrase with a few signs:

    (甲|乙)   one of these            甲?      may be missing
    #         a spoken length of time (三天, 十来天, 个把礼拜): see durations.py
    [甲乙]    one of these characters ~        up to 4 characters of the same clause
    ^ $       start / end of a clause ~~       up to 10 characters of the same clause

(Look-around of Python's `re` is understood too, for the cases that need it.)

Searching: from each pattern the rarest words that it cannot do without are taken as keys;
one Aho-Corasick pass over the utterance finds the keys, and only the patterns whose key
was seen are tried as regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import ahocorasick

from ivr.understanding.durations import LENGTH_PATTERN
from ivr.understanding.pattern_keys import ZERO_WIDTH, KeyFinder, PatternError, keys_of

GAP = "([^，？]{0,4})"  # captured: a negation inside a gap counts
WIDE_GAP = "([^，？]{0,10})"
CLAUSE_START = "(?:(?<![^，？])|(?<=[，？][啊哦嗯哎那]))"
CLAUSE_END = "(?=[，？]|$)"


def to_regex(pattern: str) -> str:
    """Python regular expression for a lexicon pattern."""
    out: list[str] = []
    in_class = False
    i = 0
    while i < len(pattern):
        char = pattern[i]
        if in_class:
            out.append(char)
            in_class = char != "]"
        elif char == "[":
            in_class = True
            out.append(char)
        elif char == "(" and not pattern.startswith("(?", i):
            out.append("(?:")
        elif char == "~":
            if pattern.startswith("~~", i):
                out.append(WIDE_GAP)
                i += 1
            else:
                out.append(GAP)
        elif char == "#":
            out.append(LENGTH_PATTERN)
        elif char == "^":
            out.append(CLAUSE_START)
        elif char == "$":
            out.append(CLAUSE_END)
        else:
            out.append(char)
        i += 1
    return "".join(out)


class Hit(NamedTuple):
    """A pattern of the `owner`-th entry found at `start:end`."""

    owner: int
    start: int
    end: int
    gap: str = ""  # what stood in the pattern's gaps


class PatternSet:
    """Many patterns, compiled once. `find` returns every match of every pattern."""

    def __init__(self, patterns: Iterable[tuple[int, str]]) -> None:
        self._owners: list[int] = []
        self._regexes: list[re.Pattern[str]] = []
        by_key: dict[str, list[int]] = {}
        # Patterns of one owner are joined when they share their keys: fewer regular expressions.
        grouped: dict[tuple[int, frozenset[str]], list[str]] = {}
        for owner, pattern in patterns:
            grouped.setdefault((owner, keys_of(pattern)), []).append(pattern)
        for (owner, keys), members in grouped.items():
            try:
                regex = re.compile("|".join(to_regex(m) for m in sorted(members, key=len, reverse=True)))
            except re.error as exc:
                raise PatternError(f"cannot read pattern {members!r}: {exc}") from exc
            number = len(self._regexes)
            self._owners.append(owner)
            self._regexes.append(regex)
            for key in keys:
                by_key.setdefault(key, []).append(number)
        self._automaton = ahocorasick.Automaton()
        for key, numbers in by_key.items():
            self._automaton.add_word(key, tuple(numbers))
        self._automaton.make_automaton()
        self._empty = not by_key

    def find(self, text: str) -> list[Hit]:
        if self._empty or not text:
            return []
        wanted: set[int] = set()
        for _, numbers in self._automaton.iter(text):
            wanted.update(numbers)
        owners, regexes = self._owners, self._regexes
        return [
            Hit(owners[n], m.start(), m.end(), "".join(filter(None, m.groups())) if m.lastindex else "")
            for n in sorted(wanted)
            for m in regexes[n].finditer(text)
            if m.end() > m.start()
        ]


def longest_only(hits: Sequence[Hit]) -> list[Hit]:
    """Drop hits that lie inside a longer one (没有不够 beats 不够 beats 够). Sorted by place."""
    if len(hits) < 2:
        return list(hits)
    ordered = sorted(hits, key=lambda h: (h.start - h.end, h.start))
    kept: list[Hit] = []
    for hit in ordered:
        if any(
            k.start <= hit.start and hit.end <= k.end and (k.end - k.start) > (hit.end - hit.start)
            for k in kept
        ):
            continue
        kept.append(hit)
    kept.sort(key=lambda h: (h.start, h.end))
    return kept


# How many spellings of one stretch of a pattern are listed at most.
MAX_SPELLINGS = 600
# What is looked for by sound where a pattern has a spoken length of time.
_USUAL_LENGTHS = ("半天", "一天", "两天", "三天", "几天", "好几天")


def spellings(pattern: str) -> list[str]:
    """The plain phrases of a pattern: every gap-free stretch, with its alternatives written out.

    For matching by sound, where regular expressions cannot be used. Long lists are cut off.
    """
    out: dict[str, None] = {}
    for stretch in _stretches(_Reader(pattern)):
        out.update(dict.fromkeys(stretch))
    return list(out)


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def peek(self) -> str:
        return self.pattern[self.at] if self.at < len(self.pattern) else ""


def _stretches(reader: _Reader) -> list[list[str]]:
    """Stretches of one alternative list, up to the closing bracket or the end."""
    found: list[list[str]] = []
    while True:
        found.extend(_sequence(reader))
        if reader.peek() == "|":
            reader.at += 1
            continue
        return found


def _sequence(reader: _Reader) -> list[list[str]]:
    found: list[list[str]] = []
    current: list[str] = [""]

    def close() -> None:
        nonlocal current
        if current != [""]:
            found.append(current)
        current = [""]

    while (char := reader.peek()) and char not in "|)":
        options: list[str] | None
        if reader.pattern.startswith(ZERO_WIDTH, reader.at):
            finder = KeyFinder(reader.pattern)
            finder.at = reader.at
            reader.at = finder.skip_group()
            continue
        if char == "(":
            reader.at += 3 if reader.pattern.startswith("(?:", reader.at) else 1
            options = []
            while True:
                inner = _sequence(reader)
                if len(inner) > 1:
                    options = None
                elif options is not None:
                    options.extend(inner[0] if inner else [""])
                if reader.peek() == "|":
                    reader.at += 1
                    continue
                break
            reader.at += 1
        elif char == "[":
            end = reader.pattern.find("]", reader.at)
            members = reader.pattern[reader.at + 1 : end]
            options = None if members.startswith("^") else list(members)
            reader.at = end + 1
        elif char in "^$":
            reader.at += 1
            continue
        elif char == "#":
            reader.at += 1
            options = list(_USUAL_LENGTHS)
        elif char in "~.":
            reader.at += 1
            options = None
        else:
            reader.at += 2 if char == "\\" else 1
            options = None if char == "\\" else [char]
        suffix = reader.peek()
        if suffix and suffix in "?*":
            reader.at += 1
            options = ["", *options] if options is not None else None
        elif suffix == "+":
            reader.at += 1
        elif suffix == "{":
            reader.at = reader.pattern.find("}", reader.at) + 1
            options = None
        if options is None:
            close()
            continue
        current = [head + tail for head in current for tail in options][:MAX_SPELLINGS]
    close()
    return found
