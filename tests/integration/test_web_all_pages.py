"""Every page of the console as every role in a real Chromium: fit for everybody (axe-core), no error and no
broken rule of the CSP in the browser's console, nothing that scrolls sideways, HTML in a name only text."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import pytest
from docx import Document
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Page
from reports_cast import poor
from storage_cast import NOW
from test_web_calls import in_queue
from test_web_visitor import scan, seed_record, send
from web_kit import DESKTOP, PHONE, Desk, Screen, unfit

from records import subsidies
from visits import plates
from xunfang.vocabulary import CallerKind, ConsentPurpose

pytestmark = pytest.mark.integration

# What somebody may type where a name is asked for.
NAME = "王<img src=x onerror=alert(1)>'; DROP TABLE elder;--{{7*7}}"
SHORT = "<b>周</b>"
LEDGER = f"姓名,性别,联系电话,行政区划代码\n{SHORT},女,13912340101,220100101001\n钱某,女,12,220100101001\n"

PAGES = (
    "/",
    "/account",
    "/interfaces",
    "/users",
    "/queue",
    "/queue?tab=all",
    "/calls/{call}",
    "/calls/{live_call}",
    "/calls/{far_call}",
    "/wall",
    "/wall?view=screen",
    "/wall?view=compact",
    "/wall/callers",
    "/wall/screens",
    "/duty",
    "/cases",
    "/cases/villages",
    "/cases/{case}",
    "/elders",
    "/elders/{elder}",
    "/elders/{elder}/edit",
    "/elders/{elder}/rights",
    "/elders/files",
    "/elders/import/{token}",
    "/elders/new",
    "/plates",
    "/reports",
    "/retention",
    "/subsidies",
    "/points",
    "/points/{visitor}",
    "/doorstep",
    "/doorstep/{form}",
    "/visit",
    "/visit/cases/{case}",
    "/visit/points",
    "/v/{plate}",
)
# Answers that are no page: files, sound, JSON, streams, and what only follows a step of somebody.
NO_PAGES = (
    "/healthz",
    "/readyz",
    "/metrics",
    "/login",
    "/live",
    "/visit/key",
    "/calls/{call_id}/commands",
    "/queue/count",
    "/calls/{call_id}/live.pcm",
    "/doorstep/photos/{id}",
)
FILE = re.compile(r"\.(json|xlsx|docx|pdf|zip|wav|csv)$")


@dataclass(frozen=True)
class Look:
    phone: bool
    dark: bool

    @property
    def name(self) -> str:
        return f"{'390' if self.phone else '1366'} {'dark' if self.dark else 'light'}"


DAY, NIGHT = Look(phone=False, dark=False), Look(phone=False, dark=True)
POCKET, POCKET_NIGHT = Look(phone=True, dark=False), Look(phone=True, dark=True)


@dataclass(frozen=True)
class Looks:
    """One role: how many pages it opens at least, and how it looks at each. With `in_turn` the first page
    is looked at in the first way, the second in the second, and so on."""

    login: str
    least: int
    looks: tuple[Look, ...]
    in_turn: bool = False

    def of(self, at: int) -> tuple[Look, ...]:
        return (self.looks[at % len(self.looks)],) if self.in_turn else self.looks


# axe-core looks at every page of every role. Two widths and two themes make four looks at a page, a fifth of
# a second each, so they are shared out: a supervisor's pages are looked at wide and light, narrow and dark;
# the county's are the same and some more, each once, wide and dark or narrow and light in turn; the auditor's
# are the same without their buttons, each once, in turn in all four ways; a visitor's few in all four each.
LOOKS = (
    Looks("du", 25, (DAY, POCKET_NIGHT)),
    Looks("admin", 28, (NIGHT, POCKET), in_turn=True),
    Looks("shen", 19, (POCKET_NIGHT, DAY, POCKET, NIGHT), in_turn=True),
    Looks("xun", 5, (POCKET, POCKET_NIGHT, DAY, NIGHT)),
)


def furnish(desk: Desk) -> dict[str, object]:
    """Something on every page; the elder and the visitor have names that are none."""
    call = in_queue(desk)
    with desk.store.begin() as work:
        work.elders.update(desk.cast.elder, name=NAME)
        seed_record(work, desk)
        poor(work, call)
        work.contacts.add(elder_id=desk.cast.elder, position=1, name=SHORT, phone="13700000001")
        work.consents.add(desk.cast.elder, ConsentPurpose.RECORDING, True, NOW, "paper")
        work.incoming.add(rang_at=NOW, kind=CallerKind.STRANGER, phone="13800001111")
        plates.issue(work, desk.cast.elder, "user:du", NOW)
        plate = work.plates.valid([desk.cast.elder])[desk.cast.elder].path.removeprefix("/v/")
    sent = {"file": ("ledger.csv", LEDGER.encode(), "text/csv")}
    imported = desk.supervisor.post("/elders/import", files=sent).headers["location"]
    subsidies.sweep(desk.store, subsidies.load_rules(), NOW, desk.config.zone)
    assert scan(desk).status_code == 303
    assert send(desk, done="later", note=NAME).status_code == 200
    with desk.store.begin() as work:
        (form,) = work.doorstep.forms_of_case(desk.cast.case)
    return vars(desk.cast) | {"form": form.id, "plate": plate, "token": imported.rpartition("/")[2]}


def address(page: str, ids: dict[str, object]) -> str:
    return page.format(**ids)


def opened(desk: Desk, login: str, ids: dict[str, object]) -> list[str]:
    client = desk.signed_in(login)
    return [url for page in PAGES if client.get(url := address(page, ids)).status_code == 200]


def look(screen: Screen, page: Page, url: str, looks: tuple[Look, ...]) -> list[str]:
    """What is wrong with it."""
    wrong = []
    for at, each in enumerate(looks):
        page.set_viewport_size(PHONE if each.phone else DESKTOP)
        page.emulate_media(color_scheme="dark" if each.dark else "light")
        if at == 0:
            page.goto(url)
            page.wait_for_load_state("load")
            wrong += [f"{url}: {said}" for said in screen.errors if "404" not in said]
        wrong += [f"{url} {each.name}: {found}" for found in unfit(page)]
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        if wide > shown and "view=screen" not in url:
            wrong.append(f"{url} {each.name}: {wide} pixels wide on {shown}")
    screen.errors.clear()  # axe makes a style element of its own beside the waveform
    if page.locator("img[src=x]").count():
        wrong.append(f"{url}: HTML in a name")
    return wrong


@pytest.mark.parametrize("looks", LOOKS, ids=lambda each: each.login)
def test_every_page_is_fit_for_everybody_and_quiet(looks: Looks, screen: Screen) -> None:
    ids = furnish(screen.desk)
    urls = opened(screen.desk, looks.login, ids)
    assert len(urls) >= looks.least, urls
    page = screen.signed_in(looks.login)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    wrong = [each for at, url in enumerate(urls) for each in look(screen, page, url, looks.of(at))]
    assert wrong == []
    assert asked == [], "a name has run as a script"


def test_pages_for_strangers_and_of_errors_are_fit_for_everybody(screen: Screen) -> None:
    page = screen.page(phone=True)
    wrong = [each for url in ("/login", "/cases/1") for each in look(screen, page, url, (POCKET, NIGHT))]
    page = screen.signed_in("xun", phone=True)
    for url in ("/v/1-forged", "/no-such-page"):
        wrong += look(screen, page, url, (POCKET_NIGHT, DAY))
    assert wrong == []


def test_no_page_is_left_out(shared_desk: Desk) -> None:
    known = {re.sub(r"\{[^}]+\}", "{}", page.partition("?")[0]) for page in PAGES + NO_PAGES}
    asked = {
        route.path
        for route in iter_route_contexts(shared_desk.app.routes)
        if hasattr(route, "dependant") and "GET" in route.methods and route.path is not None
    }
    left = {each for each in asked if not FILE.search(each) and re.sub(r"\{[^}]+\}", "{}", each) not in known}
    assert {each for each in left if not each.startswith("/api/")} == set()


def test_such_a_name_is_only_text_in_the_official_form_and_the_ledger_is_whole(desk: Desk) -> None:
    furnish(desk)
    made = desk.supervisor.get(f"/reports/forms/{desk.cast.elder}.docx")
    assert made.status_code == 200
    cells = {
        cell.text
        for table in Document(io.BytesIO(made.content)).tables
        for row in table.rows
        for cell in row.cells
    }
    assert any(NAME in text for text in cells)
    with desk.store.read() as work:
        assert len(work.elders.page()) == 3
