"""`xunfang user`: who may use the console."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated, Any

import typer

from storage.model import User
from web.security import accounts
from web.security.passwords import Passwords, generate
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.clock import SystemClock
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import UserRole, zh
from xunfang.wiring import open_store

app = typer.Typer(no_args_is_help=True, help="Who may use the console.")

ACTOR = "user:cli"  # whoever may run this command on the machine
PAGE = 500
Login = Annotated[str, typer.Argument(metavar="LOGIN")]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password and print it once.")]


@app.command()
def add(
    ctx: typer.Context,
    login: Login,
    role: Annotated[UserRole, typer.Option(help="What this user may do.")],
    name: Annotated[str, typer.Option(help="Name as shown; default: the login.")] = "",
    area: Annotated[str, typer.Option(help="Code of the area that is seen, with all below it.")] = "",
    visitor: Annotated[int | None, typer.Option(help="For the role visitor: id in the ledger.")] = None,
    generate_one: Generate = False,
    as_json: AsJson = False,
) -> None:
    """Add a user. The password is asked for twice, read from a pipe, or made with --generate.

    Example: xunfang user add zhang --role county_admin --name 张三 --generate
    """
    password = _password(generate_one, login)
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        place = work.areas.by_code(area) if area else None
        if area and place is None:
            raise NotFound(f"no area has the code {area}")
        user = accounts.add(
            work,
            Passwords(),
            SystemClock().now(),
            ACTOR,
            login=login,
            name=name or login,
            role=role,
            password=password,
            area_id=place.id if place else None,
            visitor_id=visitor,
        )
    _tell(user, password if generate_one else None, as_json)


@app.command("list")
def list_users(ctx: typer.Context, as_json: AsJson = False) -> None:
    """All users with their roles and areas.

    Example: xunfang user list --json
    """
    users: list[User] = []
    with open_store(settings_of(ctx)) as store, store.read() as work:
        while page := work.accounts.page(users[-1].login if users else "", PAGE):
            users += page
        areas = work.areas.named(user.area_id for user in users if user.area_id is not None)
    if as_json:
        print_json([_public(user) for user in users])
        return
    rows = [
        (
            user.login,
            zh(user.role),
            areas[user.area_id].name if user.area_id is not None else "全部",
            "启用" if user.active else "停用",
            user.name,
        )
        for user in users
    ]
    print_table("用户", ("用户名", "角色", "地区", "状态", "姓名"), rows, empty="还没有用户。")


@app.command()
def password(
    ctx: typer.Context, login: Login, generate_one: Generate = False, as_json: AsJson = False
) -> None:
    """Give a user a new password. All sessions of this user end.

    Example: xunfang user password zhang --generate
    """
    new = _password(generate_one, login)
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        user = accounts.find(work, login)
        accounts.set_password(work, Passwords(), SystemClock().now(), ACTOR, user, new)
    _tell(user, new if generate_one else None, as_json)


@app.command()
def disable(
    ctx: typer.Context,
    login: Login,
    enable: Annotated[bool, typer.Option("--enable", help="The other way round.")] = False,
    as_json: AsJson = False,
) -> None:
    """Disable a user: all sessions end at once, the history stays.

    Example: xunfang user disable zhang
    """
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        user = accounts.set_active(work, SystemClock().now(), ACTOR, accounts.find(work, login), enable)
    _tell(user, None, as_json)


def _password(generate_one: bool, login: str) -> str:
    if generate_one:
        return generate(login.strip())
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("密码：")
    if first != getpass.getpass("再输入一次："):
        raise BadInput("两次输入的密码不一致")
    return first


def _public(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "login": user.login,
        "name": user.name,
        "role": user.role,
        "area_id": user.area_id,
        "visitor_id": user.visitor_id,
        "active": user.active,
    }


def _tell(user: User, password: str | None, as_json: bool) -> None:
    if as_json:
        print_json(_public(user) | ({"password": password} if password else {}))
        return
    state = "启用" if user.active else "停用"
    console.print(f"用户 {user.login}（{zh(user.role)}）：{state}", markup=False)
    if password:
        console.print(f"密码：{password}（只显示这一次）", markup=False)
