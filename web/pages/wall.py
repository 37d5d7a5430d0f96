"""实时: what goes on now, for a screen on the wall and for the desk. Many screens, one set of questions:
the snapshot of an area is taken once per piece of news and shared by all who ask for it."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request
from starlette.responses import Response

from scheduler import hours
from scheduler.breaker import BreakerState
from scheduler.calendar import calendar_warning
from storage import Store, Work
from storage.model import Area, Dialler
from storage.model.wall import LiveCall
from visits import duty
from visits.people import title
from web.access import OnTheWall
from web.navigation import READERS, NavItem
from web.pages.home import Today, today
from web.render import is_partial
from web.services import House, Services
from xunfang.vocabulary import DiallerState, zh

NAV = (NavItem("实时", "/wall", READERS, 30, key="w"),)
MOST_CALLS = 60  # shown; more do not fit on any wall
MOST_RINGING = 50
SHARED_S = 5  # a snapshot is not older than so, even when there is no news
_LINE = {BreakerState.CLOSED: "正常", BreakerState.OPEN: "已断开", BreakerState.HALF_OPEN: "试拨"}
router = APIRouter()


class Look(StrEnum):
    PAGE = "page"
    SCREEN = "screen"  # readable from three metres
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class DiallerRow:
    dialler: Dialler
    state: str  # Chinese
    line: str  # Chinese
    well: bool
    silent_s: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Calls and coverage are of the viewer's area; channels, diallers and what waits are everybody's."""

    at: datetime
    area: Area | None
    calls: list[LiveCall]
    today: Today
    channels_used: int
    channels: int
    ready: int
    later: int
    diallers: list[DiallerRow]
    ringing: int
    open_now: bool
    warning: str | None

    @property
    def line(self) -> str:
        """Of the trunk as the worst dialler sees it; nobody dials: unknown."""
        if not self.diallers:
            return "没有拨号机"
        lines = [each.line for each in self.diallers]
        return next((bad for bad in ("已断开", "试拨") if bad in lines), "正常")

    @property
    def unwell(self) -> int:
        return sum(not each.well for each in self.diallers)


class Shared:
    """The last snapshot of each area; whoever asks while it is being taken waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int | None, tuple[Hashable, Snapshot]] = {}

    def get(self, house: House, area_id: int | None, fresh: bool) -> Snapshot:
        now = house.now()
        key = (house.live.version, int(now.timestamp()) // SHARED_S)
        with self._lock:
            found = self._kept.get(area_id)
            if fresh or found is None or found[0] != key:
                found = (key, take(house, now, area_id))
                self._kept[area_id] = found
        return found[1]


_shared: WeakKeyDictionary[Store, Shared] = WeakKeyDictionary()


def take(house: House, now: datetime, area_id: int | None) -> Snapshot:
    config = house.config
    with house.store.read() as work:
        ready, later = work.plans.queued(now)
        return Snapshot(
            at=now,
            area=None if area_id is None else work.areas.get(area_id),
            calls=work.wall.live_calls(area_id, MOST_CALLS),
            today=today(work, house, now, area_id),
            channels_used=work.channels.used(config.lease.trunk),
            channels=config.channels,
            ready=ready,
            later=later,
            diallers=[_dialler(each, now, house) for each in work.diallers.present()],
            ringing=ringing(work, area_id),
            open_now=hours.is_open(now, config.hours),
            warning=calendar_warning(now, config.hours),
        )


def ringing(work: Work, area_id: int | None) -> int:
    """Urgent cases that nobody at the desk has heard yet."""
    cases = [each.case.id for each in work.wall.unaccepted(area_id, MOST_RINGING)]
    told = work.wall.told_of(cases, duty.KINDS)
    return sum(duty.heard_by(entries) is None for entries in told.values())


def who(name: str, sex: str) -> str:
    """王奶奶: a wall is read by everybody in the room."""
    return title(name, sex) or "老人"


def _dialler(each: Dialler, now: datetime, house: House) -> DiallerRow:
    silent = now - each.heartbeat_at
    lapsed = silent >= house.config.lease.lease
    line = _LINE.get(BreakerState(each.breaker), each.breaker)
    well = not lapsed and each.breaker == BreakerState.CLOSED and each.state is DiallerState.RUNNING
    return DiallerRow(each, "失联" if lapsed else zh(each.state), line, well, int(silent.total_seconds()))


@router.get("/wall")
def wall(request: Request, viewer: OnTheWall, services: Services, view: str = "") -> Response:
    look = Look(view) if view in set(Look) else Look.SCREEN if viewer.wall else Look.PAGE
    shared = _shared.setdefault(services.store, Shared())
    seen = shared.get(services, viewer.area_id, fresh=not is_partial(request))
    return services.render.page(
        request,
        "wall/index.html",
        block="board",
        now=seen.at,
        seen=seen,
        look=look,
        looks=Look,
        who=who,
        seconds=lambda since: max(0, int((seen.at - since).total_seconds())),
        clock=lambda since: "{}:{:02}".format(*divmod(max(0, int((seen.at - since).total_seconds())), 60)),
        zone=services.config.zone,
    )
