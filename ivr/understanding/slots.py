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

_CHEERED = re.compile(
    r"好多了|好些了|想开了|想通了|不想了|没事了|过去了|缓过来|劝住|劝开|现在不|念头(淡|没|少)了|陪着我|守着我|(今天|现在)(就|又)?好了"
)
_FLAME_OUT = re.compile(r"(浇|扑|吹|弄|淹)?灭(了|掉)")
_LEAVES_MARKS = frozenset({Event.STROKE_SIGNS, Event.SEVERE_PAIN, Event.CANNOT_GET_UP})
_AFTERMATH = re.compile(
    r"刚?出(了)?院|后遗症|落下的?|恢复期|康复|做完手术|开完刀|手术后|住院(了|呢)|住了[^，？]{1,3}(天|院)"
)
_URGED = re.compile(r"快|赶紧|赶快|马上|麻溜")
_DECLINED = re.compile(r"(不用|不需要|用不着|不必|甭|没必要)[^，？]{0,2}$")
_NOT_CALLED = re.compile(r"不是(在)?(喊|叫)$")
# Read out, or told of a leaflet, after the words: 嘴歪手麻，这是宣传单上的; not: 我现在就这样.
_READ_OUT = re.compile(
    r"念给(你|您)听|宣传(单|画|册|栏)[^，？]{0,2}(上|写|贴|印)|墙上[^，？]{0,4}(写|贴|画)|卡片上"
)
_AND_ME_TOO = re.compile(
    r"跟[^，？]{0,8}一样|就?现在(?=$|[，？就])|我(现在|这会儿|今天)(就|也|是|这)|我(就|也)(是)?这样"
)
_ON_SCREEN = re.compile(r"看(电视|戏|剧|电影)[^？]{0,10}$|里头(喊|叫)$")
_FETCHED = re.compile(r"(来)?(拉|接|送|抬)(走|到|去)")
_IF_THEN = re.compile(r"(要是|如果|万一|假如)[^？]{0,16}就[^？]{0,16}$")
# Awake again, and not well: who fainted today and cannot stand may be about to faint again.
_LINGERS = re.compile(
    r"(站|坐|走|起|爬|立)(都|也)?不(住|稳|起|了|动|来)|(眼前|眼睛)[^，？]{0,3}黑|(还|直|又)(晕|迷糊|吐|抽|冒)|冒(冷|虚)?汗|"
    r"动不了|喘不|(胸口?|心口)(疼|痛|闷|憋)|说话?不(清|利索)"
)
_GETS_UP = frozenset({Event.FALL, Event.CANNOT_GET_UP, Event.UNCONSCIOUS})
# Fire and gas next door that come to us.
_REACHES_US = re.compile(
    r"(灌|窜|飘|钻|漫|冒|进|过|烧|呛)[^，？]{0,3}(进来|过来|到我|我这|我家|我屋|我们家|上来)|我(们)?[^，？]{0,3}(下不了|出不去|跑不)"
)
_COMES_OVER = frozenset({Event.FIRE, Event.GAS_LEAK})
# Endured, not over: 熬熬就过去了.
_ENDURED = re.compile(r"(熬|忍|挺|扛|撑)(一)?(熬|忍|挺|扛|撑)就(过去|好|没事)了?")
# Turned off, and it goes on: 关了阀门还有.
_GOES_ON_AFTER = re.compile(r"(关|拧|堵|扑|浇)[^，？]{0,6}(还(是)?(有|漏|响|冒|在)|也没用|也不(行|管用))")
# An animal lies there, and no person is spoken of: 这懒猫趴着起不来，叫它都不动.
_ANIMAL = re.compile(
    r"(?<![^，？])(哎|是|说的是|就是)?(我|俺)?们?家?里?[这那]?[一两几]?[只条头个]?[懒老小大黑白花肥胖土]{0,2}"
    r"(猫|狗|鸡|鸭|鹅|羊|牛|猪|鱼|鸟|兔子)(?!蛋|肉|汤|精|毛|血|爪|圈|棚|窝|叫)"
)
_PERSON_THERE = re.compile(
    r"我(?!们?家|这|那|养)|俺(?!家)|咬|扑|撞|踢|绊|抓|顶|拱|老伴|老头|老太|老婆|孩|儿子|闺女|女儿|妈|爸|爷|奶|邻居|他|她|人"
)
_CREATURES = frozenset({Event.UNCONSCIOUS, Event.CANNOT_GET_UP, Event.LOST, Event.FALL})
# Shown on a screen, said after the fact: 着火了，昨儿电视剧里演了.
_SHOWN = re.compile(
    r"(电视剧|小品|电影|连续剧|动画片|相声)[^，？]{0,6}(演|播|放|叫啥|叫什么|好看|太逗|里|逗|叫个啥)|那[^，？]{0,2}(电视剧|电影|小品|连续剧)|"
    r"电视[^，？]{0,3}(报|演|播)|听说(的)?$|(隔壁|邻居|楼上)[^，？]{0,2}电视"
)
_CAN_BE_SHOWN = frozenset({Event.FIRE, Event.VIOLENCE, Event.FALL, Event.FRAUD, Event.LOST, Event.GAS_LEAK})
_IN_HOSPITAL = re.compile(r"住(着)?院(了|呢)")
# Out for a walk, ring again later: nobody is missed.
_RING_LATER = re.compile(r"(晚点|等会儿?|晚上|下午|过会儿?|回头|一会儿?|中午)(再)?(打|来电话)")
_MISSED = re.compile(r"半天|一天|一宿|一夜|天黑|到现在|找|丢|急|平时|往常|早该")
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
        or _NOT_CALLED.search(told)
        or _THAT_WAS_THEN.match(text[end:])
        or _WHEN_ONE_DOES.match(text[end:])
        or (_CALLS_FIRE.search(text[start:end]) and _WILL.search(told))
        or _ON_SCREEN.search(text[:start])
        or (_FETCHED.match(text[end:]) and cues.is_recent(told))
        or cues.rhetorical.search(before)
        or cues.media.search(far_before)
        or (_SHOWN.search(text[end:]) and not urged)
        or _in_old_days(cues, text[:end])
        or (_WHO_HELPS.match(text[start:end]) and _FALLEN_IF.match(told))
        or (_CALLS_FIRE.search(text[start:end]) and _WOULD.search(text[:start]))
        or cues.imagines(far_before)
        or _IF_THEN.search(text[:start])
        or cues.warning.search(text[: end + 8])
    )


