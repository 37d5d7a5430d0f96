"""`xunfang ledger`, as a clerk types it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_ledger_import import person, write
from typer.testing import CliRunner, Result

from storage import Store
from xunfang.cli.ledger import app
from xunfang.cli.output import console
from xunfang.errors import BadInput, NotFound

pytestmark = pytest.mark.integration
SECRET = "a secret only for tests, 0123456789"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    for name in [name for name in os.environ if name.startswith("XUNFANG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 120)
    monkeypatch.setenv("XUNFANG_STORAGE__SECRET_KEY", SECRET)

    def go(*words: str, error: type[Exception] | None = None) -> Result:
        result = CliRunner().invoke(app, list(words))
        if error is not None:
            assert isinstance(result.exception, error)
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return go


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [person(n, 行政区划代码="220183101205") for n in (1, 2)]
    return write(tmp_path / "台账.csv", [*rows, person(3, 联系电话="123")])


def test_from_template_to_list(run, file: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("template", "模板.xlsx").exit_code == 0
    assert (tmp_path / "模板.xlsx").exists()
    dry = json.loads(run("import", "台账.csv", "--create-areas", "--dry-run", "--json").stdout)
    assert dry["summary"]["created"] == 2
    assert dry["written"] is False
    imported = run("import", "台账.csv", "--create-areas")
    assert imported.exit_code == BadInput.exit_code  # one row was refused, and a script must know
    assert "新增 2" in imported.stdout
    listed = json.loads(run("list", "--json").stdout)
    assert [elder["联系电话"] for elder in listed["elders"]] == ["138****0001", "138****0002"]
    assert "138****0001" in run("list").stdout
    only = json.loads(run("list", "--area", "220183101205", "--after", "1", "--json").stdout)
    assert [elder["编号"] for elder in only["elders"]] == [2]


def test_showing_a_whole_number_is_put_on_record(run, file: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("import", "台账.csv", "--create-areas")
    assert "13812340001" not in run("show", "1").stdout
    assert json.loads(run("show", "1", "--full", "--json").stdout)["联系电话"] == "13812340001"
    store = Store(f"sqlite:///{tmp_path}/xunfang.db", [SECRET])
    with store.read() as work:
        kinds = [item.kind for item in work.audit.of("elder:1")]
    store.close()
    assert kinds == ["elder.created", "number.revealed"]


def test_an_export_never_writes_over_a_file_by_accident(run, file: Path) -> None:  # type: ignore[no-untyped-def]
    run("import", "台账.csv", "--create-areas")
    run("export", "台账.csv", error=BadInput)
    assert json.loads(run("export", "out.xlsx", "--json").stdout)["elders"] == 2
    run("export", "out.xlsx", error=BadInput)
    assert run("export", "out.xlsx", "--overwrite", "--full").exit_code == 0
    assert run("import", "out.xlsx").exit_code == 0


def test_what_is_not_there_says_so(run) -> None:  # type: ignore[no-untyped-def]
    run("show", "99", error=NotFound)
    run("list", "--area", "999999999999", error=NotFound)
    run("import", "nowhere.csv", error=BadInput)
    run("export", "x.pdf", error=BadInput)
    assert "template" in run("list").stdout


def test_every_command_explains_itself_with_an_example(run) -> None:  # type: ignore[no-untyped-def]
    for command in ("import", "export", "template", "list", "show"):
        text = run(command, "--help").stdout
        assert "Example: xunfang ledger" in text
        assert "--json" in text
