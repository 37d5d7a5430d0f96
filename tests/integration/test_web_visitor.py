"""The visitor's pages as a browser asks for them: whose cases, the door, the form, the time bank."""

from __future__ import annotations

import io
import stat
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from PIL import Image
from storage_cast import NOW, a_case, an_elder
from web_kit import PASSWORD, PASSWORDS, Client, Desk, count_queries

from storage import Work
from storage.files import Kept, SealedFiles
from visits import handling, life, plates, service, timebank
from visits.life import Actor, Order, Role
from web.pages import visitor as pages
from web.security import accounts
from xunfang.vocabulary import (
    CaseStatus,
    CaseStep,
    DoorPhotoKind,
    PointKind,
    Risk,
    UserRole,
    VisitMode,
)

pytestmark = pytest.mark.integration
VISITOR = "visitor:1"
HERE = {"latitude": "43.9000", "longitude": "125.3000", "accuracy": "20"}
FAR = {"latitude": "43.9300", "longitude": "125.3000", "accuracy": "20"}  # 3.3 km north
CALLED = {
    "visit_mode": "电话问候",
    "family_size": "无变化",
    "expression": "未现场核实",
    "mobility": "无变化",
    "illness": "未能确认",
    "illness_name": "本次未询问",
    "mood": "较差",
    "gas": "安全",
    "water_heating": "安全",
    "electricity": "安全",
    "fire": "本次未询问",
    "personal_hygiene": "未现场核实",
    "home_hygiene": "未现场核实",
    "rooms": "未现场核实",
    "needs": "助餐",
    "advice": "上门陪伴，关注情绪",
    "baseline": {"mobility": "usual", "mood": "bad"},
}


@pytest.fixture
def door(desk: Desk) -> Desk:
    """The elder's call has filled in a form, and a plate hangs at her door."""
    with desk.store.begin() as work:
        seed_record(work, desk)
        plates.issue(work, desk.cast.elder, "user:du", NOW)
    return desk


def seed_record(work: Work, desk: Desk) -> None:
    work.records.put(
        elder_id=desk.cast.elder,
        plan_id=None,
        call_id=desk.cast.call,
        mode=VisitMode.PHONE,
        visited_at=NOW - timedelta(minutes=9),
        fields=CALLED,
        risk=Risk.URGENT,
    )


def code_of(desk: Desk, elder_id: int | None = None) -> str:
    with desk.store.read() as work:
        elder_id = elder_id or desk.cast.elder
        return work.plates.valid([elder_id])[elder_id].path.removeprefix("/v/")


def scan(desk: Desk, **more: str) -> Any:
    url = f"/visit/cases/{desk.cast.case}/door"
    return desk.visitor.post(url, data={"code": code_of(desk), **more})


def a_form(desk: Desk, key: str = "key-1", **more: str) -> dict[str, str]:
    vault = desk.store.vault
    given = {
        "key": key,
        "case_id": str(desk.cast.case),
        "ticket": vault.sign(pages.TICKET, f"{desk.cast.case}:{desk.cast.visitor}"),
        "filled_at": NOW.isoformat(),
        "condition": "normal",
        "note": "已送医检查，无大碍，子女已到",
        "f_expression": "无变化",
        "f_rooms": "较差",
    }
    return given | more


def send(desk: Desk, client: Client | None = None, files: Any = None, **more: Any) -> Any:
    client = client or desk.visitor
    return client.post(
        "/visit/forms", data=a_form(desk, **more), files=files, headers={"Accept": "application/json"}
    )


def a_photo(size: tuple[int, int] = (2400, 1200), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "JPEG", **options)
    return out.getvalue()


def add_visitor(desk: Desk, login: str, **fields: Any) -> tuple[int, Client]:
    with desk.store.begin() as work:
        given: dict[str, Any] = {"name": "钱巡访", "area_id": desk.cast.village} | fields
        visitor = work.visitors.add(**given)
        accounts.add(
            work, PASSWORDS, NOW, "user:cli", login=login, name="钱巡访", role=UserRole.VISITOR,
            password=PASSWORD, visitor_id=visitor.id,
        )  # fmt: skip
    return visitor.id, desk.signed_in(login)


