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
from web_kit import Desk, Screen, unfit

from records import subsidies
from visits import plates
from xunfang.vocabulary import CallerKind, ConsentPurpose

pytestmark = pytest.mark.integration

# What somebody may type where a name is asked for.
NAME = "王<img src=x onerror=alert(1)>'; DROP TABLE elder;--{{7*7}}"
SHORT = "<b>周</b>"

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
    "/duty",
    "/cases",
    "/cases/villages",
    "/cases/{case}",
    "/elders",
    "/elders/{elder}",
    "/elders/{elder}/edit",
    "/elders/{elder}/rights",
    "/elders/files",
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
    "/calls/{call_id}/live.pcm",
    "/doorstep/photos/{id}",
    "/elders/import/{token}",
)
FILE = re.compile(r"\.(json|xlsx|docx|pdf|zip|wav|csv)$")


@dataclass(frozen=True)
class Looks:
    login: str
    least: int  # pages that this role opens
    phone: bool = False
    dark: bool = False
    axe: bool = True
    also: tuple[str, ...] = ()  # axe for these although not for the rest
    only: tuple[str, ...] = PAGES


# axe takes a second a page. A supervisor's and a visitor's pages are all looked at; what others see of the
# same pages is no more than that: of theirs only what is their own or of all areas, and the main ones in the
# dark.
IN_THE_DARK = ("/queue", "/calls/{call}", "/wall", "/cases/{case}", "/elders/{elder}", "/doorstep/{form}")
LOOKS = (
    Looks("du", 23),
    Looks(
        "admin",
        8,
        dark=True,
        only=("/", "/users", "/interfaces", "/retention", "/wall", "/elders", "/plates", "/reports"),
    ),
    Looks("shen", 18, phone=True, dark=True, axe=False, also=IN_THE_DARK),
    Looks("xun", 5, phone=True),
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
    subsidies.sweep(desk.store, subsidies.load_rules(), NOW, desk.config.zone)
    assert scan(desk).status_code == 303
    assert send(desk, done="later", note=NAME).status_code == 200
    with desk.store.begin() as work:
        (form,) = work.doorstep.forms_of_case(desk.cast.case)
    return vars(desk.cast) | {"form": form.id, "plate": plate}


def address(page: str, ids: dict[str, object]) -> str:
    return page.format(**ids)


def opened(desk: Desk, looks: Looks, ids: dict[str, object]) -> list[str]:
    client = desk.signed_in(looks.login)
    return [url for page in looks.only if client.get(url := address(page, ids)).status_code == 200]


def look(screen: Screen, page: Page, url: str, axe: bool = True) -> list[str]:
    """What is wrong with it."""
    page.goto(url)
    page.wait_for_load_state("load")
    wrong = [f"{url}: {each}" for each in screen.errors if "404" not in each]
    if axe:
        wrong += [f"{url}: {each}" for each in unfit(page)]
    screen.errors.clear()  # axe makes a style element of its own beside the waveform
    wide, shown = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    if wide > shown and "view=screen" not in url:
        wrong.append(f"{url}: {wide} pixels wide on {shown}")
    if page.locator("img[src=x]").count():
        wrong.append(f"{url}: HTML in a name")
    return wrong


@pytest.mark.parametrize("looks", LOOKS, ids=lambda each: each.login)
def test_every_page_is_fit_for_everybody_and_quiet(looks: Looks, screen: Screen) -> None:
    ids = furnish(screen.desk)
    urls = opened(screen.desk, looks, ids)
    assert len(urls) >= looks.least, urls
    page = screen.signed_in(looks.login, phone=looks.phone, dark=looks.dark)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    also = {address(each, ids) for each in looks.also}
    wrong = [each for url in urls for each in look(screen, page, url, looks.axe or url in also)]
    assert wrong == []
    assert asked == [], "a name has run as a script"


def test_pages_for_strangers_and_of_errors_are_fit_for_everybody(screen: Screen) -> None:
    page = screen.page(phone=True)
    wrong = look(screen, page, "/login") + look(screen, page, "/cases/1")
    page = screen.signed_in("xun", phone=True)
    wrong += look(screen, page, "/v/1-forged") + look(screen, page, "/no-such-page")
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
