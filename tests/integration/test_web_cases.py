"""上门队列: the list, by village, the steps of one case, who loses and what he keeps, the spreadsheet."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta

import openpyxl
import pytest
from playwright.sync_api import expect
from storage_cast import NOW, a_case, an_elder
from web_kit import PASSWORD, Desk, Screen, count_queries, unfit

from storage.model import Case
from visits.deadlines import load_deadlines
from visits.handling import handle
from visits.life import Actor, Order, Role
from visits.model import CaseDraft
from visits.service import open_case
from xunfang.vocabulary import CaseKind, CaseStatus, CaseStep, Priority, ReferTo, ReportCategory

pytestmark = pytest.mark.integration

SHEET = "上门队列"
INJECTION = '\'; DROP TABLE "case";-- <script>alert(1)</script> =1+1'
NOTE = "已上门查看，老人在家，血压正常，已联系儿子。"


def opened(desk: Desk, **fields: object) -> int:
    """A further case of the supervisor's area; names of fields as in Cases.open, and name, area_id."""
    elder = {"area_id": desk.cast.village_2, "phone": "13812349999"}
    elder |= {key: fields.pop(key) for key in ("name", "area_id", "address") if key in fields}
    with desk.store.begin() as work:
        return a_case(work, an_elder(work, **elder), **fields).id


def shown(page: str) -> list[int]:
    return [int(each) for each in re.findall(r'id="case-(\d+)"', page)]


def counts(page: str) -> list[str]:
    return re.findall(r"-lt ms-1\">([\d+]+)<", page)


def case(desk: Desk, id: int) -> Case:
    with desk.store.read() as work:
        found = work.cases.get(id)
    assert found is not None
    return found


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def kinds(desk: Desk, id: int) -> list[str]:
    with desk.store.read() as work:
        return [each.kind for each in work.audit.of(f"case:{id}")]


def step(desk: Desk, login: str, id: int, name: str, **fields: object) -> str:
    """As a person does it: open the page, fill the form in, and read what comes."""
    client = desk.signed_in(login)
    was = seen(client.get(f"/cases/{id}").text)
    answer = client.post(f"/cases/{id}/{name}", data={"seen": was, **fields})
    return client.get(answer.headers["location"]).text if answer.status_code == 303 else answer.text


# ---- the list --------------------------------------------------------------------------------------


def test_worst_first_with_clock_visitor_and_why(desk: Desk) -> None:
    late = opened(desk, deadline=NOW - timedelta(hours=2), opened_at=NOW - timedelta(days=1))
    page = desk.supervisor.get("/cases").text
    assert shown(page) == [desk.cast.case, late]
    assert "剩1小时" in page
    assert "超时2小时" in page  # words, not colour alone
    assert "周巡访" in page
    assert "本村巡访员" in page
    assert "尚无人选" in page
    assert "138****9999" in page
    assert "13812349999" not in page
    assert counts(page) == ["2", "2", "0", "2"]


def test_another_area_sees_and_changes_nothing(desk: Desk) -> None:
    assert shown(desk.other_supervisor.get("/cases").text) == [desk.cast.far_case]
    assert desk.other_supervisor.get(f"/cases/{desk.cast.case}").status_code == 404
    assert desk.other_supervisor.get(f"/cases?area={desk.cast.village}").status_code == 404
    assert desk.other_supervisor.get(f"/cases/export.xlsx?area={desk.cast.village}").status_code == 404
    sent = {"seen": "assigned:1", "note": NOTE}
    for each in CaseStep:
        assert (
            desk.other_supervisor.post(f"/cases/{desk.cast.case}/{each.value}", data=sent).status_code == 404
        )
    assert kinds(desk, desk.cast.case) == []


def test_an_auditor_reads_and_finds_no_button(desk: Desk) -> None:
    assert shown(desk.auditor.get("/cases").text) == [desk.cast.case]
    page = desk.auditor.get(f"/cases/{desk.cast.case}").text
    assert "经过" in page
    assert 'name="seen"' not in page
    assert "批量分派" not in desk.auditor.get("/cases").text  # nor a word of it in the help


