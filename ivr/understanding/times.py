"""When was it? Time (现在、近期、过去、经常、假设) of an event, read from the words around it."""

from __future__ import annotations

import re

from ivr.understanding.cues import Cues
from ivr.understanding.model import Event, Polarity, Question, Time
from ivr.understanding.slot_model import Found, Place
from ivr.understanding.text import clause_of, following

TIME_CLAUSE_CHARS = 9  # a clause before the event this short may tell its time (昨天晚上，...)
# When nothing says otherwise: falls are told afterwards, symptoms are felt now.
DEFAULT_TIME: dict[Event, Time] = {
    Event.FALL: Time.RECENT,
    Event.FRAUD: Time.RECENT,
}
# Told unasked, or with a cry for help, a fall has just happened.
SPONTANEOUS = frozenset({Question.ANY, Question.IDENTITY})
# States that last: 刚才 or 今早 tells when they began, not that they are over.
LASTING = frozenset(Event) - {Event.FALL, Event.FRAUD, Event.VIOLENCE, Event.LOST}
# Of somebody else, told without a time: mostly news, but these mean that somebody lies there.
_LYING_THERE = frozenset({Event.CANNOT_GET_UP, Event.UNCONSCIOUS, Event.BREATHLESS})
# A denied event of these kinds was asked about for the time since the last visit.
DENIED_TIME: dict[Event, Time] = {
    Event.FALL: Time.RECENT,
    Event.VIOLENCE: Time.RECENT,
    Event.LOST: Time.RECENT,
    Event.FRAUD: Time.RECENT,
    Event.UNCONSCIOUS: Time.RECENT,
    Event.POISONING: Time.RECENT,
    Event.FIRE: Time.RECENT,
}
# What began yesterday and is not said to be over goes on.
_GOES_ON = frozenset({Event.CANNOT_GET_UP, Event.NO_FOOD})
# Things that happen at one time; what was told of last week goes on in the next clause.
_HAPPENS = frozenset({Event.FIRE, Event.FALL, Event.FRAUD, Event.VIOLENCE, Event.LOST, Event.POISONING})
_JUST = frozenset({Event.FALL, Event.VIOLENCE})
_ONLY_TIME = re.compile(
    r"^(那?(都)?是)?.{0,8}(的事儿?|的时候|时候|那会儿?|那阵|的老黄历|老毛病了?|年了|老病了?)(了|啊)?$|^(昨天|昨晚|前天|上礼拜|上个月|去年|前年)(的)?$"
)
_A_MOMENT_AGO = re.compile(r"刚|将才|这会儿|方才|现在|才摔|才跌")
_THIS_TIME = re.compile(r"这回|这次|今天|现在|这会儿")
_NOW_AND_THEN = re.compile(r"每年|忌日|念叨|有时|偶尔|时不时|隔三差五|断断续续|好几年|好多年|一阵")
# It has lasted since then: 从昨晚叫不醒, 昨天歪的今天还歪.
_EVER_SINCE = re.compile(r"(从|打|自)(昨|前|大前|上|礼拜|星期|初)")
_STILL = re.compile(r"(今天|今早|现在|这会儿|到现在|早上|今儿)[^，？]{0,3}(还|也)(?!好|行|能|可以|没事|不错)")
# A trouble told with its rest and its years is the old one.
_OLD_TROUBLE = re.compile(
    r"老(哮喘|慢支|气管炎|胃病|风湿|肺气肿)|歇(一|一会儿?|会儿?|一歇|歇)?，?就(好|过|没|行|缓)|老毛病|老病根|老样子|[跟和]以前一样|还那样|还是那样|习惯了|(阴天|天冷|变天|冬天)就犯|年了$|年了，|[俩两三几半]个?多?月了"
)
_OF_THE_BODY = frozenset({Event.CHEST_PAIN, Event.BREATHLESS, Event.STROKE_SIGNS, Event.SEVERE_PAIN})
_WORSE_NOW = re.compile(
    r"厉害|受不了|要命|汗|比往常|比以前|越来越|不行|动不了|站不|晕|吐|紫|说不出|后背|胳膊|膀子"
)
_WORSE_TODAY = re.compile(
    r"(今天|今儿|今早|这回|这次|现在|这会儿|刚才)[^，？]{0,6}(厉害|受不了|不一样|疼|喘|不行|重|汗)"
)
_WHENEVER = re.compile(r"的时候(才|要|就|吃|再|得|含|歇|喷|喝|用)")
_DONE_ONCE = frozenset({Event.UNCONSCIOUS, Event.POISONING, Event.FIRE, Event.LOST})
_ONCE = re.compile(r"过(?![来去气])")
# 六零年没吃的，如今样样不缺: the now is another matter.
_NOW_PLENTY = re.compile(r"(如今|现在)[^，？]{0,14}(不缺|不愁|够|满|都有|样样|好|没那)")
_NEXT_DOOR = re.compile(r"楼上|楼下|隔壁|对门|邻居家|往我|我屋")


