"""待复核: the queue of flagged calls on the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from storage_cast import MINUTE, NOW, a_call, an_elder
from web_kit import Desk, Screen, count_queries

from storage.model import Turn
from visits.reviewing import flag
from xunfang.vocabulary import Alert, CallDisposition, Priority, ReviewOutcome, Risk, Speaker

pytestmark = pytest.mark.integration


def queued(desk: Desk, **elder: object) -> int:
    """A further flagged call of the supervisor's area."""
    with desk.store.begin() as work:
        who = an_elder(work, **({"area_id": desk.cast.village_2, "phone": "13812349999"} | elder))
        call = a_call(work, who, None, intended_at=NOW - 30 * MINUTE)
        said = Turn(call.id, 1, Speaker.ELDER, "胸口有点闷", "health", 0.7, 1.0, 2.0, Alert.REVIEW, {})
        work.turns.add(said)
        work.calls.raise_alert(call.id, Alert.REVIEW)
        work.calls.finish(call.id, ended_at=NOW - 20 * MINUTE, disposition=CallDisposition.COMPLETED)
        flag(work, call.id, NOW - 20 * MINUTE, desk.config.deadlines)
    return call.id


@pytest.fixture
def queue(desk: Desk) -> Iterator[Desk]:
    """The desk with the urgent call of the cast, and one for a look, in the queue."""
    with desk.store.begin() as work:
        flag(work, desk.cast.call, NOW - 10 * MINUTE, desk.config.deadlines)
    return desk


def shown(page: str) -> list[int]:
    return [int(each) for each in re.findall(r'id="call-(\d+)"', page)]


def counts(page: str) -> list[str]:
    return re.findall(r"-lt ms-1\">([\d+]+)<", page)


def test_urgent_comes_first_with_its_words_and_its_deadline(queue: Desk) -> None:
    look = queued(queue)
    page = queue.supervisor.get("/queue").text
    assert shown(page) == [queue.cast.call, look]
    assert "我摔倒了，起不来了" in page
    assert "剩20分钟" in page
    assert counts(page) == ["0", "2", "1", "2"]  # 我的, 待认领, 即将超时, 全部


def test_another_area_is_not_seen_and_not_touched(queue: Desk) -> None:
    assert shown(queue.other_supervisor.get("/queue").text) == []
    call = queue.cast.call
    for step in ("claim", "release"):
        assert queue.other_supervisor.post(f"/queue/{call}/{step}").status_code == 404
    assert queue.other_supervisor.get(f"/queue?area={queue.cast.village}").status_code == 404
    sent = queue.other_supervisor.post("/queue/assign", data={"call": [call], "to": "far"})
    assert "没有分派" in queue.other_supervisor.get(sent.headers["location"]).text
    with queue.store.read() as work:
        review = work.reviews.get(call)
    assert review is not None
    assert review.claimed_by is None


def test_an_auditor_sees_the_queue_and_no_button_to_change_it(queue: Desk) -> None:
    page = queue.auditor.get("/queue").text
    assert shown(page) == [queue.cast.call]
    assert "认领</button>" not in page
    assert 'id="bulk"' not in page


def test_of_two_who_claim_the_loser_is_told_who_won_and_when(queue: Desk) -> None:
    first = queue.supervisor.post(f"/queue/{queue.cast.call}/claim", data={"back": "/queue?tab=all"})
    assert first.headers["location"] == "/queue?tab=all"
    second = queue.admin.post(f"/queue/{queue.cast.call}/claim")
    page = queue.admin.get(second.headers["location"]).text
    assert "已被杜督导于11-23 09:00认领" in page
    assert counts(queue.supervisor.get("/queue?tab=mine").text) == ["1", "0", "1", "1"]
    with queue.store.read() as work:
        kinds = [(each.actor, each.kind) for each in work.audit.of(f"call:{queue.cast.call}")]
    assert kinds == [("user:du", "review.claimed")]


