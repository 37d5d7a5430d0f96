"""Render what the village says and nobody has recorded yet.

    python -m sip_test_harness.render --tts "COMMAND"        make what is missing
    python -m sip_test_harness.render --list                 only say what is missing
    python -m sip_test_harness.render --prune                drop recordings nobody needs any more

COMMAND is any program that takes `--voice VOICE --speed SPEED --batch LINES.tsv --out-dir DIR`,
where a line is NAME<TAB>TEXT, and writes DIR/NAME.wav at 8 kHz, 16-bit, mono. The engine is given
from outside because the harness stands beside the house and imports nothing of its speech room;
from Python pass any `speak` to `render`. Voices: zm_yunyang and zf_xiaoni for people (no recogniser
of ours was trained on them), zf_xiaoyi for the carrier, zm_yunjian for answering machines, all of
Kokoro-82M v1.0 (Apache-2.0). A test calls something else than a persona says? Put it in
voices/extra.yaml: voice -> texts.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import yaml

from sip_test_harness import audio, voices
from sip_test_harness.formats import DEFAULT_SPEED, list_personas
from sip_test_harness.voices import INDEX, VOICES, Line
from xunfang.errors import XunfangError

EXTRA = "extra.yaml"
PEAK = 0.6  # of full scale: room for noise and for G.711

# lines of one voice and speed -> PCM of each
Speak = Callable[[str, float, Iterable[Line]], Mapping[Line, bytes]]


def wanted(folder: Path = VOICES) -> set[Line]:
    lines = voices.lines_of(list_personas())
    extra = yaml.safe_load((folder / EXTRA).read_text("utf-8")) if (folder / EXTRA).exists() else None
    for voice, texts in (extra or {}).items():
        lines |= {Line(voice, DEFAULT_SPEED, text) for text in texts}
    return lines


def existing(folder: Path = VOICES) -> set[Line]:
    if not (folder / INDEX).exists():
        return set()
    return {line for line, file in voices.index(folder).items() if (folder / file).exists()}


def render(lines: Iterable[Line], speak: Speak, folder: Path = VOICES) -> int:
    """Make the lines, trimmed and peak-normalised, and put them into the index; returns how many."""
    have = existing(folder)
    groups: dict[tuple[str, float], list[Line]] = defaultdict(list)
    for line in sorted(set(lines) - have):
        groups[line.voice, line.speed].append(line)
    made = 0
    for (voice, speed), group in groups.items():
        for line, pcm in speak(voice, speed, group).items():
            wide = audio.samples(pcm)
            gain = PEAK * audio.FULL_SCALE / max(1.0, float(abs(wide).max()))
            audio.write_wav(folder / line.file, audio.trimmed(audio.pcm(wide * gain)))
            have.add(line)
            made += 1
    _write_index(have, folder)
    return made


def prune(keep: Iterable[Line], folder: Path = VOICES) -> int:
    """Forget lines that nobody says; files without a line go too."""
    kept = existing(folder) & set(keep)
    _write_index(kept, folder)
    names = {line.file for line in kept}
    gone = [path for path in folder.glob("*.wav") if path.name not in names]
    for path in gone:
        path.unlink()
    return len(gone)


def _write_index(lines: Iterable[Line], folder: Path) -> None:
    rows = [
        {
            "voice": line.voice,
            "speed": line.speed,
            "text": line.text,
            "file": line.file,
            "seconds": round(len(audio.read_wav(folder / line.file)) / 2 / audio.RATE_HZ, 2),
        }
        for line in sorted(lines)
    ]
    (folder / INDEX).write_text(
        yaml.safe_dump(rows, allow_unicode=True, sort_keys=False, width=1000), "utf-8"
    )
    voices.index.cache_clear()
    voices.spoken.cache_clear()


def by_command(command: str) -> Speak:
    """A `Speak` that runs the program described above."""

    def speak(voice: str, speed: float, lines: Iterable[Line]) -> dict[Line, bytes]:
        batch = list(lines)
        with tempfile.TemporaryDirectory() as work:
            table = Path(work) / "lines.tsv"
            table.write_text("".join(f"{line.file[:-4]}\t{line.text}\n" for line in batch), "utf-8")
            arguments = ["--voice", voice, "--speed", str(speed), "--batch", str(table), "--out-dir", work]
            subprocess.run([*shlex.split(command), *arguments], check=True)
            return {line: audio.read_wav(Path(work) / line.file) for line in batch}

    return speak


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tts", metavar="COMMAND", help="the program that speaks")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--prune", action="store_true")
    arguments = parser.parse_args()
    try:
        missing = wanted() - existing()
        for line in sorted(missing):
            print(line.voice, line.speed, line.text)
        if arguments.prune:
            print(f"{prune(wanted())} files removed")
        if missing and arguments.tts and not arguments.list:
            print(f"{render(missing, by_command(arguments.tts))} files made")
            missing = set()
    except XunfangError as why:
        print(why, file=sys.stderr)
        return why.exit_code
    if missing:
        print(f"{len(missing)} lines are missing: run with --tts", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
