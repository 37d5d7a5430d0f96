"""Who a row is in the ledger, and what it would change there. Pure: facts in, Changes out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from storage.model import Contact, Elder
from storage.repository_ledger import LedgerEntry
from xunfang.clock import age
from xunfang.ledger.areas import AreaBook
from xunfang.ledger.columns import CONSENTS, CONTACT_FIELDS, contact_key, title_of
from xunfang.ledger.render import shown
from xunfang.ledger.rows import ELDER_FROM_AGE, Draft, disagreements
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode, zh

DIALPLANS: Mapping[Cadence, str] = {
    Cadence.WEEKLY: "weekly_short",
    Cadence.MONTHLY: "monthly_full",
    Cadence.QUARTERLY: "monthly_full",
}
_CONSENT_TITLES = {purpose: title for purpose, title, _ in CONSENTS}


@dataclass(frozen=True, slots=True)
class Moment:
    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.local(self.now)

    def local(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


@dataclass(slots=True)
class Changes:
    """What must be written for one row. `said`: column title -> old and new, as a person reads it."""

    elder: dict[str, Any] = field(default_factory=dict)
    new_contacts: list[dict[str, Any]] = field(default_factory=list)
    contacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    new_visitor: dict[str, Any] | None = None
    visitors: dict[int, dict[str, Any]] = field(default_factory=dict)
    consents: list[tuple[ConsentPurpose, bool, datetime]] = field(default_factory=list)
    note: str | None = None
    said: dict[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        return bool(
            self.elder
            or self.new_contacts
            or self.contacts
            or self.new_visitor
            or self.visitors
            or self.consents
            or self.note is not None
        )


class Seen:
    """Rows of this file that were accepted, so that the same person is not taken twice."""

    def __init__(self) -> None:
        self._cards: dict[str, int] = {}
        self._pairs: dict[tuple[str, str], int] = {}
        self._elders: dict[int, int] = {}

    def refuse_twin(self, draft: Draft, elder: Elder | None) -> None:
        """`elder`: whom the ledger says this is."""
        card, pair = draft.elder.get("id_card"), draft.pair
        if card and (row := self._cards.get(card)):
            draft.errors.append(f"公民身份号码：与第 {row} 行重复")
        elif pair and (row := self._pairs.get(pair)):
            draft.errors.append(f"姓名和联系电话：与第 {row} 行重复")
        elif elder is not None and (row := self._elders.get(elder.id)):
            draft.errors.append(f"与第 {row} 行是台账中的同一个人（编号 {elder.id}）")

    def accept(self, draft: Draft, elder: Elder | None) -> None:
        if card := draft.elder.get("id_card"):
            self._cards[card] = draft.row
        if draft.pair:
            self._pairs[draft.pair] = draft.row
        if elder is not None:
            self._elders[elder.id] = draft.row


class Known:
    """The elders of the ledger that a batch may mean."""

    def __init__(self, by_card: Iterable[Elder], by_phone: Iterable[Elder]) -> None:
        self._cards = {elder.id_card: elder for elder in by_card if elder.id_card}
        self._phones: dict[str, dict[int, Elder]] = defaultdict(dict)
        for elder in by_phone:
            self._phones[elder.phone][elder.id] = elder

    def match(self, draft: Draft) -> Elder | None:
        """None: nobody yet, or the row is refused (said in the draft)."""
        card, phone = draft.elder.get("id_card"), draft.elder.get("phone")
        namesakes = [each for each in self._phones.get(phone or "", {}).values() if each.name == draft.name]
        owner = self._cards.get(card) if card else None
        if owner is not None:
            if owner.name != draft.name:
                draft.warnings.append(f"姓名：此身份号码在台账中（编号 {owner.id}）登记的姓名不同，请核对")
            others = [each for each in namesakes if each.id != owner.id]
            if others:
                draft.warnings.append(f"台账中另有同名同号码的人（编号 {_ids(others)}），请核对是否重复")
            return owner
        if card and (others := [each for each in namesakes if each.id_card]):
            draft.errors.append(
                f"疑似重复：台账中有同名同号码、但身份号码不同的人（编号 {_ids(others)}），请核对"
            )
            return None
        if len(namesakes) > 1:
            draft.errors.append(
                f"台账中有几个人同名同号码（编号 {_ids(namesakes)}），请填写公民身份号码加以区分"
            )
            return None
        return namesakes[0] if namesakes else None


def _ids(elders: Sequence[Elder]) -> str:
    return "、".join(str(each.id) for each in elders[:3])


def changes(draft: Draft, entry: LedgerEntry | None, areas: AreaBook, moment: Moment) -> Changes:
    """The difference between the row and the ledger. May add errors and warnings to the draft."""
    found = Changes()
    if entry is None:
        _new_elder(draft, found, moment)
    else:
        _elder(draft, entry.elder, found, areas)
    _contacts(draft, entry.contacts if entry else (), found)
    _visitor(draft, entry, found)
    _consents(draft, entry, found, moment)
    note = entry.note if entry else ""
    if draft.note is not None and draft.note != note:
        found.note = draft.note
        found.said["备注"] = f"{note}→{draft.note}"
    return found


def _categories(draft: Draft, before: frozenset[Category]) -> frozenset[Category]:
    base: frozenset[Category] = draft.elder.get("categories", before)
    added = {category for category, yes in draft.flags.items() if yes}
    removed = {category for category, yes in draft.flags.items() if not yes}
    return (base | added) - removed


def _new_elder(draft: Draft, found: Changes, moment: Moment) -> None:
    given = dict(draft.elder)
    if "sex" not in given and not _said(draft, "公民身份号码：", "性别："):
        draft.errors.append("性别：没有填写，也没有身份号码可以推出")
    if "area_id" not in given and not _said(draft, "村：", "行政区划代码："):
        draft.errors.append("村：没有填写，有事时无法派人上门")
    given["categories"] = _categories(draft, frozenset())
    given.setdefault("self_caring", Category.DISABLED not in given["categories"])
    fit = given["self_caring"] and given.get("good_health", True)
    given.setdefault("mode", VisitMode.PHONE if fit and given.get("phone") else VisitMode.ON_SITE)
    if given["mode"] is VisitMode.PHONE and not given.get("phone"):
        draft.errors.append("联系电话：没有填写，不能用电话巡访")
    cadence = given.setdefault("cadence", Elder.__dataclass_fields__["cadence"].default)
    given["dialplan"] = DIALPLANS[cadence]
    _age_warning(draft, moment)
    found.elder = given


def _said(draft: Draft, *beginnings: str) -> bool:
    return any(error.startswith(beginnings) for error in draft.errors)


def _age_warning(draft: Draft, moment: Moment) -> None:
    years = age(draft.elder.get("birth_date"), moment.today)
    if years is not None and years < ELDER_FROM_AGE:
        draft.warnings.append(f"出生日期：不满 {ELDER_FROM_AGE} 周岁，请核对是否为巡访对象")


def _elder(draft: Draft, elder: Elder, found: Changes, areas: AreaBook) -> None:
    given = dict(draft.elder)
    if elder.id_card and "id_card" not in given:
        disagreements(draft, elder.id_card)
    if "categories" in given or draft.flags:
        given["categories"] = _categories(draft, elder.categories)
    for name, new in given.items():
        old = getattr(elder, name)
        if old != new:
            found.elder[name] = new
            title = "村" if name == "area_id" else title_of(name)
            found.said[title] = f"{shown(name, old, areas)}→{shown(name, new, areas)}"
    if "cadence" in found.elder and elder.dialplan == DIALPLANS[elder.cadence]:
        found.elder["dialplan"] = DIALPLANS[found.elder["cadence"]]
    if not elder.active:
        draft.warnings.append(f"台账中此人（编号 {elder.id}）已停用，导入不会恢复巡访")
    after_mode = found.elder.get("mode", elder.mode)
    if after_mode is VisitMode.PHONE and not found.elder.get("phone", elder.phone):
        draft.errors.append("联系电话：没有号码，不能用电话巡访")


def _contacts(draft: Draft, known: Sequence[Contact], found: Changes) -> None:
    """Group n of the file is the n-th contact of the ledger; groups left blank are left alone."""
    last = max((contact.position for contact in known), default=0)
    for group, given in sorted(draft.contacts.items()):
        if group <= len(known):
            _contact_change(group, given, known[group - 1], found)
            continue
        if not (given.get("name") and given.get("phone")):
            draft.errors.append(f"紧急联系人{group}：姓名和电话都要填")
            continue
        last += 1
        found.new_contacts.append({"position": last, "relation": "relative"} | given)
        found.said[f"紧急联系人{group}"] = "新增"


def _contact_change(group: int, given: Mapping[str, Any], old: Contact, found: Changes) -> None:
    changed = {name: new for name, new in given.items() if getattr(old, name) != new}
    if not changed:
        return
    found.contacts[old.id] = changed
    for name, _title, _others in CONTACT_FIELDS:
        if name in changed:
            found.said[title_of(contact_key(group, name))] = (
                f"{shown(name, getattr(old, name))}→{shown(name, changed[name])}"
            )


def _visitor(draft: Draft, entry: LedgerEntry | None, found: Changes) -> None:
    """A visitor of the same name is corrected; another name replaces the first one.

    The one replaced stays in the tables, inactive: cases tell who went.
    """
    name = draft.visitor.get("name")
    if not name:
        return
    visitors = entry.visitors if entry else ()
    same = next((each for each in visitors if each.name == name), None)
    if same is None:
        if visitors:
            found.visitors[visitors[0].id] = {"active": False}
        found.new_visitor = {"kind": "relative"} | draft.visitor
        found.said["第一巡访员姓名"] = f"{visitors[0].name if visitors else ''}→{name}"
        return
    changed = {key: new for key, new in draft.visitor.items() if getattr(same, key) != new}
    if changed:
        found.visitors[same.id] = changed
        for key, new in changed.items():
            title = title_of("visitor.relation" if key == "kind" else f"visitor.{key}")
            found.said[title] = f"{shown(key, getattr(same, key))}→{shown(key, new)}"


def _consents(draft: Draft, entry: LedgerEntry | None, found: Changes, moment: Moment) -> None:
    """自愿: the latest word counts, and a spreadsheet never turns a later no into a yes.

    A yes needs a date after the last word in the ledger, when there is one. A no without a date
    counts from now: it is better to ask once more than to call somebody who refused.
    """
    for purpose, (granted, on) in draft.consents.items():
        latest = entry.consents.get(purpose) if entry else None
        title = _CONSENT_TITLES[purpose]
        at = moment.midnight(on) if on else moment.now
        if latest is not None:
            last_day = moment.local(latest.at)
            if latest.granted == granted and (on is None or on <= last_day):
                continue
            if granted and (on is None or at <= latest.at):
                draft.warnings.append(
                    f"{title}：台账中 {last_day} 的记录为“否”，未改动；如此后重新同意，请填写同意的日期"
                )
                continue
            if on is not None and on < last_day:
                draft.warnings.append(f"{title}：台账中有更晚（{last_day}）的记录为“是”，未改动")
                continue
            at = max(at, latest.at + timedelta(microseconds=1))
        found.consents.append((purpose, granted, at))
        was = "" if latest is None else ("是" if latest.granted else "否")
        found.said[title] = f"{was}→{'是' if granted else '否'}"


def created_with(given: Mapping[str, Any]) -> str:
    """One line about a new elder, for a dry run."""
    parts = [zh(given["mode"])] if "mode" in given else []
    parts += [zh(given["cadence"])] if "cadence" in given else []
    parts += sorted(zh(category) for category in given.get("categories", ()))
    return "、".join(parts)
