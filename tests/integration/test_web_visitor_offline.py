"""The visitor's telephone in a real browser: the door, without network, the outbox, signing out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from storage_cast import NOW
from test_web_visitor import code_of, seed_record
from web_kit import PASSWORD, Screen, unfit

from visits import handling, plates
from visits.life import Actor, Order, Role
from xunfang.vocabulary import CaseStatus, CaseStep, DoorOutcome, DoorPhotoKind

pytestmark = pytest.mark.integration
KNOWN = ("net::ERR_INTERNET_DISCONNECTED",)


@pytest.fixture
def phone(screen: Screen) -> Iterator[Page]:
    """Signed in, and ready to be without network."""
    with screen.desk.store.begin() as work:
        seed_record(work, screen.desk)
        plates.issue(work, screen.desk.cast.elder, "user:du", NOW)
    page = screen.signed_in("xun", phone=True)
    ready(page)
    yield page
    wrong = [each for each in screen.errors if not any(known in each for known in KNOWN)]
    assert wrong == []


def ready(page: Page) -> None:
    page.wait_for_selector("html[data-offline=ready]")


def fill(page: Page, note: str) -> None:
    page.locator("[data-form][data-ready]").wait_for()
    for key in ("expression", "personal_hygiene", "home_hygiene", "rooms"):
        page.locator(f'[data-row-key="{key}"] label', has_text="无变化").click()
    page.locator("label", has_text="平稳").click()
    page.fill("#note", note)


def sign(page: Page, who: str) -> None:
    canvas = page.locator(f'[data-sign="{who}"]')
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 8):
        page.mouse.move(box["x"] + 30 + 20 * step, box["y"] + 40 + (20 if step % 2 else -10))
    page.mouse.up()


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (3000, 2000), "peru").save(out, "JPEG")
    return out.getvalue()


def test_without_network_the_plate_opens_the_record_and_the_form_is_sent_once_afterwards(
    phone: Page, screen: Screen
) -> None:
    desk = screen.desk
    posts: list[str] = []
    phone.on("request", lambda each: posts.append(each.url) if each.url.endswith("/visit/forms") else None)
    phone.context.set_offline(True)
    phone.goto(f"/v/{code_of(desk)}")
    phone.wait_for_url(f"**/visit/cases/{desk.cast.case}")
    expect(phone.locator("[data-source]")).to_contain_text("已扫门牌")
    needs = phone.locator('[data-row-key="needs"]')
    expect(needs.locator("[data-value]")).to_have_text("助餐")
    expect(needs.locator("textarea")).to_be_hidden()
    fill(phone, "老人已能自己起身，家人陪同就医")
    phone.set_input_files("#photo", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture()})
    expect(phone.locator("[data-photos] img")).to_have_count(1)
    sign(phone, "elder")
    assert unfit(phone) == []
    phone.click("text=提交")
    expect(phone.locator("[data-outbox]")).to_contain_text("待发送 1 份")
    phone.goto("/visit")
    expect(phone.locator("[data-outbox]")).to_contain_text("待发送 1 份")
    expect(phone.locator("[data-net]")).to_contain_text("没有网络")
    with desk.store.read() as work:
        assert work.doorstep.forms_of_case(desk.cast.case) == []
    phone.context.set_offline(False)
    expect(phone.locator("[data-outbox]")).to_contain_text("案件已办结；时间银行积分 +20")
    phone.evaluate("window.dispatchEvent(new Event('online'))")
    phone.reload()
    ready(phone)
    with desk.store.read() as work:
        forms = work.doorstep.forms_of_case(desk.cast.case)
        assert len(forms) == 1
        assert handling.get(work, desk.cast.case).status is CaseStatus.CLOSED
        assert work.points.total(desk.cast.visitor) == 20
        kinds = [each.kind for each in work.doorstep.photos_of(forms[0].id)]
        assert kinds == [DoorPhotoKind.PHOTO, DoorPhotoKind.ELDER_SIGNATURE]
        entry = work.doorstep.entry(desk.cast.case, desk.cast.visitor, NOW - timedelta(hours=1))
        assert entry is not None
        assert entry.scanned
    assert len(posts) == 1
    expect(phone.locator("[data-case]")).to_have_count(0)


def test_what_waits_survives_the_end_of_the_session_and_says_that_one_must_sign_in(
    phone: Page, screen: Screen
) -> None:
    desk = screen.desk
    phone.context.set_offline(True)
    phone.goto(f"/v/{code_of(desk)}")
    phone.wait_for_url("**/visit/cases/*")
    fill(phone, "情况平稳")
    phone.click("text=提交")
    expect(phone.locator("[data-outbox]")).to_contain_text("待发送 1 份")
    desk.clock.move(timedelta(hours=13))
    with desk.store.begin() as work:
        order = Order(CaseStep.CLOSE, Actor(Role.SUPERVISOR, "du"), "家人已送医")
        handling.handle(work, desk.cast.case, order, desk.clock.now(), desk.config.deadlines)
    phone.context.set_offline(False)
    expect(phone.locator("[data-outbox]")).to_contain_text("重新登录后自动发送")
    phone.click("text=去登录")
    phone.fill("#login", "xun")
    phone.fill("#password", PASSWORD)
    phone.click("button:has-text('登录')")
    expect(phone.locator("[data-outbox]")).to_contain_text("已作为补充记录保存")
    with desk.store.read() as work:
        (form,) = work.doorstep.forms_of_case(desk.cast.case)
        assert form.outcome is DoorOutcome.SUPPLEMENTARY
    screen.errors[:] = [each for each in screen.errors if "401" not in each]


def test_what_was_written_survives_a_closed_page_and_signing_out_clears_the_telephone(
    phone: Page, screen: Screen
) -> None:
    desk = screen.desk
    case = f"/visit/cases/{desk.cast.case}"
    phone.goto(case)
    phone.click("text=扫不了门牌")
    phone.fill("#why", "门牌被雨水泡坏")
    phone.click("text=写明原因，打开记录")
    phone.locator("[data-form][data-ready]").wait_for()
    phone.fill("#note", "写到一半")
    expect(phone.locator("[data-draft]")).to_contain_text("已存在本机")
    phone.goto("/visit")
    phone.goto(case)
    expect(phone.locator("#note")).to_have_value("写到一半")
    assert unfit(phone) == []
    kept = "(async () => (await (await caches.open('xunfang-pages-v1')).keys()).length)()"
    assert phone.evaluate(kept) >= 2
    phone.click("summary[aria-label='菜单']")
    phone.click("text=退出登录")
    phone.wait_for_url("**/login")
    assert phone.evaluate("caches.has('xunfang-pages-v1')") is False
    phone.context.set_offline(True)
    phone.goto(case)
    expect(phone.locator("body")).to_contain_text("没有存在本机")
    screen.errors[:] = [each for each in screen.errors if "503" not in each]


def test_another_doors_plate_opens_nothing_without_network(phone: Page, screen: Screen) -> None:
    with screen.desk.store.begin() as work:
        plates.issue(work, screen.desk.cast.quiet_elder, "user:du", NOW)
    phone.context.set_offline(True)
    phone.goto(f"/v/{code_of(screen.desk, screen.desk.cast.quiet_elder)}")
    expect(phone.locator("[data-net]")).to_contain_text("没有这块门牌对应的任务")
    phone.goto(f"/visit/cases/{screen.desk.cast.case}")
    expect(phone.locator("[data-form]")).to_be_hidden()
    assert "助餐" not in phone.content()


def test_the_pages_are_fit_for_everybody_in_the_dark_too(screen: Screen) -> None:
    page = screen.signed_in("xun", phone=True, dark=True)
    for url in ("/visit/points", f"/visit/cases/{screen.desk.cast.case}"):
        page.goto(url)
        assert unfit(page) == [], url
    desk = screen.signed_in("du")
    for url in ("/doorstep", "/points"):
        desk.goto(url)
        assert unfit(desk) == [], url
    assert screen.errors == []
