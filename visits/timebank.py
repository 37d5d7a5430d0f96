"""时间银行: points for visits at the door. The rules are a YAML file, the ledger is only ever added to.

`points_for` is pure. An entry names its source (the visit record), and a source counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from storage.model import Case, Point, Visitor
from xunfang.errors import BadInput, BadSettings, Conflict, NotFound
from xunfang.vocabulary import CaseKind, PointKind, Priority, zh
from xunfang.yamlfile import exact_keys, read_mapping

if TYPE_CHECKING:
    from storage import Work

DEFAULT_FILE = Path(__file__).with_name("timebank.yaml")
DEFAULT = "default"
MOST = 1000  # points in one line of the rules
WHY_CHARS = 200
_KEYS = ("who", "visit", "urgent", "night", "supplementary", "day_cap", "hour")


@dataclass(frozen=True, slots=True)
class Rules:
    who: frozenset[str]
    visit: Mapping[str, int]  # CaseKind value or DEFAULT
    urgent: int
    night_from: time
    night_until: time
    night: int
    supplementary: int
    day_cap: int
    hour: int


@dataclass(frozen=True, slots=True)
class VisitFacts:
    visitor_kind: str
    case_kind: CaseKind
    priority: Priority
    local: datetime  # of the visit, in the county's zone
    supplementary: bool = False
    earned_today: int = 0


@dataclass(frozen=True, slots=True)
class Earned:
    points: int
    why: str


def load_rules(path: Path | None = None) -> Rules:
    """BadSettings names the file, the key and what is allowed."""
    file = path or DEFAULT_FILE
    data = exact_keys(read_mapping(file), _KEYS, file.name)
    night = exact_keys(data["night"], ("from", "until", "points"), f"{file.name}: night")
    who, visit = data["who"], data["visit"]
    if not isinstance(who, list) or not all(isinstance(each, str) for each in who):
        raise BadSettings(f"{file.name}: who: a list of kinds of visitors, such as volunteer")
    if not isinstance(visit, dict) or DEFAULT not in visit:
        raise BadSettings(f"{file.name}: visit: points by kind of case, and {DEFAULT}")
    if unknown := sorted(set(map(str, visit)) - set(CaseKind) - {DEFAULT}):
        raise BadSettings(f"{file.name}: visit: unknown kinds {unknown}; they are {', '.join(CaseKind)}")
    return Rules(
        who=frozenset(who),
        visit={key: _points(value, f"{file.name}: visit: {key}") for key, value in visit.items()},
        urgent=_points(data["urgent"], f"{file.name}: urgent"),
        night_from=_time(night["from"], f"{file.name}: night: from"),
        night_until=_time(night["until"], f"{file.name}: night: until"),
        night=_points(night["points"], f"{file.name}: night: points"),
        supplementary=_points(data["supplementary"], f"{file.name}: supplementary"),
        day_cap=_points(data["day_cap"], f"{file.name}: day_cap"),
        hour=_points(data["hour"], f"{file.name}: hour", least=1),
    )


def points_for(facts: VisitFacts, rules: Rules) -> Earned | None:
    """None: this kind of visitor earns nothing. Zero, with the reason, when the day's cap is reached."""
    if facts.visitor_kind not in rules.who:
        return None
    if facts.supplementary:
        parts = [("补充记录", rules.supplementary)]
    else:
        base = rules.visit.get(facts.case_kind.value, rules.visit[DEFAULT])
        parts = [(f"上门（{zh(facts.case_kind)}）", base)]
        if facts.priority is Priority.URGENT:
            parts.append(("紧急", rules.urgent))
        if _is_night(facts.local.time(), rules):
            parts.append(("夜间", rules.night))
    total = sum(points for _, points in parts)
    counted = max(0, min(total, rules.day_cap - facts.earned_today))
    why = "，".join(f"{name}{points}分" for name, points in parts)
    if counted < total:
        why += f"；当日上限{rules.day_cap}分，计入{counted}分"
    return Earned(counted, why)


def accrue(
    work: Work,
    *,
    record_id: int,
    visitor: Visitor,
    case: Case,
    visited_at: datetime,
    supplementary: bool,
    rules: Rules,
    zone: ZoneInfo,
) -> Point | None:
    """The entry for one visit record; None when this visitor earns nothing or it was counted before."""
    local = visited_at.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    work.points.one_at_a_time(visitor.id)
    facts = VisitFacts(
        visitor_kind=visitor.kind,
        case_kind=case.kind,
        priority=case.priority,
        local=local,
        supplementary=supplementary,
        earned_today=work.points.total(visitor.id, midnight, midnight + timedelta(days=1)),
    )
    earned = points_for(facts, rules)
    if earned is None:
        return None
    return work.points.add(
        visitor_id=visitor.id,
        at=visited_at,
        points=earned.points,
        kind=PointKind.VISIT,
        why=f"案件{case.id}：{earned.why}",
        source=f"record:{record_id}",
        by="system",
    )


def reverse(work: Work, point_id: int, actor: str, why: str, now: datetime) -> Point:
    """An entry of the opposite sign. Raises Conflict when it was reversed already."""
    entry = work.points.get(point_id)
    if entry is None:
        raise NotFound("没有这笔积分")
    if entry.kind is not PointKind.VISIT:
        raise Conflict("冲销的记录不能再冲销")
    why = why.strip()
    if not why or len(why) > WHY_CHARS:
        raise BadInput(f"冲销积分须写明原因，最多{WHY_CHARS}个字")
    added = work.points.add(
        visitor_id=entry.visitor_id,
        at=now,
        points=-entry.points,
        kind=PointKind.REVERSAL,
        why=f"冲销第{entry.id}笔：{why}",
        source=f"reversal:{entry.id}",
        by=actor,
    )
    if added is None:
        raise Conflict("这笔积分已经冲销过")
    work.audit.write(now, actor, "point.reversed", f"visitor:{entry.visitor_id}", {"point_id": entry.id})
    return added


def _is_night(at: time, rules: Rules) -> bool:
    begin, end = rules.night_from, rules.night_until
    return begin <= at < end if begin <= end else at >= begin or at < end


def _points(value: object, where: str, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST:
        raise BadSettings(f"{where}: {value!r} is not a whole number from {least} to {MOST}")
    return value


def _time(text: object, where: str) -> time:
    try:
        return time.fromisoformat(str(text))
    except ValueError:
        raise BadSettings(f'{where}: {text!r} is no time of day; write "20:00" in quotes') from None
