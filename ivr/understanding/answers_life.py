"""Answers about the elder's life: needs, family, money, what happened, who speaks (需求、家人、经济、事件、身份)."""

from __future__ import annotations

import re

from ivr.understanding.answers_heard import BUT, Heard, contrasted
from ivr.understanding.model import Polarity, Subject, Time

_NOTHING_MORE = re.compile(r"(没|不)(啥|什么|别的|用|缺|需要)[^，？]{0,4}(要求|了|操心|缺)$")
_NO_CALL = re.compile(
    r"(电话|消息|信|音信)[^，？]{0,3}(都|也)?(不|没)|(不|没)(打|来|接)(过|个)?电话|没人|谁也|都不管|不管"
)
_RARE = re.compile(r"(过年|一年|逢年过节|半年|几年|难得|才来|才回)")
_HARD = re.compile(r"(不够|借|欠|没钱|吃不起|看不起|买不起)")
_RELATIVE_ON_LINE = re.compile(r"(儿子|女儿|闺女|姑娘|媳妇|女婿|孙|邻居|保姆|护工|老伴|不在|没在|出去|他|她)")
_PRONOUN = re.compile(r"(?<![其吉])[他她](?!们|人|妈的)")
_HANDED = re.compile(r"(来了|接了|给我|我来|换我|喊|叫|等)")


def needs(heard: Heard) -> str:
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


def family(heard: Heard) -> str:
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


def economy(heard: Heard) -> str:
    if heard.has("short") or (heard.has("enough") and heard.last["enough"] < contrasted(heard.text)):
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


def event(heard: Heard) -> str:
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
    if heard.has("yes") and BUT.search(heard.text[: heard.last["yes"]]):
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


def callback(heard: Heard) -> str:
    if heard.urgent:
        return "yes"
    if heard.has("unclear"):
        return "unclear" if not heard.has("yes", "no") else ("no" if heard.has("no") else "unclear")
    if heard.has("no"):
        return "yes" if heard.has("yes") and heard.last["yes"] > heard.last["no"] + 2 else "no"
    if heard.has("yes"):
        return "yes"
    return "unclear"


def identity(heard: Heard) -> str:
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
