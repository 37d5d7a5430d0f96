"""A county on the screen: one seeded SQLite database, an app over it, a signed-in client per role.

    def test_...(desk: Desk) -> None:
        page = desk.supervisor.get("/")              # a Client: same-origin headers, redirects not followed
        with count_queries(desk.store) as counted: ...

Seeded once per run and copied per test (`desk`), or shared by a module that only reads (`shared_desk`).
`chromium` opens real pages of a real server. The cast:

    county 长青县 ── township 柳河镇 ── villages 幸福村, 桃园村   (supervisor `du`, auditor `shen`)
                 └── township 松江乡 ── village 临江村             (supervisor `far`: the other area)
    visitor `xun` (村巡访员 of 幸福村, assigned to the urgent case), admin `admin` of the whole county
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from sqlalchemy import event
from starlette.testclient import TestClient
from storage_cast import MINUTE, NOW, SECRET, a_call, a_case, a_plan, an_elder

from storage import Store, Work
from storage.model import Turn
from visits.deadlines import load_deadlines
from web.app import create_app
from web.config import WebConfig
from web.security import accounts
from web.security.passwords import CHEAP, Passwords
from web.server import Background
from xunfang.clock import FixedClock
from xunfang.ledger.desk import Desk as LedgerDesk
from xunfang.vocabulary import (
    Alert,
    CallDisposition,
    CaseKind,
    CaseStatus,
    PlanStatus,
    Priority,
    Risk,
    Speaker,
    UserRole,
)

PASSWORD = "correct-horse-42"
PASSWORDS = Passwords(CHEAP)
LOGINS = ("admin", "du", "far", "shen", "xun")
DESKTOP, PHONE = ViewportSize(width=1366, height=768), ViewportSize(width=390, height=844)
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
JUDGEMENT = {
    "event": "fall",
    "polarity": "affirmed",
    "time": "now",
    "subject": "self",
    "reasons": ["fall.a: affirmed now self -> urgent"],
}


@dataclass(frozen=True)
class Cast:
    """Ids of the rows that the tests name."""

    county: int = 0
    township: int = 0
    village: int = 0
    village_2: int = 0
    far_township: int = 0
    far_village: int = 0
    visitor: int = 0
    elder: int = 0  # 王桂兰 of 幸福村: fell, urgent case, assigned
    quiet_elder: int = 0  # 李秀英 of 桃园村: heard, nothing wrong
    far_elder: int = 0  # 赵大山 of 临江村: not reached, a case without a visitor
    call: int = 0  # of elder: completed, urgent, three turns
    quiet_call: int = 0
    far_call: int = 0
    live_call: int = 0  # of quiet_elder: in progress
    case: int = 0
    far_case: int = 0


def seed(work: Work) -> Cast:
    add = work.areas.add
    county = add(code="220100000000", name="长青县", level="county").id
    township = add(code="220100101000", name="柳河镇", level="township", parent_id=county).id
    far_township = add(code="220100202000", name="松江乡", level="township", parent_id=county).id
    village = add(code="220100101001", name="幸福村", level="village", parent_id=township).id
    village_2 = add(code="220100101002", name="桃园村", level="village", parent_id=township).id
    far_village = add(code="220100202001", name="临江村", level="village", parent_id=far_township).id
    visitor = work.visitors.add(name="周巡访", phone="13912340009", area_id=village).id
    elder = an_elder(work, area_id=village)
    quiet = an_elder(work, name="李秀英", phone="13812340002", area_id=village_2, address="桃园村一组")
    far = an_elder(
        work, name="赵大山", sex="M", phone="13812340003", area_id=far_village, address="临江村九组"
    )
    plans = [a_plan(work, each) for each in (elder, quiet, far)]
    ended = NOW - 10 * MINUTE
    call = a_call(work, elder, plans[0], intended_at=NOW - 15 * MINUTE, recording="2026/11/a.wav")
    _talk(work, call.id, "我摔倒了，起不来了", Alert.URGENT, JUDGEMENT)
    work.calls.answered(call.id, NOW - 14 * MINUTE)
    work.calls.raise_alert(call.id, Alert.URGENT)
    work.calls.set_risk(call.id, Risk.URGENT)
    work.calls.finish(call.id, ended_at=ended, disposition=CallDisposition.COMPLETED, because="finished")
    quiet_call = a_call(work, quiet, plans[1], intended_at=NOW - 25 * MINUTE)
    _talk(work, quiet_call.id, "挺好的", Alert.NONE, {"answer": "good"})
    work.calls.answered(quiet_call.id, NOW - 24 * MINUTE)
    work.calls.finish(quiet_call.id, ended_at=ended, disposition=CallDisposition.COMPLETED)
    far_call = a_call(work, far, plans[2], intended_at=NOW - 35 * MINUTE)
    work.calls.finish(far_call.id, ended_at=NOW - 34 * MINUTE, disposition=CallDisposition.NO_ANSWER)
    live_call = a_call(work, quiet, None, intended_at=NOW - MINUTE, line="line-1")
    work.calls.answered(live_call.id, NOW)
    for plan, status in zip(plans, (PlanStatus.DONE, PlanStatus.DONE, PlanStatus.ESCALATED), strict=True):
        work.plans.set_status(plan.id, status)
    case = a_case(
        work,
        elder,
        kind=CaseKind.DISTRESS,
        priority=Priority.URGENT,
        opened_at=ended,
        deadline=NOW + timedelta(hours=1),
        summary="老人说摔倒了，起不来",
        call_id=call.id,
        visitor_id=visitor,
        visitor_why="本村巡访员",
        status=CaseStatus.ASSIGNED,
        evidence=[
            {
                "kind": CaseKind.DISTRESS.value,
                "text": "我摔倒了，起不来了",
                "by": "本人",
                "start_s": 6.0,
                "end_s": 8.5,
                "recording": "2026/11/a.wav",
                "reasons": JUDGEMENT["reasons"],
            }
        ],
    )
    far_case = a_case(work, far, opened_at=NOW - timedelta(days=2), deadline=NOW - timedelta(hours=3))
    return Cast(
        county=county,
        township=township,
        village=village,
        village_2=village_2,
        far_township=far_township,
        far_village=far_village,
        visitor=visitor,
        elder=elder.id,
        quiet_elder=quiet.id,
        far_elder=far.id,
        call=call.id,
        quiet_call=quiet_call.id,
        far_call=far_call.id,
        live_call=live_call.id,
        case=case.id,
        far_case=far_case.id,
    )


def _talk(work: Work, call_id: int, said: str, alert: Alert, judgement: dict[str, Any]) -> None:
    lines = (
        (Speaker.SYSTEM, "您好，这里是民政局的自动巡访电话。", 0.5, 5.0, Alert.NONE, {}),
        (Speaker.ELDER, said, 6.0, 8.5, alert, judgement),
        (Speaker.SYSTEM, "好的，我记下了。", 9.0, 10.5, Alert.NONE, {}),
    )
    for seq, (speaker, text, start, end, level, judged) in enumerate(lines, start=1):
        work.turns.add(
            Turn(
                call_id=call_id,
                seq=seq,
                speaker=speaker,
                text=text,
                question="health",
                confidence=None if speaker is Speaker.SYSTEM else 0.82,
                start_s=start,
                end_s=end,
                alert=level,
                judgement=judged,
            )
        )


def seed_users(work: Work, cast: Cast) -> None:
    people: tuple[tuple[str, str, UserRole, int | None, int | None], ...] = (
        ("admin", "何县长", UserRole.COUNTY_ADMIN, None, None),
        ("du", "杜督导", UserRole.SUPERVISOR, cast.township, None),
        ("far", "冯督导", UserRole.SUPERVISOR, cast.far_township, None),
        ("shen", "沈审计", UserRole.AUDITOR, cast.township, None),
        ("xun", "周巡访", UserRole.VISITOR, cast.village, cast.visitor),
    )
    for login, name, role, area_id, visitor_id in people:
        accounts.add(
            work,
            PASSWORDS,
            NOW - timedelta(days=30),
            "user:cli",
            login=login,
            name=name,
            role=role,
            password=PASSWORD,
            area_id=area_id,
            visitor_id=visitor_id,
        )


class Client(TestClient):
    """As a browser on our pages: cookies, same origin, redirects shown instead of followed."""

    def sign_in(self, login: str, password: str = PASSWORD) -> Client:
        answer = self.post("/login", data={"login": login, "password": password})
        assert answer.status_code == 303, answer.text
        return self

    def part(self, url: str, **options: Any) -> Any:
        """As htmx asks for a part of the page."""
        return self.get(url, headers={"HX-Request": "true", "HX-Request-Type": "partial"}, **options)


@dataclass
class Desk:
    store: Store
    clock: FixedClock
    cast: Cast
    config: WebConfig
    _clients: dict[str, Client] = field(default_factory=dict)

    @cached_property
    def app(self) -> Any:
        return create_app(self.store, self.clock, self.config, PASSWORDS)

    def stranger(self) -> Client:
        """A new browser."""
        return Client(
            self.app,
            base_url="https://console.test",
            headers=SAME_ORIGIN,
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def signed_in(self, login: str) -> Client:
        """The same browser each time."""
        if login not in self._clients:
            self._clients[login] = self.stranger().sign_in(login)
        return self._clients[login]

    @property
    def admin(self) -> Client:
        return self.signed_in("admin")

    @property
    def supervisor(self) -> Client:
        return self.signed_in("du")

    @property
    def other_supervisor(self) -> Client:
        return self.signed_in("far")

    @property
    def auditor(self) -> Client:
        return self.signed_in("shen")

    @property
    def visitor(self) -> Client:
        return self.signed_in("xun")


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[Path, Cast]:
    path = tmp_path_factory.mktemp("seeded") / "xunfang.db"
    shutil.copy(sqlite_template, path)
    store = Store(str(path), [SECRET])
    with store.begin() as work:
        cast = seed(work)
        seed_users(work, cast)
    store.close()
    return path, cast


@contextmanager
def opened(seeded: tuple[Path, Cast], folder: Path, *, secure: bool = True) -> Iterator[Desk]:
    template, cast = seeded
    path = folder / "xunfang.db"
    shutil.copy(template, path)
    store = Store(str(path), [SECRET])
    recordings = folder / "recordings"
    config = WebConfig(load_deadlines(), recordings, secure_cookies=secure, live_s=0.05, ledger=LedgerDesk())
    try:
        yield Desk(store, FixedClock(NOW), cast, config)
    finally:
        store.close()


@pytest.fixture
def desk(seeded: tuple[Path, Cast], tmp_path: Path) -> Iterator[Desk]:
    """A console of its own: write as you like."""
    with opened(seeded, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared_desk(seeded: tuple[Path, Cast], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for a module whose tests only read."""
    with opened(seeded, tmp_path_factory.mktemp("desk")) as made:
        yield made


