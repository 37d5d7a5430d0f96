"""`xunfang plan` and `xunfang campaign`, as an operator types them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from storage import Store
from xunfang.cli.app import app
from xunfang.cli.output import console
from xunfang.clock import SystemClock
from xunfang.errors import BadDialplan, BadInput, Conflict, NotFound
from xunfang.vocabulary import ConsentPurpose

pytestmark = pytest.mark.integration

SECRET = "a secret only for tests, 0123456789"
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A county with one village, an elder who agreed and one who was never asked."""
    for name in [name for name in os.environ if name.startswith("XUNFANG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.setenv("XUNFANG_STORAGE__SECRET_KEY", SECRET)
    shutil.copy(sqlite_template, tmp_path / "xunfang.db")
    store = Store("sqlite:///xunfang.db", [SECRET])
    with store.begin() as work:
        village = work.areas.add(code="220183101205", name="测试村", level="village")
        agreed = work.elders.add(name="王秀英", phone="13812340001", area_id=village.id)
        work.elders.add(name="李建国", phone="13812340002", area_id=village.id)
        at = SystemClock().now() - timedelta(days=1)
        work.consents.add(agreed.id, ConsentPurpose.PHONE_VISIT, True, at, "paper")
    store.close()

    def invoke(*args: str) -> Any:
        result = CliRunner().invoke(app, [*args], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.output) if "--json" in args else result.output

    return invoke


def days(first: int, last: int) -> tuple[str, ...]:
    today = SystemClock().now().date()
    return (
        "--from",
        (today + timedelta(days=first)).isoformat(),
        "--to",
        (today + timedelta(days=last)).isoformat(),
    )


def test_a_dry_run_of_planning_counts_and_the_real_one_does_it_once(run: Run) -> None:
    dry = run("plan", "--dry-run", "--json")
    assert (dry["dry_run"], dry["phone"], dry["consent_cases"], dry["created"]) == (True, 1, 1, 2)
    assert run("plan", "--json")["created"] == 2
    assert run("plan", "--json")["created"] == 0
    shown = run("plan")
    assert "待征求同意" in shown
    assert "电话" in shown


def test_a_surge_is_counted_added_shown_and_ended(run: Run) -> None:
    given = ("campaign", "add", "flood-1", "--kind", "flood", "--area", "220183101205", *days(-1, 5))
    dry = run(*given, "--dry-run", "--json")
    assert dry["campaigns"][0]["first_round"] == {"phone": 1, "on_site": 0}
    assert "还没有专项巡访" in run("campaign", "list")
    assert "首轮电话 1" in run(*given)
    with pytest.raises(Conflict, match="flood-1"):
        run(*given)
    assert run("plan", "--json")["campaign"] == 1
    assert run("campaign", "list", "--json")[0]["dialplan"] == "surge_flood"
    (counts,) = run("campaign", "show", "flood-1", "--json")["rounds"].values()
    assert counts == {"due": 1}
    assert "进行中" in run("campaign", "show", "flood-1")
    assert run("campaign", "end", "flood-1", "--json")["withdrawn"] == 1
    assert "已提前结束" in run("campaign", "list")
    assert run("plan", "--json")["campaign"] == 0


def test_wrong_surges_are_refused_with_what_to_do(run: Run) -> None:
    given = ("campaign", "add", "heat-1", "--kind", "heat")
    with pytest.raises(BadInput, match="before it starts"):
        run(*given, *days(3, 1))
    with pytest.raises(NotFound, match="999"):
        run(*given, *days(0, 1), "--area", "999")
    with pytest.raises((BadDialplan, NotFound), match="no_such"):
        run(*given, *days(0, 1), "--dialplan", "no_such")
    with pytest.raises(NotFound, match="campaign list"):
        run("campaign", "show", "heat-1")


def test_the_festivals_of_a_year_are_added_once(run: Run) -> None:
    year = str(SystemClock().now().year + 1)
    assert len(run("campaign", "festivals", year, "--json")["campaigns"]) == 3
    assert run("campaign", "festivals", year, "--json")["campaigns"] == []
    with pytest.raises(BadInput, match="added already"):
        run("campaign", "festivals", year)
