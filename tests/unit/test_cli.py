"""The command line as it is typed: every command helps, speaks JSON, and is written down."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer

from ivr.dialogue import dialplan
from xunfang import setup
from xunfang.cli import main
from xunfang.cli.app import app
from xunfang.cli.output import console
from xunfang.cli.tree import entries
from xunfang.errors import BadInput

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SECRET = "a secret only for tests, 0123456789"
# They go on until they are stopped, write files only, or always write JSON.
NO_JSON = {"run", "web", "docs", "understand", "harness village"}

Run = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """run("models", "list"): as typed in an empty folder, by the very function the command calls."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 160)
    monkeypatch.setenv("XUNFANG_STORAGE__SECRET_KEY", SECRET)

    def go(*words: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["xunfang", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        assert isinstance(code, int)
        told = capsys.readouterr()
        return Ran(code, told.out, told.err)

    yield go
    structlog.reset_defaults()  # a command that logs has bound this test's stderr


COMMANDS = {entry.path: entry for entry in entries(typer.main.get_command(app))}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_helps_with_an_example_that_can_be_typed(path: str, run: Run) -> None:
    entry = COMMANDS[path]
    assert entry.examples, "no line that begins with Example:"
    for example in entry.examples:
        typed = re.sub(r"^xunfang (--config|-c) \S+ ", "xunfang ", example.rpartition("| ")[2])
        assert typed.startswith(f"xunfang {path}"), example
        words = shlex.split(typed)[1 + len(path.split()) :]
        entry.command.make_context(path, words)  # raises when they cannot be parsed
    helped = run(*path.split(), "--help")
    assert helped.code == 0
    assert len(entry.meaning) > 10
    assert "Example: xunfang" in helped.out or "| xunfang" in helped.out


@pytest.mark.parametrize("path", sorted(COMMANDS.keys() - NO_JSON))
def test_every_result_can_be_had_as_json(path: str) -> None:
    assert any("--json" in option.opts for option in COMMANDS[path].command.params)


def test_every_command_is_written_down_for_readers() -> None:
    written = "".join(file.read_text("utf-8") for file in (ROOT / "README.md", *ROOT.glob("docs/**/*.md")))
    assert [path for path in COMMANDS if f"xunfang {path}" not in written] == []


@pytest.mark.parametrize("name", ["settings.md", "commands.md"])
def test_the_tables_in_docs_are_what_the_command_makes(name: str, run: Run, tmp_path: Path) -> None:
    assert run("docs", "--folder", "made").code == 0
    assert (tmp_path / "made" / name).read_text("utf-8") == (ROOT / "docs" / name).read_text("utf-8"), (
        "run `xunfang docs`"
    )


def test_without_a_word_it_shows_what_there_is(run: Run) -> None:
    shown = run()
    assert "xunfang demo" in shown.out + shown.err
    assert "Exit codes" in shown.out + shown.err


def test_an_unknown_word_is_refused_with_code_2(run: Run) -> None:
    assert run("dail").code == 2
    assert run("plan", "--fast").code == 2


# ---- results -------------------------------------------------------------------------------------


def test_init_twice_changes_nothing_and_the_secret_is_for_its_owner(run: Run, tmp_path: Path) -> None:
    assert len(run("init", "--json").json["written"]) == 2
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert run("init", "--json").json["written"] == []
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    for name in (setup.SETTINGS_FILE, setup.KEY_FILE):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_a_new_installation_plans_nothing_and_has_an_empty_queue(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XUNFANG_STORAGE__SECRET_KEY")  # the key file that init writes is enough
    assert run("init").code == 0
    assert run("migrate", "--json").json["ready"] is True
    assert run("plan", "--json").json["created"] == 0
    assert run("cases", "--json").json == []
    assert "没有待办案件" in run("cases").out
    assert run("ledger", "list", "--json").json["elders"] == []


@pytest.mark.parametrize("name", ["weekly_short", "monthly_full", "demo_short"])
def test_a_whole_call_can_be_simulated_from_a_file(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "replies.txt").write_text("喂\n是我\n" + "挺好的\n没有\n" * 12, "utf-8")
    lines = run("simulate", name, "--replies", "replies.txt", "--json").json
    told = {line["text"].split(" = ")[0] for line in lines if line["who"] == "记录"}
    asked = {ask.id for ask in dialplan.load(name).questions}
    assert "自动" in next(line["text"] for line in lines if line["who"] == "系统" and "您好" in line["text"])
    assert len(told & asked) >= 3
    assert lines[-1]["who"] == "结束"
    text = run("simulate", name, "--replies", "replies.txt").out
    assert text.count("系统：") == sum(line["who"] == "系统" for line in lines)


def test_a_simulated_fall_is_urgent_and_rings_the_duty_person(run: Run, tmp_path: Path) -> None:
    (tmp_path / "replies.txt").write_text("喂\n我摔倒了，起不来了\n<duty answered>\n<hangup>\n", "utf-8")
    text = run("simulate", "weekly_short", "--replies", "replies.txt").out
    assert "警报：紧急" in text
    assert "120" not in text.partition("警报")[0]


def test_a_replies_file_that_is_not_there_is_named(run: Run) -> None:
    ran = run("simulate", "weekly_short", "--replies", "nowhere.txt")
    assert ran.code == BadInput.exit_code
    assert "nowhere.txt" in ran.err


def test_understanding_reads_lines_and_writes_the_same_with_what_was_meant(run: Run) -> None:
    said = [
        {"id": 1, "question": "event", "text": "没摔着，就是胸口疼得厉害"},
        {"id": 2, "question": "event", "text": "没摔"},
    ]
    ran = run("understand", stdin="\n".join(json.dumps(line, ensure_ascii=False) for line in said))
    meant = [json.loads(line) for line in ran.out.splitlines()]
    assert [line | given for line, given in zip(meant, said, strict=True)] == meant
    assert [meant[0][key] for key in ("alert", "event", "polarity")] == ["urgent", "chest_pain", "affirmed"]
    assert "胸口疼" in str(meant[0]["evidence"])
    assert (meant[1]["alert"], meant[1]["answer"]) == ("none", "no")


def test_a_line_that_cannot_be_read_is_named_and_stops_no_other(run: Run) -> None:
    lines = [
        '{"text": "没摔", "question": "event", "x": 1}',
        "{",
        "[1]",
        "",
        '{"id": 5}',
        '{"text": "好", "question": "helth"}',
    ]
    ran = run("understand", stdin="\n".join([*lines, '{"id": 7, "text": "救命"}']))
    assert ran.code == BadInput.exit_code
    first, last = (json.loads(line) for line in ran.out.splitlines())
    assert (first["answer"], first["x"], last["alert"]) == ("no", 1, "urgent")
    named = ran.err.replace("\n", " ")
    for said in (
        "line 2: not JSON",
        "line 3: must be an object",
        "line 5: text must be",
        "line 6: there is no question",
    ):
        assert said in named
    assert "4 of 7 lines could not be read" in named


def test_a_change_of_the_lexicon_is_shown_before_and_after(run: Run, tmp_path: Path) -> None:
    (tmp_path / "our.yaml").write_text(
        "change:\n  - {id: fraud.any, level: mild}\ndisable: [plea.save, plea.wide, plea.come]\n", "utf-8"
    )
    (tmp_path / "said.jsonl").write_text(
        '{"id": "a", "text": "救命"}\n{"id": "b", "text": "挺好"}\n', "utf-8"
    )
    words = ("lexicon", "check", "--overlay", "our.yaml", "--corpus", "said.jsonl")
    told = run(*words, "--json").json
    assert [(each["id"], each["how"]) for each in told["entries"]] == [
        ("fraud.any", "changed"),
        ("plea.come", "disabled"),
        ("plea.save", "disabled"),
        ("plea.wide", "disabled"),
    ]
    assert told["sentences"] == 2
    (change,) = told["changes"]
    assert (change["id"], change["before"]["alert"], change["after"]["alert"]) == ("a", "urgent", "none")
    shown = run(*words).out
    assert "level review → level mild" in shown
    assert "1 of 2 sentences" in shown


def test_scoring_counts_what_is_right_and_lists_each_miss(run: Run, tmp_path: Path) -> None:
    fall = {"event": "fall", "polarity": "negated", "time": "recent", "subject": "self"}
    rows = [
        {"id": "right", "question": "event", "text": "没摔", "alert": "none", "answer": "no"} | fall,
        {"id": "wrong", "question": "health", "text": "身体挺好", "alert": "none", "answer": "worse"},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    scored = run("understand", "--score", "rows.jsonl", "--json").json
    assert [miss["id"] for miss in scored["misses"]] == ["wrong"]
    assert (scored["rows"], scored["answer_accuracy"], scored["alert_accuracy"]) == (2, 0.5, 1.0)
    assert "wrong" in run("understand", "--score", "rows.jsonl").out


def test_a_label_that_is_missing_is_named_with_its_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1, "text": "没摔", "question": "event"}\n', "utf-8")
    ran = run("understand", "--score", "rows.jsonl")
    assert ran.code == BadInput.exit_code
    assert "rows.jsonl, line 1: alert, answer must be given" in ran.err


def test_the_starter_model_is_here_in_use_and_whole(run: Run) -> None:
    listed = {model["entry"]["name"]: model for model in run("models", "list", "--json").json}
    assert listed["starter"]["current"]
    assert not listed["vosk-model-small-cn-0.22"]["installed"]
    assert run("models", "verify", "starter", "--json").json["ok"] is True
    missing = run("models", "verify", "vosk-model-small-cn-0.22")
    assert missing.code == 3
    assert "xunfang models fetch vosk-model-small-cn-0.22" in missing.err


def test_every_shipped_dialplan_passes_its_check_with_the_starter_model(run: Run) -> None:
    listed = [plan["name"] for plan in run("dialplan", "list", "--json").json]
    assert {"weekly_short", "monthly_full", "demo_short"} <= set(listed)
    checked = run("dialplan", "check", "--json")
    assert checked.json == {"checked": listed, "problems": []}
    assert checked.code == 0


def test_every_prompt_of_the_shipped_dialplans_has_been_rendered(run: Run) -> None:
    assert run("prompts", "render", "--json").json["rendered"] == 0


def test_the_village_lists_its_thirteen_and_more(run: Run) -> None:
    listed = run("harness", "list", "--json").json
    assert len(listed["personas"]) >= 13
    assert {"carrier", "faults", "quick"} <= {scenario["id"] for scenario in listed["scenarios"]}


def test_a_ledger_template_is_written_once(run: Run) -> None:
    assert "姓名" in run("ledger", "template", "台账.xlsx", "--json").json["columns"]
    again = run("ledger", "template", "台账.xlsx")
    assert again.code == BadInput.exit_code
    assert "--overwrite" in again.err
