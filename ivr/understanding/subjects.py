"""Whom did it happen to? Subject (本人、老伴、别人) of an event, read from the words around it."""

from __future__ import annotations

import re

from ivr.understanding.cues import Cues
from ivr.understanding.model import Event, Subject
from ivr.understanding.slot_model import Found, Judged
from ivr.understanding.text import clause_of

# The elder is the victim, whoever is named: 儿子打我.
VICTIM_IS_SELF = frozenset({Event.VIOLENCE, Event.FRAUD})
_LYING = frozenset({Event.CANNOT_GET_UP, Event.UNCONSCIOUS})
_CARES = re.compile(r"(扶|拉|拽|抬|拖|抱|搬|背|架|喊|叫|摇|推|拍|掐|扒拉|晃)[^，？我]{0,6}(不|没)(?!我)")
_PRONOUNS = frozenset({"他", "她", "他们", "她们"})
_GIVER = re.compile(r"们?(刚|昨天|前天)?(给|买|送|带|拿|做|炖|寄|捎|采|摘|挖)(的|我|来的|来|了)")
_DOER = re.compile(r"(被|让|叫|挨|遭)$")
_OLD_ONE = re.compile(r"老太太|老头子?|老爷子|老婆婆")
_NAMED_AFTER = re.compile(r"[了啦呢]?，(我?(?:老伴|老头子?|老太婆|老婆子?|爱人|妈|爸|奶奶|爷爷))(?=$|[，？])")
# Whom the blows strike: 打我老伴, 追他妈.
_STRUCK = re.compile(
    r"[打踹揍砍捅掐追推踢抽骂砸往]着?(我老伴|我妈|我爸|我孙[子女]|老伴|他妈|她妈|他爸|他媳妇|他老婆|老太太|她|女的)"
)
_SCUFFLE = re.compile(
    r"(孙[子女]|孩子|小孩|小朋友|两口子|俩人|邻居|隔壁|楼上|楼下|对门|对面)[^，？我]{0,10}(打架|打起来|动手|打仗|打得|干架|吵架|撕巴)"
)
_OLD_PERSON = frozenset({"老太太", "老头", "老头子"})  # a relative says it of the elder
# Who is beaten or robbed: 老伴被人打了. Whoever else is named is the doer.
_VICTIM = re.compile(r"([^，？]{1,8}?)(?:也|又|都|前几天|昨天|刚才|差点)?(?:被|让|叫|挨|遭)")
_GONE = re.compile(
    r"(刚|早|都|早就|已经|才)?(走了?|没了|去世|过世|不在了|死了?)(了|以后|那|后|之后|多年|[，？]|好)"
)
_OBJECT_MARK = re.compile(r"(给|把|跟|和|对|叫|让|帮|替|陪|看|管|照顾|喊|打)$")
_IS_HIS_SPOUSE = re.compile(
    r"我就?是?(他|她)(的)?(老伴|爱人|老公|老婆|媳妇|男人|老头|对象|屋里人|屋里的|那口子|家里的|当家的)"
    r"|我就?是(老伴|爱人|屋里人|家里那口子)"
)
# The clause before ends its own matter: what follows is about the speaker again.
_CLOSED = re.compile(
    r"外地|上班|打工|不在|来不了|不来|没来|走了|没了|去世|死|忙|电话|回来|送|买|说|放学|上学|做饭|孝顺|给我|看我"
)


