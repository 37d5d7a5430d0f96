"""用户: the county adds, disables and resets. Of a county's admin with an area only that area's users."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import Work
from storage.model import User
from web.access import Admin, Viewer
from web.forms import Fields, Posted
from web.navigation import ADMINS, NavItem
from web.paging import PAGE_ROWS, Page, Pager
from web.security import accounts
from web.security.passwords import generate
from web.services import House, Services
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import UserRole

NAV = (NavItem("用户", "/users", ADMINS, 90, key="u"),)
LIST = "users"
router = APIRouter()


@router.get("/users")
def show(request: Request, viewer: Admin, services: Services, after: str = "") -> Response:
    return _list(request, viewer, services, after=after)


@router.post("/users")
def add(request: Request, viewer: Admin, services: Services, fields: Posted) -> Response:
    """The password is made here and shown once, on this page."""
    role = fields.one_of("role", "角色", UserRole)
    login = fields.text("login", "用户名", limit=32)
    name = fields.text("name", "姓名", limit=accounts.NAME_CHARS)
    code = fields.text("area_code", "地区代码", limit=12, required=False)
    visitor_id = fields.whole("visitor_id", "巡访员编号", required=False)
    if fields.errors or role is None:
        return _list(request, viewer, services, fields=fields, status=422)
    password = generate(login)
    try:
        with services.store.begin() as work:
            user = accounts.add(
                work,
                services.passwords,
                services.now(),
                str(viewer.actor),
                login=login,
                name=name,
                role=role,
                password=password,
                area_id=_area(work, viewer, code),
                visitor_id=visitor_id,
            )
            _may_manage(work, viewer, user)
    except BadInput as error:
        fields.errors["form"] = str(error)
        return _list(request, viewer, services, fields=fields, status=422)
    return _list(request, viewer, services, shown=(user, password))


@router.post("/users/{user_id}/password")
def reset(request: Request, viewer: Admin, services: Services, user_id: int) -> Response:
    with services.store.begin() as work:
        user = _user(work, viewer, user_id)
        password = generate(user.login)
        accounts.set_password(work, services.passwords, services.now(), str(viewer.actor), user, password)
    return _list(request, viewer, services, shown=(user, password))


@router.post("/users/{user_id}/active")
def set_active(request: Request, viewer: Admin, services: Services, fields: Posted, user_id: int) -> Response:
    active = fields.flag("active")
    with services.store.begin() as work:
        user = _user(work, viewer, user_id)
        if user.id == viewer.user.id and not active:
            raise Conflict("不能停用自己的账号")
        accounts.set_active(work, services.now(), str(viewer.actor), user, active)
    said = f"已{'启用' if active else '停用'} {user.login}" + ("" if active else "，其登录已全部退出")
    return services.render.redirect(request, "/users", said=said)


def _area(work: Work, viewer: Viewer, code: str) -> int | None:
    """Empty: the admin's own area, as far as the role may see it all (accounts.add decides)."""
    if not code:
        return viewer.area_id
    area = work.areas.by_code(code)
    if area is None or not viewer.sees(work, area.id):
        raise BadInput(f"没有代码为 {code} 的地区")
    return area.id


def _may_manage(work: Work, viewer: Viewer, user: User) -> None:
    """Raises NotFound; nobody hands out what he does not have himself."""
    if not viewer.sees(work, user.area_id):
        raise NotFound("没有这个用户")


def _user(work: Work, viewer: Viewer, user_id: int) -> User:
    user = work.accounts.get(user_id)
    if user is None:
        raise NotFound("没有这个用户")
    _may_manage(work, viewer, user)
    return user


def _list(
    request: Request,
    viewer: Viewer,
    services: House,
    *,
    after: str = "",
    fields: Fields | None = None,
    shown: tuple[User, str] | None = None,
    status: int = 200,
) -> Response:
    pager = Pager(services.store, LIST)
    key = pager.key(after)
    with services.store.read() as work:
        users = work.accounts.page(str(key[0]) if key else "", PAGE_ROWS + 1, viewer.area_id)
        areas = work.areas.named(each.area_id for each in users if each.area_id is not None)
    page: Page[User] = pager.page(users, PAGE_ROWS, lambda each: (each.login,))
    return services.render.page(
        request,
        "users/index.html",
        block="list",
        status=status,
        page=page,
        areas=areas,
        fields=fields,
        shown=shown,
    )
