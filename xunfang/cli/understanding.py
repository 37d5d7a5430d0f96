"""`xunfang understand` and `xunfang lexicon`: what was meant, as text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import track

from ivr.understanding import Lexicon, check, default_lexicon, diff, score, understand_line, with_overlay
from ivr.understanding.check import Change, EntryChange, entry_changes
from ivr.understanding.corpus import learnable
from ivr.understanding.model import Question
from ivr.understanding.precision import EntryPrecision, precisions
from xunfang.cli.output import AsJson, console, print_json, print_table, settings_of, stderr
from xunfang.errors import BadInput, NotFound
from xunfang.settings import Settings
from xunfang.wiring import open_store

if TYPE_CHECKING:
    from storage import Work

Row = dict[str, Any]
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
    """JSON lines -> rows; the first broken line is named by its number."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield row_of(line, f"{source}, line {number}", needs)


def row_of(line: str, where: str, needs: tuple[str, ...] = ("text",)) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f"{where}: not JSON ({getattr(error, 'msg', 'nested too deeply')})") from None
    if not isinstance(row, dict):
        raise BadInput(f'{where}: must be an object, for example {{"question": "event", "text": "没摔"}}')
    missing = [key for key in needs if not isinstance(row.get(key), str)]
    if missing:
        raise BadInput(f"{where}: {', '.join(missing)} must be given as text")
    asked = row.get("question") or Question.ANY
    if asked not in frozenset(Question):
        raise BadInput(f"{where}: there is no question {asked!r}; use {', '.join(Question)}")
    return row


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

    Each line gets alert (none, review, urgent), answer, event, polarity, time, subject and evidence.
    `question` is what was asked: identity, health, mood, mobility, illness, gas, water_heating,
    electricity, fire, needs, family, economy, event, callback; any, or nothing, outside a question.
    A line that cannot be read is named with its number and stops no other (exit code 2 at the end).

    With --score every line must also hold what a careful listener understands: question, alert and
    answer, and event, polarity, time, subject where something happened. The county's own lexicon
    (speech.lexicon) counts, as in a call.

    Example: echo '{"id": 1, "question": "event", "text": "没摔，就是胸口疼"}' | xunfang understand
    Example: xunfang understand --score tests/corpus/train.jsonl
    """
    lexicon = lexicon_of(settings_of(ctx))
    if score_file is None:
        _judge_stdin(lexicon)
        return
    labelled = list(rows_of(read_text(score_file).splitlines(), score_file.name, ("text", *LABELS)))
    if not labelled:
        raise BadInput(f"{score_file.name} has no lines: every line is one labelled sentence as JSON")
    report = score(_shown(labelled, "judging"), lexicon=lexicon)
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


def _judge_stdin(lexicon: Lexicon) -> None:
    number, broken = 0, 0
    lines = iter(sys.stdin)
    while True:
        try:
            line = next(lines)
        except StopIteration:
            break
        except UnicodeDecodeError:
            raise BadInput(
                f"stdin, after line {number}: not UTF-8; convert it, e.g. iconv -f gb18030"
            ) from None
        number += 1
        if not line.strip():
            continue
        try:
            row = row_of(line, f"stdin, line {number}")
        except BadInput as error:
            broken += 1
            stderr.print(str(error), markup=False, highlight=False)
            continue
        print(_as_line({**row, **understand_line(row, lexicon=lexicon)}), flush=True)
    if broken:
        stderr.print(f"{broken} of {number} lines could not be read.", highlight=False)
        raise typer.Exit(BadInput.exit_code)


def _as_line(row: dict[str, Any]) -> str:
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character, which JSON can hold and UTF-8 cannot
        return json.dumps(row)
    return text


def _shown(rows: Sequence[Row], what: str) -> Iterable[Row]:
    """With a bar on the terminal while they are gone through."""
    return track(rows, what, console=stderr, transient=True, disable=not stderr.is_terminal)


Corpus = Annotated[
    list[Path] | None,
    typer.Option(
        "--corpus", help="Labelled or plain JSONL; default tests/corpus/*.jsonl without what is kept back."
    ),
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

    Without --overlay the lexicon in use is checked. With it, the changed one is checked, and listed are
    the entries it adds, changes or disables, and every sentence of the corpus that it judges differently,
    before and after. Nothing is put in use: that is the setting speech.lexicon. An overlay is YAML:

    \b
    change:
      - {id: fraud.any, level: mild}
    disable:
      - plea.wide
    add:
      - {id: our.fall, kind: event, event: fall, say: [撂那儿了], reason: 本地话}

    Exit code 2 when something is wrong with the entries.

    Example: xunfang lexicon check --overlay our_words.yaml --corpus tests/corpus/train.jsonl
    """
    before = lexicon_of(settings_of(ctx))
    after = before if overlay is None else overlaid(overlay)
    problems = check(after)
    entries = entry_changes(before, after)
    sentences = [] if overlay is None else _corpus(corpus)
    changes = diff(before, after, _shown(sentences, "judging twice"))
    if as_json:
        told = {"problems": problems, "entries": entries, "sentences": len(sentences), "changes": changes}
        print_json(told)
    else:
        print_table(
            "Problems",
            ("kind", "entries", "phrase", "what"),
            ((each.kind, " ".join(each.entries), escape(each.phrase), each.message) for each in problems),
            empty=f"{len(after.entries)} entries, nothing is wrong.",
        )
        if overlay is not None:
            print_table(
                "Entries",
                ("id", "how", "before → after"),
                ((each.id, each.how, _before_after(each)) for each in entries),
                empty="no entry is changed.",
            )
            print_table(
                f"{len(changes)} of {len(sentences)} sentences are judged differently",
                ("id", "question", "text", "before → after"),
                ((each.id, each.question, escape(each.text), _before_after(each)) for each in changes),
                empty=f"none of {len(sentences)} sentences is judged differently.",
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
    """Whoever edits the words must not see the sentences that measure them, unless he names the file."""
    chosen = files or learnable(Path("tests/corpus"))
    if not chosen:
        raise BadInput("no corpus here: name one or more JSONL files with --corpus")
    return [row for file in chosen for row in rows_of(read_text(file).splitlines(), file.name)]


def _before_after(change: Change | EntryChange) -> str:
    return escape(f"{_fields(change.before) or 'nothing'} → {_fields(change.after) or 'nothing'}")


def _fields(values: dict[str, Any]) -> str:
    def told(value: Any) -> str:
        return "、".join(map(str, value)) or "nothing" if isinstance(value, list) else str(value)

    return ", ".join(f"{name} {told(value)}" for name, value in values.items())
