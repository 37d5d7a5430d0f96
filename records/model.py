"""The official form, section 五 探访情况, as data (特殊困难老年人探访关爱服务记录表, Hubei 2023).

Values are relative to the last visit. Four values are ours, because a telephone visit may not
claim what it did not learn: 未现场核实, 未能确认, 本次未询问 and 首次记录.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ivr.understanding.model import Question
from xunfang.vocabulary import Alert, Risk, VisitMode

UNCHANGED = "无变化"
BETTER = "较好"
WORSE = "较差"
RECOVERING = "转好"
SERIOUS = "严重"
SAFE = "安全"
FAIRLY_SAFE = "较安全"
UNSAFE = "不安全"

UNSEEN = "未现场核实"  # a telephone cannot see it
UNCLEAR = "未能确认"  # it was asked, the answer was not understood or not given; never 无变化
NOT_ASKED = "本次未询问"  # the dialplan or a cut-off call never came to it; never 无变化
FIRST = "首次记录"  # no earlier visit to compare with: this visit becomes the baseline

BY_RELATIVE = "（家属代述）"
NONE_SAID = "无"
NOT_A_STATEMENT: frozenset[str] = frozenset({UNSEEN, UNCLEAR, NOT_ASKED})


class Level(StrEnum):
    """What is known of an elder in absolute terms: the baseline the next visit is compared with."""

    GOOD = "good"
    USUAL = "usual"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class FormField:
    """One line of the form. `values` empty: free text. `topic`: the question that fills it."""

    key: str
    label: str
    group: str
    values: tuple[str, ...] = ()
    topic: Question | None = None
    by_phone: bool = True


_RELATIVE = (UNCHANGED, BETTER, WORSE)
_ILLNESS = (UNCHANGED, SERIOUS, RECOVERING)
_SAFETY = (SAFE, FAIRLY_SAFE, UNSAFE)

VISIT_MODE: dict[VisitMode, str] = {
    VisitMode.PHONE: "电话问候",
    VisitMode.ON_SITE: "上门探访",
    VisitMode.ONLINE: "互联网音（视）频探访",
}

# 表达能力 is not asked: how well we recognise somebody says nothing about how well he speaks.
FORM: tuple[FormField, ...] = (
    FormField("visit_mode", "探访方式", "探访方式", (*VISIT_MODE.values(), "其他")),
    FormField("family_size", "家庭人口", "家庭状况", (UNCHANGED, "增加", "减少")),
    FormField("expression", "表达能力", "健康状况", _RELATIVE, by_phone=False),
    FormField("mobility", "行动能力", "健康状况", _RELATIVE, Question.MOBILITY),
    FormField("illness", "疾病状况", "健康状况", _ILLNESS, Question.ILLNESS),
    FormField("illness_name", "疾病名称", "健康状况"),
    FormField("mood", "情绪状态", "精神状态", _RELATIVE, Question.MOOD),
    FormField("gas", "燃气安全", "安全情况", _SAFETY, Question.GAS),
    FormField("water_heating", "水暖安全", "安全情况", _SAFETY, Question.WATER_HEATING),
    FormField("electricity", "用电安全", "安全情况", _SAFETY, Question.ELECTRICITY),
    FormField("fire", "消防安全", "安全情况", _SAFETY, Question.FIRE),
    FormField("personal_hygiene", "个人卫生", "卫生状况", _RELATIVE, by_phone=False),
    FormField("home_hygiene", "家庭卫生", "卫生状况", _RELATIVE, by_phone=False),
    FormField("rooms", "室内环境", "居住环境", _RELATIVE, by_phone=False),
    FormField("needs", "老年人服务需求", "服务", topic=Question.NEEDS),
    FormField("advice", "实施关爱服务建议", "服务"),
)
FIELDS: dict[str, FormField] = {each.key: each for each in FORM}
FIELD_OF: dict[str, FormField] = {each.topic.value: each for each in FORM if each.topic is not None}

# What `Understanding.details` calls a need, in the words of the policies (助餐、助洁、助医、助浴、
# 助行、助购: Jilin 2020, clause 五(六)).
NEEDS_ZH: dict[str, str] = {
    "meals": "助餐",
    "bathing": "助浴",
    "cleaning": "助洁",
    "medical": "助医",
    "escort": "助行",
    "shopping": "助购",
    "haircut": "理发",
    "company": "精神慰藉",
    "equipment": "适老化设施",
    "repair": "上门维修",
    "heating": "取暖",
    "subsidy": "补贴救助",
    "home_care": "生活照料",
    "legal": "法律援助",
}

# Dialplan question ids that share the topic `event` and mean something of their own.
HOUSEHOLD = "household"  # 家庭人口
SPECIAL = "special"  # 特殊情况: 变故、灾害、住房
CHANGED = "有变化，待核实"  # the form wants a number of persons, which a telephone does not settle


def need_zh(detail: str) -> str:
    """What a visitor reads for a need; a word without a term of its own stands as it is."""
    return NEEDS_ZH.get(detail, detail)


@dataclass(frozen=True, slots=True)
class AlertFact:
    """One alarming utterance, as the assessment needs it. `explained`: words for a person to read."""

    alert: Alert
    text: str = field(default="", repr=False)
    question: str = ""
    answer: str = ""
    reasons: tuple[str, ...] = ()
    event: str | None = None
    relative: bool = False
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """How much this visit worries us, and why, in Chinese, worst first."""

    risk: Risk
    reasons: tuple[str, ...] = ()


Baseline = Mapping[str, str]
"""Form key -> Level value of the last visit that knew it, plus illness_name -> the names."""
