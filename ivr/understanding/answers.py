"""The answer class of one utterance for the question that was asked.

Each question's entries are matched (longest match wins inside one question); this module
resolves what remains: contradiction takes the worse reading, except where the elder says
that the bad is over, partial, old or somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Event, Polarity, Question, Subject, Time
from ivr.understanding.patterns import Hit, longest_only
from ivr.understanding.slots import Found, Slots
from ivr.understanding.text import clause_of

Judged = tuple[Found, Slots]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the resolvers look at."""

    text: str
    question: Question
    last: dict[str, int]  # class -> start of its last hit
    first: dict[str, int]
    judged: list[Judged]
    urgent: bool
    concern: bool
    relative: bool
    named: bool  # a need was named (送饭, 轮椅) and not declined

    def has(self, *classes: str) -> bool:
        return any(c in self.last for c in classes)

    def affirmed(self, *events: Event) -> list[Judged]:
        """Events that are true of the elder or near, now or lately."""
        return [
            (f, s)
            for f, s in self.judged
            if s.polarity is Polarity.AFFIRMED
            and not s.media
            and s.time is not Time.PAST
            and (not events or f.event in events)
        ]

    def negated(self, *events: Event) -> bool:
        return any(
            s.polarity is Polarity.NEGATED and (not events or f.event in events) for f, s in self.judged
        )


_OVER = re.compile(
    r"((?<!就)好了|好多了|好些了|好利索|不喘了|(?<!不)能走了|能下地了|能动了|能起来了|(?<!天气)刚好$|刚好，|看得清了|拆线|不疼了|换新|不痛了|没事了|不晕了|不咳了|退烧|缓过来|过去了|恢复|康复|出院了|修好|换了|换好|弄好|修过|浇灭|扑灭|处理|解决|来修|查了没|好利索)"
)
_OLD = re.compile(
    r"(老毛病|老病|老样子|老寒腿|跟以前一样|和以前一样|没变化|还那样|还是那样|就那样|多少年|好几年|好些年|多年|些年了|后遗症|几十年|[一二三四五六七八九十]年了|年年|每年|一到(冬|阴|下雨|变天|换季|天冷|秋|春|夏|刮风)[^，？]{0,4}就|差不多)"
)
_MORE = re.compile(r"(加重|更|越来越|厉害了|严重|又犯|不如|重了)")


# What follows the contrast is about another person, or too short to be a complaint (就是觉少).
_NOT_A_COMPLAINT = re.compile(
    r"老伴|老头|老婆|儿子|闺女|女儿|孩子|孙|邻居|[他她](?!们)|没|不(疼|痛|晕|碍事|影响)"
)
MIN_COMPLAINT_CHARS = 3


def _wellbeing(heard: Heard) -> str:
    answer = _state(heard)
    but = _contrasted(heard.text)
    if answer in ("good", "same") and but >= 0:
        rest = heard.text[but:]
        fine_after = max(heard.last.get("good", -1), heard.last.get("same", -1)) >= but
        if len(rest) >= MIN_COMPLAINT_CHARS and not fine_after and not _NOT_A_COMPLAINT.search(rest):
            return "worse"
    return answer


def _state(heard: Heard) -> str:
    bad = [
        (f, s)
        for f, s in heard.affirmed()
        if s.subject in (Subject.SELF, Subject.UNKNOWN)
        and f.event not in (Event.FRAUD, Event.FIRE, Event.GAS_LEAK)
    ]
    worse = heard.has("worse") or any(s.time in (Time.NOW, Time.RECENT) for _, s in bad)
    habitual = any(s.time is Time.HABITUAL for _, s in bad)
    if worse or habitual:
        over = [m.start() for m in _OVER.finditer(heard.text)]
        lately = bool(bad) and all(s.time is Time.RECENT for _, s in bad)
        told_after = bool(over) and over[-1] > heard.last.get("worse", -1)
        eased = lately or (not bad and (told_after or _BACK_THEN.search(heard.text) is not None))
        if over and eased and not heard.urgent and not _STILL.search(heard.text):
            return "good"
        if heard.urgent:
            return "worse"
        if (_OLD.search(heard.text) or (habitual and not heard.has("worse"))) and not _MORE.search(
            heard.text
        ):
            return "same"
        return "worse"
    if heard.has("same") and (not heard.has("good") or _OLD.search(heard.text)):
        return "same"
    if heard.has("good"):
        return "good"
    if heard.negated() and not heard.concern and heard.question is Question.HEALTH:
        return "good"
    if any(s.time is Time.PAST for _, s in heard.judged) and _FREE_NOW.search(heard.text):
        return "good"
    return "unclear"


