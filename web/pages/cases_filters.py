"""Filters of the visit queue as they stand in the URL; what is not understood is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request

from storage import Work
from storage.model import Area
from storage.model.wall import CaseFilter, CaseTab
from web.access import Viewer
from web.texts.times import SOON
from xunfang.errors import NotFound
from xunfang.vocabulary import CaseKind, CaseStatus, Priority

QUEUE = "/cases"
TABS = {
    CaseTab.OPEN: "未办结",
    CaseTab.WAITING: "待接受",
    CaseTab.UNDER_WAY: "办理中",
    CaseTab.LATE: "超时或将超时",
    CaseTab.CLOSED: "已办结",
}
NOBODY = "nobody"
MOST_AREAS = 200
_DIGITS = 18
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Asked:
    tab: CaseTab | None = None
    area: int | None = None
    priority: Priority | None = None
    kind: CaseKind | None = None
    status: CaseStatus | None = None
    visitor: str = ""  # id | nobody

    @property
    def narrowed(self) -> bool:
        return any((self.area, self.priority, self.kind, self.status, self.visitor))

    def query(self, **changes: Any) -> str:
        """`?tab=late&priority=urgent`, or nothing."""
        shown = replace(self, **changes)
        parts = {
            name: value.value if isinstance(value, StrEnum) else value
            for name in self.__dataclass_fields__
            if (value := getattr(shown, name))
        }
        return f"?{urlencode(parts)}" if parts else ""


def asked(params: Mapping[str, str]) -> Asked:
    area, visitor = number(params.get("area", "")), params.get("visitor", "")
    return Asked(
        tab=_word(CaseTab, params.get("tab")),
        area=area,
        priority=_word(Priority, params.get("priority")),
        kind=_word(CaseKind, params.get("kind")),
        status=_word(CaseStatus, params.get("status")),
        visitor=visitor if visitor == NOBODY or number(visitor) is not None else "",
    )


def _asked(request: Request) -> Asked:
    return asked(request.query_params)


Filters = Annotated[Asked, Depends(_asked)]


def number(text: str) -> int | None:
    """An id; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def which(work: Work, viewer: Viewer, filters: Asked, now: datetime) -> CaseFilter:
    """Never more than the viewer's own area. NotFound for an area that he does not see."""
    area = viewer.area_id
    if filters.area is not None:
        if not viewer.sees(work, filters.area):
            raise NotFound("没有这个地区，或者不在您的管辖范围内")
        area = filters.area
    return CaseFilter(
        soon=now + SOON,
        area_id=area,
        tab=filters.tab or CaseTab.OPEN,
        priority=filters.priority,
        kind=filters.kind,
        status=filters.status,
        visitor_id=number(filters.visitor),
        nobody=filters.visitor == NOBODY,
    )


def areas_to_choose(work: Work, viewer: Viewer, chosen: int | None) -> list[Area]:
    """The way down to what is chosen, and what lies in it."""
    top = chosen if chosen is not None else viewer.area_id
    way = [] if top is None else work.areas.path(top)
    if viewer.area_id is not None:
        ids = [each.id for each in way]
        way = way[ids.index(viewer.area_id) :] if viewer.area_id in ids else way
    return [*way, *work.areas.children(top, limit=MOST_AREAS)]


def _word(words: type[Word], value: str | None) -> Word | None:
    return words(value) if value in set(words) else None
