"""The tables in docs/ that a command makes (`xunfang docs`), so that they cannot drift from the code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from records import indicator_table
from sip_test_harness.formats import load_demo_village
from web import api
from xunfang.settings import describe
from xunfang.vocabulary import Alert, CallDisposition, zh

MADE_BY = "<!-- made by `xunfang docs`; do not edit -->"


def write_settings(folder: Path) -> Path:
    rows = ((f"`{key}`", f"`{default}`" if default else "", meaning) for key, default, meaning in describe())
    text = "\n".join(
        (
            MADE_BY,
            "# Settings",
            "",
            "From `xunfang.toml`, then the environment (`XUNFANG_TRUNK__USERNAME`), then secret files",
            '(`XUNFANG_TRUNK__PASSWORD_FILE`, or `password_file = "..."` in the settings file). Later wins;',
            "unknown keys and bad values are refused at start.",
            "",
            _table(("key", "default", "meaning"), rows),
        )
    )
    return _write(folder / "settings.md", text)


def write_indicators(folder: Path) -> Path:
    return _write(folder / "indicators.md", f"{MADE_BY}\n{indicator_table.page()}")


def write_openapi(folder: Path) -> Path:
    text = json.dumps(api.describe(), ensure_ascii=False, indent=1)
    return _write(folder / "openapi.json", text)


def write_commands(folder: Path, commands: Iterable[tuple[str, str, Sequence[str]]]) -> Path:
    """`commands`: what is typed after `xunfang`, what it does, examples of it."""
    rows = (
        (f"`xunfang {path}`", meaning, "<br>".join(f"`{example}`" for example in examples))
        for path, meaning, examples in commands
    )
    text = "\n".join(
        (
            MADE_BY,
            "# Commands",
            "",
            "Each has `--help`; those with a result also `--json`. Exit codes: 0 done, 1 unexpected,",
            "2 bad input or settings, 3 model, 4 database, 5 trunk, 6 recording, 7 line died.",
            "",
            _table(("command", "what it does", "example"), rows),
        )
    )
    return _write(folder / "commands.md", text)


def write_demo(folder: Path, result: Mapping[str, Any]) -> Path:
    """For each persona of the demo: what was said, what was recognised, what was judged, what came of it."""
    members = {member.persona.id: member for member in load_demo_village().elders}
    parts = [
        MADE_BY,
        "# The demo, turn by turn",
        "",
        f"From one run of `xunfang demo --json` ({result['elders']} elders, {len(result['calls'])} calls, "
        f"{result['seconds']:.0f} s), starter model, written by `xunfang docs --demo`. "
        "“Said” is what the softphone spoke; “recognised” is what Vosk made of it over SIP and G.711.",
        "",
    ]
    for persona, member in members.items():
        calls = [call for call in result["calls"] if call["persona"] == persona]
        outcome = " → ".join(
            zh(CallDisposition(call["disposition"])) for call in calls if call["disposition"]
        )
        cases = [case for case in result["cases"] if case["elder"] == member.persona.name]
        parts += [f"## {persona}: {member.persona.story}", "", f"接通结果 {outcome or '无'}；"]
        parts[-1] += (
            "；".join(f"案件 {case['kind_zh']}（{case['priority_zh']}）" for case in cases) or "无案件"
        )
        said = "、".join(result["said"].get(persona, [])) or "（无）"
        parts += ["", f"Said: {said}", ""]
        heard = [turn for call in calls for turn in call["heard"]]
        if heard:
            parts += [
                _table(("question", "recognised", "confidence", "answer", "alert"), map(_turn, heard)),
                "",
            ]
    urgent = [case for case in result["cases"] if case["kind"] == "distress"]
    parts += [
        "## From the words to the case",
        "",
        _table(("elder", "seconds"), ((case["elder"], case["seconds_after_words"]) for case in urgent)),
    ]
    return _write(folder / "demo.md", "\n".join(parts))


def _turn(turn: Mapping[str, Any]) -> Sequence[object]:
    confidence = turn["confidence"]
    return (
        turn["question"],
        turn["text"] or "（没听到）",
        "" if confidence is None else f"{confidence:.2f}",
        turn["answer"] or "",
        zh(Alert(turn["alert"])),
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.rstrip() + "\n", "utf-8")
    return file