def test_filters_stand_in_the_url_and_hold(desk: Desk) -> None:
    free = opened(desk, kind=CaseKind.REQUEST, priority=Priority.HIGH)
    get = desk.supervisor.get
    assert shown(get("/cases?priority=high").text) == [free]
    assert shown(get("/cases?kind=distress").text) == [desk.cast.case]
    assert shown(get("/cases?status=assigned").text) == [desk.cast.case]
    assert shown(get("/cases?visitor=nobody").text) == [free]
    assert shown(get(f"/cases?visitor={desk.cast.visitor}").text) == [desk.cast.case]
    assert shown(get(f"/cases?area={desk.cast.village_2}").text) == [free]
    assert shown(get("/cases?tab=late").text) == [desk.cast.case]
    assert len(shown(get("/cases?tab=nonsense&priority=x&area=y&visitor=z").text)) == 2
    page = get("/cases?tab=closed&kind=distress").text
    assert shown(page) == []
    assert "清除筛选" in page
    assert 'href="/cases?tab=late&amp;kind=distress"' in page


def test_by_village_the_worst_first(desk: Desk) -> None:
    opened(desk, deadline=NOW - timedelta(hours=2))
    page = desk.admin.get("/cases/villages").text
    assert re.findall(r'id="village-(\d+)"', page) == [
        str(desk.cast.village),
        str(desk.cast.far_village),
        str(desk.cast.village_2),
    ]
    assert f'href="/cases?area={desk.cast.village}"' in page
    assert re.findall(r'id="village-(\d+)"', desk.other_supervisor.get("/cases/villages").text) == [
        str(desk.cast.far_village)
    ]


def test_a_page_costs_the_same_whatever_its_length_and_goes_on_by_key(desk: Desk) -> None:
    for url in ("/cases", "/cases/villages"):
        desk.supervisor.get(url)
    few = {}
    for url in ("/cases", "/cases/villages"):
        with count_queries(desk.store) as counted:
            desk.supervisor.get(url)
        few[url] = counted.number
    cases = {opened(desk, deadline=NOW + timedelta(hours=each % 7)) for each in range(55)} | {desk.cast.case}
    for url, number in few.items():
        with count_queries(desk.store) as many:
            desk.supervisor.get(url)
        assert many.number == number
    page = desk.supervisor.get("/cases").text
    further = re.search(r'rel="next" href="([^"]+)"', page)
    assert further is not None
    rest = shown(desk.supervisor.get(html.unescape(further[1])).text)
    assert len(shown(page)) == 50
    assert set(shown(page)) | set(rest) == cases
    assert not set(shown(page)) & set(rest)
    assert desk.supervisor.get("/cases?after=bm9uc2Vuc2U.0123456789abcdef").status_code == 400


def test_villages_go_on_by_key(desk: Desk) -> None:
    with desk.store.begin() as work:
        for number in range(55):
            area = work.areas.add(
                code=f"22010010{number:04}", name=f"村{number}", level="village", parent_id=desk.cast.township
            )
            a_case(work, an_elder(work, area_id=area.id, phone=f"1380000{number:04}"))
    page = desk.supervisor.get("/cases/villages").text
    further = re.search(r'rel="next" href="([^"]+)"', page)
    assert further is not None
    rest = desk.supervisor.get(html.unescape(further[1])).text
    first, second = (set(re.findall(r'id="village-(\d+)"', each)) for each in (page, rest))
    assert (len(first), len(second), len(first & second)) == (50, 6, 0)


# ---- the steps -------------------------------------------------------------------------------------


def test_the_way_of_a_case_from_the_desk_with_everything_in_its_timeline(desk: Desk) -> None:
    id = desk.cast.case
    assert "已登记接受" in step(desk, "du", id, "accept")
    assert "已登记出发" in step(desk, "du", id, "start")
    assert "已登记上门" in step(desk, "du", id, "visited")
    page = step(desk, "du", id, "close", note=NOTE)
    assert "已办结" in page
    assert NOTE in page
    assert "杜督导（du）" in page
    assert "巡访员周巡访（1）已出发" in page
    assert case(desk, id).status is CaseStatus.CLOSED
    assert shown(desk.supervisor.get("/cases?tab=closed").text) == [id]


