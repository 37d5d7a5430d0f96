"""`xunfang recognise`: recordings through the very path of a call, with the starter model."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ivr.speech import audio
from sip_test_harness.audio import busy_tone
from xunfang.cli.app import app
from xunfang.errors import BadInput

pytestmark = pytest.mark.integration

RECORDINGS = Path(__file__).parent / "test_speech_recordings"
KEYS = {
    "file", "text", "confidence", "tone", "alert", "answer", "event",
    "polarity", "time", "subject", "evidence", "believed", "why",
}  # fmt: skip
OVERLAY = "change:\n  - {id: chest.pain, level: mild}\ndisable: [pain.severe]\n"


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("XUNFANG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def recognise(*words: str | Path, code: int = 0) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, ["recognise", *map(str, words), "--json"])
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_file_is_one_line_with_what_a_call_would_take_it_for(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "busy.wav", busy_tone(6.0))
    audio.write_wav(tmp_path / "empty.wav", audio.silence(3000))
    chest, *_ = sorted(RECORDINGS.glob("chest_*.wav"))
    heard = recognise(chest, tmp_path / "busy.wav", tmp_path / "empty.wav", "--question", "event")
    assert all(set(line) == KEYS for line in heard)
    pain, busy, silence = heard
    assert (pain["alert"], pain["event"], pain["polarity"], pain["believed"]) == (
        "urgent", "chest_pain", "affirmed", True,
    )  # fmt: skip
    assert pain["evidence"]
    assert (busy["text"], busy["alert"], busy["answer"], busy["event"]) == ("", "none", "silence_noise", None)
    assert busy["tone"] == "busy"
    assert (silence["text"], silence["answer"], silence["believed"]) == ("", "silence_noise", False)


def test_what_cannot_be_read_stops_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    fine, *_ = sorted(RECORDINGS.glob("health_good_*.wav"))
    broken, good = recognise(tmp_path / "broken.wav", fine, "--question", "health", code=BadInput.exit_code)
    assert "no audio" in str(broken["error"])
    assert good["answer"] == "good"


def test_the_countys_own_lexicon_counts_as_in_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "our.yaml").write_text(OVERLAY, "utf-8")
    monkeypatch.setenv("XUNFANG_SPEECH__LEXICON", "our.yaml")
    chest, *_ = sorted(RECORDINGS.glob("chest_*.wav"))
    (heard,) = recognise(chest, "--question", "event")
    assert heard["alert"] != "none"
    assert not any("chest.pain" in str(each) and "urgent" in str(each) for each in heard["why"])  # type: ignore[attr-defined]