def test_what_is_released_may_be_claimed_by_another(queue: Desk) -> None:
    queue.supervisor.post(f"/queue/{queue.cast.call}/claim")
    assert queue.admin.post(f"/queue/{queue.cast.call}/release").status_code == 303  # not his: nothing
    with queue.store.read() as work:
        review = work.reviews.get(queue.cast.call)
        assert review is not None
        assert review.claimed_by == "du"
    queue.supervisor.post(f"/queue/{queue.cast.call}/release")
    queue.admin.post(f"/queue/{queue.cast.call}/claim")
    with queue.store.read() as work:
        review = work.reviews.get(queue.cast.call)
    assert review is not None
    assert review.claimed_by == "admin"


def test_handing_over_says_what_was_done_and_names_the_rest(queue: Desk) -> None:
    free, taken, judged = queued(queue), queued(queue), queued(queue)
    far = queued(queue, area_id=queue.cast.far_village)
    queue.supervisor.post(f"/queue/{taken}/claim")
    with queue.store.begin() as work:
        work.reviews.done(judged, "user:du", ReviewOutcome.SEEN, NOW)
    sent = queue.admin.post("/queue/assign", data={"call": [free, taken, judged, far, 999], "to": "du"})
    page = queue.admin.get(sent.headers["location"]).text
    assert "1条已分派给杜督导，4条没有分派" in page
    assert "1条已被杜督导于11-23 09:00认领" in page
    assert "1条杜督导已于11-23 09:00复核完" in page
    assert "1条不在其辖区" in page
    assert "1条不在队列中" in page
    with queue.store.read() as work:
        assert [getattr(work.reviews.get(each), "claimed_by", "") for each in (free, far)] == ["du", None]


def test_filters_stand_in_the_url_and_hold(queue: Desk) -> None:
    look = queued(queue)
    get = queue.supervisor.get
    assert shown(get("/queue?alert=review").text) == [look]
    assert shown(get(f"/queue?area={queue.cast.village}").text) == [queue.cast.call]
    assert shown(get("/queue?disposition=busy").text) == []
    assert "清除筛选" in get("/queue?disposition=busy").text
    assert shown(get("/queue?dialplan=monthly_full").text) == []
    queue.clock.move(timedelta(days=2))
    assert queue.supervisor.get("/queue").status_code in (302, 303)  # signed out meanwhile
    queue.supervisor.sign_in("du")
    assert shown(get("/queue?days=1").text) == []
    assert len(shown(get("/queue?days=7&alert=nonsense&area=x").text)) == 2


def test_a_page_costs_the_same_whatever_its_length_and_goes_on_by_key(queue: Desk) -> None:
    queue.supervisor.get("/queue")
    with count_queries(queue.store) as few:
        queue.supervisor.get("/queue")
    calls = {queued(queue) for _ in range(55)} | {queue.cast.call}
    with count_queries(queue.store) as many:
        page = queue.supervisor.get("/queue").text
    assert many.number == few.number
    first = shown(page)
    assert len(first) == 50
    further = re.search(r'rel="next" href="([^"]+)"', page)
    assert further is not None
    rest = shown(queue.supervisor.get(further[1].replace("&amp;", "&")).text)
    assert set(first) | set(rest) == calls
    assert not set(first) & set(rest)
    assert queue.supervisor.get("/queue?after=bm9uc2Vuc2U.0123456789abcdef").status_code == 400


def test_an_elder_who_moves_takes_his_calls_along(queue: Desk) -> None:
    with queue.store.begin() as work:
        work.elders.update(queue.cast.elder, area_id=queue.cast.far_village)
    assert shown(queue.supervisor.get("/queue").text) == []
    assert shown(queue.other_supervisor.get("/queue").text) == [queue.cast.call]


def test_a_record_at_risk_without_an_alert_is_in_the_queue_too(desk: Desk) -> None:
    with desk.store.begin() as work:
        work.calls.set_risk(desk.cast.quiet_call, Risk.ATTENTION)
        flag(work, desk.cast.quiet_call, NOW, desk.config.deadlines)
        flag(work, desk.cast.far_call, NOW, desk.config.deadlines)  # nothing was said: no review
    page = desk.supervisor.get("/queue").text
    assert shown(page) == [desk.cast.quiet_call]
    assert "记录判为“关注”" in page


