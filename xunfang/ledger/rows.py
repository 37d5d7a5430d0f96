"""One row of a file -> a Draft: what it says, and what is wrong with it by itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from xunfang.ledger import numbers, values
from xunfang.ledger.areas import AreaBook, Place
from xunfang.ledger.columns import (
    CONSENTS,
    CONTACT_KEYS,
    FLAG_KEYS,
    consent_date_key,
    consent_key,
    contact_key,
    title_of,
)
from xunfang.ledger.values import CLEAR, Wrong
from xunfang.vocabulary import Category, ConsentPurpose, VisitMode, zh

ELDER_FROM_AGE = 60  # 60周岁及以上 (Jilin 2020, clause 二)
EARLIEST_CONSENT_YEARS = 20

Value = TypeVar("Value")
CONTACT_READERS: dict[str, Callable[[object], Any]] = {
    "name": values.person,
    "relation": values.relation,
    "phone": numbers.phone,
    "same_place": values.yes_no,
    "may_be_told": values.yes_no,
}
# What a person may take away by writing 清空, and what is then stored.
_CLEARED: dict[str, Any] = {
    "phone": "",
    "other_phone": "",
    "address": "",
    "categories": frozenset(),
    "windows": (),
    "note": "",
}


@dataclass(slots=True)
class Draft:
    """Only what the row says: a blank cell is absent, and leaves the ledger as it is."""

    row: int
    elder: dict[str, Any] = field(default_factory=dict)
    flags: dict[Category, bool] = field(default_factory=dict)
    contacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    visitor: dict[str, Any] = field(default_factory=dict)
    consents: dict[ConsentPurpose, tuple[bool, date | None]] = field(default_factory=dict)
    note: str | None = None
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.elder.get("name", ""))

    @property
    def pair(self) -> tuple[str, str] | None:
        """What names a person without an ID card."""
        phone = self.elder.get("phone")
        return (self.name, phone) if self.name and phone else None


def read_row(number: int, cells: Mapping[str, object], areas: AreaBook, today: date) -> Draft:
    """`cells`: column key -> cell, blank ones left out. Never raises for what a person typed."""
    draft = Draft(number)
    reader = _Reader(cells, draft)
    _elder(reader, today)
    _place(reader, areas)
    for position in sorted({CONTACT_KEYS[key][0] for key in cells if key in CONTACT_KEYS}):
        _contact(reader, position)
    _visitor(reader)
    _consents(reader, today)
    if (note := reader.take("note", values.free_text)) is not None:
        draft.note = note
    _contradictions(draft)
    return draft


class _Reader:
    def __init__(self, cells: Mapping[str, object], draft: Draft) -> None:
        self.cells = cells
        self.draft = draft

    def take(self, key: str, read: Callable[[object], Value]) -> Value | None:
        """The value of a cell; None when it is blank or wrong (then it is said in the draft)."""
        if not self.has(key):
            return None
        cell = self.cells[key]
        if isinstance(cell, str) and cell.strip() == CLEAR:
            if key in _CLEARED:
                return _CLEARED[key]  # type: ignore[no-any-return]
            self.draft.errors.append(f"{title_of(key)}：这一列不能清空")
            return None
        try:
            return read(cell)
        except Wrong as wrong:
            self.draft.errors.append(f"{title_of(key)}：{wrong}")
            return None

    def has(self, key: str) -> bool:
        """Something is written there, right or wrong."""
        cell = self.cells.get(key)
        return cell is not None and not (isinstance(cell, str) and not cell.strip())


def _elder(reader: _Reader, today: date) -> None:
    draft, given = reader.draft, reader.draft.elder
    readers: tuple[tuple[str, Callable[[object], Any]], ...] = (
        ("name", values.person),
        ("sex", values.sex),
        ("id_card", numbers.id_card),
        ("birth_date", lambda cell: values.day(cell, today)),
        ("phone", numbers.phone),
        ("other_phone", numbers.phone),
        ("address", values.free_text),
        ("categories", values.categories),
        ("self_caring", values.self_caring),
        ("good_health", values.yes_no),
        ("mode", values.mode),
        ("cadence", values.cadence),
        ("windows", values.windows),
    )
    for key, read in readers:
        value = reader.take(key, read)
        if value is not None:
            given[key] = value
    for key, category in FLAG_KEYS.items():
        if key in reader.cells and (flag := reader.take(key, values.yes_no)) is not None:
            draft.flags[category] = flag
    if not given.get("name") and not reader.has("name"):
        draft.errors.append("姓名：没有填写")
    if not reader.has("id_card") and not given.get("phone") and not _wrong(draft, "phone"):
        draft.errors.append("公民身份号码和联系电话至少要填一项，否则无法认出是同一个人")
    if card := given.get("id_card"):
        _from_card(draft, card, today)


def _wrong(draft: Draft, key: str) -> bool:
    return any(error.startswith(title_of(key) + "：") for error in draft.errors)


def _from_card(draft: Draft, card: str, today: date) -> None:
    """Birth date and sex stand in the number (GB 11643); what is written beside it must agree."""
    given = draft.elder
    born, sex = numbers.born(card), numbers.sex_of(card)
    if born > today or born.year < today.year - values.OLDEST_YEARS:
        draft.errors.append("公民身份号码：其中的出生日期不可能")
        return
    given.setdefault("birth_date", born)
    given.setdefault("sex", sex)
    disagreements(draft, card)
    if not numbers.known_place(card[:6]):
        draft.warnings.append("公民身份号码：前六位不是区县代码，请核对")


def disagreements(draft: Draft, card: str) -> None:
    """Where the row does not agree with an ID number: its own, or the one in the ledger."""
    born, sex = numbers.born(card), numbers.sex_of(card)
    if draft.elder.get("birth_date", born) != born:
        draft.errors.append(f"出生日期：与身份号码中的出生日期不一致（号码中为 {born}）")
    if draft.elder.get("sex", sex) != sex:
        draft.errors.append(f"性别：与身份号码不一致（号码表示{'男' if sex == 'M' else '女'}）")


def _place(reader: _Reader, areas: AreaBook) -> None:
    draft = reader.draft
    code = reader.take("area_code", numbers.area_code)
    names = [reader.take(key, values.plain) or "" for key in ("county", "township", "village")]
    if _wrong(draft, "area_code"):
        return
    place = Place(code or "", *names)
    if not place.given:
        return
    try:
        draft.elder["area_id"] = areas.find(place)
    except Wrong as wrong:
        draft.errors.append(f"村：{wrong}")


def _contact(reader: _Reader, position: int) -> None:
    found = {}
    for name, read in CONTACT_READERS.items():
        value = reader.take(contact_key(position, name), read)
        if value is not None:
            found[name] = value
    if not found:
        return
    reader.draft.contacts[position] = found
    if found.get("phone") and found["phone"] == reader.draft.elder.get("phone"):
        reader.draft.warnings.append(
            f"紧急联系人{position}电话：与老人本人的电话相同，本人无人接听时也找不到此人"
        )


def _visitor(reader: _Reader) -> None:
    readers: tuple[tuple[str, str, Callable[[object], Any]], ...] = (
        ("name", "visitor.name", values.person),
        ("kind", "visitor.relation", values.relation),
        ("phone", "visitor.phone", numbers.phone),
    )
    for name, key, read in readers:
        value = reader.take(key, read)
        if value is not None:
            reader.draft.visitor[name] = value
    if reader.draft.visitor and not reader.has("visitor.name"):
        reader.draft.errors.append("第一巡访员姓名：填了关系或电话，但没有姓名")


def _consents(reader: _Reader, today: date) -> None:
    def read_day(cell: object) -> date:
        return values.day(cell, today, EARLIEST_CONSENT_YEARS)

    common = reader.take("consent.date", read_day)
    for purpose, title, _others in CONSENTS:
        granted = reader.take(consent_key(purpose), values.yes_no)
        on = reader.take(consent_date_key(purpose), read_day)
        if granted is not None:
            reader.draft.consents[purpose] = (granted, on or common)
        elif on is not None:
            reader.draft.errors.append(f"{title}：填了日期，但没有填 是 或 否")


def _contradictions(draft: Draft) -> None:
    given = draft.elder
    categories = given.get("categories", frozenset())
    disabled = Category.DISABLED in categories or draft.flags.get(Category.DISABLED)
    if disabled and given.get("self_caring"):
        draft.warnings.append(f"能否自理：填了“能”，但类别含{zh(Category.DISABLED)}，请核对")
    unfit = given.get("self_caring") is False or given.get("good_health") is False
    if given.get("mode") is VisitMode.PHONE and unfit:
        draft.warnings.append("巡访方式：不能自理或身体状况欠佳的老人不适用电话巡访，系统将安排上门巡访")
