"""`xunfang understand` and `xunfang lexicon`: what was meant, as text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ivr.understanding import Lexicon, default_lexicon, score, understand_line, with_overlay
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.errors import BadInput
from xunfang.settings import Settings

LABELS = ("question", "alert", "answer")

app = typer.Typer(no_args_is_help=True, help="The words that judgement 语义判断 rests on, as data.")


def register(root: typer.Typer) -> None:
    root.command()(understand)
    root.add_typer(app, name="lexicon")


def lexicon_of(settings: Settings) -> Lexicon:
    """The shipped lexicon with the county's own laid over it."""
    own = settings.speech.lexicon
    return overlaid(settings.path(own)) if own is not None else default_lexicon()


def overlaid(file: Path) -> Lexicon:
    return with_overlay(default_lexicon(), read_text(file), file.name)


def read_text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {file} ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None


def rows_of(
    lines: Iterable[str], source: str, needs: tuple[str, ...] = ("text",)
) -> Iterator[dict[str, Any]]:
    """JSON lines -> rows; a broken line is named by its number."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadInput(f"{source}, line {number}: not JSON ({error.msg})") from None
        missing = [key for key in needs if not isinstance(row, dict) or not isinstance(row.get(key), str)]
        if missing:
            raise BadInput(f"{source}, line {number}: {', '.join(missing)} must be given as text")
        yield row


def understand(
    ctx: typer.Context,
    score_file: Annotated[
        Path | None,
        typer.Option("--score", help="Labelled JSONL: print recall, precision, accuracy and every miss."),
    ] = None,
    misses: Annotated[bool, typer.Option(help="With --score: list every miss.")] = True,
    as_json: AsJson = False,
) -> None:
    """Read JSONL on stdin ({"id", "question", "text"}), write the same lines with what was meant.

    Each line gets alert, answer, event, polarity, time, subject and evidence.

    Example: echo '{"id": 1, "question": "event", "text": "没摔，就是胸口疼"}' | xunfang understand
    Example: xunfang understand --score tests/corpus/train.jsonl
    """
    lexicon = lexicon_of(settings_of(ctx))
    if score_file is None:
        for row in rows_of(sys.stdin, "stdin"):
            print(json.dumps(understand_line(row, lexicon=lexicon), ensure_ascii=False), flush=True)
        return
    labelled = list(rows_of(read_text(score_file).splitlines(), score_file.name, ("text", *LABELS)))
    report = score(labelled, lexicon=lexicon)
    if as_json:
        print_json({**report.summary(), "misses": report.misses if misses else len(report.misses)})
        return
    print_table(score_file.name, ("measure", "value"), report.summary().items(), empty="no rows")
    print_table(
        "answer accuracy by class",
        ("class", "right", "of"),
        ((name, ratio.right, ratio.of) for name, ratio in sorted(report.by_class.items())),
        empty="no rows",
    )
    if misses:
        for miss in report.misses:
            wrong = ", ".join(f"{k}: wanted {v['wanted']}, got {v['got']}" for k, v in miss["wrong"].items())
            console.print(f"{miss['id']} [{miss['question']}] {miss['text']} → {wrong}", markup=False)
