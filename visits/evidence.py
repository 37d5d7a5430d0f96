"""Evidence as a supervisor reads it: 原话, 秒, 录音, 为什么. What is not known is shown as it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ivr.understanding.model import Event
from ivr.understanding.wording import EVENT_ZH, named, words
from xunfang.vocabulary import AnswerSource, CallDisposition, CaseKind, zh

# The entries of the lexicon are named after their event, shortened.
_ENTRY_EVENT: Mapping[str, Event] = {
    "up": Event.CANNOT_GET_UP,
    "chest": Event.CHEST_PAIN,
    "breath": Event.BREATHLESS,
    "blood": Event.BLEEDING,
    "gas": Event.GAS_LEAK,
    "suicide": Event.SUICIDAL,
    "poison": Event.POISONING,
    "food": Event.NO_FOOD,
    "stroke": Event.STROKE_SIGNS,
    "pain": Event.SEVERE_PAIN,
} | {each.value: each for each in Event}

_SLOTS: Mapping[str, str] = {
    "affirmed": "确有其事",
    "negated": "说没有",
    "uncertain": "说得不确定",
    "asked": "只是在问",
    "now": "现在",
    "recent": "近期",
    "past": "过去",
    "habitual": "经常",
    "hypothetical": "假设",
    "self": "本人",
    "spouse": "老伴",
    "other": "别人",
    "unknown": "没说是谁",
}
_LEVELS: Mapping[str, str] = {"urgent": "紧急", "review": "待复核", "none": "不报警"}
_JUDGED = re.compile(r"(?P<entry>[a-z_0-9]+)\.\S+: (?P<slots>\w+ \w+ \w+) -> (?P<level>\w+)")
_PLEA = re.compile(r"\S+: plea")
_HEARD_AS = re.compile(r"heard as (?P<words>.+)")
_KNOWN: Mapping[str, str] = {
    "control: ask_human": "要求找工作人员",
    "control: opt_out": "要求不再来电",
    "answer: worse": "回答比以前差",
    "answer: unsafe": "回答不安全",
    "answer: partly": "回答只有部分安全",
    "answer: short": "回答生活费用不够",
    "answer: neglected": "回答无人照看",
    "answer: ill": "回答有病情",
    "answer: something happened": "回答近期出过事",
    "request: yes": "提出需要帮助",
    "concern: request": "提出需要帮助",
    "something worrying beside a denial": "虽说没有，但同时说了令人担心的话",
    "confirmed by a question": "追问后得到确认",
    "confirmed by ear": "督导听录音后确认",
    "by the question's words": "按所问的问题判断",
    "said as the greeting offered": "按开场白的提示说的",
    "keypad": "按键回答",
    "hardly heard: danger": "听得很不清楚，像是险情",
}


def sentence(evidence: Mapping[str, Any], timezone: str) -> str:
    """老人原话：“我摔倒了” · 录音第12.0–14.5秒（a.wav） · 判断：摔倒，本人，现在，确有其事（紧急）"""
    parts = (_words(evidence), _where(evidence), _why(evidence), _tried(evidence, timezone))
    known = " · ".join(part for part in parts if part)
    return known or "，".join(f"{key}={value}" for key, value in evidence.items() if value not in (None, ""))


def reason(text: str) -> str:
    """One reason of the understanding, in Chinese where it is known (also as stored in earlier versions)."""
    if named(text) is not None:
        return words(text)
    if text in _KNOWN:
        return _KNOWN[text]
    if _PLEA.fullmatch(text):
        return "呼救"
    if heard := _HEARD_AS.fullmatch(text):
        return f"识别原文“{heard['words']}”"
    judged = _JUDGED.fullmatch(text)
    if judged is None:
        return text
    event = _ENTRY_EVENT.get(judged["entry"])
    polarity, time, subject = (_SLOTS.get(slot, slot) for slot in judged["slots"].split())
    level = _LEVELS.get(judged["level"], judged["level"])
    return f"{EVENT_ZH[event] if event else judged['entry']}，{subject}，{time}，{polarity}（{level}）"


def _words(evidence: Mapping[str, Any]) -> str:
    text, by = evidence.get("text"), evidence.get("by")
    if not text:
        return ""
    if by is None:  # our own words about calls, nobody's
        return str(text)
    who = "老人原话" if by == zh(AnswerSource.SELF) else str(by)
    return f"{who}：“{text}”"


def _where(evidence: Mapping[str, Any]) -> str:
    start, end, recording = (evidence.get(key) for key in ("start_s", "end_s", "recording"))
    if start is not None and end is not None:
        seconds = f"录音第{float(start):.1f}–{float(end):.1f}秒"
        if "recording" not in evidence:  # nobody has looked whether there is one
            return seconds
        return f"{seconds}（{recording}）" if recording else f"{seconds}（录音不在）"
    return f"录音：{recording}" if recording else ""


def _why(evidence: Mapping[str, Any]) -> str:
    reasons = list(dict.fromkeys(reason(str(each)) for each in evidence.get("reasons") or ()))
    if reasons:
        return f"判断：{'；'.join(reasons)}"
    kind, by = evidence.get("kind"), evidence.get("by")
    return f"类别：{zh(CaseKind(kind))}" if by is not None and kind in set(CaseKind) else ""


def _tried(evidence: Mapping[str, Any], timezone: str) -> str:
    calls = [
        f"{datetime.fromisoformat(each['at']).astimezone(ZoneInfo(timezone)):%m-%d %H:%M} "
        f"{zh(CallDisposition(each['disposition']))}"
        for each in evidence.get("tried") or ()
    ]
    return f"拨打：{'，'.join(calls)}" if calls else ""
