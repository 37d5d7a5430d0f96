"""The page 接口: tokens are shown once, endpoints and what was not delivered are seen."""

from __future__ import annotations

import re

import pytest
from api_kit import Api
from web_kit import Desk, Screen, unfit

from visits import webhooks
from visits.notices import NEVER

pytestmark = pytest.mark.integration


def test_a_token_is_shown_once_works_and_ends_at_once(desk: Desk) -> None:
    answer = desk.admin.post(
        "/interfaces/tokens", data={"name": "county-desk", "scope": ["elders:read", "cases:read"]}
    )
    found = re.search(r'id="new-secret">(xf_[^<]+)<', answer.text)
    assert found is not None
    client = Api(desk, found[1])
    assert client.get("/elders").status_code == 200
    assert client.get("/fleet").status_code == 403
    page = desk.admin.get("/interfaces").text
    assert found[1] not in page
    assert f"…{found[1][-4:]}" in page
    with desk.store.read() as work:
        token = work.api_tokens.named("county-desk")
    assert token is not None
    assert desk.admin.post(f"/interfaces/tokens/{token.id}/revoke").status_code == 303
    assert client.get("/elders").status_code == 401


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "A B", "scope": "admin"}, "小写字母"),
        ({"name": "good"}, "请至少选择一项权限"),
        ({"name": "good", "scope": "everything"}, "不认识的权限"),
        ({"name": "good", "scope": "admin", "area_code": "999999999999"}, "没有代码为"),
    ],
)
def test_what_is_wrong_is_said_above_the_form(shared_desk: Desk, given: dict[str, str], said: str) -> None:
    answer = shared_desk.admin.post("/interfaces/tokens", data=given)
    assert answer.status_code == 422
    assert said in answer.text


def test_an_endpoint_is_added_tested_and_removed_and_its_dead_letter_sent_again(desk: Desk) -> None:
    url = "http://127.0.0.1:9/hook"  # nobody listens there
    given = {"hook_name": "县平台", "url": url, "event": ["case.opened"]}
    assert "密钥" in desk.admin.post("/interfaces/webhooks", data=given).text
    now = desk.clock.now()
    with desk.store.begin() as work:
        hook = webhooks.named(work, "县平台")
        assert hook.events == ("case.opened",)
        notice = work.notices.add(
            kind="case.opened",
            to=f"webhook:{hook.id}",
            title="t",
            body="b",
            created_at=now,
            next_at=now + NEVER,
        )
        work.notices.failed(notice.id, "webhook answered 503", now + NEVER)
    assert desk.admin.post(f"/interfaces/webhooks/{hook.id}/test").status_code == 303
    page = desk.admin.get("/interfaces").text
    assert "没有送达" in page
    assert f'data-dead="{notice.id}"' in page
    desk.admin.post(f"/interfaces/dead/{notice.id}/send")
    assert "data-dead" not in desk.admin.get("/interfaces").text
    desk.admin.post(f"/interfaces/webhooks/{hook.id}/remove")
    assert "县平台 已移除" in desk.admin.get("/interfaces").text


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)])
def test_the_page_fits_and_everybody_can_use_it(screen: Screen, phone: bool, dark: bool) -> None:
    with screen.desk.store.begin() as work:
        now = screen.desk.clock.now()
        hook = webhooks.add(work, "县平台", "https://county.example/hook", ["case.opened"], "user:admin", now)
        lost = work.notices.add(
            kind="case.opened", to=f"webhook:{hook.id}", title="", body="", created_at=now
        )
        work.notices.failed(lost.id, "webhook answered 503", now + NEVER)
    page = screen.signed_in("admin", phone=phone, dark=dark)
    page.goto("/interfaces")
    page.fill("#add-token #f-name", "county-desk")
    page.check("input[value='cases:read']")
    page.click("text=生成令牌")
    page.wait_for_selector("#new-secret")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert unfit(page) == []
    assert screen.errors == []
