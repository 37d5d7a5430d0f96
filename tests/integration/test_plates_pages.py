"""Plates in the console: issued and printed for a village, replaced and revoked for one."""

from __future__ import annotations

import time
from io import BytesIO

import pypdfium2 as pdfium
import pypdfium2.raw as raw
import pytest
import zxingcpp
from storage_cast import an_elder
from web_kit import Desk, count_queries

from visits import plates
from web.pages.plates_pdf import Printed, sheets

pytestmark = pytest.mark.integration
VILLAGE = "220100101001"
ADDRESS = "https://xunfang.example.gov.cn"


def pages(made: bytes) -> list[pdfium.PdfPage]:
    return list(pdfium.PdfDocument(made))


def scanned(page: pdfium.PdfPage) -> list[str]:
    """What a telephone reads off the printed page."""
    return sorted(each.text for each in zxingcpp.read_barcodes(page.render(scale=2).to_pil()))


def written(page: pdfium.PdfPage) -> str:
    return str(page.get_textpage().get_text_range())


def test_the_sheet_shows_the_code_of_the_door_and_no_personal_word() -> None:
    url = f"{ADDRESS}/v/7-0123456789abcdef0123"
    (page,) = pages(sheets([Printed(url, "000007", "柳河镇幸福村")], "a6"))
    assert scanned(page) == [url]
    assert written(page).split() == [
        "巡访门牌",
        "柳河镇幸福村",
        "编号",
        "000007",
        "巡访员上门时请扫码签到",
        "本牌不含个人信息，遗失或损坏请告知村（居）委会",
    ]


def test_every_font_is_embedded_and_cut_down_so_that_any_office_pc_prints_the_same() -> None:
    printed = [Printed(f"{ADDRESS}/v/{at}", f"{at:06d}", "柳河镇幸福村(a)\\") for at in range(8)]
    made = sheets(printed, "a4")
    fonts = 0
    for page in pages(made):
        for each in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
            assert raw.FPDFFont_GetIsEmbedded(raw.FPDFTextObj_GetFont(each.raw)) == 1
            fonts += 1
    assert fonts == 8 * 5
    assert made.count(b"/FontFile2") == 1
    assert b"/Type1" not in made, "one of the fonts that every reader brings is a font that is not embedded"
    assert len(made) < 60_000


def test_a_sheet_of_any_number_is_a_whole_document() -> None:
    for number in (1, 4, 5, 9):
        urls = [f"{ADDRESS}/v/{at}" for at in range(number)]
        made = pages(sheets([Printed(each, f"{at:06d}", "村") for at, each in enumerate(urls)], "a4"))
        assert [len(scanned(page)) for page in made] == [min(4, number - at) for at in range(0, number, 4)]
        assert sorted(url for page in made for url in scanned(page)) == urls


def test_a_character_that_no_font_has_is_seen_and_a_long_name_still_fits() -> None:
    (page,) = pages(sheets([Printed(ADDRESS, "000001", "黄土㙍村" + "很长的村名" * 8)], "a6"))
    assert "黄土〓村" in written(page)
    left, _, right, _ = next(
        each.get_bounds()
        for each in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT])
        if each.get_bounds()[2] - each.get_bounds()[0] > 200
    )
    assert left > 0
    assert right < page.get_width()


def test_a_village_is_issued_and_printed_in_two_clicks(desk: Desk) -> None:
    asked = desk.supervisor.post("/plates", data={"area": VILLAGE})
    assert asked.headers["location"] == f"/plates?area={VILLAGE}"
    with desk.store.read() as work:
        (plate,) = work.plates.of_elder(desk.cast.elder)
        assert work.plates.of_elder(desk.cast.quiet_elder) == []
    page = desk.supervisor.get(f"/plates?area={VILLAGE}").text
    assert "已发放1块门牌" in page
    assert plate.number in page
    printed = desk.auditor.get(f"/plates/sheet.pdf?area={VILLAGE}")
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF")
    assert desk.supervisor.get("/plates/sheet.pdf?area=220100101002").status_code == 404
    assert desk.supervisor.get("/plates/sheet.pdf?area=220100202001").status_code == 404
    assert desk.supervisor.get(f"/plates/sheet.pdf?area={VILLAGE}&size=a3").status_code == 400
    assert desk.supervisor.post("/plates", data={"area": "220100202001"}).status_code == 404
    with desk.store.read() as work:
        assert work.plates.of_elder(desk.cast.far_elder) == []


def test_one_plate_is_issued_replaced_and_revoked_with_a_reason(desk: Desk) -> None:
    at = f"/elders/{desk.cast.elder}"

    def step(name: str, why: str = "") -> int:
        return desk.supervisor.post(f"{at}/plate", data={"step": name, "why": why}).status_code

    assert desk.supervisor.get(f"{at}/plate.pdf").status_code == 404
    assert step("issue") == 303
    with desk.store.read() as work:
        (first,) = work.plates.of_elder(desk.cast.elder)
    assert first.number in desk.supervisor.get(at).text
    assert desk.supervisor.get(f"{at}/plate.pdf").content.startswith(b"%PDF")
    assert step("replace") == 422
    assert step("replace", "遗失") == 303
    assert step("revoke", "搬离") == 303
    assert step("revoke", "搬离") == 409
    assert step("replace", "遗失") == 409
    assert step("steal") == 400
    page = desk.supervisor.get(at).text
    assert "作废的门牌（2）" in page
    with desk.store.begin() as work:
        for plate in work.plates.of_elder(desk.cast.elder):
            assert plates.check(work, plate.path[3:], desk.clock.now()).why == plates.REVOKED


