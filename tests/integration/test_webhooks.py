"""Other systems are told of events: signed, each by its own secret, with patience, by a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from storage_cast import NOW, a_call, a_case, an_elder

from scheduler.breaker import BreakerState
from scheduler.telling import tell_breaker
from storage import Store
from storage.model import Webhook
from visits import webhooks
from visits.channels import NoticeConfig, sign
from visits.notices import GIVE_UP_AFTER, Sender
from xunfang.clock import FixedClock
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import VisitMode

pytestmark = pytest.mark.integration


class Receiver:
    """Keeps what it gets by path; `down`: paths that answer 503."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.down: set[str] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                self.send_response(503 if self.path in receiver.down else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def kinds(self, path: str) -> list[str]:
        return [json.loads(body)["kind"] for at, _, body in self.got if at == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def hook(store: Store, receiver: Receiver, path: str, *events: str) -> Webhook:
    with store.begin() as work:
        return webhooks.add(work, path.strip("/"), receiver.url + path, events, "user:cli", NOW)


def break_the_trunk(store: Store) -> None:
    with store.begin() as work:
        tell_breaker(work, BreakerState.OPEN, NOW)


def test_each_endpoint_gets_what_it_wants_signed_with_its_own_secret(
    sqlite_store: Store, receiver: Receiver, clock: FixedClock
) -> None:
    all_of_it, cases = (
        hook(sqlite_store, receiver, "/all"),
        hook(sqlite_store, receiver, "/cases", "case.opened"),
    )
    sender = Sender(sqlite_store, clock, NoticeConfig())
    break_the_trunk(sqlite_store)
    sender.tick()
    assert [path for path, _, _ in receiver.got] == ["/all"]
    _, headers, body = receiver.got[0]
    stamp = headers["X-Xunfang-Timestamp"]
    assert headers["X-Xunfang-Signature"] == sign(all_of_it.secret, stamp, body)
    assert headers["X-Xunfang-Signature"] != sign(cases.secret, stamp, body)
    assert stamp == str(int(NOW.timestamp()))
    assert json.loads(body)["kind"] == "breaker.opened"
    sender.tick()
    assert len(receiver.got) == 1


def test_the_one_of_the_settings_goes_on_beside_them(
    sqlite_store: Store, receiver: Receiver, clock: FixedClock
) -> None:
    hook(sqlite_store, receiver, "/new", "breaker.opened")
    config = NoticeConfig(webhook_url=f"{receiver.url}/settings", webhook_secret="old")
    break_the_trunk(sqlite_store)
    Sender(sqlite_store, clock, config).tick()
    assert sorted(path for path, _, _ in receiver.got) == ["/new", "/settings"]


def test_with_an_endpoint_and_no_setting_nobody_is_missed_in_the_audit(
    sqlite_store: Store, receiver: Receiver, clock: FixedClock
) -> None:
    hook(sqlite_store, receiver, "/all")
    break_the_trunk(sqlite_store)
    Sender(sqlite_store, clock, NoticeConfig()).tick()
    with sqlite_store.read() as work:
        missing = [each.detail["to"] for id in range(1, 5) for each in work.audit.of(f"notice:{id}")]
    assert missing == ["duty"]


def test_one_that_is_down_is_tried_again_later_and_holds_nobody_else_up(
    sqlite_store: Store, receiver: Receiver, clock: FixedClock
) -> None:
    hook(sqlite_store, receiver, "/down")
    hook(sqlite_store, receiver, "/up")
    receiver.down = {"/down"}
    sender = Sender(sqlite_store, clock, NoticeConfig())
    break_the_trunk(sqlite_store)
    sender.tick()
    assert (len(receiver.kinds("/down")), len(receiver.kinds("/up"))) == (1, 1)
    for seconds, tries in ((29, 1), (1, 2), (59, 2), (1, 3)):
        clock.move(timedelta(seconds=seconds))
        sender.tick()
        assert len(receiver.kinds("/down")) == tries
    receiver.down = set()
    clock.move(timedelta(hours=1))
    sender.tick()
    deliveries = {head["X-Xunfang-Delivery"] for path, head, _ in receiver.got if path == "/down"}
    stamps = {head["X-Xunfang-Timestamp"] for path, head, _ in receiver.got if path == "/down"}
    assert len(deliveries) == 1  # the same one each time: the receiver sees that it is a repetition
    assert len(stamps) == 4  # signed anew: a receiver may refuse old ones
    assert len(receiver.kinds("/up")) == 1


def test_a_dead_letter_is_seen_and_can_be_sent_again(
    store: Store, receiver: Receiver, clock: FixedClock
) -> None:
    hook(store, receiver, "/down")
    receiver.down = {"/down"}
    sender = Sender(store, clock, NoticeConfig())
    break_the_trunk(store)
    sender.tick()
    clock.move(GIVE_UP_AFTER)
    sender.tick()
    with store.read() as work:
        (dead,) = webhooks.dead(work, clock.now())
    assert dead.last_error == "webhook answered 503"
    tried = len(receiver.got)
    clock.move(timedelta(days=30))
    sender.tick()
    assert len(receiver.got) == tried
    receiver.down = set()
    with store.begin() as work:
        webhooks.send_again(work, dead.id, "user:cli", clock.now())
    sender.tick()
    assert len(receiver.got) == tried + 1
    with store.begin() as work:
        assert webhooks.dead(work, clock.now()) == []
        with pytest.raises(NotFound, match="没有这条"):
            webhooks.send_again(work, dead.id, "user:cli", clock.now())


def test_a_case_past_its_deadline_is_told_once(store: Store, receiver: Receiver, clock: FixedClock) -> None:
    hook(store, receiver, "/late", "case.overdue")
    with store.begin() as work:
        case = a_case(work, an_elder(work), deadline=NOW + timedelta(hours=1))
    sender = Sender(store, clock, NoticeConfig())
    sender.tick()
    clock.move(timedelta(hours=1))
    sender.tick()
    assert receiver.got == []
    for _ in range(3):
        clock.move(timedelta(minutes=1))
        sender.tick()
    ((_, _, body),) = receiver.got
    told: dict[str, Any] = json.loads(body)
    assert (told["kind"], told["case_id"]) == ("case.overdue", case.id)
    assert told["data"]["deadline"] == (NOW + timedelta(hours=1)).isoformat()
    assert "王" not in body.decode()


def test_nobody_who_asks_nothing_is_told_of_visits(sqlite_store: Store, receiver: Receiver) -> None:
    with sqlite_store.begin() as work:
        elder = an_elder(work)
        call = a_call(work, elder)
        record = work.records.put(
            elder_id=elder.id, plan_id=None, call_id=call.id, mode=VisitMode.PHONE, visited_at=NOW, fields={}
        )
        webhooks.visit_recorded(work, record, NOW)
        assert work.notices.pending(NOW) == []
    hook(sqlite_store, receiver, "/visits", "visit.recorded")
    with sqlite_store.begin() as work:
        webhooks.visit_recorded(work, record, NOW)
        (notice,) = work.notices.pending(NOW)
    assert notice.data is not None
    assert notice.data["record_id"] == record.id
    assert notice.data["risk"] == "normal"


def test_what_waits_for_a_removed_endpoint_is_not_sent_and_audited(
    sqlite_store: Store, receiver: Receiver, clock: FixedClock
) -> None:
    made = hook(sqlite_store, receiver, "/gone")
    break_the_trunk(sqlite_store)
    with sqlite_store.begin() as work:
        webhooks.remove(work, made, "user:cli", NOW)
        notices = {each.to: each.id for each in work.notices.pending(NOW)}
    Sender(sqlite_store, clock, NoticeConfig()).tick()
    assert receiver.got == []
    with sqlite_store.read() as work:
        (entry,) = work.audit.of(f"notice:{notices[f'webhook:{made.id}']}")
    assert entry.detail["because"] == webhooks.REMOVED


@pytest.mark.parametrize(
    ("name", "url", "events"),
    [
        ("", "https://a.example/", ()),
        ("a", "ftp://a.example/", ()),
        ("a", "https://", ()),
        ("a", "https://u:p@a.example/", ()),
        ("a", "https://a.example:99999/", ()),
        ("a", "https://a.example/", ("case.nonsense",)),
    ],
)
def test_what_cannot_work_is_refused(
    sqlite_store: Store, name: str, url: str, events: tuple[str, ...]
) -> None:
    with sqlite_store.begin() as work, pytest.raises(BadInput):
        webhooks.add(work, name, url, events, "user:cli", NOW)


def test_addresses_and_secrets_are_encrypted_and_survive_a_new_key(store: Store, receiver: Receiver) -> None:
    made = hook(store, receiver, "/all")
    assert made.secret not in repr(made)
    assert receiver.url not in repr(made)
    store.rotate_keys()
    with store.read() as work:
        assert work.webhooks.all() == [made]
