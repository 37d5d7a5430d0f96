"""老人: the list, the page of one elder, changes to him. The ledger's rules are the real ones."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from html import unescape

import pytest
from storage_cast import DAY, NOW, an_elder
from web_kit import Desk, count_queries

from storage import Store
from storage.model import Elder
from xunfang.vocabulary import Category, CommandResult, ConsentPurpose, Risk, VisitMode

pytestmark = pytest.mark.integration
CARD = "11010519491231002X"


def url(desk: Desk, rest: str = "") -> str:
    return f"/elders/{desk.cast.elder}{rest}"


def elder_of(store: Store, id: int) -> Elder:
    with store.read() as work:
        found = work.elders.get(id)
    assert found is not None
    return found


def kinds(desk: Desk, id: int | None = None) -> list[str]:
    with desk.store.read() as work:
        return [each.kind for each in work.audit.of(f"elder:{id or desk.cast.elder}")]


def form(desk: Desk, page: str = "") -> dict[str, object]:
    """What a browser would send back of the edit page, untouched."""
    html = page or desk.supervisor.get(url(desk, "/edit")).text
    sent: dict[str, object] = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input[^>]*name="([^"]+)"[^>]*?value="([^"]*)"', html)
        if name not in ("categories", "hard_of_hearing")
    }
    sent["categories"] = re.findall(r'name="categories" value="([^"]+)" checked', html)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)">(.*?)</select>', html, re.DOTALL):
        sent[name] = (re.findall(r"<option selected>([^<]*)", options) or [""])[0]
    return sent


# ---- seeing ---------------------------------------------------------------------------------------


def test_the_list_shows_only_the_viewers_area_and_no_whole_number(shared_desk: Desk) -> None:
    page = shared_desk.supervisor.get("/elders").text
    assert "王桂兰" in page
    assert "李秀英" in page
    assert "赵大山" not in page
    assert "138****0001" in page
    assert "13812340001" not in page
    assert "赵大山" in shared_desk.admin.get("/elders").text
    code = "220100101002"
    village = shared_desk.supervisor.get(f"/elders?area={code}").text
    assert "李秀英" in village
    assert "王桂兰" not in village
    assert shared_desk.supervisor.get("/elders?area=220100202001").status_code == 404
    assert "没有这个区划" in shared_desk.supervisor.get("/elders?area=x'--").text


def test_an_elder_of_another_area_does_not_exist(shared_desk: Desk) -> None:
    far = shared_desk.cast.far_elder
    for path in ("", "/edit", "/risk.json", "/plate.pdf"):
        assert shared_desk.supervisor.get(f"/elders/{far}{path}").status_code == 404, path
    posts = ("/edit", "/reveal", "/consent", "/pause", "/resume", "/active", "/contacts", "/call", "/plate")
    sent = {
        "field": "phone",
        "purpose": "recording",
        "granted": "yes",
        "source": "paper",
        "reason": "住院",
        "until": "2026-12-01",
        "why": "x",
        "name": "王",
        "relation": "子女",
        "phone": "13812340077",
        "step": "issue",
    }
    for path in posts:
        status = shared_desk.supervisor.post(f"/elders/{far}{path}", data=sent).status_code
        assert status == (400 if path == "/edit" else 404), path
    assert kinds(shared_desk, far) == []


def test_the_list_asks_the_same_number_of_questions_for_few_and_for_many(desk: Desk) -> None:
    desk.supervisor.get("/elders")
    with count_queries(desk.store) as few:
        desk.supervisor.get("/elders")
    with desk.store.begin() as work:
        for at in range(60):
            elder = an_elder(work, phone=f"1391234{at:04d}", area_id=desk.cast.village)
            work.records.put(
                elder_id=elder.id,
                plan_id=None,
                call_id=None,
                mode=VisitMode.ON_SITE,
                visited_at=NOW - DAY,
                fields={},
            )
    with count_queries(desk.store) as many:
        page = desk.supervisor.get("/elders").text
    assert many.number == few.number
    assert page.count("data-row id=") == 50
    following = unescape(re.findall(r'rel="next" href="([^"]+)"', page)[0])
    assert desk.supervisor.get(following).text.count("data-row id=") == 12


def test_search_finds_by_exact_number_only_and_only_in_the_own_area(desk: Desk) -> None:
    with desk.store.begin() as work:
        work.elders.update(desk.cast.elder, id_card=CARD)
        work.contacts.add(elder_id=desk.cast.quiet_elder, position=1, name="李强", phone="13600000009")

    def search(number: str) -> tuple[int, str, str]:
        answer = desk.supervisor.post("/elders/search", data={"number": number})
        return answer.status_code, answer.headers.get("location", ""), answer.text

    assert search("138 1234 0001")[:2] == (303, f"/elders/{desk.cast.elder}")
    assert search("11010519491231002x")[:2] == (303, f"/elders/{desk.cast.elder}")
    assert search("13600000009")[:2] == (303, f"/elders/{desk.cast.quiet_elder}")
    for unknown in ("13812340003", "1381234", "王桂兰", "' OR 1=1 --"):
        status, _, text = search(unknown)
        assert status == 200
        assert "没有登记这个号码" in text
    assert search("")[0] == 422
    with desk.store.begin() as work:
        work.elders.update(desk.cast.quiet_elder, phone="13812340001")
    assert "查到 2 位" in search("13812340001")[2]


def test_the_page_of_an_elder_has_all_of_him_but_no_whole_number(desk: Desk) -> None:
    with desk.store.begin() as work:
        work.elders.update(desk.cast.elder, id_card=CARD, windows=("mon-fri 15:00-17:00",))
        work.contacts.add(
            elder_id=desk.cast.elder, position=1, name="王小明", relation="child", phone="13700000001"
        )
        work.consents.add(desk.cast.elder, ConsentPurpose.RECORDING, True, NOW - DAY, "paper")
        work.consents.add(desk.cast.elder, ConsentPurpose.RECORDING, False, NOW, "visitor")
    for client in (desk.supervisor, desk.auditor, desk.admin):
        page = client.get(url(desk)).text
        for shown in ("王桂兰", "独居", "王小明", "子女", "周巡访", "周一至周五 15:00-17:00", "138****0001"):
            assert shown in page
        assert "不同意通话录音" in page
        assert "历次意愿（2）" in page
        assert "第1次拨打，完成，报警：紧急" in page
        for number in (CARD, "13812340001", "13700000001"):
            assert number not in page
    assert "显示联系电话" not in desk.auditor.get(url(desk)).text
    assert desk.visitor.get(url(desk)).status_code == 404


def test_the_timeline_is_paged_by_key_and_in_order_with_a_fixed_number_of_questions(desk: Desk) -> None:
    with desk.store.begin() as work:
        for day in range(45):
            work.records.put(
                elder_id=desk.cast.elder,
                plan_id=None,
                call_id=None,
                mode=VisitMode.ON_SITE,
                visited_at=NOW - (day % 15) * DAY,
                fields={},
                risk=Risk.ATTENTION,
                reasons=(f"理由{day}号",),
            )
    at, seen, counts = url(desk), list[str](), list[int]()
    client = desk.supervisor
    while at:
        with count_queries(desk.store) as counted:
            page = client.get(at).text
        counts.append(counted.number)
        seen += re.findall(r"理由\d+号", page.partition('id="timeline"')[2].partition("col-lg-5")[0])
        found = re.findall(r'rel="next" href="([^"]+)"', page)
        at = unescape(found[0]) if found else ""
    assert len(seen) == len(set(seen)) == 45
    days = [int(each[2:-1]) % 15 for each in seen]
    assert days == sorted(days)
    assert len(counts) == 3
    assert max(counts) - min(counts) <= 3  # kinds that a page has nothing of are not asked for
    assert desk.supervisor.get(url(desk, "?before=forged")).status_code == 400


def test_the_trend_counts_each_record_from_the_oldest_on(desk: Desk) -> None:
    with desk.store.begin() as work:
        for day, risk in ((3, Risk.NORMAL), (1, Risk.URGENT)):
            work.records.put(
                elder_id=desk.cast.elder,
                plan_id=None,
                call_id=None,
                mode=VisitMode.PHONE,
                visited_at=NOW - day * DAY,
                fields={},
                risk=risk,
            )
    found = desk.auditor.get(url(desk, "/risk.json")).json()
    assert found["levels"] == ["正常", "关注", "紧急"]
    assert [(each["day"], each["level"]) for each in found["points"]] == [
        ("2026-11-20", 0),
        ("2026-11-22", 2),
    ]


def test_seeing_a_number_is_on_record_before_it_is_seen(desk: Desk) -> None:
    part = {"HX-Request": "true"}
    shown = desk.supervisor.post(url(desk, "/reveal"), data={"field": "phone"}, headers=part)
    assert "13812340001" in shown.text
    assert 'data-hide-after="30"' in shown.text
    assert kinds(desk) == ["number.revealed"]
    plain = desk.supervisor.post(url(desk, "/reveal"), data={"field": "phone"})
    assert plain.status_code == 303
    assert "13812340001" not in plain.headers["location"]
    assert "13812340001" in desk.supervisor.get(url(desk)).text
    assert desk.supervisor.post(url(desk, "/reveal"), data={"field": "id_card"}).status_code == 404
    assert desk.supervisor.post(url(desk, "/reveal"), data={"field": "name"}).status_code == 404
    assert kinds(desk) == ["number.revealed"] * 2


# ---- changing --------------------------------------------------------------------------------------


def test_an_edit_is_written_and_its_audit_tells_no_personal_value(desk: Desk) -> None:
    sent = form(desk) | {
        "phone": "+86 139 1234 5678",
        "address": "桃园村九号",
        "cadence": "月访",
        "categories": ["living_alone"],
        "windows": "周一至周五 15点-17点",
        "note": "门口有狗",
        "hard_of_hearing": "1",
    }
    answer = desk.supervisor.post(url(desk, "/edit"), data=sent)
    assert answer.status_code == 303, answer.text
    after = elder_of(desk.store, desk.cast.elder)
    assert (after.phone, after.address, after.dialplan) == ("13912345678", "桃园村九号", "monthly_full")
    assert after.windows == ("mon-fri 15:00-17:00",)
    assert after.categories == {Category.LIVING_ALONE}
    assert after.hard_of_hearing
    with desk.store.read() as work:
        (entry,) = work.audit.of(f"elder:{desk.cast.elder}")
        assert work.elders.find_by_phone("13912345678")[0].id == desk.cast.elder
    said = json.dumps(entry.detail, ensure_ascii=False)
    assert entry.actor == "user:du"
    assert entry.detail["fields"]["频次"] == "周访→月访"
    assert entry.detail["fields"]["联系电话"] == "已修改"
    for personal in ("139", "桃园", "有狗", "幸福村三组"):
        assert personal not in said


def test_saving_an_untouched_form_changes_nothing(desk: Desk) -> None:
    before = elder_of(desk.store, desk.cast.elder)
    assert desk.supervisor.post(url(desk, "/edit"), data=form(desk)).status_code == 303
    assert elder_of(desk.store, desk.cast.elder) == before
    assert kinds(desk) == []


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("phone", "1381234", "手机号应为 11 位"),
        ("id_card", "110105194912310021", "校验位不对"),
        ("windows", "25:00-26:00", "不存在的时刻"),
        ("windows", "11:00-09:00", "结束早于开始"),
        ("birth_date", "2030-01-01", "在今天之后"),
        ("area_code", "999999999999", "没有这个行政区划代码"),
        ("area_code", "220100202001", "不在您的管辖范围内"),
        ("name", "", "不能清空"),
        ("name", "<script>alert(1)</script>" * 3, "超过 50 个字"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    desk: Desk, field: str, typed: str, said: str
) -> None:
    before = elder_of(desk.store, desk.cast.elder)
    answer = desk.supervisor.post(url(desk, "/edit"), data=form(desk) | {field: typed, "note": "别丢了我"})
    assert answer.status_code == 422
    assert said in answer.text
    again = form(desk, answer.text)
    assert again["note"] == "别丢了我"
    assert again[field] == typed
    assert "<script>alert" not in answer.text
    assert elder_of(desk.store, desk.cast.elder) == before


def test_another_elders_id_card_is_refused(desk: Desk) -> None:
    with desk.store.begin() as work:
        work.elders.update(desk.cast.quiet_elder, id_card=CARD)
    answer = desk.supervisor.post(url(desk, "/edit"), data=form(desk) | {"id_card": CARD})
    assert answer.status_code == 422
    assert "已登记此号码" in answer.text


def test_of_two_who_edit_at_once_only_the_same_field_is_asked_about_and_nothing_is_lost(desk: Desk) -> None:
    mine, theirs = form(desk), form(desk)
    assert desk.admin.post(url(desk, "/edit"), data=theirs | {"note": "他写的"}).status_code == 303
    answer = desk.supervisor.post(url(desk, "/edit"), data=mine | {"address": "新地址"})
    assert answer.status_code == 303  # another field: both stand
    mine["note"] = "我写的"
    clash = desk.supervisor.post(url(desk, "/edit"), data=mine)
    assert clash.status_code == 409
    assert "他写的" in clash.text
    again = form(desk, clash.text)
    assert again["note"] == "我写的"
    assert desk.supervisor.post(url(desk, "/edit"), data=again).status_code == 303
    page = desk.supervisor.get(url(desk)).text
    assert "我写的" in page
    assert "新地址" in page


def test_a_form_of_another_elder_or_a_forged_one_is_refused(desk: Desk) -> None:
    other = form(desk, desk.supervisor.get(f"/elders/{desk.cast.quiet_elder}/edit").text)
    assert desk.supervisor.post(url(desk, "/edit"), data=other).status_code == 400
    assert desk.supervisor.post(url(desk, "/edit"), data=form(desk) | {"seen": "x"}).status_code == 400


def test_consent_is_given_and_withdrawn_with_its_source(desk: Desk) -> None:
    def say(granted: str, source: str = "paper") -> int:
        sent = {"purpose": "recording", "granted": granted, "source": source}
        return desk.supervisor.post(url(desk, "/consent"), data=sent).status_code

    assert say("yes") == 303
    assert say("yes") == 409
    assert say("no", "phone") == 303
    assert say("no", "hearsay") == 422
    with desk.store.read() as work:
        found = [(each.granted, each.source) for each in work.consents.of(desk.cast.elder)]
        assert not work.consents.current(desk.cast.elder, ConsentPurpose.RECORDING)
    assert found == [(True, "paper"), (False, "phone")]
    assert kinds(desk) == ["consent.given", "consent.withdrawn"]


def test_a_pause_needs_a_reason_and_an_end_and_says_when_it_is_over(desk: Desk) -> None:
    def pause(reason: str, until: str) -> int:
        return desk.supervisor.post(url(desk, "/pause"), data={"reason": reason, "until": until}).status_code

    for reason, until in (("", "2026-12-01"), ("住院", ""), ("住院", "2026-11-22"), ("住院", "2036-01-01")):
        assert pause(reason, until) == 422
    assert pause("住院", "2026-12-01") == 303
    assert elder_of(desk.store, desk.cast.elder).paused_until == date(2026, 12, 1)
    assert "暂停至12-01" in desk.supervisor.get(url(desk)).text
    desk.clock.move(timedelta(days=9))
    assert "暂停已于12-01到期" in desk.stranger().sign_in("du").get(url(desk)).text
    client = desk.stranger().sign_in("du")
    assert client.post(url(desk, "/resume")).status_code == 303
    assert client.post(url(desk, "/resume")).status_code == 409
    assert elder_of(desk.store, desk.cast.elder).paused_until is None
    assert kinds(desk) == ["elder.paused", "elder.resumed"]


def test_who_died_or_moved_away_is_stopped_with_a_reason(desk: Desk) -> None:
    assert desk.supervisor.post(url(desk, "/active"), data={"why": ""}).status_code == 422
    assert desk.supervisor.post(url(desk, "/active"), data={"why": "迁出"}).status_code == 303
    assert not elder_of(desk.store, desk.cast.elder).active
    assert desk.supervisor.post(url(desk, "/active"), data={"why": "又"}).status_code == 409
    assert desk.supervisor.post(url(desk, "/active"), data={"why": "迁回", "active": "1"}).status_code == 303
    assert kinds(desk) == ["elder.stopped", "elder.started"]


def test_contacts_are_added_corrected_and_moved_up(desk: Desk) -> None:
    def put(path: str, **sent: str) -> int:
        given = {"name": "王小明", "relation": "子女", "phone": "13700000001"} | sent
        return desk.supervisor.post(url(desk, f"/contacts{path}"), data=given).status_code

    assert put("") == 303
    assert put("", name="张邻居", relation="邻居", phone="0431-88881234", may_be_told="1") == 303
    assert put("", phone="12") == 422
    with desk.store.read() as work:
        first, second = work.contacts.of(desk.cast.elder)
    assert (second.relation, second.phone, second.may_be_told) == ("neighbour", "043188881234", True)
    assert put(f"/{first.id}", phone="", may_be_told="1") == 303
    assert put(f"/{second.id}/up") == 303
    assert put("/9999/up") == 404
    assert put("/9999") == 404
    with desk.store.read() as work:
        found = [(each.id, each.phone, each.may_be_told) for each in work.contacts.of(desk.cast.elder)]
        audit = work.audit.of(f"elder:{desk.cast.elder}")
    assert found == [(second.id, "043188881234", True), (first.id, "13700000001", True)]
    assert [each.kind for each in audit] == ["contact.added"] * 2 + ["contact.changed", "contact.moved"]
    assert "1370000" not in json.dumps([each.detail for each in audit])


def test_a_call_can_be_asked_for_also_where_there_never_was_one(desk: Desk) -> None:
    with desk.store.begin() as work:
        new = an_elder(work, phone="13812340055", area_id=desk.cast.village)
        mute = an_elder(work, phone="", area_id=desk.cast.village)
    assert desk.supervisor.post(f"/elders/{new.id}/call").status_code == 303
    assert desk.supervisor.post(f"/elders/{mute.id}/call").status_code == 409
    assert "等待拨号机" in desk.supervisor.get(f"/elders/{new.id}").text
    with desk.store.begin() as work:
        (made,) = work.commands.waiting(dialler_id=1, since=NOW - DAY)
        assert (made.elder_id, made.call_id) == (new.id, None)
        assert work.commands.take(made.id, NOW)
        work.commands.answer(made.id, CommandResult.NO_CONSENT)
    assert "没有同意电话巡访" in desk.supervisor.get(f"/elders/{new.id}").text
    assert kinds(desk, new.id) == ["call.asked"]
