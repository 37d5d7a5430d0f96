"""Which words of an utterance answer the question: found, turned round by a denial, or put aside."""

from __future__ import annotations

import re

from ivr.understanding.durations import YEAR_DAYS, spoken_times
from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Event, Polarity, Question, Subject, Time
from ivr.understanding.patterns import Hit, longest_only
from ivr.understanding.slot_model import Judged
from ivr.understanding.text import clause_of

# Questions about the elder's own state: what is said of others does not answer them.
_ABOUT_SELF = frozenset({Question.HEALTH, Question.MOBILITY, Question.ILLNESS})
_OTHERS = re.compile(
    r"(老伴|老头子?|老婆子?|老太婆|儿子|闺女|女儿|姑娘|孩子|孙子|孙女|邻居|他|她|媳妇)们?[^，？我]{0,6}$"
)


# What directly precedes a class word and turns it round (没感冒, 不正常, 没什么不好).
_DENIED = re.compile(
    r"(没有?|冇|不|并不|从不|哪有|哪来的?|哪里有|没啥|没什么|有啥|有什么|能有啥|不是|不觉得|没觉得|没感觉到?|没怎么|没得|从没|没再|没犯|不算|没说|差点儿?没?|差一点儿?|好悬没?|险些没?|没[摔磕碰跌绊烫病吵](?:着|过|了)?)(啥|什么|过|再|怎么|咋|的|那么|得)?$"
)
# 连个感冒都没有
_DENIED_AFTER = re.compile(r"[^，？]{0,2}(都|也)(没有?|冇得?)(过|得过|犯过|的)?(?=$|[，？])")
_IMAGINED = re.compile(r"(就怕|要是|万一|如果|怕的是|哪天)[^，？]{0,8}$")
_NEARLY = re.compile(r"(差点|好悬|险些|差一点|差不点)[^，？]{0,5}$")
_RHETORICAL = re.compile(r"(个)?(啥|什么|屁|个啥)(呀|啊|呢|哟|哦|，|$)")  # 好啥呀
_FINE = frozenset({"good", "safe", "enough", "none"})
_ECHO = re.compile(r"([^有能会可要是，？])[不没]\1的?")
_OPPOSITE: dict[object, str] = {
    "worse": "good",
    "good": "worse",
    "unsafe": "safe",
    "safe": "unsafe",
    "short": "enough",
    "enough": "short",
    "self": "unclear",
    (Question.ILLNESS, "yes"): "none",
    (Question.EVENT, "yes"): "no",
    (Question.NEEDS, "yes"): "no",
    (Question.CALLBACK, "yes"): "no",
}


_BAD = frozenset({"worse", "unsafe", "yes", "short"})
_MINE = re.compile(r"我家|我们家|俺家|我这|我屋|我也|我的")
# 哦不, 说错了: what came before is taken back.
_TAKEN_BACK = re.compile(r"哦不|噢不|(?<!对)不对(?!劲|头)|不是不是|[说讲记搞]错了|错了错了|我是说")
# 以前得扶墙，现在拐棍都扔了: of then and now, now is the answer.
_THEN = re.compile(r"以前|从前|原来|原先|早先|年轻|那会|那阵|前阵子|前段|去年|前年")
_NOW = re.compile(r"现在|如今|这会儿?|眼下|今年|眼目前")
# 我们年轻那会儿点煤油灯: a tale of old times says nothing of today.
_OLD_TIMES = re.compile(
    r"年轻(时候|那会|的时候)|旧社会|小时候|解放前|生产队|当年|那年头|[五六七八]几年|[二三四五六]十年前"
)


def _about_something_else(text: str, hit: Hit, judged: list[Judged]) -> bool:
    """The bad word belongs to an event that did not happen, is long past, is over or is somebody else's."""
    for found, slots in judged:
        elsewhere = slots.media or (slots.subject is Subject.OTHER and not slots.warning)
        unreal = slots.polarity in (Polarity.NEGATED, Polarity.ASKED) or slots.time in (
            Time.HYPOTHETICAL,
            Time.PAST,
        )
        over = slots.resolved and found.event in (Event.FIRE, Event.GAS_LEAK)
        if hit.start < found.end and found.start < hit.end and (elsewhere or unreal or over):
            return True
        if elsewhere and hit.start >= found.end and not _MINE.search(text[found.end : hit.end]):
            return True
    return False


def answer_hits(
    text: str, question: Question, judged: list[Judged], idioms: list[Hit], lexicon: Lexicon
) -> list[tuple[str, Hit]]:
    entries, patterns = lexicon.answers_for(question)
    out: list[tuple[str, Hit]] = []
    vague = set()
    hits = longest_only([h for h in patterns.find(text) if entries[h.owner].told_in(text, h.start, h.end)])
    for hit in hits:
        if entries[hit.owner].get("class") in ("unclear", "ignore"):
            vague.add((hit.start, hit.end))
    echoes = list(_ECHO.finditer(text))
    for hit in hits:
        klass = entries[hit.owner].get("class")
        if klass not in ("unclear", "ignore") and (hit.start, hit.end) in vague:
            continue  # 没事 could be an answer, and is none
        if question is Question.EVENT and any(i.start <= hit.start < i.end for i in idioms):
            continue  # 手机摔了 is not the elder's fall
        if any(e.start() < hit.end and hit.start < e.end() for e in echoes):
            continue
        if klass == "ignore" or (klass in _BAD and _about_something_else(text, hit, judged)):
            continue
        before = text[clause_of(text, hit.start)[0] : hit.start]
        if _IMAGINED.search(before):
            continue
        rest = text[hit.end :]
        if rest.startswith("？") and len(rest) > 1:
            continue  # asked back (不够？够！)
        if _NEARLY.search(before):
            klass = _OPPOSITE.get((question, klass), klass)
        denied = _DENIED.search(before) is not None and text[hit.start] != "没"
        denied = denied or (klass in ("worse", "yes") and _DENIED_AFTER.match(rest) is not None)
        if denied or (klass in _FINE and _RHETORICAL.match(rest)):
            klass = _OPPOSITE.get((question, klass)) or _OPPOSITE.get(klass, klass)
            if klass == "worse" and denied:
                klass = "not_good"
        if question in _ABOUT_SELF and _OTHERS.search(text[: hit.start]):
            continue
        out.append((klass, hit))
    return out


def that_still_hold(text: str, hits: list[tuple[str, Hit]]) -> list[tuple[str, Hit]]:
    """Without what the elder took back, and without how it was before the present he tells of."""
    for marker in (list(_TAKEN_BACK.finditer(text))[-1:], _now_after_then(text)):
        later = [h for h in hits if marker and h[1].start >= marker[0].end()]
        if any(klass != "unclear" for klass, _ in later):
            hits = later
    if _OLD_TIMES.search(text) and not _NOW.search(text):
        start, end = clause_of(text, _at(_OLD_TIMES, text))
        hits = [h for h in hits if not start <= h[1].start < end]
    return hits


def _now_after_then(text: str) -> list[re.Match[str]]:
    if not _NOW.search(text):
        return []
    then = _THEN.search(text)
    ends = [then.end()] if then else []
    ends += [each.end for each in spoken_times(text) if each.ago and each.least >= YEAR_DAYS]
    now = _NOW.search(text, min(ends)) if ends else None
    return [now] if now else []


def _at(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.search(text)
    return match.start() if match else 0
