"""How many judgements a second one core makes, and what that is beside recognition of the same utterances.

    python benchmarks/judgements.py [--passes N] [--recordings N]

Every utterance of a pass is another one (all corpus files that may be learned from), so that no cache of
whole sentences could help; the best pass counts, because other work on the machine only ever adds time.
Then recordings of the audio corpus go through the starter model at file speed and what was heard is
judged: answers as calls bring them, shorter than what authors write, and the ratio of the two times.
Processor time throughout. (A Python built without profile-guided optimisation is a tenth slower.)
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from ivr.understanding import Question, understand
from ivr.understanding.corpus import learnable

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "corpus"
sys.path.insert(0, str(CORPUS / "audio"))

WANTED_PER_SECOND = 5000
CHUNK_BYTES = 3200  # 200 ms of 8 kHz 16-bit mono


def utterances() -> list[tuple[str, Question]]:
    """Every text of the corpus once."""
    seen: dict[str, Question] = {}
    for path in learnable(CORPUS):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            seen.setdefault(row["text"], Question(row["question"]))
    return list(seen.items())


def judge(rows: list[tuple[str, Question]]) -> float:
    """Processor seconds of judging every row once."""
    start = time.process_time()
    for text, question in rows:
        understand(text, question)
    return time.process_time() - start


def recognise(count: int) -> tuple[list[tuple[str, Question]], float, float]:
    """What was heard in so many recordings, seconds of sound, and processor seconds of hearing it."""
    from items import items, pcm

    from asr_models.manifest import STARTER_FOLDER
    from ivr.speech.recogniser import Recogniser

    recogniser = Recogniser(STARTER_FOLDER)
    everything = items()
    chosen = everything[:: max(1, len(everything) // count)][:count]
    sounds = [pcm(item) for item in chosen]
    heard: list[tuple[str, Question]] = []
    start = time.process_time()
    for item, sound in zip(chosen, sounds, strict=True):
        stream = recogniser.open(None)
        for at in range(0, len(sound), CHUNK_BYTES):
            stream.feed(sound[at : at + CHUNK_BYTES])
        heard.append((stream.finish().text, Question(item.question)))
    return heard, sum(item.seconds for item in chosen), time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--recordings", type=int, default=40, help="0: judge only")
    options = parser.parse_args()

    rows = utterances()
    judge(rows[:: max(1, len(rows) // 100)])  # loads the lexicon and the model
    best = min(judge(rows) for _ in range(options.passes))
    print(
        f"{len(rows) / best:,.0f} judgements per second of one core over {len(rows):,} different utterances "
        f"(wanted: {WANTED_PER_SECOND:,})"
    )
    if options.recordings:
        heard, sound_s, heard_in = recognise(options.recordings)
        judged_in = min(judge(heard) for _ in range(options.passes))
        print(
            f"{len(heard)} recordings, {sound_s:.0f} s of sound: recognised in {heard_in:.2f} s, judged in "
            f"{judged_in * 1000:.2f} ms, 1/{heard_in / judged_in:,.0f} of that; "
            f"{len(heard) / judged_in:,.0f} judgements per second of what was heard"
        )


if __name__ == "__main__":
    main()