@dataclass
class Counted:
    statements: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return len(self.statements)


@contextmanager
def count_queries(store: Store) -> Iterator[Counted]:
    """SELECT, INSERT, UPDATE, DELETE and WITH sent by this store meanwhile, from whatever thread."""
    counted = Counted()

    def keep(_c: Any, _cursor: Any, statement: str, _v: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            counted.statements.append(statement)

    event.listen(store._engine, "before_cursor_execute", keep)
    try:
        yield counted
    finally:
        event.remove(store._engine, "before_cursor_execute", keep)


# ---- a real browser --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield started
        started.close()


AXE = Axe().axe_script
LOOK = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${JSON.stringify(each.nodes.map((node) => node.target))}`);
}"""


def unfit(page: Page) -> list[str]:
    """What axe-core finds serious or critical on this page: for people who cannot see or point well."""
    if page.evaluate("typeof axe === 'undefined'"):  # half a megabyte: once a page is enough
        page.evaluate(AXE)
    found: list[str] = page.evaluate(LOOK)
    return found


@dataclass
class Screen:
    """A served console and a browser: `page = screen.signed_in("du")`."""

    desk: Desk
    url: str
    browser: Browser
    errors: list[str] = field(default_factory=list)  # of the console of the browser, also CSP violations

    def page(self, *, phone: bool = False, dark: bool = False) -> Page:
        size = PHONE if phone else DESKTOP
        context = self.browser.new_context(
            base_url=self.url,
            viewport=size,
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",  # a colour on its way to another one is neither
            locale="zh-CN",
        )
        page = context.new_page()
        page.set_default_timeout(20_000)  # a busy machine is slow, not wrong
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def signed_in(self, login: str, *, phone: bool = False, dark: bool = False) -> Page:
        page = self.page(phone=phone, dark=dark)
        page.goto("/login")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.click("button:has-text('登录')")
        page.wait_for_url(lambda url: "/login" not in url)
        return page


@pytest.fixture
def screen(seeded: tuple[Path, Cast], tmp_path: Path, browser: Browser) -> Iterator[Screen]:
    """The console of `desk` on a loopback port, and Chromium. Ask `screen.errors` at the end of a test."""
    with opened(seeded, tmp_path, secure=False) as made, Background(made.app, "127.0.0.1", 0) as server:
        shown = Screen(made, server.url, browser)
        yield shown
        for context in browser.contexts:
            context.close()
