"""Notices about a case, and whom they go to. Written in the transaction of what they tell of.

The text holds no full name, number, address or quote: whoever is told opens the case for those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from storage.model import Case, Elder
from visits.people import title
from xunfang.vocabulary import CaseLevel, zh

if TYPE_CHECKING:
    from storage import Work

DUTY = "duty"
WEBHOOK = "webhook"
VOLUNTEER = "volunteer"  # a volunteer answers for no level of government


def visitor(visitor_id: int) -> str:
    return f"visitor:{visitor_id}"


def at(moment: datetime, timezone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(timezone)):%m月%d日%H:%M}"


def tell(
    work: Work,
    kind: str,
    case: Case,
    elder: Elder,
    to: Iterable[str],
    what: str,
    now: datetime,
    heading: str = "",
) -> list[str]:
    """`what`: what the receiver should do. Nobody gets the same notice twice. Returns whom it went to."""
    area = work.areas.get(elder.area_id) if elder.area_id is not None else None
    place = "" if area is None else f"{area.name} "
    who = title(elder.name, elder.sex) or "老人"
    subject = f"{heading}【{zh(case.priority)}】{zh(case.kind)} 案件{case.id}"
    body = f"{place}{who}：{zh(case.kind)}，{what}。详情见案件{case.id}。"
    targets = list(dict.fromkeys(to))
    for target in targets:
        work.notices.add(kind=kind, to=target, title=subject, body=body, case_id=case.id, created_at=now)
    return targets


def people_of(work: Work, elder: Elder, level: CaseLevel, without: Collection[int] = ()) -> list[str]:
    """Who is rung at a level: its telephone, and its own visitors, `without` those who have refused or
    stayed silent. The county's desk is the duty desk, so the county is never nobody."""
    to = [DUTY] if level is CaseLevel.COUNTY else []
    path = [] if elder.area_id is None else work.areas.path(elder.area_id)
    for area in path:
        if area.level == level.value:
            to += [f"area:{area.id}"] if area.phone else []
            own = (each for each in work.visitors.for_area(area.id) if each.kind != VOLUNTEER)
            to += [visitor(each.id) for each in own if each.id not in without]
    return to
