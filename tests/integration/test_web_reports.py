"""报表, 记录表 and 补贴线索 on the console: what each role sees, what a click does."""

from __future__ import annotations

import io
import re
import zipfile
from zoneinfo import ZoneInfo

import pytest
from docx import Document
from openpyxl import load_workbook
from reports_cast import a_record, agrees, poor
from storage_cast import NOW, an_elder
from web_kit import Desk, Screen, count_queries, unfit

from records import indicator_table, pdf, subsidies
from xunfang.vocabulary import ConsentPurpose, SubsidyStatus

pytestmark = pytest.mark.integration
ZONE = ZoneInfo("Asia/Shanghai")
TOWNSHIP, FAR = "220100101000", "220100202000"


def with_clue(desk: Desk) -> int:
    """The elder of 幸福村 said that the money is short."""
    with desk.store.begin() as work:
        poor(work, desk.cast.call)
        a_record(work, desk.cast.elder, desk.cast.call)
    subsidies.sweep(desk.store, subsidies.load_rules(), NOW, ZONE)
    with desk.store.read() as work:
        return work.subsidies.of_elder(desk.cast.elder)[0].id


# ---- 报表 ------------------------------------------------------------------------------------------------


def test_a_supervisor_sees_the_numbers_of_his_township_only(shared_desk: Desk) -> None:
    page = shared_desk.supervisor.get("/reports?month=2026-11").text
    assert "柳河镇" in page
    assert "桃园村" in page
    assert "松江乡" not in page
    whole = shared_desk.admin.get("/reports?month=2026-11&area=220100000000").text
    assert "松江乡" in whole
    assert "月探访率" in whole


@pytest.mark.parametrize(
    "address", ["/reports", "/reports/trend.json", "/reports/month.xlsx", "/reports/forms.zip"]
)
def test_the_area_of_somebody_else_does_not_exist(shared_desk: Desk, address: str) -> None:
    assert shared_desk.supervisor.get(f"{address}?area={FAR}").status_code == 404
    assert shared_desk.supervisor.get(f"{address}?area=999999999999").status_code == 404
    assert shared_desk.supervisor.get(f"{address}?area={TOWNSHIP}").status_code == 200


def test_a_month_that_is_none_is_said_in_chinese(shared_desk: Desk) -> None:
    for wrong in ("2026-13", "x", "9999-99", "2026-11'--"):
        answer = shared_desk.supervisor.get("/reports", params={"month": wrong})
        assert answer.status_code == 400
        assert "月份写成 2026-11 这样" in answer.text


def test_the_spreadsheet_holds_the_same_numbers_and_their_meaning(shared_desk: Desk) -> None:
    answer = shared_desk.supervisor.get("/reports/month.xlsx?month=2026-11")
    book = load_workbook(io.BytesIO(answer.content))
    sheet = book["指标"]
    titles = [cell.value for cell in sheet[4]]
    row = next(each for each in sheet.iter_rows(min_row=5) if "幸福村" in str(each[0].value))
    by_title = {title: cell for title, cell in zip(titles, row, strict=True) if title}
    assert by_title["新开案件（件）"].value == 1
    assert by_title["按期办结率（%）"].value == "—"
    assert sheet.freeze_panes == "D5"
    assert sheet["E5"].number_format == "#,##0"
    assert book["指标定义"].max_row == len(indicator_table.definitions()) + 1
    assert "attachment" in answer.headers["content-disposition"]


def test_the_number_of_questions_of_the_reports_does_not_grow(desk: Desk) -> None:
    desk.supervisor.get("/reports")
    with count_queries(desk.store) as before:
        desk.supervisor.get("/reports")
    with desk.store.begin() as work:
        for _ in range(20):
            an_elder(work, area_id=desk.cast.village)
    with count_queries(desk.store) as after:
        desk.supervisor.get("/reports")
    assert after.number == before.number


def test_an_auditor_reads_and_sends_nothing(desk: Desk) -> None:
    page = desk.auditor.get("/reports")
    assert page.status_code == 200
    assert "/reports/summary" not in page.text
    assert desk.auditor.post("/reports/summary", data={"month": "2026-11"}).status_code == 404


def test_the_summary_goes_to_whom_the_elder_agreed(desk: Desk) -> None:
    with desk.store.begin() as work:
        work.contacts.add(elder_id=desk.cast.elder, position=1, phone="13900000001", may_be_told=True)
        work.contacts.add(elder_id=desk.cast.far_elder, position=1, phone="13900000002", may_be_told=True)
        agrees(work, desk.cast.elder, ConsentPurpose.FAMILY_NOTICE)
        agrees(work, desk.cast.far_elder, ConsentPurpose.FAMILY_NOTICE)
    answer = desk.supervisor.post("/reports/summary", data={"month": "2026-11"})
    assert answer.status_code == 303
    assert "待发送1条" in desk.supervisor.get(answer.headers["location"]).text
    with desk.store.read() as work:
        sent = [each.kind for each in work.audit.of(f"elder:{desk.cast.elder}")]
        far = work.audit.of(f"elder:{desk.cast.far_elder}")  # of another township
    assert "summary.sent" in sent
    assert far == []


# ---- 记录表 ----------------------------------------------------------------------------------------------