def test_reassigning_says_who_was_relieved_and_a_refusal_goes_on_to_the_next(desk: Desk) -> None:
    with desk.store.begin() as work:
        other = work.visitors.add(name="吴志愿", kind="volunteer", area_id=desk.cast.village).id
        far = work.visitors.add(name="远巡访", area_id=desk.cast.far_village).id
    id = desk.cast.case
    page = step(desk, "du", id, "assign", visitor=other, note="离得最近")
    assert "由巡访员周巡访（1）改派给巡访员吴志愿" in page
    assert "离得最近" in page
    page = step(desk, "du", id, "assign", visitor=far)
    assert "不在您的管辖范围内" in page
    assert case(desk, id).visitor_id == other
    page = step(desk, "du", id, "refuse", note="腿伤了")
    assert "系统已改派下一位" in page
    assert case(desk, id).visitor_id == desk.cast.visitor


def test_referring_needs_a_category_and_other_needs_words(desk: Desk) -> None:
    id = desk.cast.case
    page = step(desk, "du", id, "refer", referred_to="120")
    assert "请选择报告类别" in page
    page = step(desk, "du", id, "refer", referred_to="120", category=ReportCategory.OTHER.value)
    assert "请写明是什么情况" in page
    assert case(desk, id).status is CaseStatus.ASSIGNED
    for to, category in zip(ReferTo, ReportCategory, strict=True):
        step(desk, "du", id, "refer", referred_to=to.value, category=category.value, note="送医")
        found = case(desk, id)
        assert (found.status, found.referred_to, found.report_category) == (CaseStatus.REFERRED, to, category)


def test_what_was_not_done_is_in_the_timeline_with_its_reason(desk: Desk) -> None:
    with desk.store.begin() as work:
        draft = CaseDraft(
            desk.cast.quiet_elder, CaseKind.REQUEST, Priority.NORMAL, NOW + timedelta(days=1), "想要助餐"
        )
        id = open_case(work, draft, NOW).id
        notice = next(each for each in work.notices.of_case(id) if each.to == "duty")
        work.notices.failed(
            notice.id, "no apprise URL is configured (notices.apprise)", NOW + timedelta(minutes=5)
        )
        because = {"because": "the elder has not agreed that his family is told", "to": "contact:1"}
        work.audit.write(NOW, "system", "no_notice_sent", f"case:{id}", because)
    page = desk.supervisor.get(f"/cases/{id}").text
    assert "没有配置值班通知渠道" in page
    assert "通知未发出（紧急联系人）：老人没有同意通知家属" in page
    assert page.count('<span class="badge bg-orange-lt">未做</span>') == 2


def test_closing_without_what_was_done_is_refused(desk: Desk) -> None:
    page = step(desk, "du", desk.cast.case, "close", note="   ")
    assert "请填写处置情况" in page
    assert case(desk, desk.cast.case).closed_at is None


def test_a_case_without_a_visitor_says_so_without_words_of_a_terminal(desk: Desk) -> None:
    id = opened(desk)
    answer = desk.supervisor.post(f"/cases/{id}/accept", data={"seen": "open:"})
    assert answer.status_code == 409
    assert "还没有巡访员，请先分派" in answer.text
    assert "xunfang cases" not in answer.text


# ---- bad input -------------------------------------------------------------------------------------


def test_two_people_close_one_case_the_second_is_told_who_won_and_keeps_his_words(desk: Desk) -> None:
    id = desk.cast.case
    pages = {login: seen(desk.signed_in(login).get(f"/cases/{id}").text) for login in ("du", "admin")}
    first = desk.supervisor.post(f"/cases/{id}/close", data={"seen": pages["du"], "note": "先到的处置"})
    assert first.status_code == 303
    second = desk.admin.post(f"/cases/{id}/close", data={"seen": pages["admin"], "note": NOTE})
    assert second.status_code == 409
    assert "杜督导（du）已于11-23 09:00办结" in second.text
    assert re.search(rf"<textarea[^>]*readonly>{NOTE}</textarea>", second.text)
    assert case(desk, id).disposition_note == "先到的处置"