# ---- whose cases -----------------------------------------------------------------------------------


def test_urgent_cases_come_first_and_only_ones_own_are_shown(desk: Desk) -> None:
    with desk.store.begin() as work:
        other = an_elder(work, name="孙玉芬", phone="13812349999", area_id=desk.cast.village)
        a_case(
            work, other, visitor_id=desk.cast.visitor, deadline=NOW - timedelta(days=1), summary="想要助餐"
        )
    text = desk.visitor.get("/visit").text
    assert text.index("王奶奶") < text.index("孙奶奶")
    assert "赵" not in text, "another visitor's"
    assert "138****0001" not in text
    assert "13812340001" not in text, "numbers stand on the page of one case only"


def test_the_list_costs_the_same_for_one_case_and_for_many(desk: Desk) -> None:
    desk.visitor.get("/visit")
    with count_queries(desk.store) as one:
        desk.visitor.get("/visit")
    with desk.store.begin() as work:
        for number in range(60):
            elder = an_elder(work, name="孙玉芬", phone=f"1391234{number:04}", area_id=desk.cast.village)
            a_case(work, elder, visitor_id=desk.cast.visitor)
    with count_queries(desk.store) as many:
        first = desk.visitor.get("/visit").text
    assert many.number == one.number
    assert first.count("data-case=") == 50
    after = first.split('href="/visit?after=')[1].split('"')[0]
    rest = desk.visitor.get(f"/visit?after={after}").text
    assert rest.count("data-case=") == 11


def test_another_visitors_case_does_not_exist(desk: Desk) -> None:
    _, stranger = add_visitor(desk, "qian")
    for url in (f"/visit/cases/{desk.cast.case}", f"/visit/cases/{desk.cast.far_case}"):
        assert stranger.get(url).status_code == 404
    assert stranger.post(f"/visit/cases/{desk.cast.case}/door", data={"why": "没有门牌"}).status_code == 404


def test_a_child_sees_its_own_parent_only_even_when_another_case_was_given_to_it(desk: Desk) -> None:
    child, client = add_visitor(desk, "erzi", kind="child", elder_id=desk.cast.quiet_elder)
    with desk.store.begin() as work:
        quiet = work.elders.get(desk.cast.quiet_elder)
        assert quiet is not None
        own = a_case(work, quiet, visitor_id=child, summary="想要助餐")
        work.cases.set_visitor(desk.cast.case, child, "弄错了")
    text = client.get("/visit").text
    assert "李奶奶" in text
    assert "王奶奶" not in text
    assert client.get(f"/visit/cases/{own.id}").status_code == 200
    assert client.get(f"/visit/cases/{desk.cast.case}").status_code == 404


def test_why_and_by_when_are_said_in_plain_words(desk: Desk) -> None:
    text = desk.visitor.get(f"/visit/cases/{desk.cast.case}").text
    assert "本人：“我摔倒了，起不来了”" in text
    assert "请在 11-23 10:00 前上门" in text
    assert 'href="tel:13812340001"' in text
    assert "fall.a" not in text


def test_accepting_and_setting_out_are_steps_of_the_case(desk: Desk) -> None:
    url = f"/visit/cases/{desk.cast.case}/step"
    assert desk.visitor.post(url, data={"step": "accept"}).status_code == 303
    assert (
        desk.visitor.post(url, data={"step": "start"}).headers["location"] == f"/visit/cases/{desk.cast.case}"
    )
    with desk.store.read() as work:
        assert handling.get(work, desk.cast.case).status is CaseStatus.ON_THE_WAY
    assert desk.visitor.post(url, data={"step": "refuse"}).status_code == 422, "says why"
    assert desk.visitor.post(url, data={"step": "assign"}).status_code == 422
    assert desk.visitor.post(url, data={"step": "refuse", "note": "家里有急事"}).status_code == 303


# ---- the door --------------------------------------------------------------------------------------


