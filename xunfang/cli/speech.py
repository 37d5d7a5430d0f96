"""`xunfang recognise` and `xunfang prompts`: ears and voice without a telephone."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from ivr.dialogue import dialplan as plans
from ivr.dialogue.belief import doubted
from ivr.dialogue.hearing import stage_of
from ivr.session.rehearsal import Answered, hear_answer
from ivr.speech.file import load
from ivr.speech.recogniser import Recogniser
from ivr.speech.render import SHIPPED, render_missing
from ivr.speech.tts_kokoro import KokoroTts
from ivr.understanding import understand
from ivr.understanding.model import Question
from xunfang.cli.output import AsJson, console, print_json, settings_of, stderr
from xunfang.cli.understanding import lexicon_of
from xunfang.errors import BadInput, XunfangError
from xunfang.vocabulary import Alert
from xunfang.wiring import dialplan_path, model_path, prompt_store

prompts = typer.Typer(no_args_is_help=True, help="The recorded voice 提示音 of the dialplans.")


def register(root: typer.Typer) -> None:
    root.add_typer(prompts, name="prompts")
    root.command()(recognise)


def recognise(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="WAV or FLAC.")],
    question: Annotated[Question, typer.Option(help="What was asked.")] = Question.ANY,
    dialplan: Annotated[str, typer.Option(help="Whose phrases make the grammar.")] = "monthly_full",
    as_json: AsJson = False,
) -> None:
    """Run audio through the very path of a call, at file speed: 8 kHz, G.711, endpointer, grammar, judgement.

    What is printed is what a call would take it for: a phrase that was heard damaged is read by its
    sound, an answer that was hardly heard is not believed (`believed` false, `why`), a busy tone is no
    answer (`tone`). The county's own lexicon and dialplans count, as in a call. One answer a file.

    A file that cannot be read is reported in its line and does not stop the others (exit code 2 at the end).

    Example: xunfang recognise answer.wav --question health --json
    """
    settings = settings_of(ctx)
    plan = plans.load(dialplan_path(settings, dialplan))
    at = stage_of(plan, question)
    meant = partial(understand, lexicon=lexicon_of(settings))
    recogniser = Recogniser(model_path(settings))
    broken = False
    for file in files:
        try:
            heard = hear_answer(load(file), recogniser, plan, at, meant, settings.speech.tail_ms)
        except XunfangError as error:
            broken = True
            stderr.print(f"{file}: {error}", markup=False)
            if as_json:
                print(json.dumps({"file": str(file), "error": str(error)}, ensure_ascii=False))
            continue
        row = {"file": str(file), **_row(heard)}
        if as_json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            console.print(_in_words(file, row), markup=False)
    if broken:
        raise typer.Exit(BadInput.exit_code)


def _row(heard: Answered) -> dict[str, Any]:
    """Nothing said, or only a tone: the call would count silence and ask again."""
    meant = heard.understood
    main = None if meant is None else meant.main
    return {
        "text": heard.text,
        "confidence": heard.confidence,
        "tone": heard.tone,
        "alert": (Alert.NONE if meant is None else meant.alert).value,
        "answer": "silence_noise" if meant is None else meant.answer,
        "event": None if main is None else main.event.value,
        "polarity": None if main is None else main.polarity.value,
        "time": None if main is None else main.time.value,
        "subject": None if main is None else main.subject.value,
        "evidence": [] if meant is None else list(meant.evidence),
        "believed": meant is not None and not doubted(meant),
        "why": [] if meant is None else list(meant.reasons),
    }


def _in_words(file: Path, row: dict[str, Any]) -> str:
    heard = row["text"] or (f"({row['tone']})" if row["tone"] else "(nothing heard)")
    slots = [str(row[key]) for key in ("event", "polarity", "time", "subject") if row[key]]
    doubt = "" if row["believed"] or not row["text"] else "  (hardly heard: not believed)"
    return f"{file}: {heard}  →  {row['answer']}, {' '.join((row['alert'], *slots))}{doubt}"


@prompts.command()
def render(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[DIALPLAN]...")] = None,
    shipped: Annotated[
        bool, typer.Option(help="Into the program's own folder instead of the cache.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Render what the dialplans say and has no recording yet. Needs the extra `[tts]`.

    Example: xunfang prompts render my_county.yaml
    """
    settings = settings_of(ctx)
    store = prompt_store(settings)
    texts = [
        text for name in names or plans.names() for text in plans.load(dialplan_path(settings, name)).texts()
    ]
    missing = [text for text in dict.fromkeys(texts) if not store.has(text)]
    made = 0
    if missing:
        folder = SHIPPED if shipped else settings.path(settings.speech.prompts)
        with Progress(console=stderr) as bar:
            task = bar.add_task("rendering", total=len(missing))
            made = render_missing(
                missing,
                folder,
                KokoroTts(),
                lambda done, total, _text: bar.update(task, completed=done, total=total),
            )
    if as_json:
        print_json({"texts": len(set(texts)), "rendered": made})
    else:
        console.print(f"{len(set(texts))} texts, {made} rendered.")
