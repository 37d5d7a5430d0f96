"""What a pattern of the lexicon cannot do without: the words by which it is looked for at all."""

from __future__ import annotations

from functools import cache


class PatternError(ValueError):
    """The pattern cannot be read; the message says where."""


ZERO_WIDTH = ("(?!", "(?=", "(?<!", "(?<=")


# Words of one stretch of a pattern are written out up to so many: more make the automaton large.
MAX_KEYS = 120


class KeyFinder:
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
            if pattern.startswith(ZERO_WIDTH, self.at):
                self.at = self.skip_group()  # of no width: its neighbours still touch
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

    def skip_group(self) -> int:
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
    finder = KeyFinder(pattern)
    _, keys = finder.alternatives()
    if finder.at < len(pattern):
        raise PatternError(f"unexpected {pattern[finder.at]!r} in pattern {pattern!r}")
    if keys is None:
        raise PatternError(f"pattern {pattern!r} could match without any fixed word: add one")
    return frozenset(key for key in keys if not any(other in key for other in keys if other != key))
