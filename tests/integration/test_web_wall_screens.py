"""大屏登录: what a screen's session opens, how long, and what ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from test_web_access import _routes, _url
from test_web_wall import danger, says
from web_kit import Client, Desk, Screen, unfit

from web.access import PUBLIC_PATHS, SAFE_METHODS
from web.security.sessions import KEEP_ENDED
from xunfang.vocabulary import UserRole

pytestmark = pytest.mark.integration
OF_THE_DESK, OF_THE_WALL = "__Host-xunfang", "__Host-xunfang-wall"


def opened(desk: Desk, login: str = "du", label: str = "一楼值班室") -> Client:
    """A browser that somebody made a screen."""
    screen = desk.stranger().sign_in(login)
    answer = screen.post("/wall/screens", data={"label": label})
    assert answer.headers["location"] == "/wall?view=screen"
    return screen


def listed(client: Client) -> list[str]:
    """The values of the buttons that end a screen."""
    return [
        part.partition('"')[0] for part in client.get("/wall/screens").text.split('name="screen" value="')[1:]
    ]


def test_a_screen_opens_the_wall_and_its_news_and_nothing_else(desk: Desk) -> None:
    screen = opened(desk)
    assert set(screen.cookies) == {OF_THE_WALL}
    asked = 0
    for route in _routes(desk):
        for method in sorted(route.methods):
            if route.path in PUBLIC_PATHS or (route.path in ("/wall", "/live") and method in SAFE_METHODS):
                continue
            assert screen.request(method, _url(route)).status_code == 404, f"{method} {route.path}"
            asked += 1
    assert asked > 50
    assert screen.get("/wall").status_code == 200


def test_a_screen_shows_what_a_supervisor_sees_there_and_leads_nowhere(desk: Desk) -> None:
    says(desk, desk.cast.live_call, 1, "今天挺好的")
    danger(desk, desk.cast.quiet_elder, desk.cast.live_call)
    page = opened(desk).get("/wall?view=screen").text
    assert "今天挺好的" in page
    assert "紧急未接警" in page
    assert "柳河镇" in page
    for word in ('href="/', "退出", "菜单", "杜督导"):
        assert word not in page.partition("<body")[2], word
    assert 'data-wall="screen"' in opened(desk).get("/wall").text
    far = opened(desk, "far").get("/wall").text
    assert "今天挺好的" not in far


def test_whoever_opens_a_screen_is_signed_out_there(desk: Desk) -> None:
    browser = desk.stranger().sign_in("du")
    token = browser.cookies[OF_THE_DESK]
    browser.post("/wall/screens", data={"label": "值班室"})
    thief = desk.stranger()
    thief.cookies.set(OF_THE_DESK, token)
    assert thief.get("/").headers["location"].startswith("/login")


def test_a_screens_token_is_no_session_of_the_desk_nor_the_other_way_round(desk: Desk) -> None:
    wall = opened(desk).cookies[OF_THE_WALL]
    thief = desk.stranger()
    thief.cookies.set(OF_THE_DESK, wall)
    assert thief.get("/").status_code == 404
    assert thief.get("/wall").status_code == 404
    ours = desk.stranger().sign_in("du").cookies[OF_THE_DESK]
    other = desk.stranger()
    other.cookies.set(OF_THE_WALL, ours)
    assert other.get("/wall").status_code == 404


def test_a_screen_stays_for_its_days_without_being_idle_and_then_signs_in_again(desk: Desk) -> None:
    screen = opened(desk)
    desk.clock.move(desk.config.wall_lifetime - timedelta(minutes=1))
    desk.stranger().sign_in("far")  # what is over is removed with a sign-in: not this
    assert screen.get("/wall?view=screen").status_code == 200
    desk.clock.move(timedelta(minutes=1))
    assert screen.get("/wall?view=screen").headers["location"] == "/login?next=%2Fwall%3Fview%3Dscreen"
    assert screen.part("/wall").headers["hx-refresh"] == "true"
    assert listed(desk.signed_in("admin")) == []
    desk.clock.move(KEEP_ENDED + timedelta(minutes=1))
    desk.stranger().sign_in("far")
    assert screen.get("/wall").status_code == 404


def test_a_screen_is_ended_from_the_list_by_those_who_see_it_and_both_is_audited(desk: Desk) -> None:
    screen = opened(desk, label="<b>大厅</b>")
    assert listed(desk.other_supervisor) == []
    (which,) = listed(desk.supervisor)
    assert listed(desk.admin) == [which]
    assert "&lt;b&gt;大厅" in desk.admin.get("/wall/screens").text
    assert desk.other_supervisor.post("/wall/screens/end", data={"screen": which}).status_code == 404
    assert screen.get("/wall").status_code == 200
    assert desk.supervisor.post("/wall/screens/end", data={"screen": which}).status_code == 303
    assert screen.get("/wall").headers["location"].startswith("/login")
    assert desk.supervisor.post("/wall/screens/end", data={"screen": which}).status_code == 404
    with desk.store.read() as work:
        du = work.accounts.by_login("du")
        assert du is not None
        told = {(each.kind, each.actor) for each in work.audit.of(f"account:{du.id}")}
    assert told >= {("wall.screen_opened", "user:du"), ("wall.screen_ended", "user:du")}


def test_a_screen_ends_with_the_account_that_opened_it(desk: Desk) -> None:
    for change in ({"active": False}, {"role": UserRole.AUDITOR}):
        screen = opened(desk)
        with desk.store.begin() as work:
            du = work.accounts.by_login("du")
            assert du is not None
            work.accounts.update(du.id, **change)
        assert screen.get("/wall").status_code == 404, change
        with desk.store.begin() as work:
            work.accounts.update(du.id, active=True, role=UserRole.SUPERVISOR)
    screen = opened(desk)
    with desk.store.read() as work:
        du = work.accounts.by_login("du")
    assert du is not None
    desk.admin.post(f"/users/{du.id}/password")
    assert screen.get("/wall").headers["location"].startswith("/login")


def test_a_screen_must_say_where_it_hangs(desk: Desk) -> None:
    for label in ("", "长" * 51):
        answer = desk.supervisor.post("/wall/screens", data={"label": label})
        assert answer.status_code == 422
        assert "位置" in answer.text
    assert desk.supervisor.get("/").status_code == 200
    assert desk.auditor.get("/wall/screens").status_code == 404


def test_on_the_wall_it_goes_back_to_the_sign_in_when_it_is_ended(screen: Screen) -> None:
    page = screen.signed_in("du", dark=True)
    page.goto("/wall/screens")
    page.fill("#f-label", "一楼值班室")
    page.click("button:has-text('开启大屏')")
    page.wait_for_selector("body[data-live-state=open]")
    assert page.locator("#board").get_attribute("data-wall") == "screen"
    assert unfit(page) == []
    admin = screen.desk.admin
    (which,) = listed(admin)
    assert admin.post("/wall/screens/end", data={"screen": which}).status_code == 303
    danger(screen.desk, screen.desk.cast.quiet_elder)  # news: it asks, and hears that it is over
    page.wait_for_selector("#login")
    assert [each for each in screen.errors if "401" not in each] == []