_BACK_THEN = re.compile(
    r"前阵子|前段|前几天|前两天|上个?月|上周|上个?礼拜|去年|前年|那阵|那会|昨|前天|头几天|年初|来着|开春"
)
_FREE_NOW = re.compile(r"(今年|现在|后来|再)(都|也|就)?没|没(再)?犯|不(疼|喘|晕)了")
_STILL = re.compile(r"(还是|还没|又|就是)[^，？]{0,5}(疼|痛|晕|咳|难受|不|没劲|起不|喘)")


def _mood(heard: Heard) -> str:
    suicidal = heard.affirmed(Event.SUICIDAL)
    if suicidal:
        return (
            "good"
            if heard.has("good") and not heard.urgent and suicidal[-1][1].time is Time.RECENT
            else "worse"
        )
    if heard.has("worse"):
        over = [m.start() for m in _OVER.finditer(heard.text)]
        if over and over[-1] > heard.last["worse"]:
            return "good"
        return "worse"
    if any(f.event is Event.SUICIDAL and s.polarity is Polarity.UNCERTAIN for f, s in heard.judged):
        return "unclear"
    if any(
        (f.event is Event.SUICIDAL and Time.PAST in (s.time,)) or s.polarity is Polarity.NEGATED
        for f, s in heard.judged
    ):
        return "same" if heard.has("same") else "good"
    if heard.urgent:
        return "unclear"
    if heard.has("same") and not heard.has("good"):
        return "same"
    if heard.has("good"):
        return "good"
    return "unclear"


def _mobility(heard: Heard) -> str:
    down = heard.affirmed(Event.CANNOT_GET_UP, Event.STROKE_SIGNS, Event.FALL, Event.SEVERE_PAIN)
    mine = [(f, s) for f, s in down if s.subject is not Subject.OTHER and s.subject is not Subject.SPOUSE]
    if any(s.time in (Time.NOW, Time.RECENT) for _, s in mine) or heard.has("worse"):
        if (
            (_OLD.search(heard.text) or heard.has("same"))
            and not heard.urgent
            and not _BUT.search(heard.text[: heard.last.get("worse", 0)])
            and not _MORE.search(heard.text)
        ):
            return "same"
        if heard.has("good") and heard.last["good"] > heard.last.get("worse", -1) and not heard.urgent:
            over = _OVER.search(heard.text)
            if over:
                return "good"
        return "worse"
    if heard.has("same"):
        return "good" if heard.has("good") and not _OLD.search(heard.text) else "same"
    if heard.has("good") or any(f.entry == "up.can" for f, _ in heard.judged):
        return "good"
    return "unclear"


def _illness(heard: Heard) -> str:
    true = [(f, s) for f, s in heard.affirmed() if s.subject not in (Subject.OTHER, Subject.SPOUSE)]
    past_only = any(s.time is Time.PAST and s.polarity is Polarity.AFFIRMED for _, s in heard.judged)
    if heard.has("better") and (heard.has("yes") or true or not heard.has("none")) and not heard.urgent:
        return "none" if past_only and not true else "better"
    if heard.has("better") and not heard.has("yes") and not heard.urgent:
        return "better"
    if true:
        return "yes"
    if heard.has("yes"):
        if past_only and heard.has("none"):
            return "none"
        return "yes"
    if heard.has("none") or heard.negated():
        return "none"
    return "none" if past_only else "unclear"


