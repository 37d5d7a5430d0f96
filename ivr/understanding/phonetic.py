"""Heard wrongly, still understood: homophones and near-homophones put right before matching.

Every character is reduced to the sound that a recogniser (or a dialect speaker) cannot tell
apart: no tone, n=l, zh=z, ch=c, sh=s, r=y, hu=f, ing=in, eng=en, ang=an. The `repair` words of
the lexicon are looked for in that form; where one fits at low cost, the damaged characters
are replaced (same length, so positions hold). The cost keeps apart what only sounds a little
alike, and `guard` words (ordinary words with the same sound) are never touched: 买 does not
become 卖, 收银 does not become 熟人.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import ahocorasick
from pypinyin import Style
from pypinyin.constants import PINYIN_DICT
from pypinyin.style import convert

from ivr.understanding.lexicon import Lexicon
from ivr.understanding.patterns import spellings

# Costs of one wrong character, by how alike it sounds.
COST_HOMOPHONE = 0.35  # same syllable, any tone
COST_NEAR = 0.6  # same after the merges above
# A repair may cost at most this much per character of the word it restores.
MAX_COST_PER_CHAR = 0.36
# Of two characters one, of four two may be wrong: half of the word must have been heard right.
MAX_WRONG_SHARE = 0.5
SHORT_WORD_CHARS = 2  # words this short are repaired from true homophones only
# Spellings of event patterns that are looked for by sound: shorter ones collide with ordinary words.
MIN_SPELLING_CHARS = 3
MAX_SPELLING_CHARS = 7
SHORT_SPELLING_CHARS = 4  # up to this length only true homophones are repaired

# Words so common that hearing them is never a sign of damage.
_NEVER_CHANGED = frozenset("的得地呢了吗吧啊是我你他她不有在也都咳这那")

# The reading that matters in this lexicon, where the dictionary's first one is another.
_READINGS = {
    "着": "zhao", "了": "le", "都": "dou", "地": "di", "得": "de", "还": "hai", "长": "chang",
    "血": "xue", "晕": "yun", "没": "mei", "行": "xing", "上": "shang", "不": "bu", "会": "hui",
    "觉": "jiao", "露": "lou", "给": "gei", "重": "zhong", "吐": "tu", "转": "zhuan", "打": "da",
    "喘": "chuan", "个": "ge", "子": "zi", "的": "de", "呢": "ne", "吗": "ma", "呕": "ou", "摔": "shuai",
    "熟": "shu", "谁": "shei", "薄": "bo", "倒": "dao", "漏": "lou", "闷": "men", "泄": "xie",
}  # fmt: skip
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"), ("r", "y"))


@lru_cache(maxsize=8192)
def syllable(char: str) -> str:
    """Toneless pinyin of a character ('' when it has none)."""
    if char in _READINGS:
        return _READINGS[char]
    readings = PINYIN_DICT.get(ord(char), "")
    if not readings:
        return ""
    return str(convert(readings.split(",")[0], Style.NORMAL, strict=False)).replace("ü", "v")


@lru_cache(maxsize=8192)
def sound(char: str) -> str:
    """The merged sound of a character; other signs stand for themselves."""
    plain = syllable(char)
    if not plain:
        return char
    if plain == "ren":  # 东北 says 银 for 人
        return "yin"
    for full, merged in _INITIALS:
        if plain.startswith(full):
            plain = merged + plain[len(full) :]
            break
    if plain.startswith("hu"):
        rest = plain[2:]
        plain = "f" + (rest or "u")
    if plain.endswith(("ing", "eng", "ang")):
        plain = plain[:-1]
    return plain


@lru_cache(maxsize=8192)
def _code(char: str) -> str:
    """One character that stands for the merged sound, so that automata run on plain strings."""
    merged = sound(char)
    if merged == char:
        return char
    return chr(0xE000 + _number(merged))


_NUMBERS: dict[str, int] = {}
_ONE_LETTER_SOUNDS = "aeomn"  # 啊 鹅 哦 呣 嗯


def _number(merged: str) -> int:
    return _NUMBERS.setdefault(merged, len(_NUMBERS))


def code_of_sound(merged: str) -> str:
    """The sign that stands for a merged sound; a sign that has no sound stands for itself."""
    is_sound = merged.isalpha() and (len(merged) > 1 or merged in _ONE_LETTER_SOUNDS)
    return chr(0xE000 + _number(merged)) if is_sound else merged


def encode(text: str) -> str:
    return "".join(map(_code, text))


def char_cost(heard: str, meant: str) -> float:
    """0 for the same character, more the less alike; infinite when they do not sound alike."""
    if heard == meant:
        return 0.0
    if _code(heard) != _code(meant):
        return float("inf")
    return _cost_of_alike(heard, meant)


def _cost_of_alike(heard: str, meant: str) -> float:
    """Of two different characters with the same merged sound."""
    return COST_HOMOPHONE if syllable(heard) == syllable(meant) else COST_NEAR


@dataclass(frozen=True, slots=True)
class Repaired:
    """The text after repair, and what each character's repair cost (0 = as heard)."""

    text: str
    costs: dict[int, float]

    def cost(self, start: int, end: int) -> float:
        if not self.costs:
            return 0.0
        return sum(c for i, c in self.costs.items() if start <= i < end)


