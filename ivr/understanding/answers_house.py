"""Answers about the house: gas, water and heating, electricity, fire (煤气、水暖、用电、防火)."""

from __future__ import annotations

import re

from ivr.understanding.answers_heard import OVER, Heard, contrasted
from ivr.understanding.model import Event, Polarity, Question, Subject, Time

_SAFETY_EVENT = {
    Question.GAS: (Event.GAS_LEAK, Event.FIRE, Event.POISONING),
    Question.FIRE: (Event.FIRE, Event.GAS_LEAK),
    Question.ELECTRICITY: (Event.FIRE,),
    Question.WATER_HEATING: (Event.FIRE, Event.GAS_LEAK, Event.POISONING),
}
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


def safety(heard: Heard) -> str:
    answer = _house(heard)
    but = contrasted(heard.text)
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
        over = [m.start() for m in OVER.finditer(heard.text)]
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