_WHEN_ONE_DOES = re.compile(r"的时候(才|要|就|再|得|先)")
_THAT_WAS_THEN = re.compile(r"了?，那(都|也)?是[^，？]{0,6}(去年|前年|年前|早先|以前|那年|年轻|上个月)")
_WILL = re.compile(r"我(自己)?会$")
_WHO_HELPS = re.compile(r"谁(来)?(扶|管|救|拉)")
_FALLEN_IF = re.compile(r"(要是)?(摔|跌|倒|病|瘫)(倒)?了$")
_CALLS_FIRE = re.compile(r"打(119|120|110|一一九|一二零|幺二零|幺幺九)")
_WOULD = re.compile(
    r"真(要|要是)?(着火|着了火|起火|摔|漏气|有事|出事)[^？]{0,6}(我|就|我就)$|(着火|起火|漏气|出事|疼)了就$|要是[^？]{0,8}(我|就|我就)$"
)


def _in_old_days(cues: Cues, told: str) -> bool:
    """那会儿打仗，喊救命的多了."""
    return cues.is_past(told) and not cues.now.search(told) and not cues.onset.search(told)


def taken_back(cues: Cues, text: str, after: int) -> bool:
    """说着玩的, 逗你呢: said after the last alarming word, and not denied (我不是说着玩的)."""
    return cues.joke.search(text, after) is not None and cues.joke_denied.search(text, after) is None


_IN_EARNEST = re.compile(r"不是(演习|开玩笑|说着玩|逗|骗|假的|闹着玩|说笑)")


