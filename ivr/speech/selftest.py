"""Can this model recognise? Tried on a shipped recording, in a process of its own.

    python -m ivr.speech.selftest MODEL_DIR

A damaged model may bring its process down, and a large one may not fit beside what runs:
neither may touch the service. The recording is telephone audio of a voice that the
starter model was not trained on.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ivr.speech import audio
from xunfang.errors import ModelError, XunfangError

RECORDING = Path(__file__).parent / "selftest.wav"
SPOKEN = "我身体挺好的不用担心"
PHRASES = (
    "我身体挺好的", "不用担心", "身体还行", "身体不舒服", "不太好", "胸口疼", "我摔倒了", "起不来了",
    "救命", "没有变化", "跟以前一样", "听不清楚", "再说一遍", "不用了", "我很担心", "打错了",
)  # fmt: skip
ALIKE = 0.7  # least likeness of what was heard: one lost particle is usual, another sentence is not
MOST_SHARE = 0.8  # of one core: more cannot keep up with a caller
TIMEOUT_S = 300.0  # a large model takes long to load from a slow disk
REPEATS = 3  # the share is taken from the fastest: the machine may be busy


@dataclass(frozen=True, slots=True)
class Outcome:
    """`share`: seconds of one core for each second of speech. `load_s`: to load the model."""

    heard: str
    alike: float
    share: float
    load_s: float
    takes_grammar: bool


def measure(model_dir: Path) -> Outcome:
    """Load the model here and recognise the recording."""
    from ivr.speech.recogniser import Recogniser  # loads Vosk's library: only in the child process

    began = time.perf_counter()
    recogniser = Recogniser(model_dir)
    load_s = time.perf_counter() - began
    pcm = audio.through_alaw(audio.silence(300) + audio.read_wav(RECORDING) + audio.silence(500))
    spent = []
    for _ in range(REPEATS):
        before = time.process_time()
        heard = recogniser.recognise(pcm, PHRASES).text
        spent.append(time.process_time() - before)
    alike = difflib.SequenceMatcher(None, SPOKEN, heard).ratio()
    share = min(spent) / audio.seconds(pcm)
    return Outcome(heard, round(alike, 2), round(share, 3), round(load_s, 2), recogniser.takes_grammar)


def self_test(model_dir: Path, timeout_s: float = TIMEOUT_S) -> Outcome:
    """ModelError says why the model cannot be used."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    command = [sys.executable, "-m", "ivr.speech.selftest", str(model_dir)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=env,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"the model in {model_dir} was not ready within {timeout_s:.0f} s; it is not used"
        ) from error
    try:
        answer = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError as error:
        raise ModelError(
            f"the model in {model_dir} brought its test process down (exit {done.returncode}); it is not used"
        ) from error
    if "error" in answer:
        raise ModelError(str(answer["error"]))
    outcome = Outcome(**answer)
    if outcome.alike < ALIKE:
        raise ModelError(
            f"the model in {model_dir} hears {outcome.heard!r} in the test recording instead of {SPOKEN!r}; "
            "it is not used"
        )
    if outcome.share > MOST_SHARE:
        raise ModelError(
            f"the model in {model_dir} needs {outcome.share:.0%} of a core for one caller; take a smaller one"
        )
    return outcome


def main() -> None:
    try:
        answer: dict[str, object] = asdict(measure(Path(sys.argv[1])))
    except XunfangError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