_SAFETY_EVENT = {
    Question.GAS: (Event.GAS_LEAK, Event.FIRE, Event.POISONING),
    Question.FIRE: (Event.FIRE, Event.GAS_LEAK),
    Question.ELECTRICITY: (Event.FIRE,),
    Question.WATER_HEATING: (Event.FIRE, Event.GAS_LEAK, Event.POISONING),
}


_CONTRAST = re.compile(r"，(就是|可就|不过|但是?|可是?|只是)(?!说)")


def _contrasted(text: str) -> int:
    """Where a 就是 / 不过 opens the part that takes back some of what was said; -1 without one."""
    match = _CONTRAST.search(text)
    return match.end() if match else -1


def _safety(heard: Heard) -> str:
    answer = _house(heard)
    but = _contrasted(heard.text)
    if answer in ("safe", "unclear") and but >= 0 and not _UNKNOWING.search(heard.text):
        praised = _WORKS.search(heard.text, 0, but) or heard.has("safe")
        if praised and heard.last.get("safe", -1) < but and not heard.judged:
            return "unsafe" if _GRAVE.search(heard.text, but) else "partly"
    return answer


def _house(heard: Heard) -> str:
    events = _SAFETY_EVENT[heard.question]
    here = [(f, s) for f, s in heard.affirmed(*events) if s.subject is not Subject.OTHER]
    if any(s.time is Time.NOW and not s.resolved for _, s in here):
        return "unsafe"
    near = any(s.near_miss for _, s in heard.judged)
    if heard.urgent and here:
        return "unsafe"
    if heard.has("unsafe"):
        over = [m.start() for m in _OVER.finditer(heard.text)]
        if over and over[-1] > heard.last["unsafe"]:
            return "safe"
        mostly_fine = heard.has("partly") or _WORKS.search(heard.text) is not None
        return "partly" if mostly_fine and not _GRAVE.search(heard.text) else "unsafe"
    if here:
        return "partly" if any(s.resolved for _, s in here) else "unsafe"
    if heard.has("partly") or near:
        return "partly"
    if any(f.event in events and s.polarity is Polarity.UNCERTAIN for f, s in heard.judged):
        return "unclear"
    if heard.has("safe") and _UNKNOWING.search(heard.text):
        return "unclear"
    if heard.has("safe"):
        return "safe"
    if any(s.subject is Subject.OTHER for _, s in heard.judged):
        return "unclear"
    if heard.negated(*events):
        return "safe"
    return "unclear"


# The thing works or the rest is fine: a fault beside these is a small one ...
_WORKS = re.compile(
    r"(还|都|也|大体|大致|大部分|基本|总的|平时|平常|白天)(还)?(行|好用|可以|能用|能使|能打着|没事|好使|热)(?!不)|"
    r"(?<!不)(?<!没)还?算?放心|"
    r"还能(使|用|待)|凑合|够用|别(处|的)[^，？]{0,3}(都|也|还|利索|好|行)|好用，?就是|"
    r"(就|才)(好|亮|着)(了)?$|灭火器有|时好时坏|倒是有|不多"
)
# ... unless it can kill or leaves the house without water, power or warmth.
_GRAVE = re.compile(
    r"漏(气|煤气|电)|煤气味|打火(?!机)|冒(火|烟|过)|起火|着火|烧(黑|焦|化|坏)|化了|电着|触电|麻(手|人|了)|(老鼠|耗子)|"
    r"火星|浇灭|停了|冰(窖|凉)|结冰|头(晕|疼|痛)|关不(严|上|死|住)|露(铜|线)|铜丝|床上抽|"
    r"堵(死|满)|汽油|鞭炮|烟花|好几天|没人(修|管)"
)
_UNKNOWING = re.compile(r"(不懂|不知道|不晓得|不清楚|说不好)")


