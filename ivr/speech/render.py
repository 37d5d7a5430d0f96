"""Render prompts that have no recording yet.

How to run it, in an environment with the extra `[tts]` (plus PyYAML), from the top of the checkout:

    python -m ivr.speech.render texts.txt                 one text a line, into ivr/dialplans/prompts
    python -m ivr.speech.render texts.txt --folder OUT    elsewhere
    python -m ivr.speech.render --titles                  the greetings of ivr.speech.surnames
    python -m ivr.speech.render --prune texts.txt         drop what is neither listed nor a greeting

or from Python: `render_missing(texts, folder, KokoroTts())`. `xunfang prompts render` is the
same for the texts of the dialplans. Rendering is repeatable and may be interrupted: what
stands in the folder is kept, the index is written after every few files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ivr.speech.prompts import SPEED, Entry, Tts, add_to_index, read_index, render_one
from ivr.speech.surnames import spoken_titles
from ivr.speech.tts_kokoro import PROMPT_VOICE, KokoroTts

SHIPPED = Path(__file__).parents[1] / "dialplans" / "prompts"
FLUSH_EVERY = 10  # files between two writes of the index

Progress = Callable[[int, int, str], None]
"""(done, total, text): called after each file."""


def render_missing(
    texts: Iterable[str],
    folder: Path,
    tts: Tts,
    progress: Progress | None = None,
    *,
    spoken: Mapping[str, str] | None = None,
    speed: float = SPEED,
) -> int:
    """Render those texts that have no file in `folder`; returns how many were made.

    `spoken` gives the engine other characters for texts it would mispronounce.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = read_index(folder)
    have = {text for text, entry in index.items() if (folder / entry.file).exists()}
    missing = [text for text in dict.fromkeys(texts) if text not in have]
    fresh: dict[str, Entry] = {}
    try:
        for done, text in enumerate(missing, start=1):
            fresh[text] = render_one(text, tts, folder, speed=speed, spoken=(spoken or {}).get(text, ""))
            if progress:
                progress(done, len(missing), text)
            if len(fresh) >= FLUSH_EVERY:
                add_to_index(folder, fresh)
                fresh = {}
    finally:
        if fresh:
            add_to_index(folder, fresh)
    return len(missing)


def prune(keep: Iterable[str], folder: Path) -> int:
    """Remove recordings and index entries of texts that nobody says any more."""
    gone = {text: entry for text, entry in read_index(folder).items() if text not in set(keep)}
    add_to_index(folder, {}, drop=frozenset(gone))
    for entry in gone.values():
        (folder / entry.file).unlink(missing_ok=True)
    return len(gone)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("texts", nargs="*", type=Path, help="files with one text a line")
    parser.add_argument("--titles", action="store_true")
    parser.add_argument("--prune", action="store_true")
    parser.add_argument("--folder", type=Path, default=SHIPPED)
    parser.add_argument("--voice", type=Path, default=PROMPT_VOICE)
    args = parser.parse_args()
    titles = spoken_titles()
    lines = [line.strip() for path in args.texts for line in path.read_text("utf-8").splitlines()]
    texts = [line for line in lines if line]
    wanted = [*texts, *(titles if args.titles else ())]
    if not wanted:
        parser.error("give a file of texts, or --titles")
    made = render_missing(
        wanted,
        args.folder,
        KokoroTts(args.voice),
        lambda done, total, text: print(f"{done}/{total} {text}", file=sys.stderr, flush=True),
        spoken=titles,
    )
    gone = prune([*texts, *titles], args.folder) if args.prune else 0
    print(f"{made} rendered, {len(set(wanted)) - made} were there, {gone} removed")


if __name__ == "__main__":
    main()