class Repairer:
    """Compiled repair and guard words of one lexicon."""

    def __init__(self, words: list[str], guards: list[str], spelled: Iterable[str] = ()) -> None:
        """`spelled`: phrases written out of the event patterns, held to a stricter cost."""
        self._sounds = ahocorasick.Automaton()
        by_code: dict[str, list[str]] = {}
        known = dict.fromkeys(words)
        self._strict = frozenset(w for w in spelled if w not in known and len(w) <= SHORT_SPELLING_CHARS)
        for word in dict.fromkeys((*words, *spelled)):
            by_code.setdefault(encode(word), []).append(word)
        for code, members in by_code.items():
            self._sounds.add_word(code, (len(code), tuple(members)))
        self._sounds.make_automaton()
        self._guards = ahocorasick.Automaton()
        for guard in guards:
            self._guards.add_word(guard, len(guard))
        self._guards.make_automaton()
        self._has_guards = bool(guards)

    def repair(self, text: str, keep: Callable[[str], Iterable[tuple[int, int]]] | None = None) -> Repaired:
        """`keep` names further spans that were heard right (idioms); asked only when there is damage."""
        found: list[tuple[float, int, int, str]] = []
        as_written: list[tuple[int, int]] = []
        for last, (length, words) in self._sounds.iter(encode(text)):
            start = last - length + 1
            heard = text[start : last + 1]
            if heard in words:
                as_written.append((start, last + 1))
                continue
            for word in words:
                cost = self._cost(heard, word)
                if cost is not None:
                    # The longest word wins, then the cheapest.
                    found.append((cost - length * 10, start, last + 1, word))
        if not found:
            return Repaired(text, {})
        guarded = self._guarded(text)
        for start, end in (*as_written, *(keep(text) if keep else ())):
            guarded.update(range(start, end))
        chars = list(text)
        costs: dict[int, float] = {}
        for _, start, end, word in sorted(found):
            changed = [i for i in range(start, end) if text[i] != word[i - start]]
            if any(i in guarded or i in costs or text[i] in _NEVER_CHANGED for i in changed):
                continue
            if any(chars[i] != text[i] and chars[i] != word[i - start] for i in range(start, end)):
                continue
            for i in changed:
                chars[i] = word[i - start]
                costs[i] = char_cost(text[i], word[i - start])
        return Repaired("".join(chars), costs)

    def _cost(self, heard: str, word: str) -> float | None:
        """What it costs to read `word`, which sounds alike, for what was heard; None when too much."""
        size = len(word)
        different = [at for at in range(size) if heard[at] != word[at]]
        wrong = len(different)
        if wrong > MAX_WRONG_SHARE * size:
            return None
        total = sum(_cost_of_alike(heard[at], word[at]) for at in different)
        if total > max(MAX_COST_PER_CHAR * size, COST_NEAR):
            return None
        if len(word) <= SHORT_WORD_CHARS and total > COST_HOMOPHONE:
            return None
        if word in self._strict and total > COST_HOMOPHONE * wrong:
            return None
        return total

    def _guarded(self, text: str) -> set[int]:
        out: set[int] = set()
        if self._has_guards:
            for last, length in self._guards.iter(text):
                out.update(range(last - length + 1, last + 1))
        return out


def repairer(lexicon: Lexicon) -> Repairer:
    slot = "repairer"
    if slot not in lexicon.compiled:
        words = [w for e in lexicon.of_kind("repair") for w in e.say]
        spelled: list[str] = []
        for entry in (*lexicon.of_kind("event"), *lexicon.of_kind("plea")):
            for pattern in entry.say:
                spelled.extend(
                    w
                    for w in spellings(pattern)
                    if MIN_SPELLING_CHARS <= len(w) <= MAX_SPELLING_CHARS and w.isalpha() and not w.isascii()
                )
        guards = [w for e in lexicon.of_kind("guard") for w in e.say]
        lexicon.compiled[slot] = Repairer(words, guards, spelled)
    made: Repairer = lexicon.compiled[slot]
    return made
