"""登录 and 退出. A stranger learns nothing: unknown login, wrong password and disabled account look alike."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from storage.model import User
from web.access import SAFE_METHODS, Owner
from web.forms import Posted
from web.problems import API, problem
from web.render import is_partial
from web.security import held, sessions, throttle
from web.services import House, Services, services_of
from web.texts import at

router = APIRouter()

WRONG = "用户名或密码不对"
OVER = "登录已过期，请重新登录"
START = "/"


def _safe(next: str) -> str:
    """Only a path of ours: not //elsewhere, not a scheme."""
    inside = next.startswith("/") and not next.startswith(("//", "/\\")) and "\n" not in next
    return next if inside else START


@router.get("/login")
def form(request: Request, services: Services, next: str = "") -> Response:
    return _form(request, services, next=next)


@router.post("/login")
def sign_in(request: Request, services: Services, fields: Posted) -> Response:
    login, password = fields.raw("login").lower(), fields.raw("password")
    next, kept = fields.raw("next"), fields.raw("held")
    now = services.now()
    keys = throttle.keys_of(services.store, login, request.client.host if request.client else "")
    wait = throttle.attempt(services.store, keys, now)
    if wait is not None:
        said = f"尝试次数过多，请在{at(wait, services.config.zone)}之后再试"
        return _form(request, services, next=next, kept=kept, login=login, wrong=said, status=429)
    with services.store.read() as work:
        user = work.accounts.by_login(login)
    right = services.passwords.matches(password, user.password_hash if user else None)
    if user is None or not right or not user.active:
        return _form(request, services, next=next, kept=kept, login=login, wrong=WRONG, status=401)
    throttle.forgive(services.store, keys)
    old = request.cookies.get(sessions.cookie_name(services.config.secure_cookies), "")
    with services.store.begin() as work:
        if old:
            work.sessions.end(sessions.hash_of(old), now)
        token = sessions.start(services, work, user, now)
        work.audit.write(now, f"user:{user.login}", "session.started", f"account:{user.id}", {})
    response = _after(request, services, user, next, kept)
    sessions.give_cookie(services, response, token)
    return response


def _after(request: Request, services: House, user: User, next: str, kept: str) -> Response:
    form = held.unseal(services.store, kept, user, services.now())
    if form is None:
        return RedirectResponse(_safe(next), 303)
    return services.render.page(request, "sign_in/held.html", held=form)


@router.post("/logout")
def sign_out(request: Request, viewer: Owner, services: Services) -> Response:
    with services.store.begin() as work:
        work.sessions.end(viewer.token_hash, services.now())
    response = services.render.redirect(request, "/login")
    sessions.take_cookie(services, response)
    return response


async def again(request: Request, user: User) -> Response:
    """The session is over. What was being sent is kept through the sign-in; a link is gone to afterwards."""
    services = services_of(request)
    if request.url.path.startswith(API):
        return problem(request.scope, 401)
    if request.method in SAFE_METHODS and not is_partial(request):
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(path, safe='')}", 303)
    if request.method in SAFE_METHODS:  # a part of a page: the whole page must be asked for again
        return Response(status_code=401, headers={"HX-Refresh": "true"})
    form = await held.read(request)
    kept = "" if form is None else held.seal(services.store, form, user, services.now())
    answer = _form(request, services, kept=kept, login=user.login, wrong=OVER, status=401)
    if is_partial(request):
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "body", "innerHTML"
    return answer


def _form(
    request: Request,
    services: House,
    *,
    next: str = "",
    kept: str = "",
    login: str = "",
    wrong: str = "",
    status: int = 200,
) -> HTMLResponse:
    return services.render.page(
        request,
        "sign_in/form.html",
        status=status,
        next=_safe(next),
        held=kept,
        login=login,
        wrong=wrong,
    )