def test_the_form_of_one_elder_is_a_word_file_and_audited(desk: Desk) -> None:
    answer = desk.supervisor.get(f"/reports/forms/{desk.cast.elder}.docx")
    assert answer.status_code == 200
    assert len(Document(io.BytesIO(answer.content)).tables) == 2
    assert "王桂兰" not in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    with desk.store.read() as work:
        (entry,) = [e for e in work.audit.of(f"elder:{desk.cast.elder}") if e.kind == "form.made"]
    assert entry.actor == "user:du"
    assert desk.supervisor.get(f"/reports/forms/{desk.cast.far_elder}.docx").status_code == 404
    assert desk.supervisor.get("/reports/forms/x.docx").status_code == 404


def test_the_forms_of_a_village_come_as_a_zip(shared_desk: Desk) -> None:
    answer = shared_desk.supervisor.get("/reports/forms.zip?area=220100101001")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as made:
        assert made.namelist() == [f"220100101001-{shared_desk.cast.elder}.docx"]
    assert shared_desk.supervisor.get("/reports/forms.zip?kind=exe").status_code == 400


def test_without_libreoffice_a_pdf_is_refused_with_what_to_do(
    shared_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "program", lambda: None)
    for address in (f"/reports/forms/{shared_desk.cast.elder}.pdf", "/reports/forms.zip?kind=pdf"):
        answer = shared_desk.supervisor.get(address)
        assert answer.status_code == 400
        assert "没有安装 LibreOffice" in answer.text


# ---- 补贴线索 --------------------------------------------------------------------------------------------


def test_a_clue_shows_who_why_and_what_was_said(desk: Desk) -> None:
    with_clue(desk)
    page = desk.supervisor.get("/subsidies").text
    for words in ("王桂兰", "幸福村", "城乡低保", "通话中说：“钱不够花”", "待核实"):
        assert words in page
    assert "王桂兰" not in desk.other_supervisor.get("/subsidies").text
    assert "王桂兰" not in desk.supervisor.get("/subsidies?status=told").text
    assert desk.supervisor.get("/subsidies?status=x").status_code == 400


def test_deciding_is_audited_and_the_second_is_told(desk: Desk) -> None:
    clue = with_clue(desk)
    form = {"status": "applied", "seen": "new", "note": "", "back": "/subsidies?status=new"}
    answer = desk.supervisor.post(f"/subsidies/{clue}", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/subsidies?status=new")
    assert desk.admin.post(f"/subsidies/{clue}", data=form | {"status": "told"}).status_code == 409
    refused = desk.admin.post(f"/subsidies/{clue}", data=form | {"status": "not_eligible", "seen": ""})
    assert refused.status_code == 400
    assert "写明理由" in refused.text
    with desk.store.read() as work:
        found = work.subsidies.get(clue)
        assert found is not None
        assert found.status is SubsidyStatus.APPLIED
        assert [
            e.actor for e in work.audit.of(f"elder:{desk.cast.elder}") if e.kind == "subsidy.decided"
        ] == ["user:du"]


def test_nobody_decides_for_another_area_or_as_auditor(desk: Desk) -> None:
    clue = with_clue(desk)
    form = {"status": "told", "seen": "new"}
    assert desk.other_supervisor.post(f"/subsidies/{clue}", data=form).status_code == 404
    assert desk.auditor.post(f"/subsidies/{clue}", data=form).status_code == 404
    assert desk.visitor.get("/subsidies").status_code == 404
    assert f'action="/subsidies/{clue}"' not in desk.auditor.get("/subsidies").text


def test_nobody_is_led_away_by_the_address_to_go_back_to(desk: Desk) -> None:
    clue = with_clue(desk)
    form = {"status": "told", "seen": "new", "back": "https://example.org/"}
    assert desk.supervisor.post(f"/subsidies/{clue}", data=form).headers["location"] == "/subsidies"


def test_looking_for_new_clues_by_hand(desk: Desk) -> None:
    with desk.store.begin() as work:
        poor(work, desk.cast.call, "<script>alert(1)</script>")
        a_record(work, desk.cast.elder, desk.cast.call)
    answer = desk.supervisor.post("/subsidies")
    assert answer.status_code == 303
    page = desk.supervisor.get("/subsidies").text
    assert "已查看1份新的巡访记录" in page
    assert "<script>alert(1)" not in page


def test_the_worklist_is_paged_and_asks_as_much_for_one_as_for_many(desk: Desk) -> None:
    with_clue(desk)
    desk.supervisor.get("/subsidies")
    with count_queries(desk.store) as one:
        desk.supervisor.get("/subsidies")
    with desk.store.begin() as work:
        for _ in range(55):
            elder = an_elder(work, area_id=desk.cast.village)
            work.subsidies.found(
                elder_id=elder.id,
                benefit=subsidies.Subsidy.LOW_INCOME,
                why="核实",
                evidence=[{"call": desk.cast.call, "question": "economy", "answer": "short"}],
                call_id=None,
                at=NOW,
            )
    with count_queries(desk.store) as many:
        first = desk.supervisor.get("/subsidies").text
    assert many.number == one.number
    assert first.count("data-clue=") == 50
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = desk.supervisor.get(following[1].replace("&amp;", "&")).text
    assert second.count("data-clue=") == 56 - 50


# ---- on the screen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)])
def test_the_pages_are_fit_for_everybody(screen: Screen, phone: bool, dark: bool) -> None:
    with_clue(screen.desk)
    page = screen.signed_in("du", phone=phone, dark=dark)
    for address in ("/reports", "/subsidies"):
        page.goto(address)
        if address == "/reports":
            page.wait_for_selector("#trend canvas")
            page.wait_for_selector("#fates canvas")
        assert unfit(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("article form button:has-text('已告知')")
    page.wait_for_selector("text=已登记：城乡低保，已告知")
    assert screen.errors == []
