"""Reasons as a supervisor reads them: `name: 中文（级别）`.

The name in front is for machines: the id of the lexicon entry (`fall.plain`), or the rule that asks for a
look (`answer: worse`). `named` takes the two apart again, `words` gives the Chinese alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ivr.understanding.durations import Spoken
from ivr.understanding.model import Event, Polarity, Subject, Time
from ivr.understanding.slot_model import Found, Slots
from xunfang.vocabulary import Alert, CallDisposition, zh

EVENT_ZH: Mapping[Event, str] = {
    Event.FALL: "摔倒",
    Event.CHEST_PAIN: "胸痛",
    Event.BREATHLESS: "喘不上气",
    Event.CANNOT_GET_UP: "起不来",
    Event.BLEEDING: "出血",
    Event.FIRE: "着火",
    Event.GAS_LEAK: "煤气泄漏",
    Event.SUICIDAL: "轻生念头",
    Event.UNCONSCIOUS: "昏迷",
    Event.POISONING: "中毒",
    Event.VIOLENCE: "受到伤害",
    Event.FRAUD: "疑似受骗",
    Event.NO_FOOD: "没有吃的",
    Event.LOST: "走失",
    Event.STROKE_SIGNS: "疑似中风",
    Event.SEVERE_PAIN: "剧烈疼痛",
}
POLARITY_ZH: Mapping[Polarity, str] = {
    Polarity.AFFIRMED: "确有其事",
    Polarity.NEGATED: "说没有",
    Polarity.UNCERTAIN: "说得不确定",
    Polarity.ASKED: "只是在问",
}
TIME_ZH: Mapping[Time, str] = {
    Time.NOW: "现在",
    Time.RECENT: "近期",
    Time.PAST: "过去",
    Time.HABITUAL: "经常",
    Time.HYPOTHETICAL: "假设",
}
SUBJECT_ZH: Mapping[Subject, str] = {
    Subject.SELF: "本人",
    Subject.SPOUSE: "老伴",
    Subject.OTHER: "别人",
    Subject.UNKNOWN: "没说是谁",
}
LEVEL_ZH: Mapping[Alert, str] = {Alert.URGENT: "紧急", Alert.REVIEW: "待复核", Alert.NONE: "不报警"}
_LEVEL_OF = {chinese: level for level, chinese in LEVEL_ZH.items()}
# Rules that ask for a look without an event, by the name that is counted per entry.
_RULES: Mapping[str, str] = {
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
    "complaint outside a question": "没问到就主动诉苦",
    "something worrying beside a denial": "虽说没有，但同时说了令人担心的话",
    "taken back as a joke": "紧急的话随后说是玩笑",
    "concern: request": "提出需要帮助",
    "concern: complaint": "有抱怨或投诉",
    "concern: spouse_ill": "老伴有病",
    "concern: low_mood": "情绪低落",
    "concern: hardship": "生活有难处",
    "concern: unsafe_body": "身体有需要查看的情况",
    "concern: hazard": "家中有隐患",
}
TAKEN_BACK = "taken back as a joke"
NOTHING_SAID = "什么也没说"
_NAMED = re.compile(r"(?P<name>[a-z][^\u4e00-\u9fff（]*): (?P<words>.*（(?P<level>紧急|待复核|不报警)）)")
VERY_SURE_P = 0.9
RATHER_SURE_P = 0.6


def judged(found: Found, slots: Slots, level: Alert, times: Iterable[Spoken]) -> str:
    """food.days: 没有吃的，说到三天（3 天），本人，现在，确有其事（紧急）"""
    told = "".join(f"，说到{each.chinese()}" for each in times)
    return (
        f"{found.entry}: {EVENT_ZH[found.event]}{told}，{SUBJECT_ZH[slots.subject]}，{TIME_ZH[slots.time]}，"
        f"{POLARITY_ZH[slots.polarity]}（{LEVEL_ZH[level]}）"
    )


def plea(entry: str) -> str:
    return f"{entry}: 呼救（{LEVEL_ZH[Alert.URGENT]}）"


def review(rule: str) -> str:
    return f"{rule}: {_RULES.get(rule, '需要人工查看')}（{LEVEL_ZH[Alert.REVIEW]}）"


def vote(name: str, level: Alert, p: float) -> str:
    """A supervisor reads words, not decimals."""
    sure = "很有把握" if p >= VERY_SURE_P else "比较有把握" if p >= RATHER_SURE_P else "把握不大"
    return f"{name}: 统计模型的判断，{sure}（{LEVEL_ZH[level]}）"


def announced(disposition: str) -> str:
    return f"运营商或机器播报：{zh(CallDisposition(disposition))}"


def named(reason: str) -> tuple[str, Alert] | None:
    """The machine's name and the level of a reason; None when it is none of this module's."""
    match = _NAMED.fullmatch(reason)
    return None if match is None else (match["name"], _LEVEL_OF[match["level"]])


def words(reason: str) -> str:
    """The Chinese part of a reason; another text as it stands."""
    match = _NAMED.fullmatch(reason)
    return reason if match is None else match["words"]
