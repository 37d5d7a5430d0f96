"""Questions and answers of a call in Chinese: the dialplan's ids, the classes of ivr.understanding."""

from __future__ import annotations

from collections.abc import Mapping

from ivr.understanding.model import Question

_QUESTIONS: Mapping[str, str] = {
    "opening": "接通",
    "identity": "核对身份",
    "relative": "他人接听",
    "confirm": "追问确认",
    "opt_out": "确认不再来电",
    "closing": "结束语",
    "urgent": "紧急应对",
    "with_duty": "人工接管",
    "who": "谁来电",
    "announced": "告知",
    "early_media": "接通前",
    "household": "家庭人口",
    "special": "特殊情况",
    Question.HEALTH: "身体状况",
    Question.MOOD: "情绪状态",
    Question.MOBILITY: "行动能力",
    Question.ILLNESS: "疾病状况",
    Question.GAS: "燃气安全",
    Question.WATER_HEATING: "水暖安全",
    Question.ELECTRICITY: "用电安全",
    Question.FIRE: "消防安全",
    Question.NEEDS: "服务需求",
    Question.FAMILY: "家人看望",
    Question.ECONOMY: "生活保障",
    Question.EVENT: "近期突发情况",
    Question.CALLBACK: "需要回电",
    Question.ANY: "其他",
}
_ANSWERS: Mapping[str, str] = {
    "self": "是本人",
    "other_person": "是别人",
    "wrong_number": "打错了",
    "refuse": "不愿意说",
    "good": "好",
    "same": "跟以前一样",
    "worse": "不如以前",
    "better": "有好转",
    "none": "没有",
    "no": "没有／不需要",
    "yes": "有／需要",
    "safe": "安全",
    "unsafe": "不安全",
    "partly": "部分安全",
    "visits": "家人常来",
    "calls_only": "只打电话",
    "neglected": "无人照看",
    "alone": "没有家人",
    "enough": "够用",
    "short": "不够用",
    "other": "其他",
    "unclear": "没有说清",
    "silence_noise": "没有声音",
    "not_heard": "没听清问题",
}


def question(id: str, topic: str = "") -> str:
    """A county's own question is named by its topic; what is unknown stands as it is."""
    return _QUESTIONS.get(id) or _QUESTIONS.get(topic) or id


def answer(word: str) -> str:
    return _ANSWERS.get(word, word)