def test_a_judged_call_comes_back_only_when_it_grew_graver(queue: Desk) -> None:
    look = queued(queue)
    rules = queue.config.deadlines
    with queue.store.begin() as work:
        work.reviews.done(look, "user:du", ReviewOutcome.JUDGED, NOW)
        flag(work, look, NOW, rules)
        assert getattr(work.reviews.get(look), "done_at", None) == NOW
        work.calls.raise_alert(look, Alert.URGENT)
        flag(work, look, NOW, rules)
        again = work.reviews.get(look)
    assert again is not None
    assert again.done_at is None
    assert again.priority is Priority.URGENT


def test_every_page_of_the_menu_says_how_many_wait_in_the_own_area(queue: Desk) -> None:
    def shown_to(login: str, url: str = "/cases") -> str:
        page = queue.signed_in(login).get(url).text
        (found,) = re.findall(r'data-count="/queue"[^>]*>([^<]*)<', page)
        assert found == queue.signed_in(login).get("/queue/count").text
        return str(found)

    queued(queue, area_id=queue.cast.far_village)
    assert [shown_to(each) for each in ("du", "far", "shen", "admin")] == ["1", "1", "1", "2"]
    assert shown_to("du", "/elders") == "1"
    assert "data-count=" not in queue.visitor.get("/visit").text
    assert queue.visitor.get("/queue/count").status_code == 404
    with queue.store.begin() as work:
        work.reviews.done(queue.cast.call, "user:du", ReviewOutcome.SEEN, NOW)
    assert shown_to("du") == ""


def test_the_count_of_the_menu_is_one_question_however_long_the_queue_is(queue: Desk) -> None:
    queue.supervisor.get("/account")
    with count_queries(queue.store) as few:
        queue.supervisor.get("/account")
    for _ in range(20):
        queued(queue)
    with count_queries(queue.store) as many:
        page = queue.supervisor.get("/account").text
    assert ">21</span>" in page
    assert many.number == few.number
    asked = [each for each in many.statements if "FROM review" in each]
    assert len(asked) == 1
    with count_queries(queue.store) as part:
        queue.supervisor.part("/wall")
    assert not [each for each in part.statements if "FROM review" in each], "a part has no menu"


# ---- in a browser ----------------------------------------------------------------------------------


def test_news_come_by_themselves_and_keys_work(screen: Screen) -> None:
    desk = screen.desk
    page = screen.signed_in("du")
    page.goto("/queue")
    page.wait_for_selector("body[data-live-state=open]")
    elsewhere = page.context.new_page()
    elsewhere.goto("/cases")
    expect(elsewhere.locator('[data-count="/queue"]')).to_have_text("")
    elsewhere.wait_for_selector("body[data-live-state=open]")
    with desk.store.begin() as work:
        flag(work, desk.cast.call, NOW, desk.config.deadlines)
        work.audit.write(NOW, "system", "alert.raised", f"call:{desk.cast.call}", {})
    row = page.locator(f"#call-{desk.cast.call}")
    row.wait_for()
    assert "flash" in (row.get_attribute("class") or "")
    expect(page).to_have_title(re.compile(r"^\(1\)"))
    expect(page.locator('[data-count="/queue"]')).to_have_text("1")
    expect(elsewhere.locator('[data-count="/queue"]')).to_have_text("1")
    page.keyboard.press("j")
    expect(row).to_have_attribute("aria-selected", "true")
    page.keyboard.press("x")
    assert page.inner_text("[data-chosen]") == "已勾选1条"
    look = queued(desk)
    page.locator(f"#call-{look}").wait_for()
    assert page.inner_text("[data-chosen]") == "已勾选1条"  # news take nothing away
    assert row.locator("input[name=call]").is_checked()
    expect(row).to_have_attribute("aria-selected", "true")
    page.keyboard.press("c")
    page.wait_for_selector("#said:has-text('已认领')")
    expect(row).to_have_attribute("aria-selected", "true")  # chosen still, on the page that came back
    page.keyboard.press("c")  # it is ours: not the next one in its place
    page.keyboard.press("x")
    assert page.inner_text("[data-chosen]") == "已勾选1条"
    assert screen.errors == []
    with desk.store.read() as work:
        claims = [getattr(work.reviews.get(each), "claimed_by", "") for each in (desk.cast.call, look)]
    assert claims == ["du", None]


def test_html_in_a_name_is_text(desk: Desk) -> None:
    queued(desk, name="<script>alert(1)</script>")
    page = desk.supervisor.get("/queue").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