def test_the_list_of_plates_asks_the_same_number_of_questions_for_few_and_for_many(desk: Desk) -> None:
    desk.supervisor.get("/plates")
    with count_queries(desk.store) as few:
        desk.supervisor.get("/plates")
    with desk.store.begin() as work:
        for at in range(60):
            an_elder(work, phone=f"1391234{at:04d}", area_id=desk.cast.village)
    desk.supervisor.post("/plates")
    desk.supervisor.get("/plates")
    with count_queries(desk.store) as many:
        page = desk.supervisor.get("/plates").text
    assert many.number == few.number
    assert "下一页" in page
    with count_queries(desk.store) as printing:
        desk.supervisor.get("/plates/sheet.pdf")
    assert printing.number < 20


# ---- the ledger as files ------------------------------------------------------------------------------

HEAD = "姓名,性别,联系电话,行政区划代码,频次\n"
"""Kept with the plates: both are about whole villages."""


def _sent(desk: Desk, text: str, name: str = "台账.csv", login: str = "du") -> str:
    files = {"file": (name, BytesIO(text.encode()), "text/csv")}
    answer = desk.signed_in(login).post("/elders/import", files=files)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def _finished(desk: Desk, at: str, login: str = "du") -> str:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        page = desk.signed_in(login).get(at).text
        if "load delay" not in page:
            return str(page)
        time.sleep(0.02)
    raise AssertionError("the import did not end")


def test_an_import_is_looked_at_first_and_then_written(desk: Desk) -> None:
    at = _sent(
        desk,
        HEAD
        + "赵小英,女,13912340101,220100101001,月访\n"
        + "王桂兰,女,13812340001,220100101001,季访\n"
        + "钱某,女,12,220100101001,周访\n"
        + "孙某,男,13912340103,220100202001,周访\n"
        + "赵大山,男,13812340003,,月访\n",
    )
    looked = _finished(desk, at)
    assert "将新增" in looked
    assert looked.count("不在您的管辖范围内") == 2
    assert "13912340101" not in looked
    with desk.store.read() as work:
        assert work.elders.find_by_phone("13912340101") == []
    assert desk.other_supervisor.get(at).status_code == 404
    assert desk.other_supervisor.post(at).status_code == 404
    assert desk.supervisor.post(at, data={"step": "write"}).status_code == 303
    written = _finished(desk, at)
    assert "导入完成" in written
    assert desk.supervisor.post(at, data={"step": "write"}).status_code == 409
    refused = desk.supervisor.get(f"{at}/refused.csv")
    assert "钱某" in refused.content.decode("utf-8-sig")
    with desk.store.read() as work:
        (new,) = work.elders.find_by_phone("13912340101")
        assert new.area_id == desk.cast.village
        assert work.elders.get(desk.cast.elder).cadence.value == "quarterly"  # type: ignore[union-attr]
        assert work.elders.get(desk.cast.far_elder).cadence.value == "weekly"  # type: ignore[union-attr]
        assert work.audit.of("ledger")[-1].actor == "user:du"


def test_a_file_that_is_no_ledger_is_told_and_one_given_up_is_gone(desk: Desk) -> None:
    assert "没有完成" in _finished(desk, _sent(desk, "一,二\n三,四\n"))
    assert "没有完成" in _finished(desk, _sent(desk, "not a workbook", "台账.xlsx"))
    assert "没有完成" in _finished(desk, _sent(desk, ""))
    files = {"file": ("x.exe", BytesIO(b"MZ"), "application/octet-stream")}
    assert desk.supervisor.post("/elders/import", files=files).status_code == 400
    assert desk.supervisor.post("/elders/import").status_code == 400
    at = _sent(desk, HEAD + "赵小英,女,13912340101,220100101001,月访\n")
    _finished(desk, at)
    assert desk.supervisor.post(at, data={"step": "give_up"}).status_code == 303
    assert "请重新上传" in desk.supervisor.get(at).text


def test_an_export_holds_only_the_own_area_masked_and_only_the_county_sees_numbers(desk: Desk) -> None:
    masked = desk.supervisor.post("/elders/export", data={"kind": "csv"}).content.decode("utf-8-sig")
    assert "王桂兰" in masked
    assert "赵大山" not in masked
    assert "13812340001" not in masked
    assert desk.supervisor.post("/elders/export", data={"full": "1"}).status_code == 404
    full = desk.admin.post("/elders/export", data={"kind": "csv", "full": "1"}).content.decode("utf-8-sig")
    assert "13812340003" in full
    assert desk.admin.post("/elders/export", data={"area": VILLAGE}).content.startswith(b"PK")
    assert desk.supervisor.get("/elders/template.xlsx").content.startswith(b"PK")
    with desk.store.read() as work:
        kinds = [each.kind for each in work.audit.of("ledger")]
    assert kinds == ["ledger.exported_masked", "ledger.exported_full", "ledger.exported_masked"]
