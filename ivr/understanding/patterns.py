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
from dataclasses import dataclass
from functools import cache

import ahocorasick

from ivr.understanding.durations import LENGTH_PATTERN

GAP = "([^，？]{0,4})"  # captured: a negation inside a gap counts
WIDE_GAP = "([^，？]{0,10})"
CLAUSE_START = "(?:(?<![^，？])|(?<=[，？][啊哦嗯哎那]))"
CLAUSE_END = "(?=[，？]|$)"


class PatternError(ValueError):
    """The pattern cannot be read; the message says where."""


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


_ZERO_WIDTH = ("(?!", "(?=", "(?<!", "(?<=")


# Words of one stretch of a pattern are written out up to so many: more make the automaton large.
MAX_KEYS = 120


class _KeyFinder:
    """Recursive descent over a pattern: the literals of which one must be in every text it matches.

    Neighbours are joined ((起|爬)不来 → 起不来, 爬不来), so that a regular expression is seldom tried in vain.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def alternatives(self) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """Up to the closing bracket or the end: (every spelling, or None when that is no short list;
        the best keys, or None when it may match without any literal)."""
        spelled: frozenset[str] | None = frozenset()
        keys: frozenset[str] | None = frozenset()
        while True:
            these, best = self.sequence()
            spelled = None if spelled is None or these is None else spelled | these
            keys = None if keys is None or best is None else keys | best
            if self.at < len(self.pattern) and self.pattern[self.at] == "|":
                self.at += 1
                continue
            break
        if spelled is not None and len(spelled) > MAX_KEYS:
            spelled = None
        return spelled, keys

    def sequence(self) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        best: frozenset[str] | None = None
        stretch: frozenset[str] = _NOTHING  # spellings of what was read since the last gap
        whole = True

        def better(keys: frozenset[str] | None) -> None:
            nonlocal best
            if not keys or "" in keys:
                return
            if best is None or _selectivity(keys) > _selectivity(best):
                best = keys

        def close() -> None:
            nonlocal stretch, whole
            better(stretch)
            stretch, whole = _NOTHING, False

        pattern = self.pattern
        while self.at < len(pattern) and pattern[self.at] not in "|)":
            char = pattern[self.at]
            keys: frozenset[str] | None = None
            spelled: frozenset[str] | None = None
            if pattern.startswith(_ZERO_WIDTH, self.at):
                self.at = self._skip_group()  # of no width: its neighbours still touch
                continue
            if char == "(":
                self.at += 3 if pattern.startswith("(?:", self.at) else 1
                spelled, keys = self.alternatives()
                if self.at >= len(pattern):
                    raise PatternError(f"missing ) in pattern {pattern!r}")
                self.at += 1
            elif char == "[":
                end = pattern.find("]", self.at)
                if end < 0:
                    raise PatternError(f"missing ] in pattern {pattern!r}")
                members = pattern[self.at + 1 : end]
                if not members.startswith("^") and "-" not in members and "\\" not in members:
                    spelled = keys = frozenset(members)
                self.at = end + 1
            elif char in "~^$.#":
                self.at += 1
            elif char == "\\":
                self.at += 2
            else:
                spelled = keys = frozenset({char})
                self.at += 1
            optional, repeated = self._quantifier()
            if spelled is None or (optional and repeated):
                close()
                if not optional:
                    better(keys)
                continue
            options = spelled | _NOTHING if optional else spelled
            if len(stretch) * len(options) > MAX_KEYS:
                close()
            stretch = frozenset(head + tail for head in stretch for tail in options)
            if repeated:
                close()
        spellings = stretch if whole else None
        better(stretch)
        return spellings, best

    def _quantifier(self) -> tuple[bool, bool]:
        if self.at >= len(self.pattern):
            return False, False
        char = self.pattern[self.at]
        if char in "?*":
            self.at += 1
            return True, char == "*"
        if char == "+":
            self.at += 1
            return False, True
        if char == "{":
            end = self.pattern.find("}", self.at)
            if end < 0:
                raise PatternError(f"missing }} in pattern {self.pattern!r}")
            body = self.pattern[self.at + 1 : end]
            self.at = end + 1
            return body.startswith(("0", ",")), True
        return False, False

    def _skip_group(self) -> int:
        depth = 0
        for i in range(self.at, len(self.pattern)):
            if self.pattern[i] == "(":
                depth += 1
            elif self.pattern[i] == ")":
                depth -= 1
                if depth == 0:
                    return i + 1
        raise PatternError(f"missing ) in pattern {self.pattern!r}")


# How many of a hundred utterances hold each of these characters (counted in the corpora that may be learned
# from); of every other character about one.
_COMMON = {
    88: "，",
    44: "了",
    33: "我不",
    20: "没",
    19: "的一",
    17: "是",
    16: "子",
    15: "来",
    13: "得上个",
    12: "着就",
    11: "天都人好老",
    10: "你有",
    9: "在儿打",
    8: "说里",
    7: "电头下这过",
    6: "呢火气还话那要",
    5: "也点年啥事去起走",
    4: "吃摔回大们疼口用家前心他给水跟",
    3: "手能病？出到药叫伴啊想三现两地看血快别月屋住死倒开听门吧哪会把",
    2: "女问行钱样烧让刚机么管后再昨够楼小十半几孙腿动接饭找才道多院胸煤身今味睡早",
}
_COMMON_PERCENT = {char: percent for percent, chars in _COMMON.items() for char in chars}
_PERCENT_OF_OTHERS = 1.0
_COMPANY = 4.0
_LEAST_PERCENT = 0.02
_NOTHING = frozenset({""})


def _selectivity(keys: frozenset[str]) -> float:
    """The fewer utterances hold one of the keys, the higher: a regular expression seldom tried in vain."""
    return -sum(map(_percent, keys))


@cache
def _percent(key: str) -> float:
    """About how many of a hundred utterances hold this word, by its characters."""
    share = 1.0
    for char in key:
        share *= _COMMON_PERCENT.get(char, _PERCENT_OF_OTHERS) / 100
    # Characters of one word keep company: together they are far commoner than chance.
    return max(100 * share * _COMPANY ** (len(key) - 1), _LEAST_PERCENT)


@cache  # entries are checked when read, and again when compiled for each question
def keys_of(pattern: str) -> frozenset[str]:
    """Literals of which at least one is in every text that the pattern matches."""
    finder = _KeyFinder(pattern)
    _, keys = finder.alternatives()
    if finder.at < len(pattern):
        raise PatternError(f"unexpected {pattern[finder.at]!r} in pattern {pattern!r}")
    if keys is None:
        raise PatternError(f"pattern {pattern!r} could match without any fixed word: add one")
    return frozenset(key for key in keys if not any(other in key for other in keys if other != key))


@dataclass(frozen=True, slots=True)
class Hit:
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
        if reader.pattern.startswith(_ZERO_WIDTH, reader.at):
            finder = _KeyFinder(reader.pattern)
            finder.at = reader.at
            reader.at = finder._skip_group()
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
