"""`xunfang report` as typed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document
from openpyxl import load_workbook
from reports_cast import a_record, agrees, poor
from storage_cast import a_call, an_elder
from typer.testing import CliRunner, Result

from records import indicator_table, pdf
from storage import Store
from xunfang import tables
from xunfang.cli.app import app
from xunfang.errors import BadInput, NotFound
from xunfang.settings import load
from xunfang.vocabulary import CallDisposition, ConsentPurpose
from xunfang.wiring import open_store

pytestmark = pytest.mark.integration
Typed = Callable[..., Result]


@pytest.fixture
def typed(tmp_path: Path, sqlite_url: str) -> Typed:
    file = tmp_path / "xunfang.toml"
    secret = "a secret only for tests, 0123456789"
    file.write_text(f'[storage]\nurl = "{sqlite_url}"\nsecret_key = "{secret}"\n', "utf-8")
    runner = CliRunner()

    def run(*words: str) -> Result:
        result = runner.invoke(app, ["--config", str(file), "report", *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    with open_store(load(file)) as store:
        seed(store)
    return run


def seed(store: Store) -> None:
    with store.begin() as work:
        village = work.areas.add(code="220182101205", name="幸福村", level="village")
        elder = an_elder(work, area_id=village.id)
        work.contacts.add(elder_id=elder.id, position=1, phone="13900000001", may_be_told=True)
        agrees(work, elder.id, ConsentPurpose.FAMILY_NOTICE)
        call = a_call(work, elder)
        work.calls.finish(call.id, ended_at=call.intended_at, disposition=CallDisposition.COMPLETED)
        poor(work, call.id)
        a_record(work, elder.id, call.id)


def test_a_month_as_table_json_and_spreadsheet(typed: Typed, tmp_path: Path) -> None:
    assert "幸福村" in typed("month", "2026-11").stdout
    made = json.loads(typed("month", "2026-11", "--area", "220182101205", "--json").stdout)
    (village,) = made["areas"]
    assert village["counts"]["call_completed"] == 1
    assert village["counts"]["due"] == 0
    assert village["rates"]["visit_rate"] is None
    file = tmp_path / "month.xlsx"
    typed("month", "2026-11", "--xlsx", str(file))
    assert load_workbook(file).sheetnames == ["指标", "暂停原因", "指标定义"]


def test_forms_of_one_elder_and_of_a_village(typed: Typed, tmp_path: Path) -> None:
    one, many = tmp_path / "one.docx", tmp_path / "many.zip"
    typed("form", "--elder", "1", "--out", str(one))
    assert len(Document(str(one)).tables) == 2
    assert "1 位老人，每位一式两份" in typed("form", "--area", "220182101205", "--out", str(many)).stdout
    with zipfile.ZipFile(io.BytesIO(many.read_bytes())) as made:
        assert made.namelist() == ["220182101205-1.docx"]
    assert sorted(each.name for each in tmp_path.glob("*.part")) == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("month", "2026-13"), BadInput),
        (("month", "2026-11", "--area", "1"), NotFound),
        (("form", "--out", "x.docx"), BadInput),
        (("form", "--elder", "1", "--area", "2", "--out", "x.zip"), BadInput),
        (("form", "--elder", "1", "--out", "x.txt"), BadInput),
        (("form", "--elder", "99", "--out", "x.docx"), NotFound),
        (("form", "--elder", "1", "--out", "/nowhere/x.docx"), BadInput),
        (("form", "--area", "220182101205", "--out", "/nowhere/x.zip"), BadInput),
    ],
)
def test_what_cannot_be_done_is_said(typed: Typed, words: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        typed(*words)


def test_no_half_zip_is_left_when_no_pdf_can_be_made(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "program", lambda: None)
    with pytest.raises(BadInput, match="LibreOffice"):
        typed("form", "--area", "220182101205", "--pdf", "--out", str(tmp_path / "many.zip"))
    assert list(tmp_path.glob("many*")) == []


def test_clues_and_summaries(typed: Typed) -> None:
    clues = json.loads(typed("subsidies", "--json").stdout)
    assert [each["benefit"] for each in clues] == ["low_income"]
    told = json.loads(typed("summary", "2026-11", "--json").stdout)
    assert told == {"sent": 1, "not_sent": 1, "again": 0}  # the village has no telephone number
    assert json.loads(typed("summary", "2026-11", "--json").stdout)["sent"] == 0


def test_the_page_of_definitions_is_the_one_of_the_code(tmp_path: Path) -> None:
    made = tables.write_indicators(tmp_path).read_text("utf-8")
    shipped = Path(__file__).parents[2] / "docs" / "indicators.md"
    assert shipped.read_text("utf-8") == made
    for each in (*indicator_table.COUNTS, *indicator_table.RATES):
        assert each.title in made
