"""`xunfang cases`, as a supervisor and a visitor type it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from storage import Store
from visits.deadlines import load_deadlines
from visits.model import CaseDraft
from visits.reminders import remind_due
from visits.service import open_case
from xunfang.cli.cases import app
from xunfang.cli.output import console
from xunfang.clock import FixedClock, SystemClock
from xunfang.errors import BadInput, Conflict, NotFound
from xunfang.vocabulary import CaseKind, Priority

pytestmark = pytest.mark.integration

SECRET = "a secret only for tests, 0123456789"
PHONE = "13812340001"
Run = Callable[..., Result]
SAID = {
    "kind": "distress",
    "call_id": None,
    "text": "我摔了起不来",
    "by": "本人",
    "reasons": ["fall.plain: affirmed now self -> urgent"],
    "start_s": 12.0,
    "end_s": 14.5,
}


@pytest.fixture
def run(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A folder with one elder, the visitors 1 and 2 of his village, and the open case 1."""
    for name in [name for name in os.environ if name.startswith("XUNFANG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.setenv("XUNFANG_STORAGE__SECRET_KEY", SECRET)
    shutil.copy(sqlite_template, tmp_path / "xunfang.db")
    store, now = Store(f"sqlite:///{tmp_path}/xunfang.db", [SECRET]), SystemClock().now()
    with store.begin() as work:
        village = work.areas.add(code="220183101205", name="测试村", level="village")
        for name in ("李村医", "周主任"):
            work.visitors.add(name=name, kind="village", phone="13900000001", area_id=village.id)
        elder = work.elders.add(name="王秀英", phone=PHONE, address="2组9号", area_id=village.id)
        deadline = now + timedelta(minutes=30)
        draft = CaseDraft(elder.id, CaseKind.DISTRESS, Priority.URGENT, deadline, "紧急求助：摔倒", (SAID,))
        open_case(work, draft, now)
    store.close()

    def go(*words: str, error: type[Exception] | None = None) -> Result:
        result = CliRunner().invoke(app, list(words))
        if error is not None:
            assert isinstance(result.exception, error)
        elif result.exception is not None:
            raise result.exception
        return result

    return go


def test_from_assigned_to_closed_on_the_command_line(run: Run) -> None:
    assigned = run("assign", "1", "2", "--note", "离得最近", "--by", "zhang").stdout
    assert "案件1：分派已登记，现为“已分派”" in assigned
    assert "周主任" in assigned
    assert "现为“已接受”" in run("accept", "1", "--by", "visitor:2").stdout
    assert "现为“在路上”" in run("start", "1", "--by", "visitor:2").stdout
    assert "等待填写处置情况" in run("visited", "1", "--by", "visitor:2").stdout
    assert "现为“已办结”" in run("close", "1", "--note", "老人已送医", "--by", "visitor:2").stdout
    assert "没有待办案件" in run().stdout
    shown = run("show", "1").stdout
    assert "处置情况：老人已送医" in shown
    assert "督导zhang  由巡访员李村医（1）改派给巡访员周主任（2）：离得最近" in shown
    assert "巡访员周主任（2）  办结（此前为“已上门”）" in shown


def test_a_supervisor_reads_sentences_and_no_whole_number(run: Run) -> None:
    shown = run("show", "1").stdout
    assert "老人原话：“我摔了起不来” · 录音第12.0–14.5秒（录音不在） · 判断：摔倒，本人，现在" in shown
    assert "立案：紧急求助，紧急；拟由巡访员李村医（1）上门" in shown
    assert "可派：李村医（编号1）、周主任（编号2）" in shown
    assert PHONE not in shown
    assert "{" not in shown, "no raw dicts for people"


def test_what_somebody_wrote_is_shown_as_it_was_written(run: Run) -> None:
    run(
        "refer",
        "1",
        "--to",
        "120",
        "--category",
        "发生危重病情",
        "--note",
        "[red]已拨打[/red]",
        "--by",
        "zhang",
    )
    assert "转介120，报告类别：发生危重病情：[red]已拨打[/red]" in run("show", "1").stdout


def test_closing_needs_words_and_happens_once(run: Run) -> None:
    without = run("close", "1", "--by", "zhang", error=BadInput)
    assert "办结必须写明处置情况" in str(without.exception)
    run("close", "1", "--note", "误报", "--by", "zhang")
    twice = run("close", "1", "--note", "误报", "--by", "wang", error=Conflict)
    assert "已由督导zhang于" in str(twice.exception)
    assert "注意：本案未上门即办结" in run("show", "1").stdout


@pytest.mark.parametrize("name", ["民政", "民政部门", "civil_affairs"])
def test_whom_it_is_referred_to_may_be_written_in_either_language(run: Run, name: str) -> None:
    words = ("refer", "1", "--to", name, "--category", "hardship", "--json", "--by", "zhang")
    told = json.loads(run(*words).stdout)
    assert (told["status"], told["referred_to"], told["report_category"]) == (
        "referred",
        "civil_affairs",
        "hardship",
    )


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("refer", "1", "--to", "119", "--category", "harmed"), BadInput, "110、120、12345"),
        (("refer", "1", "--to", "110", "--category", "火灾"), BadInput, "harmed（遭受非法侵害）"),
        (("refer", "1", "--to", "110", "--category", "other"), BadInput, "什么情况"),
        (("refuse", "1"), BadInput, "推辞必须说明原因"),
        (("start", "1"), Conflict, "现在可以：分派（assign）、接受（accept）"),
        (("assign", "1", "77"), NotFound, "可用的巡访员编号：1、2"),
        (("accept", "9"), NotFound, "no case 9"),
        (("accept", "1", "--by", "visitor:李"), BadInput, "visitor:编号"),
    ],
)
def test_what_cannot_be_done_says_why_and_what_can(
    run: Run, words: tuple[str, ...], error: type[Exception], says: str
) -> None:
    by = () if "--by" in words else ("--by", "zhang")
    assert says in str(run(*words, *by, error=error).exception)


