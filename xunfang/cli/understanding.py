"""`xunfang understand` and `xunfang lexicon`: what was meant, as text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from ivr.understanding import Lexicon, check, default_lexicon, diff, score, understand_line, with_overlay
from ivr.understanding.precision import EntryPrecision, precisions
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of
from xunfang.errors import BadInput, NotFound
from xunfang.settings import Settings
from xunfang.wiring import open_store

if TYPE_CHECKING:
    from storage import Work

SAY_SHOWN = 3  # patterns of an entry in the table
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


Corpus = Annotated[
    list[Path] | None, typer.Option("--corpus", help="Labelled or plain JSONL; default tests/corpus/*.jsonl.")
]


@app.command("check")
def check_lexicon(
    ctx: typer.Context,
    overlay: Annotated[
        Path | None, typer.Option(help="A changed county lexicon, compared with the one in use.")
    ] = None,
    corpus: Corpus = None,
    as_json: AsJson = False,
) -> None:
    """Find conflicts, and show which sentences are judged differently when the lexicon changes.

    Without --overlay the lexicon in use is checked; with it, the changed one is checked and every
    sentence of the corpus that it judges differently is listed, before and after. Exit code 2 when
    something is wrong with the entries.

    Example: xunfang lexicon check --overlay our_words.yaml --corpus tests/corpus/train.jsonl
    """
    before = lexicon_of(settings_of(ctx))
    after = before if overlay is None else overlaid(overlay)
    problems = check(after)
    changes = [] if overlay is None else diff(before, after, _corpus(corpus))
    if as_json:
        print_json({"problems": problems, "changes": changes})
    else:
        print_table(
            "Problems",
            ("kind", "entries", "phrase", "what"),
            ((each.kind, " ".join(each.entries), each.phrase, each.message) for each in problems),
            empty=f"{len(after.entries)} entries, nothing is wrong.",
        )
        if overlay is not None:
            print_table(
                "Sentences judged differently",
                ("id", "question", "text", "before", "after"),
                (
                    (each.id, each.question, each.text, _fields(each.before), _fields(each.after))
                    for each in changes
                ),
                empty="no sentence of the corpus is judged differently.",
            )
    if problems:
        raise typer.Exit(BadInput.exit_code)


@app.command("precision")
def entry_precision(
    ctx: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Only calls from this day on: 2026-11-01."),
    ] = None,
    area: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only this area 县/乡镇/村 and below, by code.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Lines of the table; --json has all.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show which entries raise false alarms 误报, worst first: what supervisors said of their alerts.

    An alert that rests on several entries counts for each. Raised: alerts of stored calls. Precision:
    confirmed of those that were listened to, with its 95 % Wilson interval; 样本太少 marks fewer than ten
    verdicts. What is no entry is a rule (answer: worse) or the second opinion. Verdicts are given by
    `xunfang cases verdict`; a change of the words is tried out with `xunfang lexicon check --overlay`.

    Example: xunfang lexicon precision --since 2026-11-01
    """
    settings = settings_of(ctx)
    start = None if since is None else since.replace(tzinfo=settings.zone)
    with open_store(settings) as store, store.read() as work:
        area_id = None if area is None else _area_id(work, area)
        counts = work.verdicts.by_entry(start, area_id)
    lines = precisions(counts, lexicon_of(settings))
    if as_json:
        print_json({"since": start, "area": area, "entries": lines})
        return
    print_table(
        "每条词条的报警与复核",
        ("词条", "报警", "属实", "误报", "未复核", "漏报", "准确率", "说法 · 理由 · 出处"),
        (
            (
                each.entry,
                each.raised,
                each.confirmed,
                each.false_alarms,
                each.unreviewed,
                each.missed,
                _share(each),
                _about(each),
            )
            for each in lines[:limit]
        ),
        empty="还没有报警，也没有复核。",
    )
    if len(lines) > limit:
        console.print(f"另有{len(lines) - limit}条未列出：--limit，或 --json。", highlight=False)


def _area_id(work: Work, code: str) -> int:
    area = work.areas.by_code(code)
    if area is None:
        raise NotFound(f"no area has the code {code}: codes are in the ledger (xunfang ledger list --json)")
    return area.id


def _share(line: EntryPrecision) -> str:
    if line.precision is None or line.low is None or line.high is None:
        return "样本太少"
    few = " 样本太少" if line.too_few else ""
    return f"{line.precision:.0%}（{line.low:.0%}–{line.high:.0%}）{few}"


def _about(line: EntryPrecision) -> str:
    if not line.reason:
        return "（规则，或已删除的词条）"
    said = "、".join(line.say[:SAY_SHOWN]) + ("…" if len(line.say) > SAY_SHOWN else "")
    return escape(f"{said} · {line.reason} · {line.source}（{line.file}）")


def _corpus(files: list[Path] | None) -> list[dict[str, Any]]:
    chosen = files or sorted(Path("tests/corpus").glob("*.jsonl"))
    if not chosen:
        raise BadInput("no corpus here: name one or more JSONL files with --corpus")
    return [row for file in chosen for row in rows_of(read_text(file).splitlines(), file.name)]


def _fields(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
