"""大屏登录: a screen on the wall gets a session of its own (web.security.sessions), opened at that screen by
somebody of the desk, who is signed out there by it; here it is also ended again, from wherever."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.access import Desk, Viewer
from web.forms import Fields, Posted
from web.security import sessions
from web.services import House, Services
from xunfang.errors import NotFound
from xunfang.vocabulary import SessionKind

SCREENS = "/wall/screens"
OPENED, ENDED = "wall.screen_opened", "wall.screen_ended"  # audit kinds
LABEL_CHARS = 50
MOST_SCREENS = 200
router = APIRouter()


@router.get(SCREENS)
def show(request: Request, viewer: Desk, services: Services) -> Response:
    return _page(request, viewer, services)


@router.post(SCREENS)
def start(request: Request, viewer: Desk, services: Services, fields: Posted) -> Response:
    """This browser becomes the screen: nobody must stay signed in at a wall."""
    label = fields.text("label", "位置", limit=LABEL_CHARS)
    if fields.errors:
        return _page(request, viewer, services, fields)
    now = services.now()
    with services.store.begin() as work:
        token = sessions.start(services, work, viewer.user, now, SessionKind.WALL, label)
        work.audit.write(now, str(viewer.actor), OPENED, f"account:{viewer.user.id}", {"label": label})
        work.sessions.end(viewer.token_hash, now)
    response = services.render.redirect(request, "/wall?view=screen")
    sessions.take_cookie(services, response)
    sessions.give_cookie(services, response, token, SessionKind.WALL)
    return response


@router.post(f"{SCREENS}/end")
def end(request: Request, viewer: Desk, services: Services, fields: Posted) -> Response:
    now, which = services.now(), fields.raw("screen")
    with services.store.begin() as work:
        since = now - services.config.wall_lifetime
        screens = work.sessions.walls(viewer.area_id, since, MOST_SCREENS)
        found = next(((each, user) for each, user in screens if each.token_hash == which), None)
        if found is None or not work.sessions.end(which, now):
            raise NotFound("这个大屏已经不在列表里")
        screen, user = found
        work.audit.write(now, str(viewer.actor), ENDED, f"account:{user.id}", {"label": screen.label})
    return services.render.redirect(request, SCREENS, f"已撤销：{screen.label}")


def _page(request: Request, viewer: Viewer, house: House, fields: Fields | None = None) -> Response:
    now = house.now()
    with house.store.read() as work:
        screens = work.sessions.walls(viewer.area_id, now - house.config.wall_lifetime, MOST_SCREENS)
    return house.render.page(
        request,
        "wall/screens.html",
        status=422 if fields else 200,
        now=now,
        fields=fields,
        screens=screens,
        lifetime=house.config.wall_lifetime,
    )