def test_what_the_call_had_said_is_not_shown_before_the_door(door: Desk) -> None:
    page = door.visitor.get(f"/visit/cases/{door.cast.case}").text
    assert "助餐" not in page
    assert "关注情绪" not in page
    assert scan(door).status_code == 303
    page = door.visitor.get(f"/visit/cases/{door.cast.case}").text
    assert "助餐" in page
    assert 'data-row-key="needs" data-open="false"' in page
    assert 'data-row-key="rooms" data-open="true"' in page
    assert 'data-row-key="illness" data-open="true"' in page


def test_the_plate_leads_to_the_elders_case(door: Desk) -> None:
    page = door.visitor.get(f"/v/{code_of(door)}")
    assert page.status_code == 200
    assert f'action="/visit/cases/{door.cast.case}/door"' in page.text


def test_a_forged_a_revoked_and_another_houses_plate_say_what_is_wrong(door: Desk) -> None:
    right = code_of(door)
    forged = door.visitor.get(f"/v/{right[:-1]}{'0' if right[-1] != '0' else '1'}")
    assert forged.status_code == 404
    assert "不是本系统发放的门牌" in forged.text
    with door.store.begin() as work:
        plates.issue(work, door.cast.quiet_elder, "user:du", NOW)
        plate = work.plates.valid([door.cast.elder])[door.cast.elder]
        plates.revoke(work, plate.id, "user:du", "门牌丢失", NOW)
    revoked = door.visitor.get(f"/v/{right}")
    assert "已经作废" in revoked.text
    other = door.visitor.get(f"/v/{code_of(door, door.cast.quiet_elder)}")
    assert other.status_code == 404
    assert "没有这位老人的上门任务" in other.text
    assert "李" not in other.text
    with door.store.read() as work:
        kinds = [each.detail["because"] for each in work.audit.of(f"plate:{plate.id}")]
        assert kinds == ["revoked"]
        assert [each.kind for each in work.audit.of("plate:0")] == ["plate.refused"]


def test_the_first_scan_teaches_where_the_house_stands_and_a_far_one_needs_a_reason(door: Desk) -> None:
    assert scan(door, **HERE).status_code == 303
    with door.store.read() as work:
        assert work.doorstep.place(door.cast.elder) == (43.9, 125.3)
    far = scan(door, **FAR)
    assert far.status_code == 422
    assert "距老人家约" in far.text
    assert scan(door, why="老人在卫生院，到那里看的", **FAR).status_code == 303
    with door.store.read() as work:
        entry = work.doorstep.entry(door.cast.case, door.cast.visitor, NOW - timedelta(hours=1))
        assert entry is not None
        assert entry.scanned
        assert 3300 < (entry.distance_m or 0) < 3400
        assert entry.why.endswith("老人在卫生院，到那里看的")


def test_without_the_plate_a_reason_opens_the_record_and_reaches_the_supervisor(door: Desk) -> None:
    url = f"/visit/cases/{door.cast.case}/door"
    assert door.visitor.post(url, data={"why": "没牌"}).status_code == 422
    assert door.visitor.post(url, data={"why": "门牌被雨水泡坏，扫不出来"}).status_code == 303
    assert send(door).status_code == 200
    listed = door.supervisor.get("/doorstep?unscanned=true").text
    assert "门牌被雨水泡坏" in listed
    told = [each["text"] for each in service.show(door.store, door.cast.case)["history"]]
    assert any("未扫门牌打开记录" in each and "扫不出来" in each for each in told)
    assert any(each.startswith("提交现场记录表") for each in told)


# ---- the form --------------------------------------------------------------------------------------


