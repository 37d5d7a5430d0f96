"""All commands in one tree. Exit codes: 0 done, 1 unexpected, 2 bad input or settings, 3 model,
4 database, 5 trunk, 6 recording, 7 line died (xunfang.errors)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xunfang.cli import (
    cases,
    dialplans,
    harness,
    ledger,
    models,
    plan,
    report,
    rights,
    service,
    simulate,
    speech,
    token,
    understanding,
    user,
    web,
    webhook,
)

app = typer.Typer(
    name="xunfang",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="巡访: telephone visits to elders at home, and a human at the door for whoever needs one.\n\n"
    "Start with: xunfang demo",
    epilog="Exit codes: 0 done, 1 unexpected, 2 bad input or settings, 3 model, 4 database, 5 trunk, "
    "6 recording, 7 line died.",
)


@app.callback()
def root(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings file; default ./xunfang.toml.")
    ] = None,
) -> None:
    pass


service.register(app)
plan.register(app)
simulate.register(app)
app.add_typer(ledger.app, name="ledger")
app.add_typer(cases.app, name="cases")
app.add_typer(report.app, name="report")
app.add_typer(rights.retention_app, name="retention")
app.add_typer(rights.app, name="rights")
web.register(app)
app.add_typer(user.app, name="user")
app.add_typer(token.app, name="token")
app.add_typer(webhook.app, name="webhook")
dialplans.register(app)
understanding.register(app)
speech.register(app)
app.add_typer(models.app, name="models")
app.add_typer(harness.app, name="harness")
