"""The stream of news for open pages (web.live). Which topics matter a page decides; rows it asks for itself,
so that areas are checked there."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from web.access import OnTheWall
from web.services import Services

router = APIRouter()


@router.get("/live")
def live(viewer: OnTheWall, services: Services, since: str = "") -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(services.live.stream(since), media_type="text/event-stream", headers=headers)
