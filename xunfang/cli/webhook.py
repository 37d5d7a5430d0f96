"""`xunfang webhook`: other systems that are told of events (docs/api.md)."""

from __future__ import annotations

from typing import Annotated

import typer

from visits import webhooks
from visits.channels import ChannelError, WebhookChannel
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.clock import SystemClock
from xunfang.errors import BadInput
from xunfang.wiring import open_store

app = typer.Typer(no_args_is_help=True, help="Other systems that are told of events.")

ACTOR = "user:cli"
Name = Annotated[str, typer.Argument(metavar="NAME")]
EVENTS = ", ".join(webhooks.EVENTS)


@app.command()
def add(
    ctx: typer.Context,
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL")],
    event: Annotated[list[str] | None, typer.Option(help=f"Once or more; default: all. {EVENTS}.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register an endpoint. Its secret is made here and printed once.

    Example: xunfang webhook add county https://county.example/hook --event case.opened --event case.overdue
    """
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        made = webhooks.add(work, name, url, event or (), ACTOR, SystemClock().now())
    if as_json:
        print_json({"id": made.id, "name": made.name, "events": list(made.events), "secret": made.secret})
        return
    console.print(f"推送地址 {made.name}：{'、'.join(made.events)}", markup=False)
    console.print(f"密钥：{made.secret}（只显示这一次）", markup=False, soft_wrap=True)


@app.command("list")
def list_webhooks(ctx: typer.Context, as_json: AsJson = False) -> None:
    """All endpoints, and what could not be delivered to them.

    Example: xunfang webhook list --json
    """
    with open_store(settings_of(ctx)) as store, store.read() as work:
        found = work.webhooks.all()
        dead = webhooks.dead(work, SystemClock().now())
    lost = [
        {"id": each.id, "to": each.to, "kind": each.kind, "case_id": each.case_id, "error": each.last_error}
        for each in dead
    ]
    if as_json:
        known = [
            {"id": each.id, "name": each.name, "url": each.url, "events": list(each.events)} for each in found
        ]
        print_json({"webhooks": known, "dead": lost})
        return
    rows = [(str(each.id), each.name, each.url, "、".join(each.events)) for each in found]
    print_table("推送地址", ("编号", "名称", "地址", "事件"), rows, empty="还没有推送地址。")
    if lost:
        rows = [(str(e.id), e.to, e.kind, e.last_error) for e in dead]
        print_table("未送达（已放弃，可 retry）", ("编号", "给谁", "事件", "原因"), rows, empty="")


@app.command("test")
def send_test(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Send a signed test message now. Exit code 2 when it did not arrive.

    Example: xunfang webhook test county
    """
    now = SystemClock().now()
    with open_store(settings_of(ctx)) as store, store.read() as work:
        hook = webhooks.named(work, name)
    try:
        WebhookChannel(hook.url, hook.secret).send(webhooks.ping(hook, now), "", now)
    except ChannelError as error:
        raise BadInput(f"没有送达：{error}") from None
    if as_json:
        print_json({"name": hook.name, "delivered": True})
        return
    console.print(f"{hook.name}：已送达", markup=False)


@app.command()
def retry(
    ctx: typer.Context,
    notice_id: Annotated[int, typer.Argument(metavar="ID", help="As `webhook list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Send a message again that was given up.

    Example: xunfang webhook retry 17
    """
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        webhooks.send_again(work, notice_id, ACTOR, SystemClock().now())
    if as_json:
        print_json({"id": notice_id, "waiting": True})
        return
    console.print(f"消息 {notice_id} 将重新发送", markup=False)


@app.command()
def remove(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Take an endpoint away; what still waits for it is not sent.

    Example: xunfang webhook remove county
    """
    with open_store(settings_of(ctx)) as store, store.begin() as work:
        hook = webhooks.named(work, name)
        webhooks.remove(work, hook, ACTOR, SystemClock().now())
    if as_json:
        print_json({"name": hook.name, "removed": True})
        return
    console.print(f"推送地址 {hook.name} 已移除", markup=False)