def _needs(heard: Heard) -> str:
    settled = (  # 扶手装了，现在没啥要求了
        heard.has("no")
        and heard.last["no"] > heard.last.get("yes", len(heard.text))
        and _NOTHING_MORE.search(heard.text, heard.last["no"] - 2)
    )
    if settled and not heard.urgent:
        return "no"
    if heard.urgent or heard.has("yes") or heard.concern:
        return "yes"
    if heard.has("no"):
        return "no"
    return "yes" if heard.named else "unclear"


_NOTHING_MORE = re.compile(r"(没|不)(啥|什么|别的|用|缺|需要)[^，？]{0,4}(要求|了|操心|缺)$")
_NO_CALL = re.compile(
    r"(电话|消息|信|音信)[^，？]{0,3}(都|也)?(不|没)|(不|没)(打|来|接)(过|个)?电话|没人|谁也|都不管|不管"
)


def _family(heard: Heard) -> str:
    if heard.has("neglected"):
        if heard.has("calls_only") and not _NO_CALL.search(heard.text):
            return "calls_only"
        if (
            heard.has("visits")
            and heard.last["visits"] > heard.last["neglected"]
            and not _RARE.search(heard.text)
        ):
            return "visits"
        return "neglected"
    if heard.has("visits"):
        return "visits"
    if heard.has("calls_only"):
        return "neglected" if _NO_CALL.search(heard.text) else "calls_only"
    if heard.has("alone"):
        return "alone"
    return "unclear"


_RARE = re.compile(r"(过年|一年|逢年过节|半年|几年|难得|才来|才回)")


def _economy(heard: Heard) -> str:
    if heard.has("short") or (heard.has("enough") and heard.last["enough"] < _contrasted(heard.text)):
        if (
            heard.has("enough")
            and heard.last["enough"] > heard.last.get("short", len(heard.text))
            and not _HARD.search(heard.text)
        ):
            return "enough"
        return "short"
    if heard.has("enough"):
        return "enough"
    return "unclear"


_HARD = re.compile(r"(不够|借|欠|没钱|吃不起|看不起|买不起)")


def _event(heard: Heard) -> str:
    true = [
        (f, s)
        for f, s in heard.affirmed()
        if s.subject is not Subject.OTHER or heard.relative or heard.urgent
    ]
    corrected = any(
        s.polarity is Polarity.UNCERTAIN and s.time is not Time.HYPOTHETICAL for _, s in heard.judged
    )
    quoted = any(s.media or s.warning for _, s in heard.judged)
    if true or heard.urgent:
        return "yes"
    if heard.concern and not heard.judged and not heard.has("no"):
        return "yes"
    if quoted:
        return "no" if heard.has("no") else "unclear"
    if heard.has("yes") and not heard.judged:
        return "yes"
    if heard.has("yes") and _BUT.search(heard.text[: heard.last["yes"]]):
        return "yes"
    if corrected:
        return "unclear"
    if heard.negated() or heard.has("no"):
        return "yes" if heard.has("yes") and not heard.judged else "no"
    if any(s.subject is Subject.OTHER for _, s in heard.affirmed()):
        return "no"
    if heard.has("yes"):
        return "yes"
    if any(s.time is Time.PAST for _, s in heard.judged):
        return "no"
    return "unclear"


_BUT = re.compile(r"(就是|不过|但是?|可是?|只是)[^，？]{0,8}$")


def _callback(heard: Heard) -> str:
    if heard.urgent:
        return "yes"
    if heard.has("unclear"):
        return "unclear" if not heard.has("yes", "no") else ("no" if heard.has("no") else "unclear")
    if heard.has("no"):
        return "yes" if heard.has("yes") and heard.last["yes"] > heard.last["no"] + 2 else "no"
    if heard.has("yes"):
        return "yes"
    return "unclear"


_RELATIVE_ON_LINE = re.compile(r"(儿子|女儿|闺女|姑娘|媳妇|女婿|孙|邻居|保姆|护工|老伴|不在|没在|出去|他|她)")


