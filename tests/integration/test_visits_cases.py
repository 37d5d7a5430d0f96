"""Cases and notices on a real database; notices leave over real HTTP to a server of our own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from storage import Store
from storage.model import Case, Elder
from visits.channels import NoticeConfig, sign
from visits.model import CaseDraft
from visits.notices import GIVE_UP_AFTER, Sender, backoff
from visits.service import open_case, queue, show
from xunfang.clock import FixedClock
from xunfang.errors import NotFound
from xunfang.vocabulary import CaseKind, ConsentPurpose, Priority

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PHONE = "13812340001"
SECRET = "webhook secret"


class Desk:
    """An HTTP server that keeps what it gets; `status` is what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                desk.got.append((self.path, dict(self.headers), body))
                self.send_response(desk.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def elder(sqlite_store: Store) -> Elder:
    with sqlite_store.begin() as work:
        village = work.areas.add(code="220183101205", name="测试村", level="village")
        work.visitors.add(name="李村医", kind="village", phone="13900000001", area_id=village.id)
        return work.elders.add(name="王秀英", phone=PHONE, address="测试村2组9号", area_id=village.id)


def draft(elder: Elder, kind: CaseKind = CaseKind.REQUEST, **fields: object) -> CaseDraft:
    values: dict[str, object] = {
        "elder_id": elder.id,
        "kind": kind,
        "priority": Priority.NORMAL,
        "deadline": NOW + timedelta(days=3),
        "summary": "服务需求：老人提出服务需求：助餐。",
        "evidence": ({"kind": kind.value, "call_id": None, "text": "想让人送饭"},),
    }
    return CaseDraft(**(values | fields))  # type: ignore[arg-type]


def opened(store: Store, case: CaseDraft) -> Case:
    with store.begin() as work:
        return open_case(work, case, NOW)


def kinds(store: Store, subject: str) -> list[str]:
    with store.read() as work:
        return [each.kind for each in work.audit.of(subject)]


def test_a_second_reason_is_merged_and_makes_it_more_urgent_never_less(
    sqlite_store: Store, elder: Elder
) -> None:
    first = opened(sqlite_store, draft(elder))
    danger = draft(
        elder,
        CaseKind.DISTRESS,
        priority=Priority.URGENT,
        deadline=NOW + timedelta(minutes=30),
        summary="紧急求助：救命",
        evidence=({"kind": "distress", "call_id": None, "text": "救命"},),
    )
    merged = opened(sqlite_store, danger)
    assert merged.id == first.id
    assert (merged.kind, merged.priority, merged.merged) == (CaseKind.DISTRESS, Priority.URGENT, 1)
    assert merged.deadline == NOW + timedelta(minutes=30)
    assert [each["text"] for each in merged.evidence] == ["想让人送饭", "救命"]
    assert merged.summary.splitlines() == ["服务需求：老人提出服务需求：助餐。", "紧急求助：救命"]
    late = draft(elder, summary="后来", evidence=({"kind": "request", "call_id": None, "text": "后来"},))
    again = opened(sqlite_store, late)
    assert (again.kind, again.priority, again.deadline) == (merged.kind, merged.priority, merged.deadline)
    assert kinds(sqlite_store, f"case:{first.id}") == [
        "case.opened",
        "case.merged",
        "case.merged",
        "no_notice_sent",
    ]


def test_the_same_reason_again_is_suppressed_and_says_so(sqlite_store: Store, elder: Elder) -> None:
    first = opened(sqlite_store, draft(elder))
    again = opened(sqlite_store, draft(elder))
    assert again == first
    assert kinds(sqlite_store, f"case:{first.id}") == ["case.opened", "duplicate_suppressed"]
    with sqlite_store.read() as work:
        assert len(work.notices.of_case(first.id)) == 3


def test_case_and_notices_exist_together_or_not_at_all(sqlite_store: Store, elder: Elder) -> None:
    def fails_after_opening() -> None:
        with sqlite_store.begin() as work:
            open_case(work, draft(elder), NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails_after_opening()
    with sqlite_store.read() as work:
        assert work.cases.queue() == []
        assert work.notices.pending(NOW) == []


def test_after_closing_a_new_reason_opens_a_new_case(sqlite_store: Store, elder: Elder) -> None:
    first = opened(sqlite_store, draft(elder))
    with sqlite_store.begin() as work:
        work.cases.close(first.id, "已送餐", NOW)
    assert opened(sqlite_store, draft(elder)).id != first.id


def test_notices_hold_no_name_number_address_or_quote(sqlite_store: Store, elder: Elder) -> None:
    case = opened(sqlite_store, draft(elder))
    with sqlite_store.read() as work:
        for notice in work.notices.of_case(case.id):
            for secret in ("王秀英", PHONE, "2组9号", "送饭"):
                assert secret not in notice.title + notice.body
            assert "王奶奶" in notice.body


def test_contacts_are_told_only_with_both_consents_and_when_it_cannot_wait(
    sqlite_store: Store, elder: Elder
) -> None:
    with sqlite_store.begin() as work:
        told = work.contacts.add(elder_id=elder.id, position=1, phone="13700000001", may_be_told=True)
        work.contacts.add(elder_id=elder.id, position=2, phone="13700000002", may_be_told=False)

    def contacts_told(case: Case) -> set[str]:
        with sqlite_store.read() as work:
            return {each.to for each in work.notices.of_case(case.id) if each.to.startswith("contact")}

    urgent = draft(elder, CaseKind.DISTRESS, priority=Priority.URGENT)
    case = opened(sqlite_store, urgent)
    assert contacts_told(case) == set()
    with sqlite_store.begin() as work:
        work.cases.close(case.id, "已看望", NOW)
        work.consents.add(elder.id, ConsentPurpose.FAMILY_NOTICE, True, NOW, "paper")
    assert contacts_told(opened(sqlite_store, urgent)) == {f"contact:{told.id}"}


def test_the_queue_is_worst_first_and_a_case_shows_its_history(sqlite_store: Store, elder: Elder) -> None:
    with sqlite_store.begin() as work:
        other = work.elders.add(name="李大爷", phone="13812340002", sex="M")
    opened(sqlite_store, draft(elder))
    opened(sqlite_store, draft(other, CaseKind.DISTRESS, priority=Priority.URGENT, deadline=NOW))
    lines = queue(sqlite_store, now=NOW + timedelta(minutes=1))
    assert [each["elder"] for each in lines] == ["李大爷", "王秀英"]
    assert [each["overdue"] for each in lines] == [True, False]
    assert lines[1]["visitor"] == "李村医"
    shown = show(sqlite_store, lines[1]["id"])
    assert shown["phone"] == "138****0001"
    assert [each["kind"] for each in shown["history"]] == ["case.opened"]
    assert json.loads(json.dumps(shown, ensure_ascii=False)) == shown
    with pytest.raises(NotFound, match="no case 999"):
        show(sqlite_store, 999)


# ---- notices -----------------------------------------------------------------------------------


def last_errors(store: Store, case: Case) -> dict[str, str]:
    with store.read() as work:
        return {each.to: each.last_error for each in work.notices.of_case(case.id)}


def test_the_webhook_gets_a_signed_body_once(
    sqlite_store: Store, elder: Elder, desk: Desk, clock: FixedClock
) -> None:
    case = opened(sqlite_store, draft(elder))
    url = f"http://127.0.0.1:{desk.port}/hook"
    sender = Sender(sqlite_store, clock, NoticeConfig(webhook_url=url, webhook_secret=SECRET))
    assert sender.tick() == 1
    assert sender.tick() == 0
    ((path, headers, body),) = desk.got
    assert path == "/hook"
    assert headers["X-Xunfang-Signature"] == sign(SECRET, headers["X-Xunfang-Timestamp"], body)
    assert headers["X-Xunfang-Timestamp"] == str(int(NOW.timestamp()))
    assert json.loads(body)["case_id"] == case.id
    with sqlite_store.read() as work:
        sent = [each for each in work.notices.of_case(case.id) if each.sent_at is not None]
    assert [each.to for each in sent] == ["webhook"]
    assert headers["X-Xunfang-Delivery"] == str(sent[0].id)


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # apprise imports it on Python 3.11
def test_apprise_delivers_to_desk_and_visitor(
    sqlite_store: Store, elder: Elder, desk: Desk, clock: FixedClock
) -> None:
    opened(sqlite_store, draft(elder))
    base = f"json://127.0.0.1:{desk.port}"
    config = NoticeConfig(apprise_urls=(f"{base}/desk",), person_urls=(f"{base}/sms/{{phone}}",))
    assert Sender(sqlite_store, clock, config).tick() == 2
    assert {path.rstrip("/") for path, _, _ in desk.got} == {"/desk", "/sms/13900000001"}


def test_nothing_configured_is_audited_and_not_tried_for_ever(
    sqlite_store: Store, elder: Elder, clock: FixedClock
) -> None:
    case = opened(sqlite_store, draft(elder))
    sender = Sender(sqlite_store, clock, NoticeConfig())
    for _ in range(3):
        assert sender.tick() == 0
        clock.move(timedelta(days=1))
    with sqlite_store.read() as work:
        missing = [each for each in work.audit.of(f"case:{case.id}") if each.kind == "no_notice_sent"]
    assert {each.detail["to"] for each in missing} == {"duty", "webhook", f"visitor:{case.visitor_id}"}
    assert len(missing) == 3
    assert all(str(each.detail["because"]).startswith("no ") for each in missing)


def test_a_failing_webhook_is_tried_again_with_patience_and_in_the_end_audited(
    sqlite_store: Store, elder: Elder, desk: Desk, clock: FixedClock
) -> None:
    case = opened(sqlite_store, draft(elder))
    desk.status = 503
    url = f"http://127.0.0.1:{desk.port}/hook"
    sender = Sender(sqlite_store, clock, NoticeConfig(webhook_url=url, webhook_secret=SECRET))
    sender.tick()
    sender.tick()
    assert len(desk.got) == 1
    clock.move(timedelta(seconds=29))
    sender.tick()
    assert len(desk.got) == 1
    clock.move(timedelta(seconds=1))
    sender.tick()
    assert len(desk.got) == 2
    assert last_errors(sqlite_store, case)["webhook"] == "webhook answered 503"
    clock.move(GIVE_UP_AFTER)
    sender.tick()
    clock.move(timedelta(days=30))
    sender.tick()
    assert len(desk.got) == 3
    with sqlite_store.read() as work:
        gave_up = [
            each
            for each in work.audit.of(f"case:{case.id}")
            if each.kind == "no_notice_sent" and each.detail["because"] == "webhook answered 503"
        ]
    assert len(gave_up) == 1


def test_an_unreachable_webhook_is_an_error_without_its_address(
    sqlite_store: Store, elder: Elder, desk: Desk, clock: FixedClock
) -> None:
    case = opened(sqlite_store, draft(elder))
    url = f"http://127.0.0.1:{desk.port}/token-abc"
    desk.close()
    Sender(sqlite_store, clock, NoticeConfig(webhook_url=url)).tick()
    assert last_errors(sqlite_store, case)["webhook"] == "webhook not reached: ConnectError"


def test_a_notice_of_a_dead_sender_comes_back(
    sqlite_store: Store, elder: Elder, desk: Desk, clock: FixedClock
) -> None:
    opened(sqlite_store, draft(elder))
    with sqlite_store.begin() as work:
        for notice in work.notices.pending(NOW):
            assert work.notices.claim(notice.id, NOW, 120)
    url = f"http://127.0.0.1:{desk.port}/hook"
    sender = Sender(sqlite_store, clock, NoticeConfig(webhook_url=url))
    assert sender.tick() == 0
    clock.move(timedelta(seconds=120))
    assert sender.tick() == 1


def test_waiting_grows_to_an_hour() -> None:
    waits = [backoff(attempts).total_seconds() for attempts in (1, 2, 3, 8, 100)]
    assert waits == [30, 60, 120, 3600, 3600]