def test_the_form_closes_the_case_writes_the_record_and_earns_points(door: Desk) -> None:
    scan(door, **HERE)
    files = [
        ("photo", ("a.jpg", a_photo(exif=exif()), "image/jpeg")),
        ("elder_signature", ("s.png", a_signature(), "image/png")),
    ]
    more: dict[str, Any] = {"f_mood": "无变化", "why_mood": "现场看精神不错", "f_illness": "无变化"}
    answer = send(door, files=files, **more)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outcome"] == "closed"
    assert answer.json()["points"] == 20, "distress 15, urgent 5"
    with door.store.read() as work:
        case = handling.get(work, door.cast.case)
        record = work.records.latest(door.cast.elder)
        form = work.doorstep.forms_of_case(case.id)[0]
        pictures = work.doorstep.photos_of(form.id)
        assert case.status is CaseStatus.CLOSED
        assert case.disposition_note.startswith("已送医检查")
        assert case.visited_at == NOW
        assert record is not None
        assert record.mode is VisitMode.ON_SITE
        assert record.fields["visit_mode"] == "上门探访"
        assert record.fields["mobility"] == "无变化", "as the call had it"
        assert record.fields["fire"] == "本次未询问", "nobody looked: nothing is made up"
        assert record.fields["baseline"]["rooms"] == "bad"
        assert record.fields["baseline"]["mood"] == "usual", "corrected against the time before the call"
        assert record.risk is Risk.ATTENTION
        assert form.corrections == {"mood": {"was": "较差", "now": "无变化", "why": "现场看精神不错"}}
        assert [each.kind for each in pictures] == [DoorPhotoKind.PHOTO, DoorPhotoKind.ELDER_SIGNATURE]
        assert work.points.total(door.cast.visitor) == 20
    kept = door.config.photos_folder / pictures[0].file
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert b"\xff\xd8" not in kept.read_bytes()[:64], "encrypted"
    data = SealedFiles(kept.parent).get(Kept(pictures[0].file, pictures[0].secret))
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (800, 1600), "made smaller, and upright as the camera had said"
        assert not image.getexif()
    assert door.supervisor.get(f"/doorstep/photos/{pictures[0].id}").content == data
    shown = door.supervisor.get(f"/doorstep/{form.id}").text
    assert "现场看精神不错" in shown
    for client in (door.other_supervisor, door.visitor):
        assert client.get(f"/doorstep/photos/{pictures[0].id}").status_code == 404
        assert client.get(f"/doorstep/{form.id}").status_code == 404
    with door.store.read() as work:
        seen = [each for each in work.audit.of(f"elder:{door.cast.elder}") if each.kind == "photo.seen"]
    assert len(seen) == 1


def exif() -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = 6  # turned by 90 degrees
    made[0x010F] = "a maker"
    return made


def a_signature() -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (300, 120), (0, 0, 0, 0)).save(out, "PNG")
    return out.getvalue()


def test_a_form_sent_twice_is_one_form_and_gets_the_first_answer(door: Desk) -> None:
    scan(door)
    files = [("photo", ("a.jpg", a_photo((40, 40)), "image/jpeg"))]
    first, second = send(door, files=files), send(door, files=files)
    assert first.json()["again"] is False
    assert second.json() == first.json() | {"again": True}
    with door.store.read() as work:
        assert len(work.doorstep.forms_of_case(door.cast.case)) == 1
        assert len(work.records.of_elder(door.cast.elder)) == 2, "the call's and this one"
        assert len(work.points.of(door.cast.visitor, 10)) == 1
    assert len(list(door.config.photos_folder.iterdir())) == 1


def test_a_form_without_the_door_having_been_opened_brings_its_own_code(door: Desk) -> None:
    assert send(door).status_code == 400, "neither a plate nor a reason"
    where: dict[str, Any] = {"code": code_of(door), **HERE}
    answer = send(door, **where)
    assert answer.status_code == 200, answer.text
    assert "已扫门牌" in door.supervisor.get("/doorstep").text


def test_a_plate_scanned_without_network_far_away_or_revoked_since_is_taken_and_told(door: Desk) -> None:
    with door.store.begin() as work:
        work.doorstep.set_place(door.cast.elder, 43.9, 125.3, "user:du", NOW)
    where: dict[str, Any] = {"code": code_of(door), **FAR}
    with door.store.begin() as work:
        plate = work.plates.valid([door.cast.elder])[door.cast.elder]
        plates.revoke(work, plate.id, "user:du", "门牌丢失", NOW)
    assert send(door, **where).json()["outcome"] == "closed"
    listed = door.supervisor.get("/doorstep?unscanned=true").text
    assert "已经作废" in listed
    assert "未说明原因" in listed