def _identity(heard: Heard) -> str:
    if heard.has("other_person"):
        if heard.has("self") and heard.urgent and not heard.relative and heard.first["self"] == 0:
            return "self"
        if (
            heard.has("self")
            and heard.last["self"] > heard.last["other_person"]
            and _HANDED.search(heard.text)
        ):
            return "self"
        if heard.has("wrong_number") and not _RELATIVE_ON_LINE.search(heard.text):
            return "wrong_number"
        if heard.has("self") and heard.first["self"] < heard.first["other_person"] and not heard.relative:
            return "self"
        return "other_person"
    if heard.urgent:
        if heard.has("self"):
            return "self"
        return "other_person" if heard.relative or _PRONOUN.search(heard.text) else "unclear"
    for answer in ("wrong_number", "refuse"):
        if heard.has(answer):
            return answer
    if heard.has("unclear"):
        return "self" if heard.has("self") else "unclear"
    if heard.has("self"):
        return "self"
    return "other_person" if heard.relative else "unclear"


_PRONOUN = re.compile(r"(?<![其吉])[他她](?!们|人|妈的)")
_HANDED = re.compile(r"(来了|接了|给我|我来|换我|喊|叫|等)")

_RESOLVERS: dict[Question, Callable[[Heard], str]] = {
    Question.IDENTITY: _identity,
    Question.HEALTH: _wellbeing,
    Question.MOOD: _mood,
    Question.MOBILITY: _mobility,
    Question.ILLNESS: _illness,
    Question.GAS: _safety,
    Question.WATER_HEATING: _safety,
    Question.ELECTRICITY: _safety,
    Question.FIRE: _safety,
    Question.NEEDS: _needs,
    Question.FAMILY: _family,
    Question.ECONOMY: _economy,
    Question.EVENT: _event,
    Question.CALLBACK: _callback,
}
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
    hits = longest_only(patterns.find(text))
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


# 哦不, 说错了: what came before is taken back.
_TAKEN_BACK = re.compile(r"哦不|噢不|(?<!对)不对(?!劲|头)|不是不是|[说讲记搞]错了|错了错了|我是说")
# 以前得扶墙，现在拐棍都扔了: of then and now, now is the answer.
_THEN = re.compile(
    r"以前|从前|原来|原先|早先|年轻|那会|那阵|前阵子|前段|去年|前年|头几年|[一二三四五六七八九十几]年前"
)
_NOW = re.compile(r"现在|如今|这会儿?|眼下|今年|眼目前")
# 我们年轻那会儿点煤油灯: a tale of old times says nothing of today.
_OLD_TIMES = re.compile(
    r"年轻(时候|那会|的时候)|旧社会|小时候|解放前|生产队|当年|那年头|[五六七八]几年|[二三四五六]十年前"
)


def _that_still_hold(text: str, hits: list[tuple[str, Hit]]) -> list[tuple[str, Hit]]:
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
    then = _THEN.search(text)
    now = _NOW.search(text, then.end()) if then else None
    return [now] if now else []


def _at(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.search(text)
    return match.start() if match else 0


def answer(
    text: str,
    question: Question,
    judged: list[Judged],
    *,
    urgent: bool,
    concern: bool,
    relative: bool,
    named: bool,
    idioms: list[Hit],
    lexicon: Lexicon,
) -> tuple[str, int]:
    """The class, and where the last word of the answer began (-1: nothing answered)."""
    if question is Question.ANY:
        moans = judged and all(s.subject is Subject.UNKNOWN for _, s in judged)
        return ("unclear" if moans else "other"), -1
    last: dict[str, int] = {}
    first: dict[str, int] = {}
    for klass, hit in _that_still_hold(text, answer_hits(text, question, judged, idioms, lexicon)):
        last[klass] = hit.start
        first.setdefault(klass, hit.start)
    if "not_good" in last:  # 不咋高兴: weaker than a complaint, it yields to 就那样
        at = last.pop("not_good")
        first.pop("not_good")
        if "same" not in last:
            last["worse"] = max(at, last.get("worse", -1))
            first.setdefault("worse", at)
    heard = Heard(text, question, last, first, judged, urgent, concern, relative, named)
    return _RESOLVERS[question](heard), max((at for c, at in last.items() if c != "unclear"), default=-1)
