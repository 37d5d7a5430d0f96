"""How many judgements a second one core makes, and what that is beside recognition time.

    python benchmarks/judgements.py [--corpus FILE] [--seconds N] [--wav FILE ... --model DIR]

Prints judgements per second of processor time over the utterances of a corpus. With recordings
and a Vosk model the same utterances are recognised too, and the ratio of the two times is printed.
"""

from __future__ import annotations

import argparse
import json
import time
import wave
from pathlib import Path

from ivr.understanding import understand

DEFAULT_CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "train.jsonl"
WANTED_PER_SECOND = 5000
CHUNK_MS = 200


def judgements_per_second(rows: list[dict[str, str]], seconds: float) -> float:
    """Whole passes over `rows` until `seconds` of processor time are used; the first pass warms up."""
    for row in rows:
        understand(row["text"], row["question"])
    done = 0
    start = time.process_time()
    while (used := time.process_time() - start) < seconds:
        for row in rows:
            understand(row["text"], row["question"])
        done += len(rows)
    return done / used


def recognise(paths: list[Path], model_dir: Path) -> tuple[list[str], float]:
    """Texts and processor seconds of recognising the recordings (open vocabulary)."""
    import vosk

    vosk.SetLogLevel(-1)
    model = vosk.Model(str(model_dir))
    texts: list[str] = []
    start = time.process_time()
    for path in paths:
        with wave.open(str(path), "rb") as sound:
            recogniser = vosk.KaldiRecognizer(model, sound.getframerate())
            frames = sound.getframerate() * CHUNK_MS // 1000
            while chunk := sound.readframes(frames):
                recogniser.AcceptWaveform(chunk)
        texts.append(str(json.loads(recogniser.FinalResult()).get("text", "")))
    return texts, time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=DEFAULT_CORPUS)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--wav", type=Path, nargs="*", default=[])
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()

    lines = options.corpus.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line]
    speed = judgements_per_second(rows, options.seconds)
    print(f"{speed:,.0f} judgements per second of one core (wanted: {WANTED_PER_SECOND:,})")

    if options.wav and options.model:
        texts, heard_in = recognise(options.wav, options.model)
        start = time.process_time()
        for text in texts:
            understand(text, "any")
        judged_in = time.process_time() - start
        print(
            f"{len(texts)} recordings: recognised in {heard_in:.2f} s, judged in {judged_in * 1000:.2f} ms: "
            f"judging takes 1/{heard_in / max(judged_in, 1e-9):,.0f} of recognising"
        )


if __name__ == "__main__":
    main()
