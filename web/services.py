"""What every endpoint may reach: one object per app, handed in by `Services` as a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from storage import Store
from web.config import WebConfig
from web.live import Live
from web.metrics import Metrics
from web.security.passwords import Passwords
from xunfang.clock import Clock

if TYPE_CHECKING:
    from web.render import Renderer


@dataclass(frozen=True, slots=True)
class House:
    store: Store
    clock: Clock
    config: WebConfig
    passwords: Passwords
    live: Live
    metrics: Metrics
    render: Renderer

    def now(self) -> datetime:
        return self.clock.now()

    def today(self) -> date:
        """Where the county is."""
        return self.now().astimezone(self.config.zone).date()


def services_of(request: Request) -> House:
    house = request.app.state.house
    assert isinstance(house, House)
    return house


Services = Annotated[House, Depends(services_of)]