def test_a_case_that_was_opened_again_after_the_visit_can_be_filled_in_again(door: Desk) -> None:
    scan(door)
    assert send(door, done="later").json()["outcome"] == "visited"
    assert "data-form" not in door.visitor.get(f"/visit/cases/{door.cast.case}").text
    with door.store.begin() as work:
        case = handling.get(work, door.cast.case)
        assert work.cases.advance(case, life.opened_again(case, NOW), NOW)
    assert "data-form" in door.visitor.get(f"/visit/cases/{door.cast.case}").text
    assert send(door, key="key-2").json()["outcome"] == "closed"


def test_a_blind_form_corrects_what_the_call_had_said_without_asking_why(door: Desk) -> None:
    answer = send(door, why="没有网络，门牌脱落", blind="1", f_mobility="较差")
    assert answer.status_code == 200, answer.text
    with door.store.read() as work:
        form = work.doorstep.forms_of_case(door.cast.case)[0]
    assert form.corrections["mobility"]["why"] == "现场填写时未看到电话记录"


def test_a_correction_without_a_reason_is_not_taken_and_nothing_is_stored(door: Desk) -> None:
    scan(door)
    answer = send(door, f_mobility="较差")
    assert answer.status_code == 400
    assert "更正“行动能力”须写明原因" in answer.json()["said"]
    assert send(door, f_gas="很好", why_gas="x").status_code == 400, "not on the form"
    assert send(door, note="").status_code == 400
    with door.store.read() as work:
        assert work.doorstep.forms_of_case(door.cast.case) == []
        assert handling.get(work, door.cast.case).status is CaseStatus.ASSIGNED


def test_a_case_closed_meanwhile_keeps_the_form_as_a_supplementary_record(door: Desk) -> None:
    scan(door)
    with door.store.begin() as work:
        order = Order(CaseStep.CLOSE, Actor(Role.SUPERVISOR, "du"), "电话核实是误报")
        handling.handle(work, door.cast.case, order, NOW, door.config.deadlines)
    answer = send(door).json()
    assert answer["outcome"] == "supplementary"
    assert "督导du" in answer["said"]
    assert "补充记录" in answer["said"]
    assert answer["points"] == 5
    with door.store.read() as work:
        case = handling.get(work, door.cast.case)
        assert case.disposition_note == "电话核实是误报", "the case stays as it is"
        assert work.records.latest(door.cast.elder).mode is VisitMode.ON_SITE  # type: ignore[union-attr]
        assert any(each.kind == "visit.recorded" for each in work.notices.pending(NOW))


def test_a_case_given_to_somebody_else_meanwhile_still_takes_the_form(door: Desk) -> None:
    scan(door)
    other, client = add_visitor(door, "qian")
    with door.store.begin() as work:
        order = Order(CaseStep.ASSIGN, Actor(Role.SUPERVISOR, "du"), visitor_id=other)
        handling.handle(work, door.cast.case, order, NOW, door.config.deadlines)
    assert send(door).json()["outcome"] == "supplementary"
    forged = send(door, client, key="key-2")
    assert forged.status_code == 400, "the ticket is another visitor's"


def test_still_to_be_dealt_with_leaves_the_case_visited_and_it_is_closed_later(door: Desk) -> None:
    scan(door)
    assert send(door, done="later").json()["outcome"] == "visited"
    page = door.visitor.get(f"/visit/cases/{door.cast.case}").text
    assert "办结" in page
    url = f"/visit/cases/{door.cast.case}/step"
    assert door.visitor.post(url, data={"step": "close", "note": "已联系助餐点"}).status_code == 303
    with door.store.read() as work:
        assert handling.get(work, door.cast.case).status is CaseStatus.CLOSED
        assert len(work.points.of(door.cast.visitor, 10)) == 1