def subject_of(
    cues: Cues, text: str, found: Found, start: int, previous: Judged | None, media: bool
) -> Subject:
    if found.subject:
        return Subject(found.subject)
    if media:
        return Subject.OTHER
    if cues.mother_speaks(text):
        return Subject.SELF
    span_end = found.end
    if found.event in VICTIM_IS_SELF:
        struck = _STRUCK.search(text[found.start : found.end + 5])
        if struck is not None:
            return _last_person(cues, struck.group(1), "") or Subject.OTHER
        if found.event is Event.VIOLENCE and _SCUFFLE.search(text[start:span_end]):
            return Subject.OTHER
        victim = _VICTIM.search(text[start : found.start + 2])
        if victim is None or "我" in text[start : span_end + 2]:
            relative = cues.relative_speaks(text) and "我" not in text[found.start : span_end + 2]
            return Subject.OTHER if relative else Subject.SELF
        return _last_person(cues, victim.group(1), "") or Subject.SELF
    if found.event in _LYING and _CARES.search(text[max(start, found.start - 4) : span_end]):
        cared_for = _named_beside_self(cues, text[:span_end])
        if cared_for is not None:
            return cared_for
    here = _last_person(cues, text[start : found.start], text[start:span_end], text[:start])
    if here is Subject.OTHER and _IS_HIS_SPOUSE.search(text):
        return Subject.SPOUSE
    if here is Subject.SPOUSE and cues.relative_speaks(text) and _OLD_ONE.search(text[start:span_end]):
        return Subject.OTHER
    if here is not None:
        return here
    named = _NAMED_AFTER.match(text[found.end :])  # 嘴唇都紫了，我老伴
    if named is not None:
        person = _last_person(cues, named.group(1), "")
        if person is not None:
            return person
    # No subject in this clause: it is still about whom the clauses before spoke of.
    if previous is not None and previous[1].subject is not Subject.SELF and not previous[1].media:
        return previous[1].subject
    relative = cues.relative_speaks(text)
    at = start
    for _ in range(2):
        if at < 2:
            break
        earlier_start, earlier_end = clause_of(text, at - 2)
        earlier = text[earlier_start:earlier_end]
        person = _last_person(cues, earlier, earlier)
        if person is not None:
            if person is Subject.SELF and relative:
                break
            if person is Subject.SELF or not _CLOSED.search(earlier):
                return person
            break
        at = earlier_start
    return Subject.OTHER if relative else Subject.SELF


def _named_beside_self(cues: Cues, text: str) -> Subject | None:
    """Who lies there when the speaker pulls or calls (老伴摔了，我拉不动她)."""
    others = [m for m in cues.people.finditer(text) if m.lastgroup != "self"]
    named = [m for m in others if m.group() not in _PRONOUNS] or others
    if not named:
        return None
    last = named[-1]
    if last.lastgroup == "spouse" and not (last.group() in _OLD_PERSON and cues.relative_speaks(text)):
        return Subject.SPOUSE
    return Subject.OTHER


def _last_person(cues: Cues, before: str, fallback: str, earlier: str = "") -> Subject | None:
    last: re.Match[str] | None = None
    for match in cues.people.finditer(before):
        if match.lastgroup == "other" and _DOER.search(before[: match.start()]):
            continue  # 叫狗咬了: the dog is not the one who bleeds
        if match.lastgroup == "other" and _GIVER.match(before[match.end() :]):
            continue  # 吃了亲戚给的蘑菇
        as_object = match.lastgroup == "self" and last is not None and last.lastgroup != "self"
        # 老伴把我…, 儿子给我…: the object does not take the subject's place
        if as_object and _OBJECT_MARK.search(before[: match.start()]):
            continue
        if match.lastgroup != "self" and _GONE.match(before[match.end() :]):
            continue  # 老伴走了以后我...
        last = match
    if last is None:
        for match in cues.people.finditer(fallback):
            if match.lastgroup == "other" and (
                _DOER.search(fallback[: match.start()]) or _GIVER.match(fallback[match.end() :])
            ):
                continue
            last = match
            break
    if last is None or last.lastgroup is None:
        return None
    if last.lastgroup == "other" and last.group() in _PRONOUNS and earlier:
        named = [m for m in cues.people.finditer(earlier) if m.group() not in _PRONOUNS]
        others = [m for m in named if m.lastgroup != "self"]
        if others and others[-1].lastgroup == "spouse":
            return Subject.SPOUSE
    if last.lastgroup == "spouse" and last.group() in _OLD_PERSON and cues.relative_speaks(before):
        return Subject.OTHER
    return Subject(last.lastgroup)
