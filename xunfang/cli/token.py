"""`xunfang token`: who may use the API (docs/api.md)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from storage.model import ApiToken
from web.security import tokens
from web.security.tokens import MEANING, Scope
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.clock import SystemClock
from xunfang.errors import NotFound
from xunfang.wiring import open_store

app = typer.Typer(no_args_is_help=True, help="Who may use the API.")

ACTOR = "user:cli"  # whoever may run this command on the machine
PAGE = 500
Name = Annotated[str, typer.Argument(metavar="NAME")]
SCOPES = ", ".join(each.value for each in Scope)


@app.command()
def add(
    ctx: typer.Context,
    name: Name,
    scope: Annotated[list[str], typer.Option(help=f"What it may do, once or more: {SCOPES}.")],
    area: Annotated[str, typer.Option(help="Code of the area that is seen, with all below it.")] = "",
    days: Annotated[
        int | None, typer.Option(help="Valid so many days; default: until it is revoked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token. It is printed once and kept nowhere.

    Example: xunfang token add county-desk --scope cases:read --scope cases:write --days 365
    """
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        place = work.areas.by_code(area) if area else None
        if area and place is None:
            raise NotFound(f"没有代码为 {area} 的地区")
        made, secret = tokens.add(
            work,
            SystemClock().now(),
            ACTOR,
            name=name,
            scopes=scope,
            area_id=place.id if place else None,
            days=days,
        )
    if as_json:
        print_json(_public(made) | {"token": secret})
        return
    console.print(f"令牌 {made.name}：{'、'.join(made.scopes)}", markup=False)
    console.print(f"{secret}", markup=False, soft_wrap=True)
    console.print("只显示这一次，请妥善保存。", markup=False)


@app.command("list")
def list_tokens(ctx: typer.Context, as_json: AsJson = False) -> None:
    """All tokens with their scopes, also revoked and expired ones.

    Example: xunfang token list --json
    """
    now = SystemClock().now()
    found: list[ApiToken] = []
    with open_store(settings_of(ctx)) as store, store.read() as work:
        while page := work.api_tokens.page(found[-1].id if found else 0, PAGE):
            found += page
        areas = work.areas.named(each.area_id for each in found if each.area_id is not None)
    if as_json:
        print_json([_public(each) | {"valid": each.is_valid(now)} for each in found])
        return
    rows = [
        (
            each.name,
            f"…{each.hint}",
            "、".join(each.scopes),
            areas[each.area_id].name if each.area_id is not None else "全部",
            "有效" if each.is_valid(now) else "已作废" if each.revoked_at else "已过期",
            f"{each.last_used_at:%Y-%m-%d}" if each.last_used_at else "未用过",
        )
        for each in found
    ]
    titles = ("名称", "末尾", "权限", "地区", "状态", "最近使用")
    print_table("接口令牌", titles, rows, empty="还没有令牌。")


@app.command()
def revoke(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """End a token at once.

    Example: xunfang token revoke county-desk
    """
    now = SystemClock().now()
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        found = tokens.find(work, name)
        tokens.revoke(work, now, ACTOR, found)
    if as_json:
        print_json({"name": found.name, "revoked_at": now.isoformat()})
        return
    console.print(f"令牌 {found.name} 已作废", markup=False)


@app.command()
def scopes(as_json: AsJson = False) -> None:
    """What a token may be allowed to do.

    Example: xunfang token scopes
    """
    if as_json:
        print_json({each.value: MEANING[each] for each in Scope})
        return
    print_table("权限", ("权限", "含义"), [(each.value, MEANING[each]) for each in Scope], empty="")


def _public(token: ApiToken) -> dict[str, Any]:
    def moment(name: str) -> str | None:
        value = getattr(token, name)
        return None if value is None else str(value.isoformat())

    return {
        "id": token.id,
        "name": token.name,
        "hint": token.hint,
        "scopes": list(token.scopes),
        "area_id": token.area_id,
        "created_by": token.created_by,
        **{name: moment(name) for name in ("created_at", "expires_at", "revoked_at", "last_used_at")},
    }
