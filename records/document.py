"""The official form (特殊困难老年人探访关爱服务记录表) as a Word file, filled from ledger and records.

Two steps: `gather` reads the facts of one elder, `fill` is pure and gives every tag of the template its
words (docs/form.md lists them), `render` lays them into the template. What is not known is said so
(未登记, 未现场核实, 未能确认): an empty box is never ticked by guessing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from docx.image.exceptions import UnrecognizedImageError
from docx.opc.exceptions import PackageNotFoundError
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from records import model as form
from records.rules import plain
from storage.files import Kept, SealedFiles
from storage.model import Answer, Area, Case, Contact, Elder, Visitor, VisitRecord
from xunfang.errors import BadInput, NotFound, StorageError
from xunfang.vocabulary import RELATION_ZH, Category, DoorPhotoKind, VisitMode, zh

if TYPE_CHECKING:
    from storage import Work

TEMPLATE = Path(__file__).parent / "templates" / "visit_record.docx"
COPIES = ("第一份：县级民政部门存档", "第二份：乡镇（街道）存档")  # 此表一式两份
TICKED, EMPTY = "☑", "□"
TIED = "\u00a0"  # a box and its word stay on one line
UNREGISTERED = "未登记"
HOUSEHOLD_ROWS = 3
CARE_ROWS = 3
SIGNATURE_MM = 8
EARLIER_RECORDS = 20  # looked through for the visit before
CLOSED_CASES = 20
SATISFACTION = "satisfaction"  # question of the dialplans
NOTES = (
    "填表说明：电话看不到的项目记“未现场核实”；问了但没有听清或没有回答的记“未能确认”；没有问到的记“本次未询问”；"
    "第一次探访没有可比较的，记“首次记录”。这些都不等于“无变化”。"
)
# 帮扶单位（组织）, and which kind of visitor belongs to it (storage.model.Visitor.kind).
ORGANISATIONS: dict[str, frozenset[str]] = {
    "党政机关、群团组织": frozenset(),
    "乡镇（街道）、村（居）民委员会": frozenset({"village", "township"}),
    "企业": frozenset({"company"}),
    "社会组织": frozenset({"organisation"}),
    "专业社会工作者": frozenset({"social_worker"}),
    "志愿者": frozenset({"volunteer"}),
    "其他": frozenset({"child", "relative", "guardian", "neighbour"}),
}
_SEX_ZH = {"F": "女", "M": "男"}
_LEVELS = (
    ("county", "县（市、区、旗）", "县市区旗"),
    ("township", "乡镇（街道）", "乡镇道办"),
    ("village", "村（居）", "村居区队屯"),
)
_COUNTED = re.compile(r"^(增加|减少)\s*(\d+)?\s*人?$")
_NO_LETTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # not allowed in XML


@dataclass(frozen=True, slots=True)
class Signatures:
    """Pictures (PNG or JPEG) of the signatures that were given at the door; None: not given."""

    visitor: bytes | None = field(default=None, repr=False)
    elder: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one form is made of. `records`: newest first; `numbers`: 第几次 of each of them."""

    elder: Elder
    areas: tuple[Area, ...] = ()  # from the county down
    contacts: tuple[Contact, ...] = ()
    visitor: Visitor | None = None
    records: tuple[VisitRecord, ...] = ()
    before: Mapping[int, VisitRecord] = field(default_factory=dict)  # record id -> the visit before it
    numbers: Mapping[int, int] = field(default_factory=dict)
    cares: tuple[tuple[Case, str], ...] = ()  # oldest first, with the name of who went
    satisfaction: tuple[Answer, ...] = ()
    signatures: Mapping[int, Signatures] = field(default_factory=dict)  # by record, where there are any
    applied: tuple[str, ...] = ()  # benefits that were applied for, from the worklist of subsidies


