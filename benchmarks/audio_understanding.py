"""What is understood from sound: urgent recall, false alarms, answers, and whether unheard is taken for well.

    python benchmarks/audio_understanding.py                             at file speed, three conditions
    python benchmarks/audio_understanding.py --through file,sip --write  and as calls; writes docs/
    python benchmarks/audio_understanding.py --misses --conditions clean --voices zm_yunyang

The utterances are tests/corpus/audio (README there). `file` is the path of a call without the network;
`sip` is real RTP on loopback, three calls at once, over a sample that is spread evenly over the corpus.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "corpus" / "audio"))

import over_sip  # noqa: E402
from items import Item, items  # noqa: E402
from measure import CONDITIONS, Outcome, Score, at_file_speed, score  # noqa: E402

from asr_models.manifest import STARTER_FOLDER  # noqa: E402
from ivr.dialogue.belief import MIN_CONFIDENCE  # noqa: E402
from ivr.speech.recogniser import Recogniser  # noqa: E402

PAGE = ROOT / "docs" / "understanding-audio.md"
SIP_SAMPLE = 80
PATHS = ("file", "sip")
# Rows of the table: what belongs to each.
GROUPS: tuple[tuple[str, frozenset[str]], ...] = (
    ("phrases", frozenset({"distress", "benign", "control"})),
    ("free sentences", frozenset({"free"})),
)

stderr = Console(stderr=True)


def main() -> int:
    arguments = _arguments()
    chosen = [item for item in items() if item.voice in arguments.voices or not arguments.voices]
    measured: dict[str, list[Outcome]] = {}
    began = time.monotonic()
    for path in arguments.through:
        some = chosen if path == "file" else _sample(chosen, arguments.sample)
        with Progress(
            *Progress.get_default_columns()[:3], TimeElapsedColumn(), TimeRemainingColumn(), console=stderr
        ) as bar:
            conditions = arguments.conditions if path == "file" else arguments.sip_conditions
            task = bar.add_task(path, total=len(some) * len(conditions))
            measured[path] = _measure(
                path, some, conditions, arguments.model, lambda bar=bar, task=task: bar.advance(task)
            )
    rows = list(_rows(measured))
    if arguments.json:
        print(json.dumps({"seconds": round(time.monotonic() - began), "rows": rows}, ensure_ascii=False))
    else:
        print("\n".join(_table(rows)))
    if arguments.misses:
        for path, outcomes in measured.items():
            for each in filter(_is_grave, outcomes):
                print(path, _told(each))
    if arguments.write:
        PAGE.write_text(_page(rows, measured, chosen), "utf-8")
        stderr.print(f"{PAGE.relative_to(ROOT)} written")
    return 0


def _arguments() -> argparse.Namespace:
    def some_of(known: Sequence[str]) -> Any:
        def read(text: str) -> list[str]:
            wanted = text.split(",")
            strangers = set(wanted) - set(known)
            if strangers:
                raise argparse.ArgumentTypeError(
                    f"{', '.join(sorted(strangers))}: choose from {', '.join(known)}"
                )
            return wanted

        return read

    voices = sorted({item.voice for item in items()})
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--conditions", type=some_of(tuple(CONDITIONS)), default=list(CONDITIONS))
    parser.add_argument("--through", type=some_of(PATHS), default=["file"])
    parser.add_argument("--sip-conditions", type=some_of(tuple(CONDITIONS)), default=["clean"])
    parser.add_argument("--voices", type=some_of(voices), default=[])
    parser.add_argument("--sample", type=int, default=SIP_SAMPLE, help="utterances that go through SIP")
    parser.add_argument("--model", type=Path, default=STARTER_FOLDER)
    parser.add_argument("--misses", action="store_true", help="show what went gravely wrong")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    return parser.parse_args()


def _sample(chosen: Sequence[Item], size: int) -> list[Item]:
    return [chosen[at * len(chosen) // size] for at in range(size)] if size < len(chosen) else list(chosen)


def _measure(
    path: str, some: Sequence[Item], conditions: Sequence[str], model: Path, advance: Any
) -> list[Outcome]:
    if path == "sip":
        return over_sip.run(some, conditions, model, advance)
    return at_file_speed(some, conditions, Recogniser(model), advance)


def _rows(measured: dict[str, list[Outcome]]) -> Iterator[dict[str, Any]]:
    for path, outcomes in measured.items():
        voices = sorted({each.item.voice for each in outcomes})
        for group, kinds in GROUPS:
            for condition in CONDITIONS:
                for voice in (*voices, "both"):
                    some = [
                        each
                        for each in outcomes
                        if each.condition == condition
                        and each.item.kind in kinds
                        and voice in (each.item.voice, "both")
                    ]
                    if some and (voice != "both" or len(voices) > 1):
                        row = {"path": path, "spoken": group, "condition": condition, "voice": voice}
                        yield row | asdict(score(some))


COLUMNS = (
    "path", "spoken", "condition", "voice", "urgent recall", "asked or looked at instead", "lost",
    "false urgent per 100 benign", "answer right", "asked again", "words exact", "unheard taken for well",
)  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [_line(COLUMNS), "|---" * len(COLUMNS) + "|"]
    for row in rows:
        counted = Score(**{name: row[name] for name in Score.__slots__})
        cells = (
            *(row[name] for name in COLUMNS[:4]),
            _share(counted.urgent_heard, counted.urgent),
            counted.urgent_asked,
            counted.urgent_lost,
            _per_100(counted),
            _share(counted.answers_right, counted.answers),
            _share(counted.answers_unclear, counted.answers),
            _share(counted.exact, counted.utterances),
            f"{counted.taken_for_well} of {counted.utterances}",
        )
        lines.append(_line(cells))
    return lines


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _share(some: int, of: int) -> str:
    return f"{some / of:.3f} ({some}/{of})" if of else "–"


def _per_100(counted: Score) -> str:
    return "–" if counted.false_per_100 is None else f"{counted.false_per_100:.1f} of {counted.benign}"


def _is_grave(each: Outcome) -> bool:
    urgent = each.item.alert == "urgent"
    return each.taken_for_well or urgent != (each.alert == "urgent")


def _told(each: Outcome) -> str:
    item = each.item
    mark = "TAKEN FOR WELL " if each.taken_for_well else ""
    return (
        f"{mark}{each.condition} {item.voice} {item.speed} {item.kind}/{item.question} {item.text} "
        f"({item.alert}, {item.answer}) heard as {each.text or '-'} "
        f"[{each.confidence}] ({each.alert}, {each.answer})"
    )


HOW = """# What is understood from sound (听懂了多少)