def time_of(
    cues: Cues,
    here: Place,
    polarity: Polarity,
    hypothetical: str,
    told_of_others: bool,
    resolved: bool,
    mild: bool,
) -> Time:
    if hypothetical:
        return Time.HYPOTHETICAL
    found = here.found
    clause = here.text[here.start : here.end]
    told = _time_words(cues, clause, found, resolved)
    if told is None and found.time == Time.NOW and here.start >= 2:
        earlier_start, earlier_end = clause_of(here.text, here.start - 2)
        earlier = here.text[earlier_start:earlier_end]
        if cues.is_past(earlier) and not cues.now.search(earlier):
            told = Time.PAST
    if found.time:
        on_another_day = told is Time.RECENT and cues.is_recent(here.text[: here.end])
        told_otherwise = (
            told is Time.PAST or (on_another_day and (resolved or found.event is not Event.UNCONSCIOUS))
        ) or (told is Time.HABITUAL and found.event in (Event.VIOLENCE, Event.LOST))
        return told if told is not None and told_otherwise else Time(found.time)
    if told is None and here.start >= 2:
        earlier_start, earlier_end = clause_of(here.text, here.start - 2)
        if earlier_end - earlier_start <= TIME_CLAUSE_CHARS:
            told = _time_words(cues, here.text[earlier_start:earlier_end], found, resolved)
        if told is None and (resolved or found.event in _HAPPENS):
            told = _time_of_story(cues, here.text[:earlier_start])
    if told is None:
        later = following(here.text, here.end, 1)[1:]
        if _ONLY_TIME.search(later):
            told = _time_words(cues, later, found, resolved)
        if told is Time.HABITUAL and _WORSE_TODAY.search(here.text[here.end :]):
            told = Time.NOW
    if told is Time.RECENT and found.event in LASTING and not resolved and _goes_on(here):
        return Time.NOW
    if told is None and _WHENEVER.search(here.text[found.start : here.end]):
        return Time.HABITUAL
    if told is None and _told_as_old(cues, here):
        return Time.HABITUAL
    if told is None and found.event in _DONE_ONCE and _done_once(here):
        return Time.RECENT
    if told is Time.RECENT and _just_now(cues, here, found, resolved):
        return Time.NOW
    if polarity is Polarity.NEGATED and told in (None, Time.NOW, Time.HABITUAL):
        if found.event is Event.GAS_LEAK and here.question is Question.EVENT:
            return Time.RECENT
        return DENIED_TIME.get(found.event, Time.NOW)
    if told is not None:
        return told
    if found.event in LASTING and here.after.startswith("呢"):  # 冒烟呢: going on
        return Time.NOW
    if told_of_others and found.event in (Event.FIRE, Event.GAS_LEAK) and _NEXT_DOOR.search(clause):
        return Time.NOW
    if found.event in LASTING and not resolved and cues.now.search(following(here.text, here.end, 1)):
        return Time.NOW
    if resolved or (told_of_others and found.event not in _LYING_THERE):
        return Time.RECENT
    if found.event is Event.FALL and (
        found.level == "urgent" or ((here.plea or here.question in SPONTANEOUS) and not mild)
    ):
        return Time.NOW
    return DEFAULT_TIME.get(found.event, Time.NOW)


def _time_of_story(cues: Cues, earlier: str) -> Time | None:
    """The time that opened the story (上礼拜忘了关火，锅烧干了，冒了一屋子烟)."""
    if cues.now.search(earlier) or cues.onset.search(earlier):
        return None
    if cues.is_past(earlier):
        return Time.PAST
    return Time.RECENT if cues.is_recent(earlier) else None


def _goes_on(here: Place) -> bool:
    """从昨晚叫不醒; 昨天嘴歪了，今天还歪."""
    found = here.found
    return bool(_EVER_SINCE.search(here.text[: found.start]) or _STILL.search(here.text[found.end :]))


def _told_as_old(cues: Cues, here: Place) -> bool:
    """胸口闷，阴天就犯，老病根; not when it is worse than it was, or told as of today."""
    if here.found.event not in _OF_THE_BODY:
        return False
    if not _OLD_TROUBLE.search(following(here.text, here.end, 3)):
        return False
    return not (_WORSE_NOW.search(here.text) or cues.now.search(here.text) or cues.onset.search(here.text))


def _done_once(here: Place) -> bool:
    """吃错过, 昏是昏过: it happened, some time."""
    told = here.text[here.found.start : here.found.end + 2]
    return _ONCE.search(told) is not None


def _just_now(cues: Cues, here: Place, found: Found, resolved: bool) -> bool:
    """刚摔的，快来人: a fall a moment ago, with a cry for help or a grave sign, is now."""
    if found.event not in _JUST or resolved or not (here.plea or found.level == "urgent"):
        return False
    clause = here.text[max(0, here.start - TIME_CLAUSE_CHARS) : here.end]
    return _A_MOMENT_AGO.search(clause) is not None and not cues.is_recent(clause)


def _time_words(cues: Cues, clause: str, found: Found, resolved: bool) -> Time | None:
    lasting = found.event in LASTING
    if cues.is_past(clause):
        goes_on = lasting and cues.now.search(clause) and not _NOW_PLENTY.search(clause)
        return None if goes_on else Time.PAST
    now = cues.now.search(clause) is not None
    if cues.is_recent(clause):
        still_then = "还" in clause and "现在" not in clause  # 前天还起不来
        if lasting and not resolved and not still_then and (now or found.event in _GOES_ON):
            return Time.NOW
        return Time.RECENT
    if cues.is_habitual(clause) and not _THIS_TIME.search(clause):  # 天天想死 is the more urgent
        often = found.event is Event.SUICIDAL and not _NOW_AND_THEN.search(clause)
        return Time.NOW if often else Time.HABITUAL
    if now:
        return Time.NOW
    if cues.onset.search(clause):
        return Time.NOW if lasting and not resolved else Time.RECENT
    return None
