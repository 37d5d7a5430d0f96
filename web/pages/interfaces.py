"""接口: the county makes and ends tokens of the API, registers endpoints, sends again what was lost."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage import Work
from storage.model import ApiToken, Webhook
from visits import history, webhooks
from visits.channels import ChannelError, WebhookChannel
from web.access import Admin, Viewer
from web.forms import Fields, Posted
from web.navigation import ADMINS, NavItem
from web.paging import PAGE_ROWS, Pager
from web.security import tokens
from web.security.tokens import MEANING, Scope
from web.services import House, Services
from xunfang.errors import BadInput, NotFound

PATH = "/interfaces"
NAV = (NavItem("接口", PATH, ADMINS, 95),)
DEAD_SHOWN = 20
router = APIRouter()


@router.get("/interfaces")
def show(request: Request, viewer: Admin, services: Services, after: str = "") -> Response:
    return _page(request, viewer, services, after=after)


@router.post("/interfaces/tokens")
def add_token(request: Request, viewer: Admin, services: Services, fields: Posted) -> Response:
    """Shown once, on the answer to this request."""
    name = fields.text("name", "名称", limit=28)
    days = fields.whole("days", "有效天数", required=False)
    code = fields.text("area_code", "地区代码", limit=12, required=False)
    if fields.errors:
        return _page(request, viewer, services, fields=fields, status=422)
    try:
        with services.store.begin() as work:
            made, secret = tokens.add(
                work,
                services.now(),
                str(viewer.actor),
                name=name,
                scopes=fields.all("scope"),
                area_id=_area(work, viewer, code),
                days=days,
            )
    except BadInput as error:
        fields.errors["token"] = str(error)
        return _page(request, viewer, services, fields=fields, status=422)
    return _page(request, viewer, services, shown=(f"令牌 {made.name}", secret))


@router.post("/interfaces/tokens/{token_id}/revoke")
def revoke(request: Request, viewer: Admin, services: Services, token_id: int) -> Response:
    with services.store.begin() as work:
        found = _token(work, viewer, token_id)
        tokens.revoke(work, services.now(), str(viewer.actor), found)
    return services.render.redirect(request, PATH, f"令牌 {found.name} 已作废，即刻生效")


@router.post("/interfaces/webhooks")
def add_webhook(request: Request, viewer: Admin, services: Services, fields: Posted) -> Response:
    _whole_county(viewer)
    name = fields.text("hook_name", "名称", limit=webhooks.NAME_CHARS)
    url = fields.text("url", "地址", limit=webhooks.URL_CHARS)
    if fields.errors:
        return _page(request, viewer, services, fields=fields, status=422)
    try:
        with services.store.begin() as work:
            made = webhooks.add(work, name, url, fields.all("event"), str(viewer.actor), services.now())
    except BadInput as error:
        fields.errors["webhook"] = str(error)
        return _page(request, viewer, services, fields=fields, status=422)
    return _page(request, viewer, services, shown=(f"推送地址 {made.name} 的密钥", made.secret))


@router.post("/interfaces/webhooks/{hook_id}/test")
def test_webhook(request: Request, viewer: Admin, services: Services, hook_id: int) -> Response:
    """Sent now, while the person waits: ten seconds at most."""
    now = services.now()
    with services.store.read() as work:
        hook = _hook(work, viewer, hook_id)
    try:
        WebhookChannel(hook.url, hook.secret).send(webhooks.ping(hook, now), "", now)
    except ChannelError:
        said = f"{hook.name}：没有送达，请检查地址和对方的系统"
        return services.render.redirect(request, PATH, said, "warning")
    return services.render.redirect(request, PATH, f"{hook.name}：测试消息已送达")


@router.post("/interfaces/webhooks/{hook_id}/remove")
def remove_webhook(request: Request, viewer: Admin, services: Services, hook_id: int) -> Response:
    with services.store.begin() as work:
        hook = _hook(work, viewer, hook_id)
        webhooks.remove(work, hook, str(viewer.actor), services.now())
    return services.render.redirect(request, PATH, f"推送地址 {hook.name} 已移除")


@router.post("/interfaces/dead/{notice_id}/send")
def send_again(request: Request, viewer: Admin, services: Services, notice_id: int) -> Response:
    _whole_county(viewer)
    with services.store.begin() as work:
        webhooks.send_again(work, notice_id, str(viewer.actor), services.now())
    return services.render.redirect(request, PATH, "将重新发送")


def _whole_county(viewer: Viewer) -> None:
    """Events are those of everybody: who manages a part does not send them elsewhere."""
    if viewer.area_id is not None:
        raise NotFound("推送由全县的管理员设置")


def _area(work: Work, viewer: Viewer, code: str) -> int | None:
    if not code:
        return viewer.area_id
    area = work.areas.by_code(code)
    if area is None or not viewer.sees(work, area.id):
        raise BadInput(f"没有代码为 {code} 的地区")
    return area.id


def _token(work: Work, viewer: Viewer, token_id: int) -> ApiToken:
    found = work.api_tokens.get(token_id)
    if found is None or not viewer.sees(work, found.area_id):
        raise NotFound("没有这个令牌")
    return found


def _hook(work: Work, viewer: Viewer, hook_id: int) -> Webhook:
    _whole_county(viewer)
    found = work.webhooks.get(hook_id)
    if found is None:
        raise NotFound("没有这个推送地址")
    return found


def _page(
    request: Request,
    viewer: Viewer,
    services: House,
    *,
    after: str = "",
    fields: Fields | None = None,
    shown: tuple[str, str] | None = None,
    status: int = 200,
) -> Response:
    now = services.now()
    pager = Pager(services.store, "interfaces")
    key = pager.key(after)
    with services.store.read() as work:
        found = work.api_tokens.page(int(str(key[0])) if key else 0, PAGE_ROWS + 1, viewer.area_id)
        areas = work.areas.named(each.area_id for each in found if each.area_id is not None)
        hooks = work.webhooks.all() if viewer.area_id is None else []
        dead = webhooks.dead(work, now, DEAD_SHOWN) if viewer.area_id is None else []
    return services.render.page(
        request,
        "interfaces/index.html",
        status=status,
        now=now,
        page=pager.page(found, PAGE_ROWS, lambda each: (each.id,)),
        areas=areas,
        hooks=hooks,
        hook_names={f"{webhooks.SETTINGS}:{each.id}": each.name for each in hooks},
        dead=dead,
        why=lambda error: history.because(error.removeprefix("not sent because ")),
        scopes=[(each.value, MEANING[each]) for each in Scope],
        events=webhooks.EVENTS,
        event_names={**webhooks.EVENTS, "*": "全部事件"},
        whole_county=viewer.area_id is None,
        fields=fields,
        chosen=set(fields.all("scope") + fields.all("event")) if fields else set(),
        shown=shown,
    )