def gather(work: Work, elder_id: int, visits: int = 1, photos: Path | None = None) -> Facts:
    """`visits`: how many of the latest visits are printed; `photos`: the folder of sealed signatures.

    NotFound for an unknown elder.
    """
    elder = work.elders.get(elder_id)
    if elder is None:
        raise NotFound(f"没有编号为{elder_id}的老人")
    found = work.records.of_elder(elder_id, limit=visits + EARLIER_RECORDS)
    printed = found[:visits]
    visitors = work.visitors.for_elder(elder_id)
    if not visitors and elder.area_id is not None:
        visitors = work.visitors.for_area(elder.area_id)
    latest = printed[0] if printed else None
    said: list[Answer] = []
    if latest is not None and latest.plan_id is not None:
        said = work.answers.of_plan(latest.plan_id)
    elif latest is not None and latest.call_id is not None:
        said = work.answers.of(latest.call_id)
    total = work.reports.records_of(elder_id)
    return Facts(
        elder=elder,
        areas=() if elder.area_id is None else tuple(work.areas.path(elder.area_id)),
        contacts=tuple(work.contacts.of(elder_id)),
        visitor=visitors[0] if visitors else None,
        records=tuple(printed),
        before={
            each.id: earlier
            for at, each in enumerate(printed, start=1)
            if (earlier := _earlier(each, found[at:])) is not None
        },
        numbers={each.id: total - at for at, each in enumerate(printed)},
        cares=_cares(work, elder_id),
        satisfaction=tuple(each for each in said if each.question == SATISFACTION),
        applied=work.subsidies.applied_for(elder_id),
        signatures={} if photos is None else _signed(work, printed, SealedFiles(photos)),
    )


def _signed(work: Work, printed: Sequence[VisitRecord], files: SealedFiles) -> dict[int, Signatures]:
    """A signature whose file is gone, or was changed, leaves room for the pen."""
    at_home = {each.id for each in printed if each.mode is VisitMode.ON_SITE}
    found: dict[int, Signatures] = {}
    for photo in work.doorstep.photos_of_elder(printed[0].elder_id) if at_home else ():
        made = None if photo.kind is DoorPhotoKind.PHOTO else work.doorstep.form(photo.form_id)
        if made is None or made.record_id not in at_home:
            continue
        with suppress(NotFound, StorageError):
            picture = files.get(Kept(photo.file, photo.secret))
            held = found.get(made.record_id, Signatures())
            by_elder = photo.kind is DoorPhotoKind.ELDER_SIGNATURE
            found[made.record_id] = replace(held, **{"elder" if by_elder else "visitor": picture})
    return found


def _earlier(record: VisitRecord, older: Sequence[VisitRecord]) -> VisitRecord | None:
    """The first half of a cut-off visit is no earlier visit (as in records.service)."""
    return next((each for each in older if each.plan_id is None or each.plan_id != record.plan_id), None)


def _cares(work: Work, elder_id: int) -> tuple[tuple[Case, str], ...]:
    """Closed cases in which somebody went there, or which were referred."""
    done = [
        each
        for each in work.cases.of_elder(elder_id, limit=CLOSED_CASES)
        if each.closed_at is not None and (each.visited_at is not None or each.referred_to is not None)
    ]
    with_names: list[tuple[Case, str]] = []
    for each in reversed(done[:CARE_ROWS]):
        visitor = None if each.visitor_id is None else work.visitors.get(each.visitor_id)
        with_names.append((each, "" if visitor is None else visitor.name))
    return tuple(with_names)


