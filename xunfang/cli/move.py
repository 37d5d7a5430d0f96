"""`xunfang move-database`: from SQLite to PostgreSQL (or back) with everything."""

from __future__ import annotations

from typing import Annotated

import typer

from storage import Store
from storage.move import move
from xunfang.cli.output import AsJson, console, print_json, settings_of
from xunfang.wiring import open_store, secret_keys


def register(root: typer.Typer) -> None:
    root.command("move-database")(move_database)


def move_database(
    ctx: typer.Context,
    to: Annotated[str, typer.Argument(help="URL of the new, empty database.")],
    as_json: AsJson = False,
) -> None:
    """Copy everything into a new, empty database (搬家). Stop `xunfang run` first; the old one stays.

    Example: xunfang move-database postgresql://xunfang@db.example/xunfang
    """
    settings = settings_of(ctx)
    with open_store(settings) as old:
        new = Store(to, secret_keys(settings))
        try:
            new.migrate()
            moved = move(old, new)
        finally:
            new.close()
    if as_json:
        print_json(moved)
        return
    console.print(f"已搬 {sum(moved.values())} 行，{sum(1 for rows in moved.values() if rows)} 张表。")
    console.print("请把 xunfang.toml 的 storage.url（及 engine）改为新库，再执行 xunfang run。")
