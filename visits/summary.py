"""每月小结: what a month of visits brought, to the children (by consent) and to the village (numbers only).

To a contact it goes only when the elder agreed that his family is told (FAMILY_NOTICE) and that this contact
is (`may_be_told`); what was said of health only when he agreed to that too (HEALTH_DATA). Whoever is not told
leaves a line in the audit that says why. A second run of the same month sends nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from records import indicators
from records.indicator_table import UNVISITED
from records.indicators import Month, Row
from records.model import FIELDS, NONE_SAID, NOT_A_STATEMENT
from records.rules import plain
from storage.model import Elder, VisitRecord
from visits.people import title
from xunfang.vocabulary import ConsentPurpose, VisitMode, zh

if TYPE_CHECKING:
    from storage import Store, Work

KIND = "summary.month"
SENT = "summary.sent"
NOT_SENT = "no_notice_sent"
VILLAGE = "village"
BATCH_ELDERS = 100
RECORDS_OF_A_MONTH = 40
_HEALTH = ("mobility", "illness", "mood")
_SAFETY = ("gas", "water_heating", "electricity", "fire")
NOT_AGREED = "the elder has not agreed that his family is told"
NOT_THIS_ONE = "the elder has not agreed that this contact is told"
NO_CONTACT = "the ledger has no contact"
NO_PHONE = "the ledger has no telephone number of this village"


@dataclass(frozen=True, slots=True)
class Told:
    """`sent`, `not_sent`: persons; `again`: elders or villages that had their summary of this month."""

    sent: int = 0
    not_sent: int = 0
    again: int = 0

    def __add__(self, other: Told) -> Told:
        return Told(self.sent + other.sent, self.not_sent + other.not_sent, self.again + other.again)


def send_all(
    store: Store, month: Month, now: datetime, zone: ZoneInfo, actor: str, area_id: int | None = None
) -> Told:
    """To the contacts of all elders of an area, and to its villages. In short transactions."""
    told, after = Told(), 0
    while True:
        with store.begin() as work:
            elders = work.elders.page(after, BATCH_ELDERS, area_id)
            for each in elders:
                if each.active:
                    told += send(work, each, month, now, zone, actor)
        if len(elders) < BATCH_ELDERS:
            break
        after = elders[-1].id
    with store.begin() as work:
        for row in indicators.report(work, month, now, area_id).rows:
            if row.level == VILLAGE:
                told += send_village(work, row, month, now, actor)
    return told


def send(work: Work, elder: Elder, month: Month, now: datetime, zone: ZoneInfo, actor: str) -> Told:
    """To the contacts of one elder."""
    subject = f"elder:{elder.id}"
    if _done(work, subject, month):
        return Told(again=1)
    if work.consents.current(elder.id, ConsentPurpose.FAMILY_NOTICE) is not True:
        _not_sent(work, subject, month, "contact", NOT_AGREED, actor, now)
        return Told(not_sent=1)
    contacts = work.contacts.of(elder.id)
    if not contacts:
        _not_sent(work, subject, month, "contact", NO_CONTACT, actor, now)
        return Told(not_sent=1)
    health = work.consents.current(elder.id, ConsentPurpose.HEALTH_DATA) is True
    records = [
        each
        for each in work.records.of_elder(elder.id, limit=RECORDS_OF_A_MONTH, before=month.end)
        if each.visited_at >= month.start
    ]
    body = text(elder, records, month, zone, health)
    sent: list[int] = []
    for each in contacts:
        if not each.may_be_told:
            _not_sent(work, subject, month, f"contact:{each.id}", NOT_THIS_ONE, actor, now)
            continue
        head = f"【老年人巡访】{title(elder.name, elder.sex) or '老人'}{month.title}巡访情况"
        work.notices.add(kind=KIND, to=f"contact:{each.id}", title=head, body=body, created_at=now)
        sent.append(each.id)
    if sent:
        detail = {"month": month.text, "contacts": sent, "health": health}
        work.audit.write(now, actor, SENT, subject, detail)
    return Told(sent=len(sent), not_sent=len(contacts) - len(sent))


def send_village(work: Work, row: Row, month: Month, now: datetime, actor: str) -> Told:
    """Numbers only: nobody's consent is needed for them."""
    subject = f"area:{row.area_id}"
    if _done(work, subject, month):
        return Told(again=1)
    area = None if row.area_id is None else work.areas.get(row.area_id)
    if area is None or not area.phone:
        _not_sent(work, subject, month, subject, NO_PHONE, actor, now)
        return Told(not_sent=1)
    head = f"【老年人巡访】{row.name}{month.title}小结"
    work.notices.add(kind=KIND, to=subject, title=head, body=village_text(row, month), created_at=now)
    work.audit.write(now, actor, SENT, subject, {"month": month.text})
    return Told(sent=1)


# ---- words, pure -----------------------------------------------------------------------------------


def text(elder: Elder, records: list[VisitRecord], month: Month, zone: ZoneInfo, health: bool) -> str:
    """`records`: of the month, newest first. A short message: no full name, no number, no address."""
    who = title(elder.name, elder.sex) or "老人"
    if not records:
        return f"{who}{month.title}没有完成巡访。请您联系老人，并把情况告诉村（社区）。"
    by_mode = [
        f"{zh(mode)}{count}次"
        for mode in VisitMode
        if (count := sum(1 for each in records if each.mode is mode))
    ]
    latest = records[0]
    day = latest.visited_at.astimezone(zone)
    parts = [f"{who}{month.title}：{'、'.join(by_mode)}，最近一次{day.month}月{day.day}日"]
    if health:
        parts += _said(latest, _HEALTH)
    parts += _said(latest, _SAFETY)
    needs = plain(str(latest.fields.get("needs", "")))
    if needs and needs not in {*NOT_A_STATEMENT, NONE_SAID}:
        parts.append(f"服务需求：{needs}")
    return "；".join(parts) + "。请您常联系、多探望老人。"


def village_text(row: Row, month: Month) -> str:
    due, visited = row.count("due"), row.count("visited")
    left = [f"{each.title}{row.count(each.key)}人" for each in UNVISITED if row.count(each.key)]
    parts = [f"{row.name}{month.title}：应访{due}人，已访{visited}人"]
    if left:
        parts.append(f"未访：{'、'.join(left)}")
    waiting = row.count("open_overdue") + row.count("open_in_time")
    if waiting:
        parts.append(f"未办结案件{waiting}件，其中超期{row.count('open_overdue')}件")
    return "；".join(parts) + "。"


def _said(record: VisitRecord, keys: tuple[str, ...]) -> list[str]:
    """Only what was learnt: 未能确认 is nothing to tell a family."""
    found = ((FIELDS[key].label, plain(str(record.fields.get(key, "")))) for key in keys)
    return [f"{label}：{value}" for label, value in found if value in FIELDS_VALUES]


FIELDS_VALUES = frozenset(value for each in FIELDS.values() for value in each.values)


def _done(work: Work, subject: str, month: Month) -> bool:
    """Told, or noted why not, in an earlier run."""
    return any(each.detail.get("month") == month.text for each in work.audit.of(subject) if each.kind == SENT)


def _not_sent(
    work: Work, subject: str, month: Month, to: str, because: str, actor: str, now: datetime
) -> None:
    """Once per month and person, however often the button is pressed."""
    detail = {"kind": KIND, "month": month.text, "to": to, "because": because}
    if not any(each.kind == NOT_SENT and each.detail == detail for each in work.audit.of(subject)):
        work.audit.write(now, actor, NOT_SENT, subject, detail)
