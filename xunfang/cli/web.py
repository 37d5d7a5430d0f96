"""`xunfang web`: the console for supervisors and the pages of visitors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

import typer

from storage import Store
from web.app import create_app
from web.config import WebConfig
from web.server import Background, serve
from xunfang import log
from xunfang.cli.output import settings_of, stderr
from xunfang.clock import SystemClock
from xunfang.ledger.desk import Desk
from xunfang.settings import Settings
from xunfang.wiring import open_store, web_config


def register(root: typer.Typer) -> None:
    root.command("web")(web)


def web(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: web.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; default: web.port.", min=1, max=65535)] = None,
) -> None:
    """The console in the foreground, until SIGTERM or Ctrl-C. Put a proxy with https in front of it.

    The first user: xunfang user add NAME --role county_admin --generate

    Example: xunfang web --host 127.0.0.1 --port 8080
    """
    settings = settings_of(ctx)
    log.configure(settings.log.level, settings.log.format == "json")
    at, on = host or settings.web.host, port or settings.web.port
    config = _with_ledger(web_config(settings, at))
    with open_store(settings) as store:
        with store.read() as work:
            nobody = not work.accounts.page(limit=1)
        if nobody:
            stderr.print("还没有用户：xunfang user add 用户名 --role county_admin --generate", markup=False)
        stderr.print(f"http://{at}:{on}/", markup=False)
        serve(create_app(store, SystemClock(), config), at, on, settings.web.forwarded_by)


def _with_ledger(config: WebConfig) -> WebConfig:
    """The ledger's rules stand above the wiring: they are handed in here."""
    return replace(config, ledger=Desk())


@contextmanager
def console_beside(settings: Settings, store: Store) -> Iterator[None]:
    """For `xunfang run`: the console in a thread where `web.in_service` says so, else nothing."""
    web = settings.web
    if not web.in_service:
        yield
        return
    app = create_app(store, SystemClock(), _with_ledger(web_config(settings, web.host)))
    with Background(app, web.host, web.port, web.forwarded_by):
        log.get_logger("xunfang").info("console.started", port=web.port)
        yield
