"""The elder page on a real screen."""

from __future__ import annotations

import pytest
from storage_cast import DAY, NOW
from web_kit import Screen, unfit

from xunfang.vocabulary import ConsentPurpose, Risk, VisitMode

pytestmark = pytest.mark.integration


def furnish(screen: Screen) -> None:
    with screen.desk.store.begin() as work:
        elder = screen.desk.cast.elder
        work.elders.update(elder, id_card="11010519491231002X")
        work.contacts.add(elder_id=elder, position=1, name="王小明", relation="child", phone="13700000001")
        work.contacts.add(
            elder_id=elder, position=2, name="张邻居", relation="neighbour", phone="13700000002"
        )
        work.consents.add(elder, ConsentPurpose.PHONE_VISIT, True, NOW - 3 * DAY, "paper")
        work.consents.add(elder, ConsentPurpose.RECORDING, False, NOW - 3 * DAY, "visitor")
        for day, risk in enumerate((Risk.URGENT, Risk.NORMAL, Risk.ATTENTION, Risk.NORMAL, Risk.NORMAL)):
            work.records.put(
                elder_id=elder,
                plan_id=None,
                call_id=None,
                mode=VisitMode.PHONE,
                visited_at=NOW - 7 * (day + 1) * DAY,
                fields={"mood": "无变化", "illness": "严重", "gas": "安全"},
                risk=risk,
                reasons=("疾病状况比上次严重",) if risk is not Risk.NORMAL else (),
            )


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_page_is_fit_for_everybody_and_a_number_hides_itself_again(screen: Screen, phone: bool) -> None:
    furnish(screen)
    elder = screen.desk.cast.elder
    page = screen.signed_in("du", phone=phone, dark=phone)
    page.clock.install()
    page.goto(f"/elders/{elder}")
    page.wait_for_selector("#risk canvas")
    page.click("#n-phone + form button")
    page.wait_for_selector("#n-phone .revealed")
    assert page.inner_text("#n-phone") == "13812340001"
    assert unfit(page) == []
    page.clock.run_for(31_000)
    assert page.inner_text("#n-phone") == "138****0001"
    for path in ("/elders", f"/elders/{elder}/edit", "/plates", "/elders/files"):
        page.goto(path)
        assert unfit(page) == [], path
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= shown, path
    assert screen.errors == []


def test_an_import_shows_its_progress_without_a_reload(screen: Screen) -> None:
    page = screen.signed_in("du")
    page.goto("/elders/files")
    rows = "".join(f"赵小英{at % 50 * '英'},女,139{at:08d},220100101001\n" for at in range(40))
    text = (
        "姓名,性别,联系电话,行政区划代码\n赵小英,女,13912340101,220100101001\n钱某,女,12,220100101001\n"
        + rows
    )
    page.set_input_files("#file", {"name": "台账.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.click("button:has-text('上传并检查')")
    page.wait_for_selector("text=取消并删除文件")
    assert "手机号应为" in page.inner_text("#progress")
    assert unfit(page) == []
    page.click("button:has-text('导入合格的')")
    page.wait_for_selector("text=导入完成")
    assert screen.errors == []
