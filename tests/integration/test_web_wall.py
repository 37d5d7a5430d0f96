"""实时, 值班, 来电记录: who sees what, what rings and what stops it, what a wall costs."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from storage_cast import MINUTE, NOW, a_call, a_case, an_elder
from web_kit import Desk, Screen, count_queries, unfit

from scheduler.hours import HoursConfig
from storage.model import Dialler, Turn
from visits import duty, handling
from visits.life import Actor, Order, Role
from visits.model import CaseDraft
from visits.reminders import remind_due
from visits.service import open_case
from xunfang.vocabulary import (
    Alert,
    CallDisposition,
    CallerKind,
    CaseKind,
    CaseStatus,
    CaseStep,
    DiallerState,
    Priority,
    Speaker,
)

pytestmark = pytest.mark.integration


def a_dialler(desk: Desk, *, silent: timedelta = timedelta(seconds=3), breaker: str = "closed") -> int:
    with desk.store.begin() as work:
        seen = NOW - silent
        row = Dialler(
            0, "pc/7", "pc-1", 7, "b", "trunk", DiallerState.RUNNING, NOW, seen, 30, 24, 5, 42.0, breaker
        )
        return work.diallers.register(row).id


def says(desk: Desk, call_id: int, seq: int, text: str) -> None:
    with desk.store.begin() as work:
        work.turns.add(Turn(call_id, seq, Speaker.ELDER, text, "health", 0.8, 1.0, 2.0, Alert.NONE, {}))


def danger(desk: Desk, elder_id: int, call_id: int | None = None, text: str = "我胸口疼") -> int:
    evidence = {"kind": CaseKind.DISTRESS.value, "text": text, "by": "本人", "call_id": call_id}
    draft = CaseDraft(
        elder_id,
        CaseKind.DISTRESS,
        Priority.URGENT,
        desk.clock.now() + timedelta(minutes=30),
        text,
        (evidence,),
    )
    with desk.store.begin() as work:
        return open_case(work, draft, desk.clock.now()).id


def ringing(page: str) -> tuple[int, int | None]:
    """How many ring, and which case does so now."""
    found = re.search(r'data-ringing="(\d+)"(?: data-case="(\d+)")?', page)
    assert found is not None
    return int(found[1]), int(found[2]) if found[2] else None


# ---- 实时 ------------------------------------------------------------------------------------------


def test_the_wall_shows_calls_with_their_last_words_to_those_who_may_hear_them(desk: Desk) -> None:
    says(desk, desk.cast.live_call, 1, "您好")
    says(desk, desk.cast.live_call, 2, "今天挺好的")
    page = desk.supervisor.get("/wall").text
    assert f'id="live-{desk.cast.live_call}"' in page
    assert "李奶奶" in page
    assert "桃园村" in page
    assert "今天挺好的" in page
    assert "李秀英" not in page  # a wall is read by everybody in the room
    assert "您好</" not in page.split('id="board"')[1]
    assert "今天挺好的" not in desk.auditor.get("/wall").text
    assert desk.visitor.get("/wall").status_code == 404


def test_another_area_sees_neither_the_call_nor_its_words(desk: Desk) -> None:
    says(desk, desk.cast.live_call, 1, "今天挺好的")
    page = desk.other_supervisor.get("/wall").text
    assert "今天挺好的" not in page
    assert "现在没有通话" in page


def test_a_lost_dialler_and_an_open_breaker_are_named(desk: Desk) -> None:
    assert "没有拨号机在运行" in desk.supervisor.get("/wall").text
    a_dialler(desk)
    page = desk.supervisor.get("/wall").text
    assert "pc-1" in page
    assert "台拨号机异常" not in page
    assert "正常" in page
    a_dialler(desk, silent=timedelta(minutes=5))
    a_dialler(desk, breaker="open")
    page = desk.supervisor.get("/wall").text
    assert "失联" in page
    assert "线路已断开" in page
    assert "2台拨号机异常" in page


def test_channels_are_counted_against_the_trunk(desk: Desk) -> None:
    token = a_dialler(desk)
    with desk.store.begin() as work:
        work.channels.provide("trunk", 30)
        for _ in range(2):
            work.channels.take("trunk", 30, token, NOW)
    object.__setattr__(desk.config, "channels", 30)
    assert "2/30" in desk.supervisor.get("/wall").text


def test_the_missing_holiday_table_is_said_on_the_wall(desk: Desk) -> None:
    desk.clock.move(timedelta(days=20 * 365))
    desk.supervisor.sign_in("du")
    from scheduler.calendar import Calendar, ClosedDays

    object.__setattr__(desk.config, "hours", HoursConfig(closed=ClosedDays(Calendar())))
    assert "节假日表" in desk.supervisor.get("/wall").text


def test_many_screens_cost_one_set_of_questions(desk: Desk) -> None:
    clients = [desk.supervisor, desk.auditor]  # the same area
    for each in clients:
        each.get("/wall")
    desk.app.state.house.live.look()  # a piece of news
    with count_queries(desk.store) as first:
        clients[0].part("/wall")
    with count_queries(desk.store) as second:
        clients[1].part("/wall")
        clients[1].part("/wall")
    assert first.number > 8
    assert second.number <= 4  # only who is asking


def test_the_wall_costs_the_same_whatever_the_number_of_calls(desk: Desk) -> None:
    desk.supervisor.get("/wall")
    with count_queries(desk.store) as few:
        desk.supervisor.get("/wall")
    with desk.store.begin() as work:
        for number in range(30):
            who = an_elder(work, area_id=desk.cast.village, phone=f"138123{number:05}")
            call = a_call(work, who, None)
            work.turns.add(Turn(call.id, 1, Speaker.ELDER, "好", "health", 0.8, 1.0, 2.0, Alert.NONE, {}))
            a_case(work, who, kind=CaseKind.DISTRESS, priority=Priority.URGENT)
    with count_queries(desk.store) as many:
        page = desk.supervisor.get("/wall").text
    assert len(re.findall(r'id="live-\d', page)) == 31
    assert "紧急未接警 31 件" in page
    assert many.number == few.number


# ---- 值班 ------------------------------------------------------------------------------------------


def test_an_urgent_case_rings_until_somebody_accepts_and_the_next_one_follows(desk: Desk) -> None:
    second = danger(desk, desk.cast.quiet_elder)
    assert ringing(desk.supervisor.get("/duty").text) == (2, desk.cast.case)
    assert ringing(desk.admin.get("/duty").text)[0] == 2  # the far one is not urgent
    sent = desk.supervisor.post(f"/duty/{desk.cast.case}/accept")
    assert "您已接警" in desk.supervisor.get(sent.headers["location"]).text
    for each in (desk.supervisor, desk.admin):  # on all screens
        assert ringing(each.get("/duty").text) == (1, second)
    page = desk.supervisor.get("/duty").text
    assert "杜督导" in page
    assert "接受期限" in page
    with desk.store.read() as work:
        heard = [each for each in work.audit.of(f"case:{desk.cast.case}") if each.kind == duty.ACCEPTED]
    assert [(each.actor, each.at) for each in heard] == [("user:du", NOW)]


def test_of_two_who_accept_at_once_the_other_is_told_who_won(desk: Desk) -> None:
    desk.supervisor.post(f"/duty/{desk.cast.case}/accept")
    answer = desk.admin.post(
        f"/duty/{desk.cast.case}/accept", headers={"HX-Request": "true", "HX-Request-Type": "partial"}
    )
    assert answer.status_code == 200
    assert "已由杜督导于11-23 09:00接警" in answer.text
    with desk.store.read() as work:
        kinds = [each.kind for each in work.audit.of(f"case:{desk.cast.case}")]
    assert kinds.count(duty.ACCEPTED) == 1


def test_hearing_it_is_not_going_there_the_escalation_goes_on_and_rings_again(desk: Desk) -> None:
    desk.supervisor.post(f"/duty/{desk.cast.case}/accept")
    with desk.store.read() as work:
        before = work.cases.get(desk.cast.case)
    assert before is not None
    assert before.status is CaseStatus.ASSIGNED
    assert before.level is None
    desk.clock.move(timedelta(hours=1))
    remind_due(desk.store, desk.clock, desk.config.deadlines)
    with desk.store.read() as work:
        after = work.cases.get(desk.cast.case)
    assert after is not None
    assert after.level is not None
    assert ringing(desk.supervisor.get("/duty").text) == (1, desk.cast.case)


def test_a_new_danger_of_the_same_elder_rings_again_a_wish_does_not(desk: Desk) -> None:
    case = danger(desk, desk.cast.quiet_elder)
    desk.supervisor.post(f"/duty/{desk.cast.case}/accept")
    desk.supervisor.post(f"/duty/{case}/accept")
    wish = CaseDraft(
        desk.cast.quiet_elder,
        CaseKind.REQUEST,
        Priority.NORMAL,
        NOW + timedelta(days=1),
        "想要助餐",
        ({"kind": "request", "text": "想要助餐", "call_id": 1},),
    )
    with desk.store.begin() as work:
        open_case(work, wish, NOW)
    assert ringing(desk.supervisor.get("/duty").text) == (0, None)
    danger(desk, desk.cast.quiet_elder, desk.cast.quiet_call, "喘不上气")
    assert ringing(desk.supervisor.get("/duty").text) == (1, case)


def test_a_visitor_who_accepts_silences_it_too(desk: Desk) -> None:
    with desk.store.begin() as work:
        order = Order(CaseStep.ACCEPT, Actor(Role.VISITOR, str(desk.cast.visitor)))
        handling.handle(work, desk.cast.case, order, NOW, desk.config.deadlines)
    assert ringing(desk.supervisor.get("/duty").text) == (0, None)
    sent = desk.supervisor.post(f"/duty/{desk.cast.case}/accept")
    assert "已经不响" in desk.supervisor.get(sent.headers["location"]).text


def test_another_area_neither_rings_nor_accepts(desk: Desk) -> None:
    assert ringing(desk.other_supervisor.get("/duty").text) == (0, None)
    assert desk.other_supervisor.post(f"/duty/{desk.cast.case}/accept").status_code == 404
    assert desk.auditor.get("/duty").status_code == 404
    assert ringing(desk.supervisor.get("/duty").text)[0] == 1


def test_the_bell_sounds_after_one_click_and_stops_on_all_screens(screen: Screen) -> None:
    desk = screen.desk
    first, second = screen.signed_in("du"), screen.signed_in("admin", phone=True)
    for page in (first, second):
        page.goto("/duty")
        page.wait_for_selector("body[data-live-state=open]")
        page.wait_for_selector("html[data-ring=quiet]")  # nobody has allowed it to sound yet
        page.click("[data-enable]")
        page.wait_for_selector("html[data-ring=sounding]")
        expect(page).to_have_title(re.compile("请接警"))
        assert unfit(page) == []
    first.keyboard.press("a")
    for page in (first, second):
        page.wait_for_selector("html[data-ring=off]")
    first.wait_for_selector("text=您已接警")
    danger(desk, desk.cast.quiet_elder)  # the page has stayed the same: it may sound at once
    for page in (first, second):
        page.wait_for_selector("html[data-ring=sounding]")
    assert screen.errors == []


# ---- 来电记录 --------------------------------------------------------------------------------------


def rang(desk: Desk, kind: CallerKind, phone: str, elder_id: int | None = None, missed: bool = False) -> int:
    with desk.store.begin() as work:
        return work.incoming.add(
            rang_at=NOW, kind=kind, phone=phone, elder_id=elder_id, missed=missed, ended_at=NOW + MINUTE
        ).id


def shown(page: str) -> set[int]:
    return {int(each) for each in re.findall(r'id="in-(\d+)"', page)}


def test_callers_are_masked_and_seen_by_those_to_whom_they_belong(desk: Desk) -> None:
    own = rang(desk, CallerKind.ELDER, "13812340001", desk.cast.elder)
    house = rang(desk, CallerKind.HOUSEHOLD, "13812340002")  # the number of 李秀英 of 桃园村
    far = rang(desk, CallerKind.ELDER, "13812340003", desk.cast.far_elder)
    stranger = rang(desk, CallerKind.STRANGER, "13700001111", missed=True)
    page = desk.supervisor.get("/wall/callers").text
    assert shown(page) == {own, house}
    assert "138****0001" in page
    assert "13812340001" not in page
    assert shown(desk.other_supervisor.get("/wall/callers").text) == {far}
    page = desk.admin.get("/wall/callers").text
    assert shown(page) == {own, house, far, stranger}
    assert "没有接上" in page
    assert desk.visitor.get("/wall/callers").status_code == 404


def test_showing_a_number_is_audited_and_kept_from_others(desk: Desk) -> None:
    stranger = rang(desk, CallerKind.STRANGER, "13700001111", missed=True)
    assert "13700001111" in desk.admin.post(f"/wall/callers/{stranger}/number").text
    with desk.store.read() as work:
        told = [(each.actor, each.kind) for each in work.audit.of(f"incoming:{stranger}")]
    assert told == [("user:admin", "number.shown")]
    assert desk.supervisor.post(f"/wall/callers/{stranger}/number").status_code == 404
    assert desk.auditor.post(f"/wall/callers/{stranger}/number").status_code == 404
    assert "13700001111" not in desk.admin.get("/wall/callers").text


def test_callers_go_on_by_key(desk: Desk) -> None:
    desk.admin.get("/wall/callers")
    with count_queries(desk.store) as few:
        desk.admin.get("/wall/callers")
    all_of_them = {rang(desk, CallerKind.STRANGER, f"1370000{n:04}") for n in range(55)}
    with count_queries(desk.store) as many:
        page = desk.admin.get("/wall/callers").text
    assert many.number == few.number
    further = re.search(r'rel="next" href="([^"]+)"', page)
    assert further is not None
    assert len(shown(page)) == 50
    assert shown(page) | shown(desk.admin.get(further[1].replace("&amp;", "&")).text) == all_of_them


# ---- in a browser ----------------------------------------------------------------------------------


def test_words_come_to_the_wall_by_themselves(screen: Screen) -> None:
    desk = screen.desk
    page = screen.signed_in("du")
    for view in ("screen", "compact"):
        page.goto(f"/wall?view={view}")
        page.wait_for_selector("body[data-live-state=open]")
        assert unfit(page) == []
    says(desk, desk.cast.live_call, 1, "我在看电视呢")
    page.wait_for_selector("text=我在看电视呢")
    with desk.store.begin() as work:
        work.calls.finish(desk.cast.live_call, ended_at=NOW, disposition=CallDisposition.COMPLETED)
    page.wait_for_selector("text=现在没有通话")
    assert screen.errors == []
