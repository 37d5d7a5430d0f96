"""Signing in and out, sessions, throttling, the users' page, and what is shown to whom."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from storage_cast import a_call
from web_kit import PASSWORD, SAME_ORIGIN, Desk, Screen, count_queries, unfit

from storage import Store, Work
from storage.model import Elder
from web.paging import Pager
from web.security.passwords import generate
from web.security.throttle import PER_LOGIN, WINDOW
from xunfang.errors import BadInput
from xunfang.vocabulary import UserRole

pytestmark = pytest.mark.integration

NEW = "another-battery-77"


def sign_in(desk: Desk, login: str, password: str, **more: str) -> Any:
    return desk.stranger().post("/login", data={"login": login, "password": password, **more})


# ---- signing in ------------------------------------------------------------------------------------


def test_a_supervisor_signs_in_sees_his_day_and_signs_out(desk: Desk) -> None:
    client = desk.supervisor
    page = client.get("/")
    assert page.status_code == 200
    assert "柳河镇" in page.text
    assert client.post("/logout").headers["location"] == "/login"
    assert client.get("/").status_code == 404


def test_the_cookie_cannot_be_read_by_scripts_or_sent_in_the_clear(desk: Desk) -> None:
    answer = desk.stranger().post("/login", data={"login": "du", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-xunfang=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie


def test_unknown_wrong_and_disabled_look_alike(desk: Desk) -> None:
    with desk.store.begin() as work:
        shen = work.accounts.by_login("shen")
        assert shen is not None
        work.accounts.update(shen.id, active=False)
    answers = [
        sign_in(desk, login, password)
        for login, password in (("nobody", PASSWORD), ("du", "wrong-wrong-wrong"), ("shen", PASSWORD))
    ]
    texts = {re.sub(r'name="login" value="\w+"', "", answer.text) for answer in answers}
    nonceless = {re.sub(r"autofocus", "", text) for text in texts}
    assert len(nonceless) == 1
    assert "用户名或密码不对" in nonceless.pop()
    assert {answer.status_code for answer in answers} == {401}


@pytest.mark.parametrize("login", ["du", "nobody"])
def test_guessing_is_stopped_and_told_until_when_and_forgiven_after(login: str, desk: Desk) -> None:
    for _ in range(PER_LOGIN):
        assert sign_in(desk, login, "wrong-wrong-wrong").status_code == 401
    stopped = sign_in(desk, login, PASSWORD)
    assert stopped.status_code == 429
    assert "请在11-23 09:15之后再试" in stopped.text
    assert sign_in(desk, "far", PASSWORD).status_code == 303
    desk.clock.move(WINDOW)
    assert sign_in(desk, login, PASSWORD).status_code == (303 if login == "du" else 401)


def test_signing_in_again_forgives_the_slips_before(desk: Desk) -> None:
    for _ in range(3):
        for _ in range(PER_LOGIN - 1):
            sign_in(desk, "du", "wrong-wrong-wrong")
        assert sign_in(desk, "du", PASSWORD).status_code == 303


@pytest.mark.parametrize(
    "next", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:1"]
)
def test_after_signing_in_nobody_is_sent_elsewhere(next: str, desk: Desk) -> None:
    answer = sign_in(desk, "du", PASSWORD, next=next)
    assert answer.headers["location"] == "/"
    assert sign_in(desk, "du", PASSWORD, next="/users").headers["location"] == "/users"


# ---- sessions ---------------------------------------------------------------------------------------


def test_a_session_ends_when_idle_and_at_the_latest_after_its_lifetime(desk: Desk) -> None:
    client = desk.supervisor
    for _ in range(7):  # 7 x 100 minutes: never idle, but too long at last
        desk.clock.move(timedelta(minutes=100))
        assert client.get("/").status_code == 200
    desk.clock.move(timedelta(minutes=100))
    answer = client.get("/account?x=1")
    assert answer.headers["location"] == "/login?next=%2Faccount%3Fx%3D1"
    idle = desk.signed_in("far")
    desk.clock.move(desk.config.idle)
    assert idle.get("/").headers["location"].startswith("/login")


def test_a_part_of_a_page_asks_for_the_whole_page_when_the_session_is_over(desk: Desk) -> None:
    client = desk.supervisor
    desk.clock.move(desk.config.idle)
    answer = client.part("/")
    assert (answer.status_code, answer.headers["hx-refresh"]) == (401, "true")


def test_a_form_sent_too_late_is_kept_and_sent_after_signing_in(desk: Desk) -> None:
    client = desk.admin
    desk.clock.move(desk.config.idle)
    typed = {"login": "wang", "name": '王"督导<b>', "role": "supervisor", "area_code": "220100101000"}
    late = client.post("/users", data=typed)
    assert late.status_code == 401
    assert "已保留" in late.text
    assert "王" not in late.text  # it travels encrypted
    held = re.search(r'name="held" value="([^"]+)"', late.text)
    assert held is not None
    again = client.post("/login", data={"login": "admin", "password": PASSWORD, "held": held[1]})
    assert again.status_code == 200
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', again.text))
    sent = {name: html.unescape(value) for name, value in fields.items()}
    assert sent == typed
    assert 'action="/users"' in again.text
    assert client.post("/users", data=sent).status_code == 200
    with desk.store.read() as work:
        assert work.accounts.by_login("wang") is not None


def test_a_kept_form_is_nobody_elses_and_not_kept_for_ever(desk: Desk) -> None:
    client = desk.admin
    desk.clock.move(desk.config.idle)
    late = client.post("/users", data={"login": "wang", "password_x": "secret", "name": "王"})
    held = re.search(r'name="held" value="([^"]+)"', late.text)
    assert held is not None
    other = sign_in(desk, "far", PASSWORD, held=held[1])
    assert other.status_code == 303
    desk.clock.move(timedelta(hours=1))
    assert sign_in(desk, "admin", PASSWORD, held=held[1]).status_code == 303
    assert sign_in(desk, "admin", PASSWORD, held="forged").status_code == 303


def test_a_new_password_ends_the_sessions_on_other_devices(desk: Desk) -> None:
    here, there = desk.supervisor, desk.stranger().sign_in("du")
    form = {"old_password": PASSWORD, "new_password": NEW, "new_password_again": NEW}
    wrong = here.post("/account/password", data=form | {"old_password": "no"})
    assert "原密码不对" in wrong.text
    assert "不一致" in here.post("/account/password", data=form | {"new_password_again": "x"}).text
    assert here.post("/account/password", data=form).status_code == 303
    assert here.get("/").status_code == 200
    assert there.get("/").headers["location"].startswith("/login")
    assert sign_in(desk, "du", PASSWORD).status_code == 401
    assert sign_in(desk, "du", NEW).status_code == 303


def test_a_made_password_never_holds_the_login_even_one_of_two_letters() -> None:
    made = [generate("du") for _ in range(2000)]  # by chance two dozen of them would
    assert [each for each in made if "du" in each] == []
    assert len(set(made)) == len(made)


def test_the_database_does_not_hold_what_a_cookie_or_a_password_is(desk: Desk) -> None:
    client = desk.supervisor
    token = client.cookies["__Host-xunfang"]
    path = desk.store.url.removeprefix("sqlite:///")
    written = b"".join(Path(path + end).read_bytes() for end in ("", "-wal"))
    assert token.encode() not in written
    assert PASSWORD.encode() not in written
    assert "杜督导".encode() not in written


# ---- requests from elsewhere ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_another_site_cannot_write_in_our_name(headers: dict[str, str], desk: Desk) -> None:
    client = desk.supervisor
    assert client.post("/logout", headers=headers).status_code == 403
    assert client.get("/").status_code == 200


def test_an_old_browser_without_fetch_metadata_is_known_by_its_origin(desk: Desk) -> None:
    client = desk.supervisor
    del client.headers["Sec-Fetch-Site"]
    assert client.post("/logout").status_code == 403
    assert client.post("/logout", headers={"Origin": "https://console.test"}).status_code == 303


def test_every_answer_forbids_inline_scripts_and_framing(shared_desk: Desk) -> None:
    for answer in (shared_desk.supervisor.get("/"), shared_desk.stranger().get("/nothing-here")):
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["strict-transport-security"]
        assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", answer.text)


def test_a_body_that_is_too_large_is_refused_in_plain_words(desk: Desk) -> None:
    big = b"x" * (desk.config.body_bytes + 1)
    answer = desk.supervisor.post("/login", content=big, headers=SAME_ORIGIN)
    assert answer.status_code == 413
    assert "最多40MB" in answer.text


# ---- what is shown ----------------------------------------------------------------------------------


def counts(text: str) -> dict[str, int]:
    found = re.findall(r'class="h1[^"]*">(\d+)</div>\s*<div>([^<]+)</div>', text)
    return {title: int(number) for number, title in found}


def test_the_day_is_counted_for_the_viewers_area_only(shared_desk: Desk) -> None:
    here = counts(shared_desk.supervisor.get("/").text)
    there = counts(shared_desk.other_supervisor.get("/").text)
    county = counts(shared_desk.admin.get("/").text)
    assert (here["本期应访"], here["已访到"], here["今日未接通"], here["未办结案件"]) == (2, 2, 0, 1)
    assert (there["本期应访"], there["已转上门"], there["今日未接通"], there["已超时"]) == (1, 1, 1, 1)
    assert (here["正在通话"], there["正在通话"]) == (1, 0)
    assert all(county[title] == here[title] + there[title] for title in county)
    assert counts(shared_desk.auditor.get("/").text) == here


def test_a_page_costs_the_same_number_of_questions_for_a_county_as_for_a_township(shared_desk: Desk) -> None:
    numbers = []
    for client in (shared_desk.supervisor, shared_desk.other_supervisor):
        client.get("/")
        with count_queries(shared_desk.store) as counted:
            client.get("/")
        numbers.append(counted.number)
    assert numbers[0] == numbers[1] <= 8


def test_the_menu_shows_only_what_the_role_may_open(shared_desk: Desk) -> None:
    assert 'href="/users"' in shared_desk.admin.get("/").text
    assert 'href="/users"' not in shared_desk.supervisor.get("/").text
    assert shared_desk.visitor.get("/").headers["location"] == "/visit"


def test_a_part_of_the_page_is_only_that_part(shared_desk: Desk) -> None:
    part = shared_desk.supervisor.part("/").text
    assert "本期应访" in part
    assert "<html" not in part


# ---- the county's users -----------------------------------------------------------------------------


def add(desk: Desk, **fields: str) -> Any:
    given = {"login": "li", "name": "李督导", "role": "supervisor", "area_code": "220100101000"}
    return desk.admin.post("/users", data=given | fields)


def test_the_county_adds_a_user_whose_password_is_shown_once(desk: Desk) -> None:
    page = add(desk).text
    shown = re.search(r'id="new-password">([^<]+)<', page)
    assert shown is not None
    assert "new-password" not in desk.admin.get("/users").text
    assert sign_in(desk, "li", shown[1]).status_code == 303
    with desk.store.read() as work:
        user = work.accounts.by_login("li")
        assert user is not None
        assert (user.role, user.area_id) == (UserRole.SUPERVISOR, desk.cast.township)
        assert next(entry.kind for entry in work.audit.of(f"account:{user.id}")) == "account.added"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"login": "du"}, "已被使用"),
        ({"login": "李"}, "小写字母"),
        ({"name": ""}, "请填写姓名"),
        ({"role": "king"}, "请选择角色"),
        ({"area_code": "999"}, "没有代码"),
        ({"area_code": ""}, "须指定所管的地区"),
        ({"role": "visitor"}, "须对应台账中的一位巡访员"),
        ({"visitor_id": "x"}, "须为数字"),
        ({"login": "'; DROP TABLE account; --"}, "小写字母"),
    ],
)
def test_what_is_wrong_with_a_new_user_is_said_and_what_was_typed_stays(
    wrong: dict[str, str], told: str, desk: Desk
) -> None:
    answer = add(desk, **wrong)
    assert answer.status_code == 422
    assert told in answer.text
    assert 'value="李督导"' in answer.text or "name" in wrong


def test_a_name_with_html_in_it_is_only_text(desk: Desk) -> None:
    page = add(desk, name="<script>alert(1)</script>").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_disabled_user_is_out_at_once_and_the_last_admin_stays(desk: Desk) -> None:
    supervisor = desk.supervisor
    with desk.store.read() as work:
        du, admin = work.accounts.by_login("du"), work.accounts.by_login("admin")
    assert du is not None
    assert admin is not None
    done = desk.admin.post(f"/users/{du.id}/active", data={})
    assert done.headers["location"] == "/users"
    assert "已停用 du" in desk.admin.get("/users").text
    assert supervisor.get("/").status_code == 404
    assert desk.admin.post(f"/users/{admin.id}/active", data={}).status_code == 409
    desk.admin.post(f"/users/{du.id}/active", data={"active": "1"})
    assert sign_in(desk, "du", PASSWORD).status_code == 303


def test_resetting_a_password_shows_a_new_one_and_ends_the_sessions(desk: Desk) -> None:
    supervisor = desk.supervisor
    with desk.store.read() as work:
        du = work.accounts.by_login("du")
    assert du is not None
    page = desk.admin.post(f"/users/{du.id}/password").text
    shown = re.search(r'id="new-password">([^<]+)<', page)
    assert shown is not None
    assert supervisor.get("/").headers["location"].startswith("/login")
    assert sign_in(desk, "du", shown[1]).status_code == 303


# ---- machines ---------------------------------------------------------------------------------------


def test_health_readiness_and_metrics(desk: Desk) -> None:
    stranger = desk.stranger()
    assert stranger.get("/healthz").text == "ok\n"
    assert stranger.get("/readyz").text == "ready\n"
    assert stranger.get("/metrics").status_code == 404  # "testclient" is no address of this machine
    client = desk.supervisor
    client.get("/")
    text = desk.app.state.house.metrics.text(desk.store, desk.clock.now()).decode()
    assert 'xunfang_cases_open{which="overdue"} 1.0' in text
    assert 'xunfang_web_requests_total{method="GET",route="/",status="200"} 1.0' in text


def test_a_cursor_turns_pages_only_of_its_own_list(sqlite_store: Store) -> None:
    pager = Pager(sqlite_store, "users")
    cursor = pager.cursor("li", 7, None)
    assert pager.key(cursor) == ("li", 7, None)
    assert pager.key("") is None
    for forged in (cursor[:-1] + "0", "x.y", "x", Pager(sqlite_store, "calls").cursor("li", 7, None)):
        if forged != cursor:
            with pytest.raises(BadInput):
                pager.key(forged)


def elder_of(work: Work, id: int) -> Elder:
    elder = work.elders.get(id)
    assert elder is not None
    return elder


# ---- in a real browser ------------------------------------------------------------------------------


def test_a_desk_on_an_office_screen_with_keyboard_help_and_news(screen: Screen) -> None:
    page = screen.signed_in("admin")
    assert page.locator("h1").inner_text() == "今日全县"
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("?")
    assert not page.locator("#help").is_visible()
    page.keyboard.press("g")
    page.keyboard.press("u")
    page.wait_for_url("**/users")
    page.keyboard.press("g")
    page.keyboard.press("h")
    live = page.locator(".card-body:has-text('正在通话') .h1")
    assert live.inner_text() == "1"
    page.wait_for_selector("body[data-live-state=open]")
    with screen.desk.store.begin() as work:
        a_call(work, elder_of(work, screen.desk.cast.elder))
    expect(live).to_have_text("2")
    assert screen.errors == []


def test_light_and_dark_are_kept_and_the_system_decides_before(screen: Screen) -> None:
    page = screen.signed_in("du", dark=True)
    theme = "document.documentElement.dataset.bsTheme"
    assert page.evaluate(theme) == "dark"
    page.click("[data-theme-toggle]")
    assert page.evaluate(theme) == "light"
    page.reload()
    assert page.evaluate(theme) == "light"
    assert screen.errors == []


def test_a_telephone_shows_the_page_without_scrolling_sideways(screen: Screen) -> None:
    page = screen.signed_in("admin", phone=True)
    page.goto("/users")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click(".navbar-toggler")
    page.locator("#menu a[href='/']").click()
    page.wait_for_url("**/")
    assert screen.errors == []


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_serious_is_wrong_for_people_who_see_or_point_badly(dark: bool, screen: Screen) -> None:
    page = screen.signed_in("admin", dark=dark)
    for url in ("/", "/users"):
        page.goto(url)
        assert unfit(page) == [], url