def test_a_session_that_ended_says_so_and_the_form_is_taken_after_signing_in(door: Desk) -> None:
    scan(door)
    door.clock.move(timedelta(hours=13))
    assert send(door).status_code == 401
    door.visitor.sign_in("xun")
    assert send(door).json()["outcome"] == "closed"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "空文件"),
        (b"not a picture", "不是可用的照片"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 200, "照片"),
        (b"\0" * (30 * 1024 * 1024), "照片有30MB，超过10MB的上限"),
    ],
)
def test_a_bad_photo_is_named_in_clear_words_and_nothing_is_kept(data: bytes, words: str, door: Desk) -> None:
    scan(door)
    answer = send(door, files=[("photo", ("a.jpg", data, "image/jpeg"))])
    assert answer.status_code == 400
    assert words in answer.json()["said"]
    with door.store.read() as work:
        assert work.doorstep.forms_of_case(door.cast.case) == []
    folder = door.config.photos_folder
    assert not folder.exists() or not list(folder.iterdir())


def test_a_telephone_whose_clock_is_wrong_does_not_date_a_visit_into_the_future(door: Desk) -> None:
    scan(door)
    send(door, filled_at=(NOW + timedelta(days=400)).isoformat())
    with door.store.read() as work:
        assert work.doorstep.forms_of_case(door.cast.case)[0].filled_at == NOW


# ---- 时间银行 --------------------------------------------------------------------------------------


def test_the_statement_is_ones_own_and_the_desk_can_only_reverse(door: Desk) -> None:
    scan(door)
    send(door)
    assert "20 分" in door.visitor.get("/visit/points").text
    sheet = openpyxl.load_workbook(io.BytesIO(door.visitor.get("/visit/points.xlsx").content)).active
    assert sheet is not None
    assert sheet.cell(3, 4).value == 20
    with door.store.read() as work:
        entry = work.points.of(door.cast.visitor, 1)[0]
    url = f"/points/entries/{entry.id}/reverse"
    assert door.auditor.get(f"/points/{door.cast.visitor}").status_code == 200
    assert door.auditor.post(url, data={"why": "x"}).status_code == 404
    assert door.other_supervisor.post(url, data={"why": "不是我的"}).status_code == 404
    assert door.other_supervisor.get(f"/points/{door.cast.visitor}").status_code == 404
    assert door.supervisor.post(url, data={"why": ""}).status_code == 400
    assert door.supervisor.post(url, data={"why": "重复上门"}).status_code == 303
    assert door.supervisor.post(url, data={"why": "再来一次"}).status_code == 409
    with door.store.read() as work:
        kinds = [each.kind for each in work.points.of(door.cast.visitor, 9)]
        assert kinds == [PointKind.REVERSAL, PointKind.VISIT]
        assert work.points.total(door.cast.visitor) == 0
    assert "已冲销" in door.visitor.get("/visit/points").text
    assert "0.0" in door.supervisor.get("/points").text


def test_one_visit_is_never_counted_twice(door: Desk) -> None:
    scan(door)
    send(door)
    with door.store.begin() as work:
        visitor = work.visitors.get(door.cast.visitor)
        record = work.records.latest(door.cast.elder)
        assert visitor is not None
        assert record is not None
        again = timebank.accrue(
            work, record_id=record.id, visitor=visitor, case=handling.get(work, door.cast.case),
            visited_at=NOW, supplementary=False, rules=timebank.load_rules(), zone=door.config.zone,
        )  # fmt: skip
        assert again is None
        assert work.points.total(visitor.id) == 20


def test_lists_of_the_desk_cost_the_same_however_long(door: Desk) -> None:
    for url in ("/doorstep", "/points"):
        door.supervisor.get(url)
    with count_queries(door.store) as empty:
        door.supervisor.get("/doorstep")
        door.supervisor.get("/points")
    scan(door)
    send(door)
    with count_queries(door.store) as filled:
        door.supervisor.get("/doorstep")
        door.supervisor.get("/points")
    assert filled.number == empty.number


def test_a_place_that_was_learnt_wrongly_can_be_forgotten(door: Desk) -> None:
    scan(door, **HERE)
    send(door)
    with door.store.read() as work:
        form = work.doorstep.forms_of_case(door.cast.case)[0]
    assert door.auditor.post(f"/doorstep/{form.id}/place").status_code == 404
    assert door.supervisor.post(f"/doorstep/{form.id}/place").status_code == 303
    with door.store.read() as work:
        assert work.doorstep.place(door.cast.elder) is None