def corrected(cues: Cues, text: str, found: Found) -> bool:
    said = text[found.end : found.end + 14]
    return cues.correction.match(said) is not None and _IN_EARNEST.search(said) is None


def read_slots(
    cues: Cues, text: str, found: Found, question: Question, previous: Judged | None, plea: bool
) -> Slots:
    start, end = clause_of(text, found.start)
    end = max(end, found.end)
    before = text[max(start, found.start - WINDOW_CHARS) : found.start]
    far_before = text[max(0, found.start - HYPOTHETICAL_CHARS) : found.start]
    media = cues.media.search(far_before) is not None or (
        found.event in _CAN_BE_SHOWN and not plea and _SHOWN.search(text, found.end) is not None
    )
    warning = not media and (
        cues.warning.search(text[: found.end + 8]) is not None
        or (not plea and _READ_OUT.search(text, found.end) is not None)
    )
    if warning and _AND_ME_TOO.search(text, found.start):
        warning = False
    here = Place(text, found, start, end, before, text[found.end :], far_before, question, plea)
    # A softener or a recovery counts in this clause and the two that follow it.
    whole = text[start:end]
    tail = following(text, end, 2)
    context = whole + tail
    softened = cues.mild.sub("", context)
    strong = cues.strong.search(softened) is not None
    if strong:
        context = _ENDURED.sub("", context)
    resolved = (_is_over(cues, found.event, context) and _GOES_ON_AFTER.search(context) is None) or (
        found.event in _LEAVES_MARKS and _AFTERMATH.search(text[: found.end]) is not None
    )
    resolved = resolved or _IN_HOSPITAL.search(text[found.end : end]) is not None
    if found.event is Event.LOST and question is Question.IDENTITY:
        resolved = resolved or (_RING_LATER.search(text) is not None and _MISSED.search(text) is None)
    if found.event is Event.UNCONSCIOUS and resolved and cues.onset.search(text[:end]):
        resolved = _LINGERS.search(text[found.end :]) is None
    mild = softened != whole + tail
    subject = subject_of(cues, text, found, start, previous, media)
    far = bool(cues.far.search(text[max(0, start - 8) : start]) or cues.far.search(whole))
    if found.event in _CREATURES and _is_animal(text, found, start, end):
        subject, far = Subject.OTHER, True
    elif found.event in _COMES_OVER and subject is Subject.OTHER and _only_animals(cues, text[: found.end]):
        subject = Subject.SELF
    elif found.event in _COMES_OVER and subject is Subject.OTHER and _REACHES_US.search(text[start:]):
        subject, far = Subject.UNKNOWN, False
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
        strong=strong,
        far=far,
        what_then=hypothetical == "after",
    )


def _only_animals(cues: Cues, told: str) -> bool:
    """猫把锅碰翻了，厨房着火了: nobody else's kitchen."""
    named = [match.group() for match in cues.people.finditer(told)]
    return bool(named) and all(name in "猫狗鸡" for name in named)


def _is_animal(text: str, found: Found, start: int, end: int) -> bool:
    """Spoken of in this clause or the one before, or named right after (昏过去了，说的是我家那只猫)."""
    if _ANIMAL.search(text) is None:
        return False
    earlier = clause_of(text, start - 2)[0] if start >= 2 else start
    told = text[earlier : max(end, found.end)] + following(text, end, 1)
    if "它" in text[start : max(end, found.end)]:
        told = text
    return _ANIMAL.search(told) is not None and _PERSON_THERE.search(told) is None


def _is_over(cues: Cues, event: Event, context: str) -> bool:
    """Over or taken care of, by words that can end this kind of event (火灭了 ends no gas leak)."""
    if event is Event.SUICIDAL:
        return _CHEERED.search(context) is not None
    if event not in _GETS_UP:
        context = _UP_AGAIN.sub("", context)
    if event is Event.GAS_LEAK:
        context = _FLAME_OUT.sub("", context)
    return cues.resolved.search(context) is not None
