"""From a cry for help on a real call to the form in Word, through the console in a real Chromium.

The demo's own call, recording and case, in a copy of its folder; `xunfang web` as a process of its own.
"""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command_line import running, until, xunfang
from demo_run import DEMO_S, Run
from docx import Document
from docx.table import _Cell
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from records import model as form
from storage import Store
from storage.model import VisitRecord
from xunfang.demo.ledger import TOWNSHIP, VILLAGE
from xunfang.settings import load
from xunfang.vocabulary import CaseStatus, ReviewVerdict, VisitMode
from xunfang.wiring import open_store

pytestmark = [pytest.mark.acceptance, pytest.mark.realtime, pytest.mark.timeout(DEMO_S + 240)]

PASSWORD = "correct-horse-42"
START_S = 90.0
OFFICE, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
NOTE = "老人已扶起，送镇卫生院检查，无骨折，女儿已到家"
OPEN_ROWS = {"expression": "较差", "personal_hygiene": "无变化", "home_hygiene": "较差", "rooms": "无变化"}
TICKED = "☑\u00a0"


@dataclass
class Console:
    url: str
    store: Store
    browser: Browser
    errors: list[str] = field(default_factory=list)

    def signed_in(self, login: str, size: dict[str, int]) -> Page:
        context: BrowserContext = self.browser.new_context(
            base_url=self.url,
            viewport=size,  # type: ignore[arg-type]
            has_touch=size is PHONE,
            locale="zh-CN",
            accept_downloads=True,
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto("/login")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.click("button:has-text('登录')")
        page.wait_for_url(lambda url: "/login" not in url)
        return page


@pytest.fixture
def console(demo: Run, tmp_path: Path) -> Iterator[Console]:
    """Of a copy: other tests look at what the demo itself has left behind."""
    folder = tmp_path / "folder"
    shutil.copytree(demo.folder, folder, ignore=shutil.ignore_patterns("xunfang.db*"))
    with (
        closing(sqlite3.connect(demo.folder / "xunfang.db")) as source,
        closing(sqlite3.connect(folder / "xunfang.db")) as copy,
    ):
        source.backup(copy)
    config = ("--config", folder / "xunfang.toml")
    with open_store(load(folder / "xunfang.toml", {})) as store, sync_playwright() as playwright:
        with store.read() as work:
            village = work.areas.by_code(VILLAGE)
            assert village is not None
            visitor = work.visitors.for_area(village.id)[0].id
        for words in (
            ("du", "--role", "supervisor", "--area", TOWNSHIP),
            ("zheng", "--role", "visitor", "--visitor", str(visitor)),
        ):
            made = xunfang(*config, "user", "add", *words, cwd=folder, stdin=f"{PASSWORD}\n")
            assert made.returncode == 0, made.stderr
        port = _free_port()
        address = ("127.0.0.1", port)
        words = (*config, "web", "--port", str(port))
        with running(*words, cwd=folder, XUNFANG_WEB__LOOPBACK_HTTP="true") as server:
            until(lambda: _answers(address) or server.poll(), START_S, "the console did not answer")
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            yield Console(f"http://127.0.0.1:{port}", store, browser)
            browser.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _answers(address: tuple[str, int]) -> bool | None:
    try:
        with socket.create_connection(address, 1):
            return True
    except OSError:
        return None


def test_from_the_cry_for_help_to_the_form_in_word(demo: Run, console: Console, tmp_path: Path) -> None:
    (case,) = demo.cases("fell")
    call_id, case_id, elder_id = case["call_id"], case["id"], case["elder_id"]

    desk = console.signed_in("du", OFFICE)
    _listen_and_confirm(desk, call_id, case["evidence"][0]["text"])
    with console.store.read() as work:
        assert ReviewVerdict.CONFIRMED in {each.verdict for each in work.verdicts.of_call(call_id)}
        heard = [each.actor for each in work.audit.of(f"call:{call_id}") if each.kind == "recording.played"]
    assert heard == ["user:du"]
    plate = _assign_and_hang_the_plate(desk, console.store, case_id, elder_id)

    phone = console.signed_in("zheng", PHONE)
    _open_at_the_door(phone, plate, case_id)
    _fill_without_network(phone)
    with console.store.read() as work:
        assert work.doorstep.forms_of_case(case_id) == [], "sent although there was no network"
    _send_when_there_is_network(phone)
    with console.store.read() as work:
        closed, record = work.cases.get(case_id), work.records.latest(elder_id)
        assert len(work.doorstep.forms_of_case(case_id)) == 1
    assert closed is not None
    assert closed.status is CaseStatus.CLOSED
    assert closed.disposition_note.startswith(NOTE)
    assert record is not None
    assert record.mode is VisitMode.ON_SITE
    assert {key: record.fields[key] for key in OPEN_ROWS} == OPEN_ROWS

    file = tmp_path / "form.docx"
    desk.goto(f"/elders/{elder_id}")
    with desk.expect_download() as download:
        desk.click(f"a[href='/reports/forms/{elder_id}.docx']")
    download.value.save_as(file)
    _the_form_says_what_the_record_says(file, record, demo)
    assert [each for each in console.errors if "ERR_INTERNET_DISCONNECTED" not in each] == []


def _listen_and_confirm(desk: Page, call_id: int, words: str) -> None:
    sound: list[Request] = []
    desk.on("response", lambda each: sound.append(each.request) if "recording.wav" in each.url else None)
    desk.goto("/queue")
    row = desk.locator(f"#call-{call_id}")
    expect(row).to_contain_text("紧急")
    row.get_by_role("link", name="复核").click()
    desk.wait_for_selector("[data-drawn]")
    expect(desk.locator("#talk")).to_contain_text(words)
    desk.keyboard.press(" ")
    expect(desk.locator("[data-play]")).to_contain_text("暂停")
    expect(desk.locator("[data-clock]")).to_contain_text("0:01 /")
    assert sound, "the recording was never asked for"
    desk.keyboard.press("y")
    desk.wait_for_url(lambda url: f"/calls/{call_id}" not in url)
    desk.goto("/queue?tab=all")
    expect(desk.locator(f"#call-{call_id}")).to_have_count(0)


def _assign_and_hang_the_plate(desk: Page, store: Store, case_id: int, elder_id: int) -> str:
    """What the QR of her door leads to."""
    desk.goto(f"/cases/{case_id}")
    desk.locator("summary", has_text="分派").click()
    village = desk.locator("#visitor option", has_text="村巡访员小郑").get_attribute("value")
    desk.select_option("#visitor", village)
    desk.click("form[action$='/assign'] button:has-text('分派')")
    expect(desk.locator("#facts")).to_contain_text("已分派")
    desk.goto(f"/elders/{elder_id}")
    desk.click("button:has-text('发放门牌')")
    desk.wait_for_load_state()
    with store.read() as work:
        return work.plates.valid([elder_id])[elder_id].path


def _open_at_the_door(phone: Page, plate: str, case_id: int) -> None:
    expect(phone.locator(f"[data-case='{case_id}']")).to_contain_text("紧急")
    phone.wait_for_selector("html[data-offline=ready]")
    phone.goto(plate)
    phone.click("button:has-text('签到并打开记录')")
    phone.wait_for_url(f"**/visit/cases/{case_id}*")
    phone.locator("[data-form][data-ready]").wait_for()


def _fill_without_network(phone: Page) -> None:
    phone.context.set_offline(True)
    for key, value in OPEN_ROWS.items():
        phone.locator(f'[data-row-key="{key}"] label', has_text=value).first.click()
    phone.locator("label", has_text="需要关注").click()
    phone.fill("#note", NOTE)
    canvas = phone.locator('[data-sign="elder"]')
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    phone.mouse.move(box["x"] + 30, box["y"] + 40)
    phone.mouse.down()
    for step in range(1, 8):
        phone.mouse.move(box["x"] + 30 + 20 * step, box["y"] + 40 + (20 if step % 2 else -10))
    phone.mouse.up()
    phone.click("text=提交")
    expect(phone.locator("[data-outbox]")).to_contain_text("待发送 1 份")


def _send_when_there_is_network(phone: Page) -> None:
    phone.context.set_offline(False)
    expect(phone.locator("[data-outbox]")).to_contain_text("案件已办结")


def _the_form_says_what_the_record_says(file: Path, record: VisitRecord, demo: Run) -> None:
    """Cell by cell: what stands right of a label."""
    first, *_ = Document(str(file)).tables
    rows = [list(dict.fromkeys(cell._tc for cell in row.cells)) for row in first.rows]
    told = [[_Cell(cell, first).text for cell in row] for row in rows]
    right = {label: row[at + 1] for row in told for at, label in enumerate(row[:-1])}
    assert right["被探访人姓名"] == demo.calls("fell")[-1]["elder"]
    ticks = 0
    for key, each in form.FIELDS.items():
        said = str(record.fields[key])
        if key == "illness_name":  # stands within its illness
            continue
        if not each.values:
            assert right[each.label] == said, each.label
        elif said in each.values:
            assert f"{TICKED}{said}" in right[each.label], each.label
            assert right[each.label].count("☑") == 1, each.label
            ticks += 1
        else:  # not asked, not seen: no box is ticked by guessing
            assert right[each.label].endswith(said), each.label
            assert "☑" not in right[each.label], each.label
    assert ticks > len(OPEN_ROWS)
    assert f"关爱服务情况：{NOTE}" in {cell for row in told for cell in row}
    (signed,) = [
        row[at + 1]
        for row, words in zip(rows, told, strict=True)
        for at, word in enumerate(words)
        if word == "被探访人（签字）"
    ]
    assert "w:drawing" in signed.xml, "the signature of the glass"
