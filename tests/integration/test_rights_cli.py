"""`xunfang retention` and `xunfang rights`, as they are typed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from rights_cast import FIRST, an_elder_with_everything, settle
from storage_cast import SECRET
from typer.testing import CliRunner, Result

from records.retention import Folders
from storage import Store
from xunfang.cli.app import app
from xunfang.cli.output import console
from xunfang.clock import SystemClock
from xunfang.errors import BadInput, Conflict

pytestmark = pytest.mark.integration

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A folder with one elder whose last call was 100 days ago."""
    for name in [name for name in os.environ if name.startswith("XUNFANG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.setenv("XUNFANG_STORAGE__SECRET_KEY", SECRET)
    shutil.copy(sqlite_template, tmp_path / "xunfang.db")
    store = Store(f"sqlite:///{tmp_path}/xunfang.db", [SECRET])
    at = SystemClock().now() - timedelta(days=100)
    with store.begin() as work:
        elder = an_elder_with_everything(
            work, FIRST, Folders(tmp_path / "recordings", tmp_path / "photos"), at
        )
        settle(work, elder, at)
    store.close()

    def invoke(*args: str) -> Result:
        return CliRunner().invoke(app, args, catch_exceptions=False)

    return invoke


def test_retention_counts_then_erases_then_has_nothing_to_do(run: Run, tmp_path: Path) -> None:
    wav = tmp_path / "recordings" / "2026" / "11" / "1.wav"
    planned = run("retention", "run", "--dry-run")
    assert "试运行" in planned.output
    assert "通话录音" in planned.output
    assert wav.exists()
    done = json.loads(run("retention", "run", "--json").output)
    assert done["rows"]["recordings"] == 1
    assert not wav.exists()
    assert json.loads(run("retention", "run", "--json").output)["rows"]["recordings"] == 0


def test_the_periods_are_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUNFANG_RETENTION__RECORDINGS_DAYS", "0")
    monkeypatch.setenv("XUNFANG_RETENTION__TRANSCRIPTS_DAYS", "99")
    rows = json.loads(run("retention", "run", "--dry-run", "--json").output)["rows"]
    assert "recordings" not in rows
    assert rows["transcripts"] == 1


def test_a_copy_a_log_a_hold_and_an_erasure(run: Run, tmp_path: Path) -> None:
    assert "1 个录音、1 张照片" in run("rights", "export", "1", "--out", "1.zip").output
    assert (tmp_path / "1.zip").stat().st_size > 1000
    with pytest.raises(BadInput):
        run("rights", "export", "1", "--out", "1.tar")
    log = run("rights", "log", "1").output
    assert "播放通话录音" in log
    assert "导出全部个人信息" in log
    run("rights", "hold", "1", "--why", "信访核查")
    with pytest.raises(Conflict):
        run("rights", "erase", "1", "--why", "本人申请", "--yes")
    number = json.loads(run("rights", "holds", "--json").output)[0]["id"]
    run("rights", "release", str(number))
    assert "没有暂停删除" in run("rights", "holds").output
    planned = run("rights", "erase", "1", "--why", "本人申请").output
    assert "加 --yes 才执行" in planned
    assert (tmp_path / "recordings" / "2026" / "11" / "1.wav").exists()
    done = run("rights", "erase", "1", "--why", "本人申请", "--yes").output
    assert "已删除或清空" in done
    assert not (tmp_path / "recordings" / "2026" / "11" / "1.wav").exists()
    for output in (log, planned, done):
        assert FIRST not in output
