"""The pages 保存期限 and 个人信息, per role."""

from __future__ import annotations

import io
import zipfile

import pytest
from storage_cast import DAY, NOW, PHONE
from web_kit import Desk, Screen, count_queries, unfit

from records import rights

pytestmark = pytest.mark.integration


def url(desk: Desk, rest: str = "") -> str:
    return f"/elders/{desk.cast.elder}/rights{rest}"


def test_the_page_tells_who_looked_and_shows_no_number(desk: Desk) -> None:
    with desk.store.begin() as work:
        work.audit.write(NOW, "user:du", "recording.played", f"call:{desk.cast.call}", {"view": "x"})
        work.audit.write(NOW, "user:far", "recording.played", f"call:{desk.cast.far_call}", {"view": "y"})
    for client in (desk.admin, desk.supervisor, desk.auditor):
        page = client.get(url(desk))
        assert page.status_code == 200
        assert page.text.count("播放通话录音") == 1
        assert f"/calls/{desk.cast.call}" in page.text
        assert PHONE not in page.text
    for other in (desk.other_supervisor, desk.visitor, desk.stranger()):
        assert other.get(url(desk)).status_code == 404


def test_only_the_county_takes_a_copy_and_it_is_in_the_log(desk: Desk) -> None:
    assert "下载副本" not in desk.supervisor.get(url(desk)).text
    for other in (desk.supervisor, desk.auditor, desk.visitor):
        assert other.post(url(desk, "/copy")).status_code == 404
    answer = desk.admin.post(url(desk, "/copy"))
    assert answer.headers["content-disposition"] == f'attachment; filename="elder-{desk.cast.elder}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert PHONE in archive.read("数据.json").decode()
    assert "导出全部个人信息" in desk.admin.get(url(desk)).text


def test_a_hold_is_placed_with_a_reason_and_released(desk: Desk) -> None:
    assert desk.supervisor.post(url(desk, "/hold"), data={"why": "信访"}).status_code == 404
    assert desk.admin.post(url(desk, "/hold"), data={"why": " "}).status_code == 422
    assert desk.admin.post(url(desk, "/hold"), data={"why": "<b>信访</b>核查"}).status_code == 303
    assert "&lt;b&gt;信访&lt;/b&gt;核查" in desk.admin.get(url(desk)).text
    with desk.store.read() as work:
        (placed,) = work.rights.holds()
    assert desk.admin.post("/elders/999/rights/release", data={"hold": placed.id}).status_code == 404
    other = f"/elders/{desk.cast.quiet_elder}/rights/release"
    assert desk.admin.post(other, data={"hold": placed.id}).status_code == 404
    assert desk.admin.post(url(desk, "/release"), data={"hold": placed.id}).status_code == 303
    assert desk.admin.post(url(desk, "/release"), data={"hold": placed.id}).status_code == 409


def test_the_periods_are_shown_with_the_holds_of_ones_area_only(desk: Desk) -> None:
    page = desk.admin.get("/retention").text
    assert "90 天" in page
    assert "还没有清理过" in page
    desk.supervisor.get("/retention")
    with count_queries(desk.store) as none:
        desk.supervisor.get("/retention")
    with desk.store.begin() as work:
        for _ in range(5):
            rights.hold(work, desk.cast.elder, "信访核查", "user:admin", NOW)
        rights.hold(work, desk.cast.far_elder, "另一个乡的事", "user:admin", NOW)
        work.recurring.began("retention", NOW - DAY, "host")
        work.recurring.ended("retention", NOW - DAY, {"rows": {"recordings": 7}})
    with count_queries(desk.store) as some:
        page = desk.supervisor.get("/retention").text
    assert some.number == none.number
    assert "7 条" in page
    assert page.count("信访核查") == 5
    assert "另一个乡的事" not in page
    assert "另一个乡的事" in desk.admin.get("/retention").text
    for client in (desk.admin, desk.supervisor, desk.auditor):
        assert 'href="/retention"' in client.get(url(desk)).text
        assert 'href="/elders/1/rights"' in client.get("/elders/1").text
    for other in (desk.visitor, desk.stranger()):
        assert other.get("/retention").status_code == 404


def test_chromium_shows_both_pages_without_faults(screen: Screen) -> None:
    with screen.desk.store.begin() as work:
        work.audit.write(NOW, "user:du", "recording.played", f"call:{screen.desk.cast.call}", {"view": "x"})
        rights.hold(work, screen.desk.cast.elder, "信访核查", "user:admin", NOW)
    for phone, dark in ((False, False), (True, True)):
        page = screen.signed_in("admin", phone=phone, dark=dark)
        for path in ("/retention", url(screen.desk)):
            page.goto(path)
            assert unfit(page) == []
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0
    assert screen.errors == []
