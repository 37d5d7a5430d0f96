"""`xunfang dialplan` and `xunfang simulate`: conversations (对话流程) as data, and as text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ivr.dialogue import dialplan as plans
from ivr.dialogue.check import check
from ivr.dialogue.model import Callee
from ivr.dialogue.simulate import Reply, converse, parse_replies, parse_reply
from ivr.speech.recogniser import Recogniser
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.errors import BadDialplan, BadInput
from xunfang.settings import Settings
from xunfang.wiring import dialplan_path, model_path, prompt_store

app = typer.Typer(no_args_is_help=True, help="Check and list dialplans 对话流程.")

Plan = Annotated[str, typer.Argument(metavar="DIALPLAN", help="A shipped name or a .yaml file.")]


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="dialplan")
    root.command()(simulate)


@app.command("list")
def list_dialplans(as_json: AsJson = False) -> None:
    """Show the shipped dialplans.

    Example: xunfang dialplan list
    """
    loaded = [plans.load(name) for name in plans.names()]
    rows = [
        {"name": plan.name, "hash": plan.hash, "questions": [ask.id for ask in plan.questions]}
        for plan in loaded
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(
            "Dialplans",
            ("name", "hash", "questions"),
            ((plan.name, plan.hash, " ".join(ask.id for ask in plan.questions)) for plan in loaded),
            empty="no dialplans are shipped",
        )


@app.command("check")
def check_dialplans(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[DIALPLAN]...")] = None,
    as_json: AsJson = False,
) -> None:
    """Check schema, reachability, exits, phrases the model can recognise, prompts, and forbidden words.

    Without a name all shipped dialplans are checked. Exit code 2 when something is wrong.

    Example: xunfang dialplan check weekly_short
    """
    settings = settings_of(ctx)
    recogniser = Recogniser(model_path(settings))
    prompts = prompt_store(settings)
    found: list[dict[str, str]] = []
    checked = names or list(plans.names())
    for name in checked:
        try:
            problems = check(plans.load(dialplan_path(settings, name)), recogniser.can_express, prompts.has)
        except BadDialplan as error:
            found += [{"dialplan": name, "problem": line} for line in str(error).splitlines()]
        else:
            found += [{"dialplan": name, "problem": str(problem)} for problem in problems]
    if as_json:
        print_json({"checked": checked, "problems": found})
    elif not found:
        console.print(f"{', '.join(checked)}: nothing is wrong.")
    else:
        for row in found:
            console.print(f"{row['dialplan']}: {row['problem']}", markup=False)
    if found:
        raise typer.Exit(BadDialplan.exit_code)


def simulate(
    ctx: typer.Context,
    name: Plan,
    replies: Annotated[
        Path | None,
        typer.Option(help="File with one reply a line; <silence>, <key 1>, <during 嗯>, <hangup> ..."),
    ] = None,
    title: Annotated[str, typer.Option(help="How the elder is greeted.")] = "王奶奶",
    slow: Annotated[bool, typer.Option(help="Begin with the slower wording.")] = False,
    answered: Annotated[list[str] | None, typer.Option(help="Question ids an earlier call answered.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a whole call as text: the very interpreter and understanding of a real call, no telephone.

    Example: xunfang simulate weekly_short
    Example: xunfang simulate weekly_short --replies replies.txt --json
    """
    settings = settings_of(ctx)
    plan = plans.load(dialplan_path(settings, name))
    callee = Callee(title=title, slow=slow, answered=tuple(answered or ()))
    if replies is not None:
        lines = converse(plan, _from_file(replies), callee)
    else:
        console.print(
            "[dim]你是接电话的老人。直接输入要说的话；<silence> 不出声，<key 1> 按键，<hangup> 挂断。[/dim]"
        )
        lines = converse(plan, _typed(settings), callee)
    if as_json:
        print_json(list(lines))
        return
    for line in lines:
        console.print(str(line), markup=False)


def _from_file(file: Path) -> tuple[Reply, ...]:
    try:
        return parse_replies(file.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read {file} ({error.strerror})") from None


def _typed(settings: Settings) -> Iterator[Reply]:
    while True:
        try:
            line = input("老人> " if sys.stdin.isatty() else "")
        except EOFError:
            return
        if not line.strip():
            line = "<silence>"
        try:
            yield parse_reply(line)
        except BadInput as error:
            console.print(str(error), markup=False)