def test_a_refusal_names_the_next(run: Run) -> None:
    told = json.loads(run("refuse", "1", "--note", "人在外地", "--by", "visitor:1", "--json").stdout)
    assert (told["status"], told["visitor"], told["visitor_id"]) == ("assigned", "周主任", 2)
    assert [each["asked"] for each in told["candidates"]] == [True, False]
    assert "已推辞或未回应" in run("show", "1").stdout


def test_the_queue_says_to_whom_it_was_reported(run: Run, tmp_path: Path) -> None:
    store, clock = Store(f"sqlite:///{tmp_path}/xunfang.db", [SECRET]), FixedClock(SystemClock().now())
    clock.move(timedelta(minutes=10))
    remind_due(store, clock, load_deadlines())
    store.close()
    (listed,) = json.loads(run("--json").stdout)
    assert (listed["status"], listed["level"], listed["visitor"]) == ("assigned", "village", "周主任")
    assert "已分派（已上报村级）" in run().stdout
    assert "上报村级：逾期无人接受" in run("show", "1").stdout


def test_without_a_name_the_login_is_who_did_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "chen")
    told = json.loads(run("accept", "1", "--json").stdout)
    assert told["history"][-1]["actor"] == "user:chen"

    def nobody() -> str:
        raise KeyError("uid")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert "--by" in str(run("start", "1", error=BadInput).exception)


def test_reminders_of_a_night_are_one_line(run: Run, tmp_path: Path) -> None:
    store, now = Store(f"sqlite:///{tmp_path}/xunfang.db", [SECRET]), SystemClock().now()
    with store.begin() as work:
        for number in range(40):
            detail = {"status": "assigned", "told": ["visitor:1", "webhook"]}
            work.audit.write(now + timedelta(minutes=number), "system", "case.reminded", "case:1", detail)
            work.audit.write(now, "system", "no_notice_sent", "case:1", {"to": "duty", "because": "odd"})
    store.close()
    shown = run("show", "1").stdout
    assert shown.count("催办（已分派）") == 1
    assert "（共40次，所示为最近一次）" in shown
    assert len(json.loads(run("show", "1", "--json").stdout)["history"]) == 81


def test_a_contacts_word_is_noted_and_closes_nothing(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="没有第1位紧急联系人"):
        run("contacted", "1", "1", "--by", "zhang")
    store = Store(f"sqlite:///{tmp_path}/xunfang.db", [SECRET])
    with store.begin() as work:
        work.contacts.add(elder_id=1, position=1, name="王小明", phone="13700000001", may_be_told=True)
    store.close()
    assert "不再通知其他联系人" in run("contacted", "1", "1", "--by", "zhang").output
    shown = json.loads(run("show", "1", "--json").output)
    assert shown["closed_at"] is None
    (entry,) = [each for each in shown["history"] if each["kind"] == "contact.answered"]
    assert (entry["actor"], entry["text"]) == ("user:zhang", "紧急联系人（1）已告知老人情况")
