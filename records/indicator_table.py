"""What each indicator (指标) means: the one place where they are defined (see records.indicators)."""

from __future__ import annotations

from dataclasses import dataclass

from xunfang.vocabulary import CallDisposition, CaseKind, zh


@dataclass(frozen=True, slots=True)
class Count:
    """`key` is also the name in JSON. `unit`: 人, 次, 件."""

    key: str
    title: str
    group: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Rate:
    """`over` of zero: no rate. `unit`: % or 分钟 (an average, of seconds)."""

    key: str
    title: str
    group: str
    part: str
    over: str
    meaning: str
    unit: str = "%"


_COVER, _WHY, _CALLS, _CASES, _ALERTS = "探访", "未探访原因", "通话", "上门案件", "预警复核"

COUNTS: tuple[Count, ...] = (
    Count("active", "在册老人", _COVER, "人", "台账里现在有效的老人。"),
    Count(
        "unplanned",
        "未列入计划",
        _COVER,
        "人",
        "在册，但本月没有任何常规巡访计划覆盖；不在应访人数里，单独列出。",
    ),
    Count(
        "due",
        "应访人数",
        _COVER,
        "人",
        "有常规巡访计划（周访、月访、季访）在本月到期的老人，每人计一次。季访只在季末的月份应访。"
        "暂停的、拒绝的、须上门的、没有拨出的都在内；专项巡访和回访不增加应访人数。",
    ),
    Count(
        "visited",
        "已访人数",
        _COVER,
        "人",
        "应访老人中至少有一次有效探访的：电话完成并有记录、线上、上门（有记录，或案件登记已上门）。"
        "在本月内；季访在本季度内。语音信箱、他人接听、中途挂断都不算。",
    ),
    Count("phone", "电话探访", _COVER, "人", "已访老人中有有效电话探访的；一人可同时有几种方式。"),
    Count("online", "线上探访", _COVER, "人", "已访老人中有线上（音视频）探访的。"),
    Count("on_site", "上门探访", _COVER, "人", "已访老人中有上门探访的。"),
    Count("paused", "暂停", _WHY, "人", "未访：计划暂停（住院、外出等）。仍在应访人数里；原因另列。"),
    Count("refused", "不接受电话巡访", _WHY, "人", "未访：撤回了电话巡访同意，或本期内拒绝。"),
    Count(
        "on_site_pending",
        "须上门、尚未上门",
        _WHY,
        "人",
        "未访：不适合电话（失能、健康欠佳等），要上门，还没有上门。",
    ),
    Count("bad_number", "号码异常", _WHY, "人", "未访：拨打过，停机或空号。"),
    Count(
        "cut_short",
        "接通未完成",
        _WHY,
        "人",
        "未访：接通过，但他人接听、接通无声、中途挂断、请稍后再打，或没有问到内容。",
    ),
    Count(
        "unanswered", "未接通", _WHY, "人", "未访：拨打过，无人接听、占线、拒接、关机、无法接通或语音信箱。"
    ),
    Count(
        "not_dialled",
        "未拨出",
        _WHY,
        "人",
        "未访：没有打过，或都因线路故障、系统中断没有拨出。不是老人未接。",
    ),
    *(
        Count(f"call_{each.value}", zh(each), _CALLS, "次", f"本月发起的通话中结果为“{zh(each)}”的。")
        for each in CallDisposition
    ),
    Count("cases", "新开案件", _CASES, "件", "本月新开的上门案件（合并进已有案件的不另计）。"),
    Count("closed_in_time", "按期办结", _CASES, "件", "本月新开、在期限前办结的。"),
    Count("closed_late", "超期办结", _CASES, "件", "本月新开、过了期限才办结的。"),
    Count("open_overdue", "超期未办结", _CASES, "件", "本月新开、现在还没有办结且已过期限的。"),
    Count("open_in_time", "在办未到期", _CASES, "件", "本月新开、还没有办结、期限未到的；不计入按期办结率。"),
    Count("case_due", "应办结案件", _CASES, "件", "按期办结＋超期办结＋超期未办结。"),
    Count("urgent", "紧急案件", _CASES, "件", "本月新开案件中现在级别为紧急的。"),
    Count("urgent_accepted", "紧急案件已接受", _CASES, "件", "紧急案件中有人接受的。"),
    Count("urgent_visited", "紧急案件已上门", _CASES, "件", "紧急案件中登记已上门的。"),
    Count("urgent_visited_in_time", "紧急案件按期上门", _CASES, "件", "紧急案件中在期限前上门的。"),
    *(
        Count(
            f"kind_{each.value}",
            f"案件：{zh(each)}",
            _CASES,
            "件",
            f"本月新开案件中现在类别为“{zh(each)}”的。",
        )
        for each in CaseKind
    ),
    Count("alerts", "预警语句", _ALERTS, "次", "本月通话中系统判为待复核或紧急的语句。"),
    Count("confirmed", "复核属实", _ALERTS, "次", "其中督导听后（以最后一次为准）认为属实的。"),
    Count("false_alarms", "复核误报", _ALERTS, "次", "其中督导听后认为是误报的。"),
    Count("reviewed", "已复核", _ALERTS, "次", "复核属实＋复核误报；没有复核的不算对，也不算错。"),
)
RATES: tuple[Rate, ...] = (
    Rate(
        "visit_rate",
        "月探访率",
        _COVER,
        "visited",
        "due",
        "已访人数÷应访人数。省里的目标是 100%（鄂 2023，总体要求）。",
    ),
    Rate("case_in_time_rate", "按期办结率", _CASES, "closed_in_time", "case_due", "按期办结÷应办结案件。"),
    Rate(
        "urgent_in_time_rate",
        "紧急按期上门率",
        _CASES,
        "urgent_visited_in_time",
        "urgent",
        "紧急案件按期上门÷紧急案件；误报而没有上门的也在分母里。",
    ),
    Rate(
        "urgent_accept_min",
        "紧急平均接受时间",
        _CASES,
        "urgent_accept_s",
        "urgent_accepted",
        "从开案到第一次有人接受，只算已接受的。",
        "分钟",
    ),
    Rate(
        "urgent_visit_min",
        "紧急平均上门时间",
        _CASES,
        "urgent_visit_s",
        "urgent_visited",
        "从开案到登记已上门，只算已上门的。",
        "分钟",
    ),
    Rate("false_alarm_rate", "误报率", _ALERTS, "false_alarms", "reviewed", "复核误报÷已复核。"),
)
GROUPS: tuple[str, ...] = (_COVER, _WHY, _CALLS, _CASES, _ALERTS)
UNVISITED: tuple[Count, ...] = tuple(each for each in COUNTS if each.group == _WHY)


def definitions() -> list[tuple[str, str, str, str]]:
    """(group, title, unit, meaning) of everything, rates first within their group."""
    rows: list[tuple[str, str, str, str]] = []
    for group in GROUPS:
        rows += [(group, each.title, each.unit, each.meaning) for each in RATES if each.group == group]
        rows += [(group, each.title, each.unit, each.meaning) for each in COUNTS if each.group == group]
    return rows


def page() -> str:
    """docs/indicators.md."""
    lines = [
        "# 指标的定义",
        "",
        "由 `xunfang docs` 从 `records/indicator_table.py` 生成，请勿手工修改。分母为零的比率显示为“—”，不是 0%，也不是 100%。",
        "",
        f"每位应访老人只落在一处：应访人数 = 已访人数 + {' + '.join(each.title for each in UNVISITED)}。",
        "同时符合几种未访原因的，取上式中排在最前的一种。",
        "",
    ]
    for group in GROUPS:
        lines += [f"## {group}", "", "| 指标 | 单位 | 含义 |", "|---|---|---|"]
        lines += [f"| {row[1]} | {row[2]} | {row[3]} |" for row in definitions() if row[0] == group]
        lines.append("")
    return "\n".join(lines)
