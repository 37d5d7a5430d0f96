"""The outbox (通知): rows written with the fact they tell of are sent afterwards, with patience.

A row is claimed by a lease, so that two senders never send the same one at the same time and the
rows of a dead sender come back. Sending happens outside of any transaction. It is "at least
once": a sender that dies between sending and noting it sends again; the webhook's delivery id
lets the receiver see that.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from storage.model import Notice, Webhook
from visits import contacts, webhooks
from visits.channels import AppriseChannel, Channel, ChannelError, NoticeConfig, WebhookChannel
from xunfang.clock import Clock
from xunfang.log import get_logger

if TYPE_CHECKING:
    from storage import Store

LEASE_S = 120  # longer than any channel's own timeout
BATCH = 20
BACKOFF_FIRST = timedelta(seconds=30)
BACKOFF_MOST = timedelta(hours=1)
MOST_DOUBLINGS = 10  # by then BACKOFF_MOST is long reached
GIVE_UP_AFTER = timedelta(days=2)
NEVER = webhooks.NEVER
OVERDUE_EVERY = timedelta(minutes=1)  # how often deadlines are looked at for webhooks
ACTOR = "system"

_log = get_logger("visits")


def backoff(attempts: int) -> timedelta:
    """Wait after this many failed attempts: 30 s, 1 min, 2 min, … at most an hour."""
    doublings = min(max(attempts - 1, 0), MOST_DOUBLINGS)
    return min(BACKOFF_FIRST * int(2**doublings), BACKOFF_MOST)


class Sender:
    """Empties the outbox. `tick()` is called by the scheduler; several senders may run."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        config: NoticeConfig,
        desk: Channel | None = None,
        webhook: Channel | None = None,
        person: Channel | None = None,
        endpoint: Callable[[Webhook], Channel] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk or (AppriseChannel(config.apprise_urls) if config.apprise_urls else None)
        self._person = person or (AppriseChannel(config.person_urls) if config.person_urls else None)
        self._webhook = webhook or (
            WebhookChannel(config.webhook_url, config.webhook_secret) if config.webhook_url else None
        )
        self._endpoint = endpoint or (lambda hook: WebhookChannel(hook.url, hook.secret))
        self._overdue_at: datetime | None = None  # looked at last

    def tick(self, limit: int = BATCH) -> int:
        """Try the notices that are due; returns how many went out."""
        self._look_for_overdue()
        with self._store.read() as work:
            waiting = work.notices.pending(self._clock.now(), limit)
        return sum(self._one(notice) for notice in waiting)

    def _look_for_overdue(self) -> None:
        now = self._clock.now()
        if self._overdue_at is None or now - self._overdue_at >= OVERDUE_EVERY:
            self._overdue_at = now
            webhooks.tell_overdue(self._store, now)

    def _one(self, notice: Notice) -> bool:
        now = self._clock.now()
        with self._store.begin() as work:
            if not work.notices.claim(notice.id, now, LEASE_S):
                return False
        with self._store.read() as work:
            late = contacts.not_needed(work, notice)
        if late:
            self._not_sent(notice, late, now)
            return False
        channel, phone, missing = self._route(notice)
        if channel is None:
            if notice.to == webhooks.SETTINGS and self._has_endpoints():
                self._sent(notice)  # each endpoint has a notice of its own
            else:
                self._not_sent(notice, missing, now)
            return False
        try:
            channel.send(notice, phone, now)
        except ChannelError as error:
            self._failed(notice, str(error), self._clock.now())
            return False
        self._sent(notice)
        return True

    def _sent(self, notice: Notice) -> None:
        with self._store.begin() as work:
            work.notices.sent(notice.id, self._clock.now())

    def _has_endpoints(self) -> bool:
        with self._store.read() as work:
            return any(each.active for each in work.webhooks.all())

    def _route(self, notice: Notice) -> tuple[Channel | None, str, str]:
        """(channel, phone number, why there is no channel)."""
        target, _, number = notice.to.partition(":")
        if target == "duty":
            return self._desk, "", "no apprise URL is configured (notices.apprise)"
        if target == webhooks.SETTINGS and number:
            with self._store.read() as work:
                hook = work.webhooks.get(int(number))
            usable = hook is not None and hook.active
            return (self._endpoint(hook), "", "") if hook and usable else (None, "", webhooks.REMOVED)
        if target == webhooks.SETTINGS:
            return self._webhook, "", "no webhook is configured (notices.webhook)"
        if self._person is None:
            return None, "", "no message service for persons is configured"
        phone = self._phone(notice, target, int(number))
        return (self._person, phone, "") if phone else (None, "", "the person has no telephone number")

    def _phone(self, notice: Notice, target: str, person_id: int) -> str:
        with self._store.read() as work:
            if target == "visitor":
                visitor = work.visitors.get(person_id)
                return "" if visitor is None else visitor.phone
            if target == "area":
                area = work.areas.get(person_id)
                return "" if area is None or area.phone is None else area.phone
            contact = work.contacts.get(person_id)
            case = None if notice.case_id is None else work.cases.get(notice.case_id)
        another = contact is None or (case is not None and contact.elder_id != case.elder_id)
        return "" if contact is None or another else contact.phone

    def _not_sent(self, notice: Notice, because: str, now: datetime) -> None:
        """Final: what nobody can carry is audited, so that its absence can be found."""
        with self._store.begin() as work:
            work.audit.write(now, ACTOR, "no_notice_sent", _subject(notice), _detail(notice, because))
            work.notices.failed(notice.id, f"not sent because {because}", now + NEVER)

    def _failed(self, notice: Notice, why: str, now: datetime) -> None:
        born = notice.created_at or now
        gives_up = now - born >= GIVE_UP_AFTER
        _log.warning("notice.failed", notice_id=notice.id, why=why, gives_up=gives_up)
        with self._store.begin() as work:
            if gives_up:
                work.audit.write(now, ACTOR, "no_notice_sent", _subject(notice), _detail(notice, why))
            work.notices.failed(notice.id, why, now + (NEVER if gives_up else backoff(notice.attempts + 1)))


def _subject(notice: Notice) -> str:
    return f"notice:{notice.id}" if notice.case_id is None else f"case:{notice.case_id}"


def _detail(notice: Notice, because: str) -> dict[str, object]:
    return {"notice_id": notice.id, "to": notice.to, "because": because}
