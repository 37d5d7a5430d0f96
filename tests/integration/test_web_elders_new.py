"""新增老人 by a form: judged as a row of an import would be, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

import pytest
from web_kit import Desk, Screen, count_queries, unfit

from storage.model import Elder
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode

pytestmark = pytest.mark.integration
CARD = "11010519491231002X"
VILLAGE, FAR_VILLAGE = "220100101001", "220100202001"
FULL = {
    "name": "孙玉兰",
    "id_card": CARD.lower(),
    "phone": "139 1234 0101",
    "area_code": VILLAGE,
    "address": "幸福村八组",
    "categories": ["living_alone", "advanced_age"],
    "cadence": "月访",
    "windows": "周一至周五 15:00-17:00",
    "hard_of_hearing": "1",
    "note": "门前有狗",
    "contact1.name": "孙强",
    "contact1.relation": "子女",
    "contact1.phone": "13712340001",
    "contact1.same_place": "是",
    "visitor.name": "孙强",
    "visitor.relation": "子女",
    "visitor.phone": "13712340001",
    "consent.phone_visit": "是",
    "consent.phone_visit.date": "2026-11-01",
    "consent.recording": "否",
}


def send(desk: Desk, sent: Mapping[str, object], login: str = "du") -> tuple[int, str, str]:
    answer = desk.signed_in(login).post("/elders/new", data=dict(sent))
    return answer.status_code, answer.headers.get("location", ""), unescape(answer.text)


def found(desk: Desk, phone: str) -> list[Elder]:
    with desk.store.read() as work:
        return work.elders.find_by_phone(phone)


def test_an_elder_added_by_the_form_has_all_that_was_typed_and_no_consent_beyond_it(desk: Desk) -> None:
    status, to, _ = send(desk, FULL)
    (elder,) = found(desk, "13912340101")
    assert (status, to) == (303, f"/elders/{elder.id}")
    assert (elder.name, elder.sex, elder.id_card) == ("孙玉兰", "F", CARD)
    assert str(elder.birth_date) == "1949-12-31"
    assert elder.area_id == desk.cast.village
    assert elder.categories == {Category.LIVING_ALONE, Category.ADVANCED_AGE}
    assert (elder.mode, elder.cadence, elder.dialplan) == (VisitMode.PHONE, Cadence.MONTHLY, "monthly_full")
    assert elder.hard_of_hearing
    with desk.store.read() as work:
        (entry,) = work.ledger.entries([elder])
        (told,) = work.audit.of(f"elder:{elder.id}")
    assert entry.note == "门前有狗"
    (contact,) = entry.contacts
    assert (contact.name, contact.relation, contact.same_place, contact.may_be_told) == (
        "孙强",
        "child",
        True,
        False,
    )
    (visitor,) = entry.visitors
    assert (visitor.name, visitor.area_id) == ("孙强", desk.cast.village)
    said = {purpose: each.granted for purpose, each in entry.consents.items()}
    assert said == {ConsentPurpose.PHONE_VISIT: True, ConsentPurpose.RECORDING: False}
    assert (told.kind, told.actor, told.detail["by"]) == ("elder.created", "user:du", "console")
    assert "姓名" in told.detail["fields"]
    assert CARD not in str(told.detail)
    assert "录入台账" in desk.supervisor.get(to).text


def test_nothing_is_preset_that_only_the_elder_can_say(shared_desk: Desk) -> None:
    page = shared_desk.supervisor.get(f"/elders/new?area={VILLAGE}").text
    assert f'value="{VILLAGE}"' in page
    for purpose in ConsentPurpose:
        options = re.findall(rf'<select[^>]*name="consent\.{purpose.value}"[^>]*>(.*?)</select>', page)
        assert options == ['<option value="">不填</option><option>是</option><option>否</option>']
    assert "selected" not in re.findall(r'name="contact1.may_be_told".*?</select>', page)[0]
    assert "checked" not in page


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("id_card", "110105194912310021", "校验位"),
        ("phone", "12", "号"),
        ("area_code", "999999999999", "没有这个行政区划代码"),
        ("area_code", "", "没有填写"),
        ("area_code", FAR_VILLAGE, "不在您的管辖范围内"),
        ("birth_date", "1950-01-01", "不一致"),
        ("windows", "半夜", "请写成"),
        ("contact2.phone", "1", "号码"),
        ("consent.recording.date", "2099-01-01", ""),
        ("name", "", "没有填写"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_everything_typed_is_kept(
    name: str, typed: str, words: str, shared_desk: Desk
) -> None:
    status, _, page = send(shared_desk, FULL | {name: typed})
    assert status == 422
    wrong = re.findall(rf'id="f-{name.replace(".", "-")}"[^>]*aria-invalid="true"', page)
    assert wrong, re.findall(r"invalid-feedback[^>]*>[^<]*|alert[^>]*>[^<]*", page)
    shown = re.findall(rf'id="e-f-{name.replace(".", "-")}">([^<]*)<', page)
    assert words in shown[0]
    assert f'name="{name}" value="{typed}"' in page
    kept = FULL | {name: typed}
    for key in ("name", "id_card", "phone", "address", "note", "contact1.name", "visitor.phone"):
        assert f'name="{key}" value="{kept[key]}"' in page
    assert re.findall(r'value="living_alone" checked', page)
    assert "<option selected>月访</option>" in page
    assert found(shared_desk, "13912340101") == []


def test_a_contact_without_a_number_is_told(shared_desk: Desk) -> None:
    status, _, page = send(shared_desk, FULL | {"contact2.name": "孙明"})
    assert status == 422
    assert re.findall(r'id="e-f-contact2-name">([^<]*)<', page) == ["姓名和电话都要填"]


def test_somebody_who_is_in_the_ledger_is_shown_and_not_added_twice(desk: Desk) -> None:
    assert send(desk, FULL)[0] == 303
    (elder,) = found(desk, "13912340101")
    for again in (FULL, FULL | {"id_card": "", "sex": "女"}, FULL | {"phone": "13912340999"}):
        status, _, page = send(desk, again)
        assert status == 422
        assert "已有此人" in page
        assert f'href="/elders/{elder.id}"' in page
    assert len(found(desk, "13912340101")) == 1
    shared = {**FULL, "name": "孙大爷", "id_card": "", "sex": "男", "contact1.name": "", "contact1.phone": ""}
    shared |= {"contact1.relation": "", "contact1.same_place": ""}
    assert send(desk, shared)[0] == 303, "a telephone may be shared"


def test_of_somebody_known_elsewhere_not_even_that_is_told(desk: Desk) -> None:
    with desk.store.begin() as work:
        work.elders.update(desk.cast.far_elder, id_card=CARD)
    status, _, page = send(desk, FULL)
    assert status == 422
    assert "不在您的管辖范围内" in page
    assert "已有此人" not in page
    assert f"编号 {desk.cast.far_elder}" not in page
    status, _, page = send(desk, FULL, "admin")
    assert status == 422
    assert f'href="/elders/{desk.cast.far_elder}"' in page
    assert found(desk, "13912340101") == []


def test_the_form_is_only_for_the_desk(shared_desk: Desk) -> None:
    for login, status in (("du", 200), ("admin", 200), ("shen", 404), ("xun", 404)):
        assert shared_desk.signed_in(login).get("/elders/new").status_code == status, login
    assert shared_desk.supervisor.get(f"/elders/new?area={FAR_VILLAGE}").status_code == 404
    page = shared_desk.supervisor.get("/elders/new").text
    assert "柳河镇幸福村" in page
    assert "临江村" not in page
    assert 'href="/elders/new"' in shared_desk.admin.get("/elders").text
    assert 'href="/elders/new' not in shared_desk.auditor.get("/elders").text


def test_adding_asks_the_same_number_of_questions_in_a_large_county(desk: Desk) -> None:
    desk.supervisor.get("/elders/new")
    with count_queries(desk.store) as few:
        desk.supervisor.get("/elders/new")
    with desk.store.begin() as work:
        for at in range(40):
            code = f"2201001011{at:02d}"
            work.areas.add(code=code, name=f"第{at}村", level="village", parent_id=desk.cast.township)
    with count_queries(desk.store) as many:
        desk.supervisor.get("/elders/new")
    assert many.number == few.number


def test_an_old_hand_adds_an_elder_with_the_keyboard_and_is_told_what_is_wrong(screen: Screen) -> None:
    page = screen.signed_in("du", phone=True, dark=True)
    page.goto("/elders/new")
    page.fill("#f-name", "孙玉兰")
    page.fill("#f-id_card", CARD[:-1] + "1")
    page.fill("#f-area_code", VILLAGE)
    page.locator("#f-id_card").press("Enter")
    page.wait_for_selector("[aria-invalid]")
    assert unfit(page) == []
    page.fill("#f-id_card", CARD)
    page.locator("#f-id_card").press("Enter")
    page.wait_for_url(re.compile(r"/elders/[0-9]+$"))
    assert "孙玉兰" in page.inner_text("h1")
    assert [each for each in screen.errors if "422" not in each] == []
