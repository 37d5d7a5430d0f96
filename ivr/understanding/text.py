"""From what was heard to what can be matched: one clean line with a map back to the original.

Recognisers write no punctuation and put spaces between words; people at a keyboard write
both. `normalise` brings the two to one form: no spaces, `，` for a pause, `？` for a question,
`、` between the items of a list, and a soft pause where speech clearly starts a new clause
(after 了/呢/啊 before a new subject, before 但是/后来/就是 ...). Every character keeps the
index of the original one, so that evidence is quoted as heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

PAUSE = "，"
QUESTION_MARK = "？"
LIST_MARK = "、"
BREAKS = PAUSE + QUESTION_MARK

# A recogniser's spaces separate words (mean length 1-2 characters); a writer's space is a pause.
WORD_SPACED_MEAN_CHARS = 2.2

_PAUSES = set("，。！；：,.!;:…~～—-–“”\"'‘’()（）《》<>【】[]·|/\\\n\r\t\u3000")
_QUESTIONS = set("？?")
# Stammered words: collapsing these never changes what is meant.
_STAMMER = re.compile(r"([我你他她俺咱起煤胸])\1+(?!\1)")
_STAMMER_WORD = re.compile(r"(?P<w>[\u4e00-\u9fff]{2,4})(?:[，、]?(?P=w))+")
_FILLER = re.compile(r"(?<=[\u4e00-\u9fff，、])(?:[嗯呃唔]+|那个那个|这个这个|那啥)(?=[\u4e00-\u9fff，、])")
_ELLIPSIS_INSIDE = re.compile(r"(?<=[我他她俺])，(?=[\u4e00-\u9fff])")

_SUBJECTS = (
    "我|俺|咱|你|您|他|她|它|人家|老伴|老头|老太|孩子|儿子|闺女|女儿|姑娘|孙|邻居|隔壁|家里|屋里|"
    "厨房|灶|煤气|现在|这会儿|今天|昨天|昨晚|前天|后来|就是|可就是|快|赶紧|赶快|麻烦|求|还|也没|没|"
    "不用|不要|别|有|那|这|谁|医生|大夫|胸口|心口|腿|头|腰|肚子"
)
# After a sentence-final particle a new subject or verb opens a new clause.
_SOFT_AFTER_PARTICLE = re.compile(rf"(?<=[\u4e00-\u9fff][呢啊吧嘛呀啦喽哦喔哈吗哟咯哩])(?={_SUBJECTS})")
_SOFT_AFTER_LE = re.compile(
    r"(?<=[\u4e00-\u9fff]了)(?=我(?!一[^个]|两|几|好几|半|身|头上|脸|的)|俺|咱|你|您|他|她|老伴|老头|老太|孩子|儿子|闺女|女儿|姑娘|邻居|现在|"
    r"后来|就是|快来|快点|快叫|快回|赶紧|赶快|救命|来人|没人管|不用|不要|别|谢谢|没事|没啥|没大|没得|没摔|"
    r"胸口|心口|这会儿|昨天|今天|家里|屋里|煤气|厨房|也不|也没|还有|还行|还好|挺好|好着|起不来|爬不起|"
    r"动不了|站不起|喘不|疼得|腿|腰|头|脑袋|血|有点|是|没有)"
)
_SOFT_BEFORE = re.compile(
    r"(?<=[\u4e00-\u9fff]{2})(?=但是|可是|不过(?![气来去瘾了人年日])|然后|后来|结果|幸亏|幸好|多亏|亏得|好在|而且|另外|就是觉得|"
    r"就是胸|就是心口|就是喘|就是头|就是腿|就是有点|可就是|只不过|要不是|要是|万一|如果|(?<!到)现在|(?<!到)这会儿|"
    r"没想到|谁知道|哪知道|不信你|快来人|快来|快叫|救命|您放心|你放心|谢谢)"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A normalised utterance. `index[i]` is the position of `text[i]` in `original`."""

    original: str
    text: str
    index: tuple[int, ...]

    def quote(self, start: int, end: int) -> str:
        """The words as heard for a span of the normalised text."""
        first, last = self.span(start, end)
        return self.original[first:last]

    def span(self, start: int, end: int) -> tuple[int, int]:
        if not self.index or start >= end:
            return 0, 0
        first = self.index[min(start, len(self.index) - 1)]
        last = self.index[min(end, len(self.index)) - 1] + 1
        return first, max(last, first)


def is_word_spaced(text: str) -> bool:
    """True when the spaces come from a recogniser (between all words), not from a pause."""
    parts = text.split()
    if len(parts) < 2:
        return False
    return sum(map(len, parts)) / len(parts) <= WORD_SPACED_MEAN_CHARS


def _between_latin(text: str, position: int) -> bool:
    return 0 < position < len(text) - 1 and text[position - 1].isascii() and text[position + 1].isascii()


@lru_cache(maxsize=8192)
def _form(char: str) -> str:
    """One sign of the clean line for one that was written; a space stands for any blank."""
    if char in _QUESTIONS:
        return QUESTION_MARK
    if char in _PAUSES:
        return PAUSE
    if char.isspace():
        return " "
    code = ord(char)
    if 0xFF01 <= code <= 0xFF5E:  # full-width Latin and digits
        char = chr(code - 0xFEE0)
    lowered = char.lower()
    return lowered if len(lowered) == 1 else char


