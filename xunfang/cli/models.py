"""`xunfang models`: the recognition models (语音识别模型) of this installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asr_models.library import ModelLibrary
from ivr.speech.selftest import self_test
from xunfang.cli.output import AsJson, console, download_bar, print_json, print_table, settings_of, stderr

app = typer.Typer(no_args_is_help=True, help="List, fetch, verify and choose speech recognition models.")

Name = Annotated[str, typer.Argument(help="Model name as in `xunfang models list`.")]


def library(ctx: typer.Context) -> ModelLibrary:
    settings = settings_of(ctx)
    return ModelLibrary(settings.path(settings.speech.models_dir))


@app.command("list")
def list_models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show every known model, which are here and which is in use.

    Example: xunfang models list --json
    """
    listed = library(ctx).list()
    if as_json:
        print_json(listed)
        return
    print_table(
        "Recognition models",
        ("name", "kind", "rate", "grammar", "licence", "state", "note"),
        (
            (
                model.entry.name,
                model.entry.kind.value,
                model.entry.sample_rate,
                "yes" if model.entry.runtime_grammar else "no",
                model.entry.licence,
                "in use" if model.current else "here" if model.installed else "",
                model.entry.note,
            )
            for model in listed
        ),
        empty="no models are known",
    )


@app.command()
def fetch(
    ctx: typer.Context,
    name: Name,
    from_file: Annotated[
        Path | None, typer.Option("--from", help="A zip on this machine, for places without internet.")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="Expected checksum of a model that publishes none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Download a model (resumes after a break), check it and unpack it. The model in use stays in use.

    Example: xunfang models fetch vosk-model-small-cn-0.22
    Example: xunfang models fetch vosk-model-small-cn-0.22 --from /media/usb/model.zip
    """
    with download_bar() as bar:
        task = bar.add_task(name, total=None)
        fetched = library(ctx).fetch(
            name,
            lambda have, whole: bar.update(task, completed=have, total=whole),
            from_file=from_file,
            sha256=sha256,
        )
    if fetched.warning:
        stderr.print(f"[yellow]{fetched.warning}[/yellow]")
    if as_json:
        print_json(fetched)
    else:
        console.print(f"{name} is here. Use it with: xunfang models use {name}")


@app.command()
def use(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Test a model on a shipped recording, then make it the one in use.

    Example: xunfang models use vosk-model-small-cn-0.22
    """
    chosen = library(ctx).use(name, self_test)
    if as_json:
        print_json(chosen)
    else:
        console.print(f"{name} passed its self-test and is in use from the next start.")


@app.command()
def verify(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Compare every file of an installed model with its checksum.

    Example: xunfang models verify starter
    """
    files = library(ctx).verify(name)
    if as_json:
        print_json({"model": name, "files": files, "ok": True})
    else:
        console.print(f"{name}: all {files} files are as they should be.")
