"""`xunfang migrate`: the tables of this version; with `--to` the whole database into another one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from storage import Store
from storage.mover import NOT_COPIED, Idle
from xunfang import log
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of, stderr
from xunfang.clock import SystemClock
from xunfang.errors import BadInput
from xunfang.settings import Settings
from xunfang.wiring import configured_store, open_store, prepare_queue, secret_keys

INTERRUPTED = 130


def migrate(
    ctx: typer.Context,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Copy the whole database into this empty one: postgresql://user@host/name or a file. "
            "The password may also come from PGPASSWORD or ~/.pgpass.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --to: check both sides and count, copy nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this version (every command does so by itself), or copy it to another with --to.

    Example: xunfang migrate
    Example: xunfang migrate --to postgresql://xunfang@db.county.example/xunfang --dry-run
    """
    settings = settings_of(ctx)
    log.configure(settings.log.level, settings.log.format == "json")
    if to is not None:
        _copy(settings, to, dry_run, as_json)
        return
    if dry_run:
        raise BadInput("--dry-run belongs to --to URL: name the database to copy into")
    with open_store(settings) as store:
        prepare_queue(settings, store)
        url = store.url
    if as_json:
        print_json({"database": url, "ready": True})
    else:
        console.print(f"{url} is ready.", markup=False)


def _copy(settings: Settings, to: str, dry_run: bool, as_json: bool) -> None:
    idle = Idle(SystemClock().now(), timedelta(seconds=settings.fleet.lease_s))
    began = time.monotonic()
    with (
        closing(configured_store(settings)) as source,
        closing(Store(to, secret_keys(settings))) as target,
        _progress("Checking" if dry_run else "Copying") as told,
    ):
        try:
            copies = source.copy_to(target, idle, told, dry_run)
        except KeyboardInterrupt:
            stderr.print("Interrupted: the target is as empty as before; run it again to begin anew.")
            raise typer.Exit(INTERRUPTED) from None
    rows = sum(each.rows for each in copies)
    if as_json:
        print_json(
            {
                "source": source.url,
                "target": target.url,
                "dry_run": dry_run,
                "rows": rows,
                "tables": copies,
                "not_copied": NOT_COPIED,
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        return
    title = "Would be copied" if dry_run else "Copied and compared"
    print_table(title, ("table", "rows"), [(each.table, each.rows) for each in copies if each.rows], "")
    console.print(
        f"{rows} rows, {source.url} -> {target.url}\n"
        f"Not copied, because they begin anew there: {', '.join(NOT_COPIED)} (everybody signs in again).",
        markup=False,
    )
    if not dry_run:
        console.print(
            "Next: set storage.url (and engine) in the settings; keep secret.key, recordings and photos; run "
            "`xunfang migrate`, then `xunfang run`. The old database is unchanged.",
            markup=False,
        )


@contextmanager
def _progress(title: str) -> Iterator[Callable[[str, int, int], None]]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    ) as bar:
        task = bar.add_task(title, total=None)

        def told(table: str, done: int, total: int) -> None:
            bar.update(task, description=f"{title} {table}", completed=done, total=total)

        yield told