def _chars(text: str) -> Iterable[tuple[str, int]]:
    drop_spaces = is_word_spaced(text)
    for position, char in enumerate(text):
        form = _form(char)
        if form != " ":
            yield form, position
        elif _between_latin(text, position):
            yield " ", position
        elif not drop_spaces:
            yield PAUSE, position


def _collapse(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """No break at the start, never two in a row (a question mark wins)."""
    out: list[tuple[str, int]] = []
    for char, position in pairs:
        if char in BREAKS:
            if not out:
                continue
            if out[-1][0] in BREAKS:
                if char == QUESTION_MARK:
                    out[-1] = (char, position)
                continue
        out.append((char, position))
    while out and out[-1][0] in (PAUSE, LIST_MARK):
        out.pop()
    return out


# Most utterances are words with single pauses between them: every sign stays where it is.
_PLAIN = re.compile("[\u4e00-\u9fff、]+(?:[，。？！?,][\u4e00-\u9fff][\u4e00-\u9fff、]*)*[，。！,]?")


def _unified(original: str) -> tuple[str, list[int]]:
    """One line of single forms, without doubled breaks, and where each sign came from."""
    if _PLAIN.fullmatch(original) and not original.startswith(LIST_MARK):
        text = original.replace("。", PAUSE).replace("！", PAUSE).replace(",", PAUSE)
        text = text.replace("?", QUESTION_MARK).rstrip(PAUSE + LIST_MARK)
        return text, list(range(len(text)))
    pairs = _collapse(_chars(original))
    return "".join(char for char, _ in pairs), [position for _, position in pairs]


def _delete(text: str, index: list[int], spans: list[tuple[int, int]]) -> tuple[str, list[int]]:
    if not spans:
        return text, index
    keep: list[str] = []
    kept_index: list[int] = []
    at = 0
    for start, end in spans:
        keep.append(text[at:start])
        kept_index.extend(index[at:start])
        at = end
    keep.append(text[at:])
    kept_index.extend(index[at:])
    return "".join(keep), kept_index


def _insert_pauses(text: str, index: list[int], places: list[int]) -> tuple[str, list[int]]:
    out: list[str] = []
    out_index: list[int] = []
    at = 0
    for place in places:
        out.append(text[at:place])
        out_index.extend(index[at:place])
        if 0 < place < len(text) and text[place - 1] not in BREAKS and text[place] not in BREAKS:
            out.append(PAUSE)
            out_index.append(index[place - 1])
        at = place
    out.append(text[at:])
    out_index.extend(index[at:])
    return "".join(out), out_index


def _is_echo(text: str, match: re.Match[str]) -> bool:
    """疼不疼不疼 is a question and its answer, not a stammer."""
    word = match["w"]
    return word[0] in "没不冇" and match.start() > 0 and text[match.start() - 1] == word[1]


def normalise(original: str) -> Line:
    """Strip spaces, unify punctuation, drop fillers and stammering, add soft pauses."""
    text, index = _unified(original)
    if len(text) > 2:
        text, index = _delete(text, index, [m.span() for m in _FILLER.finditer(text)])
        text, index = _delete(text, index, [m.span() for m in _ELLIPSIS_INSIDE.finditer(text)])
        text, index = _delete(text, index, [(m.start() + 1, m.end()) for m in _STAMMER.finditer(text)])
        again = [m for m in _STAMMER_WORD.finditer(text) if not _is_echo(text, m)]
        text, index = _delete(text, index, [(m.start() + len(m["w"]), m.end()) for m in again])
    places = {m.start() for m in _SOFT_AFTER_PARTICLE.finditer(text)}
    places.update(m.start() for m in _SOFT_AFTER_LE.finditer(text))
    places.update(m.start() for m in _SOFT_BEFORE.finditer(text))
    if places:
        text, index = _insert_pauses(text, index, sorted(places))
    return Line(original=original, text=text, index=tuple(index))


def clause_of(text: str, position: int) -> tuple[int, int]:
    """Start and end of the clause that holds `position`."""
    start = max(text.rfind(PAUSE, 0, position), text.rfind(QUESTION_MARK, 0, position)) + 1
    return start, _clause_end(text, position)


def _clause_end(text: str, position: int) -> int:
    pause, mark = text.find(PAUSE, position), text.find(QUESTION_MARK, position)
    if pause < 0 or mark < 0:
        return max(pause, mark) if max(pause, mark) >= 0 else max(len(text), position)
    return min(pause, mark)


def following(text: str, end: int, clauses: int) -> str:
    """The rest of the clause that ends at `end`, and so many clauses after it."""
    at = end
    for _ in range(clauses):
        if at >= len(text):
            break
        at = _clause_end(text, at + 1)
    return text[end:at]


def rewrite(line: Line, table: tuple[re.Pattern[str], dict[str, str]]) -> Line:
    """Replace dialect words by standard ones; new characters point at the word they came from."""
    pattern, words = table
    if not pattern.search(line.text):
        return line
    out: list[str] = []
    index: list[int] = []
    at = 0
    for match in pattern.finditer(line.text):
        out.append(line.text[at : match.start()])
        index.extend(line.index[at : match.start()])
        means = words[match.group()]
        out.append(means)
        old = line.index[match.start() : match.end()]
        # Spread the old positions over the new word so that its last character ends where the old one did.
        index.extend(old[-1] if i == len(means) - 1 else old[min(i, len(old) - 1)] for i in range(len(means)))
        at = match.end()
    out.append(line.text[at:])
    index.extend(line.index[at:])
    return Line(line.original, "".join(out), tuple(index))