def fill(facts: Facts, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Tag -> words, for the template."""
    latest = facts.records[0] if facts.records else None
    visits = [_visit(facts, each, zone) for each in reversed(facts.records)]
    return {
        "date": _day(latest.visited_at if latest else now, zone),
        "copies": [
            {"title": title, "last": number == len(COPIES) - 1} for number, title in enumerate(COPIES)
        ],
        "elder": _elder(facts),
        "contact": _contact(facts.contacts),
        "household": _household(facts.elder),
        "living": _living(facts, latest),
        "help": _help(facts),
        "visits": visits or [_visit(facts, None, zone)],
        "cares": _care_rows(facts.cares, zone),
        "satisfaction": "；".join(each.text or each.answer for each in facts.satisfaction) or UNREGISTERED,
        "notes": NOTES,
    }


def render(context: Mapping[str, Any], template: Path | None = None) -> bytes:
    """The Word file. BadInput, in Chinese, when an edited template cannot be filled."""
    file = template or TEMPLATE
    # An edited template is still only a form: the sandbox keeps it from being a program.
    environment = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    out = io.BytesIO()
    try:
        document = DocxTemplate(str(file))
        document.render(_printable(dict(context), document), environment)
        document.save(out)
    except UnrecognizedImageError:
        raise BadInput("签字图片无法读取，不能放进记录表") from None
    except TemplateError as error:
        raise BadInput(
            f"记录表模板 {file.name} 的标签有误：{error.message}；标签清单见 docs/form.md"
        ) from None
    except (PackageNotFoundError, KeyError, ValueError, OSError) as error:
        raise BadInput(f"记录表模板 {file.name} 不是可用的 Word 文件（{type(error).__name__}）") from None
    return out.getvalue()


# ---- boxes -----------------------------------------------------------------------------------------


def boxes(options: Sequence[str], chosen: str | None, remark: str = "") -> str:
    """☑ before the chosen one, □ before the others, then what is remarked."""
    text = "  ".join(f"{TICKED if option == chosen else EMPTY}{TIED}{option}" for option in options)
    return f"{text}  {remark}".rstrip()


def yes_no(value: bool | None) -> str:
    """None: the ledger does not know; both boxes stay empty for the pen."""
    known = {True: "是", False: "否", None: None}[value]
    return boxes(("是", "否"), known, "" if value is not None else UNREGISTERED)


def field_boxes(key: str, said: str, illness_name: str = "") -> str:
    """One line of 五 探访情况 with its boxes."""
    value = plain(said)
    by = said.removeprefix(value)
    options = list(form.FIELDS[key].values)
    chosen: str | None = value if value in options else None
    remark = by if chosen else said
    if key == "family_size":
        counted = _COUNTED.match(value)
        people = {each: f"{each}   人" for each in ("增加", "减少")}
        if counted:
            chosen = counted[1]
            remark = by
            people[chosen] = f"{chosen} {counted[2] or '  '} 人"
        options = [people.get(each, each) for each in options]
        chosen = people.get(chosen or "", chosen)
    elif key == "illness":
        named = f"{form.SERIOUS} 疾病名称：{illness_name}"
        options = [named if each == form.SERIOUS else each for each in options]
        chosen = named if chosen == form.SERIOUS else chosen
    return boxes(options, chosen, remark)


# ---- parts -----------------------------------------------------------------------------------------


def _elder(facts: Facts) -> dict[str, str]:
    elder, groups = facts.elder, facts.elder.categories
    left_behind = Category.LEFT_BEHIND in groups
    return {
        "place": _place(facts.areas, elder.address),
        # 留守: by its definition lives where the household is registered (Jilin 2018, clause 一).
        "at_registered_place": yes_no(True if left_behind else None),
        "name": elder.name,
        "phone": "、".join(each for each in (elder.phone, elder.other_phone) if each),
        "disabled": yes_no(True if Category.SEVERELY_DISABLED in groups else None),
        "disability_card": UNREGISTERED,
        "alone": yes_no(bool(groups & {Category.LIVING_ALONE, Category.EMPTY_NEST})),
        "left_behind": yes_no(left_behind),
        "incapable": yes_no(Category.DISABLED in groups),
        "family_planning": yes_no(Category.FAMILY_PLANNING_SPECIAL in groups),
    }


def _place(areas: Sequence[Area], address: str) -> str:
    """The words of the form stay where the name of an area does not say them itself."""
    names = {each.level: each.name for each in areas}
    parts = []
    for level, words, endings in _LEVELS:
        name = names.get(level, "　　")
        parts.append(name if name[-1] in endings else f"{name} {words} ")
    return "".join(parts) + address


def _contact(contacts: Sequence[Contact]) -> dict[str, str]:
    if not contacts:
        return {"name": UNREGISTERED, "phone": UNREGISTERED}
    first = contacts[0]
    relation = RELATION_ZH.get(first.relation, "")
    return {"name": f"{first.name}（{relation}）" if relation else first.name, "phone": first.phone}


def _household(elder: Elder) -> list[dict[str, str]]:
    """The ledger knows one person of the household. Only who lives alone is its head for certain."""
    groups = elder.categories
    health = "身体状况良好" if elder.good_health else "健康状况欠佳"
    health += "、能自理" if elder.self_caring and Category.DISABLED not in groups else "、不能完全自理"
    alone = Category.LIVING_ALONE in groups
    known = {
        "name": elder.name,
        "sex": _SEX_ZH.get(elder.sex, ""),
        "id_card": elder.id_card or UNREGISTERED,
        "relation": "户主" if alone else "待核实",
        "health": health,
        "relief": "特困人员" if Category.DESTITUTE in groups else UNREGISTERED,
    }
    empty = dict.fromkeys(known, "")
    rows = [known] if alone else [empty, known]
    rows += [empty] * (HOUSEHOLD_ROWS - len(rows))
    return [{"number": "户主" if at == 0 else str(at + 1), **row} for at, row in enumerate(rows)]


def _living(facts: Facts, latest: VisitRecord | None) -> dict[str, str]:
    benefits = f"已协助申请：{'、'.join(facts.applied)}" if facts.applied else UNREGISTERED
    return {
        "water": form.UNSEEN,
        "electricity": _said(latest, "electricity") if latest else UNREGISTERED,
        "housing": form.UNSEEN,
        "income": UNREGISTERED,
        "benefits": benefits,
    }


def _help(facts: Facts) -> dict[str, str]:
    kind = facts.visitor.kind if facts.visitor else ""
    chosen = next((name for name, kinds in ORGANISATIONS.items() if kind in kinds), None)
    elder = facts.elder
    return {
        "organisations": boxes(tuple(ORGANISATIONS), chosen),
        "person": facts.visitor.name if facts.visitor else UNREGISTERED,
        "measures": f"{zh(elder.cadence)}（{zh(elder.mode)}）",
    }


def _visit(facts: Facts, record: VisitRecord | None, zone: ZoneInfo) -> dict[str, Any]:
    """One block of 五. Without a record: the empty form, for the pen."""
    before = None if record is None else facts.before.get(record.id)
    keys = [each.key for each in form.FORM]
    visit: dict[str, Any] = {
        "number": " " if record is None else str(facts.numbers[record.id]),
        "date": "年   月   日" if record is None else _day(record.visited_at, zone),
        "before": {
            "date": "" if before is None else f"（{_day(before.visited_at, zone)}）",
            **{key: "" if before is None else _said(before, key) for key in keys},
        },
        **_signatures(record, zone, facts.signatures.get(record.id) if record else None),
    }
    for key in keys:
        said = "" if record is None else _said(record, key)
        if key in ("needs", "advice"):
            visit[key] = said
        else:
            name = _said(record, "illness_name") if record and key == "illness" else ""
            visit[key] = {"value": said, "boxes": field_boxes(key, said, name)}
    return visit


def _said(record: VisitRecord, key: str) -> str:
    """A record of an older version may lack a key: then it was not asked."""
    return str(record.fields.get(key) or form.NOT_ASKED)


def _signatures(record: VisitRecord | None, zone: ZoneInfo, given: Signatures | None) -> dict[str, Any]:
    """The picture of a signature that was given, else room for the pen; words after a telephone visit."""
    if record is None or record.mode is VisitMode.ON_SITE:
        given = given or Signatures()
        return {
            "visitor_signature": given.visitor or "",
            "elder_signature": given.elder or "",
            "entered_by": "      年  月  日",
        }
    unsigned = f"{form.VISIT_MODE[record.mode]}，未现场签字"
    return {
        "visitor_signature": unsigned,
        "elder_signature": unsigned,
        "entered_by": f"系统录入 {_day(record.visited_at, zone)}",
    }


def _care_rows(cares: Sequence[tuple[Case, str]], zone: ZoneInfo) -> list[dict[str, str]]:
    rows = [
        {
            "number": str(number),
            "date": _day(case.closed_at, zone) if case.closed_at else "",
            "done": case.disposition_note,
            "by": name,
        }
        for number, (case, name) in enumerate(cares, start=1)
    ]
    empty = {"number": " ", "date": "年   月   日", "done": "", "by": "        年   月   日"}
    return rows + [empty] * (CARE_ROWS - len(rows))


def _day(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.year}年{local.month}月{local.day}日"


def _printable(value: Any, document: DocxTemplate) -> Any:
    """What people typed may hold letters that no Word file can; bytes are pictures."""
    if isinstance(value, bytes):
        return InlineImage(document, io.BytesIO(value), height=Mm(SIGNATURE_MM))
    if isinstance(value, str):
        return _NO_LETTER.sub("", value)
    if isinstance(value, Mapping):
        return {key: _printable(item, document) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item, document) for item in value]
    return value
