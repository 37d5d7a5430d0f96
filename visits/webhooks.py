"""对接系统: endpoints of other systems that are told of events, each with its own secret and filter.

A notice per endpoint is written with the fact it tells of (Notices.add) and sent by the outbox with its
patience: 30 s, 1 min, 2 min, … at most an hour, given up after two days; then it is a dead letter, which a
person may send again. The one of the settings (notices.webhook) gets everything that is told to "webhook".
docs/api.md says how a receiver checks a signature.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from storage.model import Notice, VisitRecord, Webhook
from storage.model.webhooks import EVERYTHING
from xunfang.errors import BadInput, NotFound
from xunfang.vocabulary import zh

if TYPE_CHECKING:
    from storage import Store, Work

SETTINGS = "webhook"  # Notice.to
NEVER = timedelta(days=36500)  # added to the time of the last attempt: not tried any more
REMOVED = "the endpoint was removed"
NAME_CHARS, URL_CHARS = 64, 500
SECRET_BYTES = 32
SHOWN_DEAD = 50
CASE_OVERDUE, VISIT_RECORDED, PING = "case.overdue", "visit.recorded", "webhook.test"

EVENTS: Mapping[str, str] = {
    "case.opened": "立案",
    "case.overdue": "案件超过期限仍无人到场",
    "visit.recorded": "一次巡访已有记录",
    "breaker.opened": "线路故障，暂停拨打",
    "breaker.closed": "线路恢复",
    "case.merged": "已有案件增加新原因",
    "case.reminded": "催办",
    "case.escalated": "上报上一级",
    "case.refuse": "巡访员推辞",
    "case.refer": "转介",
}


def add(
    work: Work, name: str, url: str, events: Sequence[str], actor: str, now: datetime, secret: str = ""
) -> Webhook:
    """`events` empty: all of them. The secret is made here unless one is given."""
    name, url = name.strip(), url.strip()
    if not name or len(name) > NAME_CHARS:
        raise BadInput(f"名称须为1至{NAME_CHARS}个字")
    if not _usable(url):
        raise BadInput("推送地址须是完整的 http:// 或 https:// 地址，且不含用户名密码")
    if unknown := [each for each in events if each not in EVENTS and each != EVERYTHING]:
        raise BadInput(f"不认识的事件 {unknown[0][:NAME_CHARS]}；可以是：{'、'.join(EVENTS)}")
    made = work.webhooks.add(
        name=name,
        url=url,
        secret=secret or secrets.token_urlsafe(SECRET_BYTES),
        events=tuple(dict.fromkeys(events)) or (EVERYTHING,),
        created_at=now,
        created_by=actor,
    )
    work.audit.write(now, actor, "webhook.added", f"webhook:{made.id}", {"events": list(made.events)})
    return made


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = parts.username is None and parts.password is None
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and plain
        and port_is_right
        and len(url) <= URL_CHARS
        and url.isprintable()
        and " " not in url
    )


def named(work: Work, name: str) -> Webhook:
    found = work.webhooks.named(name)
    if found is None:
        raise NotFound("没有这个名称的推送地址；`xunfang webhook list` 列出全部")
    return found


def remove(work: Work, hook: Webhook, actor: str, now: datetime) -> None:
    if work.webhooks.remove(hook.id):
        work.audit.write(now, actor, "webhook.removed", f"webhook:{hook.id}")


def ping(hook: Webhook, now: datetime) -> Notice:
    """What a test sends: no row of the outbox, number 0."""
    return Notice(
        0, PING, f"{SETTINGS}:{hook.id}", "【测试】推送地址可用", "这是一条测试消息。", created_at=now
    )


def dead(work: Work, now: datetime, limit: int = SHOWN_DEAD) -> list[Notice]:
    """Dead letters, newest first."""
    return work.webhooks.dead(_far(now), limit)


def send_again(work: Work, notice_id: int, actor: str, now: datetime) -> None:
    if not work.webhooks.revive(notice_id, now, _far(now)):
        raise NotFound("没有这条未送达的消息，可能已经重新发送")
    work.audit.write(now, actor, "webhook.sent_again", f"notice:{notice_id}")


def _far(now: datetime) -> datetime:
    return now + NEVER / 2


# ---- events that have no other notice -----------------------------------------------------------


def visit_recorded(work: Work, record: VisitRecord, now: datetime) -> None:
    """By telephone, or at the door."""
    data = {
        "record_id": record.id,
        "elder_id": record.elder_id,
        "call_id": record.call_id,
        "mode": record.mode.value,
        "risk": record.risk.value,
        "visited_at": record.visited_at.isoformat(),
    }
    title = f"【巡访记录】{zh(record.mode)}"
    work.notices.to_endpoints(
        kind=VISIT_RECORDED, title=title, body=f"结果：{zh(record.risk)}。", created_at=now, data=data
    )


def tell_overdue(store: Store, now: datetime) -> int:
    """Once for each open case whose deadline is over and nobody was there. Returns how many were told."""
    with store.read() as work:
        wanted = any(each.wants(CASE_OVERDUE) for each in work.webhooks.all())
        if not wanted or not work.webhooks.newly_overdue(now, CASE_OVERDUE, limit=1):
            return 0
    with store.begin() as work:
        cases = work.webhooks.newly_overdue(now, CASE_OVERDUE)
        for case in cases:
            work.notices.to_endpoints(
                kind=CASE_OVERDUE,
                title=f"【超期】【{zh(case.priority)}】{zh(case.kind)} 案件{case.id}",
                body=f"案件{case.id}已超过期限，仍无人到场。",
                case_id=case.id,
                created_at=now,
                data={
                    "case_id": case.id,
                    "elder_id": case.elder_id,
                    "status": case.status.value,
                    "priority": case.priority.value,
                    "deadline": case.deadline.isoformat(),
                },
            )
    return len(cases)
