"""`xunfang cases transcript|verdict|correct` and `xunfang lexicon precision`, as they are typed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ivr.session.transcript import judgement
from ivr.understanding import Question, default_lexicon, understand
from storage import Store
from storage.model import Answer, Turn
from xunfang.cli.app import app
from xunfang.cli.output import console
from xunfang.clock import SystemClock
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import Speaker

pytestmark = pytest.mark.integration

SECRET = "a secret only for tests, 0123456789"
SAID = ("我上周摔了一跤", "没摔", "我[上周]摔了一跤")  # turns 1, 2, 3 of call 1
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A folder with one elder and one call, in which she was asked whether she fell."""
    for name in [name for name in os.environ if name.startswith("XUNFANG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.setenv("XUNFANG_STORAGE__SECRET_KEY", SECRET)
    shutil.copy(sqlite_template, tmp_path / "xunfang.db")
    store, now = Store(f"sqlite:///{tmp_path}/xunfang.db", [SECRET]), SystemClock().now()
    with store.begin() as work:
        village = work.areas.add(code="220183101205", name="测试村", level="village")
        elder = work.elders.add(name="王秀英", phone="13812340001", area_id=village.id)
        call = work.calls.begin(
            plan_id=None,
            elder_id=elder.id,
            attempt=1,
            dialplan="weekly_short",
            dialplan_hash="0123456789ab",
            intended_at=now,
        )
        for seq, text in enumerate(SAID, 1):
            meant = understand(text, Question.EVENT)
            work.turns.add(
                Turn(
                    call.id,
                    seq,
                    Speaker.ELDER,
                    text,
                    "event",
                    0.9,
                    seq,
                    seq + 0.5,
                    meant.alert,
                    judgement(meant),
                )
            )
        work.answers.put(Answer(call.id, "event", "event", "no", at=now))
    store.close()

    def go(*words: str, error: type[Exception] | None = None) -> Result:
        result = CliRunner().invoke(app, list(words))
        if error is not None:
            assert isinstance(result.exception, error)
        elif result.exception is not None:
            raise result.exception
        return result

    return go


def test_a_false_alarm_comes_back_in_the_precision_of_its_entry(run: Run) -> None:
    (before,) = json.loads(run("lexicon", "precision", "--json").stdout)["entries"]
    entry = default_lexicon().by_id[before["entry"]]
    assert (before["raised"], before["unreviewed"], before["precision"]) == (2, 2, None)
    told = run("cases", "verdict", "1", "1", "误报", "--why", "说的是邻居", "--by", "zhang").stdout
    assert told == "通话1第1句：误报，已登记。\n"
    (after,) = json.loads(run("lexicon", "precision", "--json", "--since", "2026-01-01").stdout)["entries"]
    assert (after["raised"], after["false_alarms"], after["unreviewed"]) == (2, 1, 1)
    assert (after["precision"], after["too_few"]) == (0.0, True)
    assert (after["reason"], after["source"]) == (entry.reason, entry.source)
    table = run("lexicon", "precision", "--area", "220183101205").stdout
    assert "样本太少" in table
    assert entry.reason in table.replace("│", "").replace("\n", "") or entry.reason[:12] in table
    assert json.loads(run("lexicon", "precision", "--json", "--since", "2999-01-01").stdout)["entries"] == []
    run("lexicon", "precision", "--area", "999", error=NotFound)


def test_a_confirmed_alert_opens_a_case_that_shows_it(run: Run) -> None:
    told = run("cases", "verdict", "1", "1", "confirmed", "--by", "zhang").stdout
    assert "属实，已登记。已记入案件1（优先）" in told
    assert "此前已这样登记" in run("cases", "verdict", "1", "1", "confirmed", "--by", "zhang").stdout
    judged = json.loads(
        run("cases", "verdict", "1", "1", "false_alarm", "--why", "听错", "--by", "li", "--json").stdout
    )
    assert (judged["case_id"], judged["opened"], judged["verdict"]["by"]) == (1, False, "user:li")
    shown = run("cases", "show", "1").stdout
    assert "督导zhang  听录音复核通话1第1句：属实" in shown
    assert "督导li  听录音复核通话1第1句：误报（原判属实）：听错；案件仍须填写处置情况后办结" in shown
    assert "督导听录音后确认" in shown


def test_the_transcript_numbers_the_turns_and_shows_what_was_said_of_them(run: Run) -> None:
    run("cases", "verdict", "1", "2", "missed", "--why", "其实摔了", "--by", "zhang")
    run("cases", "correct", "1", "event", "yes", "--why", "听清了", "--by", "zhang")
    shown = run("cases", "transcript", "1").stdout
    assert "没摔（其实摔了）" in shown
    assert "我[上周]摔了一跤" in shown, "what was said is never read as markup"
    assert "更正：event no → yes（听清了）" in shown
    told = json.loads(run("cases", "transcript", "1", "--json").stdout)
    assert [turn["verdict"] for turn in told["turns"]] == [None, "missed", None]
    assert told["answers"][0]["answer"] == "no"


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("verdict", "1", "1", "false_alarm"), BadInput, "必须说明原因"),
        (("verdict", "1", "2", "confirmed"), BadInput, "请判为漏报"),
        (("verdict", "1", "9", "confirmed"), NotFound, "有报警的句子：1、3"),
        (("verdict", "7", "1", "confirmed"), NotFound, "没有通话7"),
        (("verdict", "1", "1", "wrong"), BadInput, "false_alarm（误报）"),
        (("correct", "1", "gas", "safe", "--why", "听错"), NotFound, "没有问过“gas”"),
        (("correct", "1", "event", "safe", "--why", "听错"), BadInput, "可以是：no、unclear、yes"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_do(
    run: Run, words: tuple[str, ...], error: type[Exception], says: str
) -> None:
    assert says in str(run("cases", *words, "--by", "zhang", error=error).exception)