def test_who_acts_on_an_old_page_is_told_and_may_go_on_with_what_he_typed(desk: Desk) -> None:
    id = desk.cast.case
    old = seen(desk.admin.get(f"/cases/{id}").text)
    step(desk, "du", id, "accept")
    late = desk.admin.post(f"/cases/{id}/close", data={"seen": old, "note": NOTE})
    assert late.status_code == 409
    assert "杜督导（du）已于11-23 09:00接受" in late.text
    assert re.search(rf'<textarea class="form-control" id="note-close"[^>]*>{NOTE}</textarea>', late.text)
    again = desk.admin.post(f"/cases/{id}/close", data={"seen": seen(late.text), "note": NOTE})
    assert again.status_code == 303
    assert case(desk, id).disposition_note == NOTE


def test_a_session_that_ends_in_the_middle_of_the_closing_form_loses_nothing(desk: Desk) -> None:
    id, client = desk.cast.case, desk.supervisor
    was = seen(client.get(f"/cases/{id}").text)
    desk.clock.move(timedelta(hours=3))
    late = client.post(f"/cases/{id}/close", data={"seen": was, "note": NOTE})
    assert late.status_code == 401
    assert NOTE not in late.text  # sealed: who sits there now is not known
    held = re.search(r'name="held" value="([^"]+)"', late.text)
    assert held is not None
    page = client.post("/login", data={"login": "du", "password": PASSWORD, "held": held[1]}).text
    assert f'action="/cases/{id}/close"' in page
    sent = {name: html.unescape(text) for name, text in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
    assert client.post(f"/cases/{id}/close", data=sent).status_code == 303
    assert case(desk, id).disposition_note == NOTE


def test_sql_and_html_in_a_name_and_a_note_are_text_everywhere(desk: Desk) -> None:
    id = opened(desk, name=INJECTION, address=INJECTION, summary=INJECTION)
    step(desk, "du", id, "assign", visitor=desk.cast.visitor, note=INJECTION)
    page = step(desk, "du", id, "close", note=INJECTION)
    for each in (page, desk.supervisor.get("/cases?tab=closed").text):
        assert "<script>alert" not in each
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in each
    assert case(desk, id).disposition_note == INJECTION
    book = openpyxl.load_workbook(io.BytesIO(desk.supervisor.get("/cases/export.xlsx?tab=closed").content))
    cells = [cell for row in book[SHEET].iter_rows() for cell in row]
    assert INJECTION in [cell.value for cell in cells]
    assert "f" not in {cell.data_type for cell in cells}  # no formula


@pytest.mark.parametrize("was", ["", "nonsense", "open:x", "closed:", "assigned:99999999999999999999"])
def test_a_form_that_we_did_not_write_changes_nothing(was: str, desk: Desk) -> None:
    sent = desk.supervisor.post(f"/cases/{desk.cast.case}/close", data={"seen": was, "note": NOTE})
    assert sent.status_code in (409, 422)
    assert NOTE in sent.text
    assert case(desk, desk.cast.case).closed_at is None


def test_errors_name_nobody_whom_the_reader_may_not_know(desk: Desk) -> None:
    for id in (desk.cast.far_case, 10**12):
        page = desk.supervisor.get(f"/cases/{id}")
        assert page.status_code == 404
        assert "赵大山" not in page.text
        assert "案件" in page.text


# ---- many at once ----------------------------------------------------------------------------------


def test_handing_over_does_what_can_be_done_and_names_the_rest(desk: Desk) -> None:
    free, taken, closed = opened(desk), opened(desk), opened(desk)
    page = desk.supervisor.get("/cases").text
    chosen = [*re.findall(r'name="case" value="([^"]+)"', page), f"{desk.cast.far_case}:open:", "999:open:"]
    rules = load_deadlines()
    with desk.store.begin() as work:
        order = Order(CaseStep.ASSIGN, Actor(Role.SUPERVISOR, "admin"), visitor_id=desk.cast.visitor)
        handle(work, taken, order, NOW, rules)
        handle(work, closed, Order(CaseStep.CLOSE, order.actor, "误立"), NOW, rules)
    sent = desk.supervisor.post("/cases/assign", data={"case": chosen, "to": desk.cast.visitor})
    page = desk.supervisor.get(sent.headers["location"]).text
    assert "1件已分派给周巡访，5件没有分派" in page
    assert f"案件{closed}：已由督导admin于11月23日09:00办结" in page
    assert f"案件{desk.cast.far_case}：" in page
    assert case(desk, free).status is CaseStatus.ASSIGNED
    assert case(desk, desk.cast.far_case).visitor_id is None
    assert case(desk, taken).visitor_id == desk.cast.visitor


def test_nothing_ticked_and_a_visitor_of_another_area_are_said_so(desk: Desk) -> None:
    assert "请先勾选" in desk.supervisor.post("/cases/assign", data={"to": desk.cast.visitor}).text
    with desk.store.begin() as work:
        far = work.visitors.add(name="远巡访", area_id=desk.cast.far_village).id
    sent = desk.supervisor.post("/cases/assign", data={"case": f"{desk.cast.case}:assigned:1", "to": far})
    assert sent.status_code == 400
    assert "远巡访" not in sent.text


# ---- the spreadsheet -------------------------------------------------------------------------------


def test_the_filtered_queue_as_a_spreadsheet_masked_and_audited(desk: Desk) -> None:
    opened(desk, priority=Priority.HIGH)
    answer = desk.supervisor.get("/cases/export.xlsx?priority=urgent")
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.content))[SHEET].iter_rows(values_only=True))
    assert [row[0] for row in rows[3:]] == [str(desk.cast.case)]
    assert "138****0001" in rows[3]
    assert "剩1小时" in rows[3]
    with desk.store.read() as work:
        du = work.accounts.by_login("du")
        assert du is not None
        told = [each for each in work.audit.of(f"account:{du.id}") if each.kind == "cases.exported"]
    assert [each.detail for each in told] == [{"rows": 1, "filter": "priority=urgent"}]


