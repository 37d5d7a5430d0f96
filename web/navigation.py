"""The menu. Each module of web/pages names its own entries; the order is that of `order`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xunfang.vocabulary import UserRole

if TYPE_CHECKING:
    from storage import Work
    from web.access import Viewer

DESK = frozenset({UserRole.COUNTY_ADMIN, UserRole.SUPERVISOR})
READERS = DESK | {UserRole.AUDITOR}
ADMINS = frozenset({UserRole.COUNTY_ADMIN})
VISITORS = frozenset({UserRole.VISITOR})


@dataclass(frozen=True, slots=True)
class NavItem:
    text: str
    href: str
    roles: frozenset[UserRole]
    order: int  # 10 首页, 20 待复核, 30 实时, 40 上门队列, 50 老人, 60 报表, 90 用户
    key: str = ""  # g then this letter goes there; shown in the help (?)
    # What waits there, shown beside the text on every page: one cheap question. HREF/count answers with it.
    count: Callable[[Work, Viewer], int] | None = None


def shown_to(items: Iterable[NavItem], role: UserRole) -> tuple[NavItem, ...]:
    return tuple(sorted((item for item in items if role in item.roles), key=lambda item: item.order))
