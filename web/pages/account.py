"""我的账号: everybody changes his own password."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.access import Owner
from web.forms import Posted
from web.security import accounts, sessions, throttle
from web.services import Services
from web.texts import at
from xunfang.errors import BadInput

router = APIRouter()


@router.get("/account")
def show(request: Request, viewer: Owner, services: Services) -> Response:
    return services.render.page(request, "account/password.html", wrong="")


@router.post("/account/password")
def change(request: Request, viewer: Owner, services: Services, fields: Posted) -> Response:
    """Ends all sessions of this user and begins a new one here. Guessing the old one is throttled too."""
    now = services.now()
    keys = throttle.keys_of(services.store, viewer.user.login, "")
    wait = throttle.attempt(services.store, keys, now)
    wrong = ""
    if wait is not None:
        wrong = f"尝试次数过多，请在{at(wait, services.config.zone)}之后再试"
    elif not services.passwords.matches(fields.raw("old_password"), viewer.user.password_hash):
        wrong = "原密码不对"
    elif fields.raw("new_password") != fields.raw("new_password_again"):
        wrong = "两次输入的新密码不一致"
    if not wrong:
        try:
            with services.store.begin() as work:
                accounts.set_password(
                    work,
                    services.passwords,
                    now,
                    f"user:{viewer.user.login}",
                    viewer.user,
                    fields.raw("new_password"),
                )
                token = sessions.start(services, work, viewer.user, now)
        except BadInput as error:
            wrong = str(error)
    if wrong:
        return services.render.page(request, "account/password.html", status=400, wrong=wrong)
    throttle.forgive(services.store, keys)
    response = services.render.redirect(request, "/account", said="密码已修改，其他设备上的登录已退出")
    sessions.give_cookie(services, response, token)
    return response
