"""The slots of an event (polarity, time, subject and what softens it), read from the words around it.

Every decision looks at the clause of the event first, then at its neighbours.
"""

from __future__ import annotations

import re

from ivr.understanding.cues import Cues
from ivr.understanding.model import Event, Question, Subject
from ivr.understanding.polarity import polarity_of
from ivr.understanding.slot_model import HYPOTHETICAL_CHARS, WINDOW_CHARS, Found, Judged, Place, Slots
from ivr.understanding.subjects import subject_of
from ivr.understanding.text import clause_of, following
from ivr.understanding.times import time_of

_CHEERED = re.compile(r"好多了|好些了|想开了|想通了|不想了|没事了|过去了|缓过来|劝住|劝开|现在不")
_FLAME_OUT = re.compile(r"(浇|扑|吹|弄|淹)?灭(了|掉)")
_LEAVES_MARKS = frozenset({Event.STROKE_SIGNS, Event.SEVERE_PAIN, Event.CANNOT_GET_UP})
_AFTERMATH = re.compile(r"刚?出(了)?院|后遗症|落下的?|恢复期|康复|做完手术|开完刀|手术后")
_URGED = re.compile(r"快|赶紧|赶快|马上|麻溜")
_DECLINED = re.compile(r"(不用|不需要|用不着|不必|甭|没必要)[^，？]{0,2}$")
_ON_SCREEN = re.compile(r"看(电视|戏|剧|电影)[^？]{0,10}$|里头(喊|叫)$")
_FETCHED = re.compile(r"(来)?(拉|接|送|抬)(走|到|去)")
_IF_THEN = re.compile(r"(要是|如果|万一|假如)[^？]{0,16}就[^？]{0,16}$")
# Awake again, and not well: who fainted today and cannot stand may be about to faint again.
_LINGERS = re.compile(
    r"(站|坐|走|起|爬|立)(都|也)?不(住|稳|起|了|动|来)|(眼前|眼睛)[^，？]{0,3}黑|(还|直|又)(晕|迷糊|吐|抽|冒)|冒(冷|虚)?汗|"
    r"动不了|喘不|(胸口?|心口)(疼|痛|闷|憋)|说话?不(清|利索)"
)
_GETS_UP = frozenset({Event.FALL, Event.CANNOT_GET_UP, Event.UNCONSCIOUS})
_UP_AGAIN = re.compile(r"(爬|站|坐|撑|扶)(了)?起来")


def plea_is_meant(cues: Cues, text: str, start: int, end: int) -> bool:
    """Not quoted, not denied, not imagined."""
    clause_start, _ = clause_of(text, start)
    before = text[max(clause_start, start - WINDOW_CHARS) : start]
    far_before = text[max(0, start - HYPOTHETICAL_CHARS) : start]
    told = text[clause_start:start]
    urged = _URGED.match(text[start:end]) is not None  # 啥都不要，快叫救护车
    return not (
        (cues.negated.search(before) and not urged)
        or (cues.fear.search(before) and not urged)
        or _DECLINED.search(before)
        or _ON_SCREEN.search(text[:start])
        or (_FETCHED.match(text[end:]) and cues.is_recent(told))
        or cues.rhetorical.search(before)
        or cues.media.search(far_before)
        or cues.imagines(far_before)
        or _IF_THEN.search(text[:start])
        or cues.warning.search(text[: end + 8])
    )


def corrected(cues: Cues, text: str, found: Found) -> bool:
    return bool(cues.correction.match(text[found.end : found.end + 14]))


def read_slots(
    cues: Cues, text: str, found: Found, question: Question, previous: Judged | None, plea: bool
) -> Slots:
    start, end = clause_of(text, found.start)
    end = max(end, found.end)
    before = text[max(start, found.start - WINDOW_CHARS) : found.start]
    far_before = text[max(0, found.start - HYPOTHETICAL_CHARS) : found.start]
    media = cues.media.search(far_before) is not None
    warning = not media and cues.warning.search(text[: found.end + 8]) is not None
    here = Place(text, found, start, end, before, text[found.end :], far_before, question, plea)
    # A softener or a recovery counts in this clause and the two that follow it.
    whole = text[start:end]
    tail = following(text, end, 2)
    resolved = _is_over(cues, found.event, whole + tail) or (
        found.event in _LEAVES_MARKS and _AFTERMATH.search(text[: found.end]) is not None
    )
    if found.event is Event.UNCONSCIOUS and resolved and cues.onset.search(text[:end]):
        resolved = _LINGERS.search(text[found.end :]) is None
    softened = cues.mild.sub("", whole + tail)
    mild = softened != whole + tail
    subject = subject_of(cues, text, found, start, previous, media)
    polarity, near, hypothetical = polarity_of(cues, here, previous, media, warning)
    told_of_others = subject is Subject.OTHER and not cues.relative_speaks(text)
    if hypothetical == "bare":  # 着火……: nobody knows whose or where
        hypothetical, subject = "", Subject.UNKNOWN
    if hypothetical == "eased":  # 不疼了: it did hurt
        hypothetical, resolved = "", True
    time = time_of(cues, here, polarity, hypothetical, media or told_of_others, resolved, mild)
    return Slots(
        polarity=polarity,
        time=time,
        subject=subject,
        near_miss=near,
        media=media,
        warning=warning,
        resolved=resolved,
        mild=mild,
        strong=cues.strong.search(softened) is not None,
        far=bool(cues.far.search(whole) or cues.far.search(text[max(0, start - 8) : start])),
        what_then=hypothetical == "after",
    )


def _is_over(cues: Cues, event: Event, context: str) -> bool:
    """Over or taken care of, by words that can end this kind of event (火灭了 ends no gas leak)."""
    if event is Event.SUICIDAL:
        return _CHEERED.search(context) is not None
    if event not in _GETS_UP:
        context = _UP_AGAIN.sub("", context)
    if event is Event.GAS_LEAK:
        context = _FLAME_OUT.sub("", context)
    return cues.resolved.search(context) is not None
