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
    r"^(那?(都)?是)?.{0,8}(的事儿?|的时候|时候|那会儿?|那阵|的老黄历|老毛病了?|年了|老病了?)(了|啊)?$"
)
_A_MOMENT_AGO = re.compile(r"刚|将才|这会儿|方才|现在|才摔|才跌")
_THIS_TIME = re.compile(r"这回|这次|今天|现在|这会儿")
_NOW_AND_THEN = re.compile(r"有时|偶尔|时不时|隔三差五|断断续续|好几年|好多年|一阵")
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
    if found.time:
        on_another_day = told is Time.RECENT and cues.is_recent(here.text[: here.end])
        told_otherwise = (
            told is Time.PAST or (on_another_day and (resolved or found.event is not Event.UNCONSCIOUS))
        ) or (told is Time.HABITUAL and found.event is Event.VIOLENCE)
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


def _just_now(cues: Cues, here: Place, found: Found, resolved: bool) -> bool:
    """刚摔的，快来人: a fall a moment ago, with a cry for help or a grave sign, is now."""
    if found.event not in _JUST or resolved or not (here.plea or found.level == "urgent"):
        return False
    clause = here.text[max(0, here.start - TIME_CLAUSE_CHARS) : here.end]
    return _A_MOMENT_AGO.search(clause) is not None and not cues.is_recent(clause)


def _time_words(cues: Cues, clause: str, found: Found, resolved: bool) -> Time | None:
    lasting = found.event in LASTING
    if cues.is_past(clause):
        return None if cues.now.search(clause) and lasting else Time.PAST
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