Written by `python benchmarks/audio_understanding.py --through file,sip --write`; do not edit.

- **Spoken**: {phrases} phrases of the lexicon and of the dialplan `monthly_full` and {free} free sentences
  (`tests/corpus/audio`), by the synthetic voices zm_yunyang and zf_xiaoni at speeds 0.8, 0.9 and 1.0, which
  the starter model never heard. While grammar and thresholds were tuned the misses of zm_yunyang were
  looked at, those of zf_xiaoni only counted. They were read once at the end; after that only the counting
  changed (an answer that was heard word for word is not "unheard").
- **Conditions**: clean; room noise (1/f) 20 dB and 10 dB below the speech, before, beneath and after it.
- **Path `file`**: 8 kHz, G.711 A-law, endpointer, the question's own grammar, Vosk with the starter model,
  judgement, and the dialogue's rule on what is believed. **Path `sip`**: the same over real SIP and RTP on
  loopback, three calls at once, for an even sample.
- **Urgent recall**: of the utterances that mean danger now, those that ring a human. The others are asked
  about or looked at by a human the same day (review), or lost.
- **False urgent**: benign answers, requests and harmless sentences that would ring a human.
- **Answer right, asked again**: below a confidence of {least} a harmless answer is not believed, and the
  question is asked again in other words. Danger is never dropped for low confidence.
- **Unheard taken for well**: something else was said (danger, a complaint, an evasion, a request), but the
  call would go on as if all were well (good, same, safe, no, none, better, enough, visits, calls_only).

{table}

## What went gravely wrong

Every danger that did not ring a human, every false alarm, and everything that was taken for well.

{wrong}
"""


def _page(rows: list[dict[str, Any]], measured: dict[str, list[Outcome]], chosen: Sequence[Item]) -> str:
    free = sum(item.kind == "free" for item in chosen)
    told = [f"- {path}: {_told(each)}" for path, some in measured.items() for each in some if _is_grave(each)]
    return HOW.format(
        phrases=len(chosen) - free,
        free=free,
        least=MIN_CONFIDENCE,
        table="\n".join(_table(rows)),
        wrong="\n".join(told or ["Nothing."]),
    )


if __name__ == "__main__":
    sys.exit(main())