# ---- in a browser ----------------------------------------------------------------------------------


def test_keys_news_and_the_warning_of_a_change_while_typing(screen: Screen) -> None:
    desk = screen.desk
    page = screen.signed_in("du")
    page.goto("/cases")
    page.wait_for_selector("body[data-live-state=open]")
    assert unfit(page) == []
    with desk.store.begin() as work:
        draft = CaseDraft(
            desk.cast.quiet_elder, CaseKind.REQUEST, Priority.NORMAL, NOW + timedelta(days=1), "助餐"
        )
        fresh = open_case(work, draft, NOW).id
    row = page.locator(f"#case-{fresh}")
    row.wait_for()
    expect(row).to_have_class(re.compile("flash"))
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_have_text("已勾选1件")
    page.goto(f"/cases/{desk.cast.case}")
    page.wait_for_selector("body[data-live-state=open]")
    page.keyboard.press("e")
    expect(page.locator("#note-close")).to_be_focused()
    page.keyboard.type(NOTE)
    assert unfit(page) == []
    step(desk, "admin", desk.cast.case, "accept")
    expect(page.locator("[data-changed]")).to_be_visible()
    expect(page.locator("#note-close")).to_have_value(NOTE)
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("details[open] button:has-text('办结')")
    page.wait_for_selector("text=您填写的内容还在")
    assert unfit(page) == []
    expect(page.locator("#note-close")).to_have_value(NOTE)
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("details[open] button:has-text('办结')")
    page.wait_for_selector("text=本案已办结")
    refused = "the server responded with a status of 409"
    assert [each for each in screen.errors if refused not in each] == []
