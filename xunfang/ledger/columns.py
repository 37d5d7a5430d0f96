"""The columns of a ledger file, their other names, and how a header line is recognised.

Titles follow the official form 特殊困难老年人探访关爱服务记录表, part 一 (Hubei 2023), whose own
headers are among the synonyms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xunfang.errors import BadInput
from xunfang.vocabulary import Cadence, Category, ConsentPurpose, VisitMode, zh

CONTACT_GROUPS = 3  # in the template; a file may have more
MAX_CONTACT_GROUPS = 9
HEADER_WITHIN_ROWS = 10  # a title and a remark may stand above the header
YES_NO = ("是", "否")
RELATIONS: Mapping[str, str] = {
    "child": "子女",
    "relative": "亲属",
    "guardian": "监护人",
    "neighbour": "邻居",
    "village": "村(居)",
    "volunteer": "志愿者",
}
# Added to a list of refused rows; ignored when that list is imported again.
REASON = "未导入原因"
ROW_NUMBER = "原行号"


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    title: str
    synonyms: tuple[str, ...] = ()
    as_text: bool = False  # a spreadsheet would round or cut the number
    choices: tuple[str, ...] = ()
    hint: str = ""


def flag_key(category: Category) -> str:
    return f"is.{category.value}"


def contact_key(position: int, name: str) -> str:
    return f"contact{position}.{name}"


def consent_key(purpose: ConsentPurpose) -> str:
    return f"consent.{purpose.value}"


def consent_date_key(purpose: ConsentPurpose) -> str:
    return f"consent.{purpose.value}.date"


CONTACT_FIELDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("name", "姓名", ()),
    ("relation", "关系", ("与老人关系", "与被探访人关系")),
    ("phone", "电话", ("联系电话", "手机", "手机号", "手机号码", "电话号码", "联系方式")),
    ("same_place", "同住一地", ("是否同住一地", "同住", "是否同住")),
    ("may_be_told", "可告知", ("是否可告知", "可通知")),
)
CONSENTS: tuple[tuple[ConsentPurpose, str, tuple[str, ...]], ...] = (
    (ConsentPurpose.PHONE_VISIT, "同意电话巡访", ("是否同意电话巡访", "同意电话探访")),
    (ConsentPurpose.ON_SITE_VISIT, "同意上门巡访", ("是否同意上门巡访", "同意上门探访")),
    (ConsentPurpose.RECORDING, "同意录音", ("是否同意录音", "同意通话录音")),
    (ConsentPurpose.HEALTH_DATA, "同意使用健康信息", ("是否同意使用健康信息", "同意健康信息")),
    (ConsentPurpose.FAMILY_NOTICE, "同意通知家属", ("是否同意通知家属",)),
)
_FLAGS: tuple[tuple[Category, tuple[str, ...]], ...] = (
    (Category.LIVING_ALONE, ("是否独居",)),
    (Category.EMPTY_NEST, ("是否空巢",)),
    (Category.LEFT_BEHIND, ("是否留守",)),
    (Category.DESTITUTE, ("是否特困", "是否特困人员")),
    (Category.ADVANCED_AGE, ("是否高龄",)),
    (Category.DISABLED, ("是否失能", "是否失能失智")),
    (Category.SEVERELY_DISABLED, ("是否重残", "是否重度残疾")),
    (
        Category.FAMILY_PLANNING_SPECIAL,
        ("是否计划生育特殊家庭老年人", "是否计生特殊家庭", "是否计划生育特殊家庭"),
    ),
)
_DATE_HINT = "如 1949-12-31"


def _contact_columns(position: int) -> list[Column]:
    choices = {"relation": tuple(RELATIONS.values()), "same_place": YES_NO, "may_be_told": YES_NO}
    return [
        Column(
            contact_key(position, name),
            f"紧急联系人{position}{title}",
            tuple(f"紧急联系人{position}{other}" for other in others)
            + (tuple(f"紧急联系人{other}" for other in (title, *others)) if position == 1 else ())
            + ((f"紧急联系人{position}",) if name == "name" else ())
            + (("紧急联系人",) if name == "name" and position == 1 else ()),
            as_text=name == "phone",
            choices=choices.get(name, ()),
            hint={
                "same_place": "与老人同住一地的子女列为第一巡访员",
                "may_be_told": "老人是否同意把情况告知此人",
            }.get(name, ""),
        )
        for name, title, others in CONTACT_FIELDS
    ]


def _consent_columns() -> list[Column]:
    found: list[Column] = []
    for purpose, title, others in CONSENTS:
        found.append(Column(consent_key(purpose), title, others, choices=YES_NO, hint="老人本人的意愿"))
        found.append(Column(consent_date_key(purpose), f"{title}日期", (), hint=f"表态的日期，{_DATE_HINT}"))
    return found


def export_columns(contact_groups: int = CONTACT_GROUPS) -> tuple[Column, ...]:
    """What the template and an export hold, in this order."""
    return (
        Column("name", "姓名", ("老人姓名", "老年人姓名", "被探访人姓名", "探访对象姓名", "名字")),
        Column("sex", "性别", (), choices=("男", "女"), hint="有身份号码时可不填"),
        Column(
            "id_card",
            "公民身份号码",
            ("身份证号", "身份证号码", "身份证", "居民身份证号码", "身份号码", "证件号码", "公民身份证号码"),
            as_text=True,
            hint="18 位；系统以此识别同一位老人",
        ),
        Column("birth_date", "出生日期", ("出生年月日", "生日", "出生年月"), hint="有身份号码时可不填"),
        Column(
            "phone",
            "联系电话",
            ("电话", "手机", "手机号", "手机号码", "电话号码", "老人电话", "本人电话", "联系方式"),
            as_text=True,
            hint="手机，或带区号的固定电话",
        ),
        Column(
            "other_phone",
            "备用电话",
            ("第二电话", "其他电话", "另一电话", "本人备用电话", "备用号码"),
            as_text=True,
            hint="老人本人的另一个号码，打不通时改打",
        ),
        Column(
            "area_code",
            "行政区划代码",
            ("区划代码", "村代码", "村居代码", "统计用区划代码"),
            as_text=True,
            hint="12 位统计用区划代码；填了可不填县、乡镇、村",
        ),
        Column("county", "县", ("县区", "区县", "县市区", "县市区旗", "所在县", "市县")),
        Column("township", "乡镇", ("乡", "镇", "街道", "乡镇街道", "所在乡镇")),
        Column("village", "村", ("村居", "社区", "村社区", "村居社区", "行政村", "所在村", "村名")),
        Column("address", "家庭住址", ("住址", "地址", "详细地址", "家庭地址", "居住地址", "现住址")),
        Column(
            "categories",
            "类别",
            ("老人类别", "老年人类别", "对象类别", "人员类别"),
            hint="可填多项，用、隔开：" + "、".join(zh(category) for category in Category),
        ),
        Column(
            "self_caring",
            "能否自理",
            ("是否自理", "生活自理", "能自理", "自理能力", "生活能否自理"),
            choices=("能", "否"),
        ),
        Column(
            "good_health",
            "身体状况良好",
            ("身体是否良好", "健康状况", "身体状况", "是否身体良好"),
            choices=YES_NO,
        ),
        Column("mode", "巡访方式", ("探访方式", "访问方式"), choices=tuple(zh(mode) for mode in VisitMode)),
        Column(
            "cadence", "频次", ("巡访频次", "探访频次", "周期"), choices=tuple(zh(one) for one in Cadence)
        ),
        Column(
            "windows",
            "可拨打时段",
            ("拨打时段", "通话时段", "方便接听时间", "接听时段"),
            as_text=True,
            hint="如 09:00-11:00、15:00-17:00，可写星期：周一至周五 15:00-17:00；不填按全县统一时段",
        ),
        *(column for position in range(1, contact_groups + 1) for column in _contact_columns(position)),
        Column("visitor.name", "第一巡访员姓名", ("第一巡访员", "巡访员", "巡访员姓名", "帮扶责任人")),
        Column(
            "visitor.relation",
            "第一巡访员关系",
            ("第一巡访员与老人关系", "巡访员关系"),
            choices=tuple(RELATIONS.values()),
        ),
        Column(
            "visitor.phone",
            "第一巡访员电话",
            ("第一巡访员联系电话", "第一巡访员手机", "巡访员电话"),
            as_text=True,
        ),
        *_consent_columns(),
        Column("note", "备注", ("说明", "备注说明")),
    )


# Read, but never written: the official form's own yes-no columns, and one date for all consents.
_READ_ONLY: tuple[Column, ...] = (
    *(Column(flag_key(category), titles[0], titles[1:]) for category, titles in _FLAGS),
    Column("consent.date", "同意日期", ("签署日期", "同意书日期")),
)
_IGNORED_QUIETLY = frozenset({"序号", "编号", REASON, ROW_NUMBER})


def normalise(header: object) -> str:
    """县（市、区、旗） -> 县; 紧急联系人 1 电话* -> 紧急联系人1电话."""
    text = unicodedata.normalize("NFKC", str(header or ""))
    text = re.sub(r"\([^)]*\)", "", text)
    return re.sub(r"[\s*:_/、·\-]", "", text)


def _names() -> dict[str, Column]:
    names: dict[str, Column] = {}
    for column in (*export_columns(MAX_CONTACT_GROUPS), *_READ_ONLY):
        for name in (column.title, *column.synonyms):
            names.setdefault(normalise(name), column)
    return names


CONTACT_KEYS = {
    contact_key(position, name): (position, name)
    for position in range(1, MAX_CONTACT_GROUPS + 1)
    for name, _title, _others in CONTACT_FIELDS
}
FLAG_KEYS = {flag_key(category): category for category in Category}
_BY_NAME = _names()
_TITLE_OF = {column.key: column.title for column in _BY_NAME.values()}


def title_of(key: str) -> str:
    return _TITLE_OF[key]


@dataclass(frozen=True, slots=True)
class Header:
    """Which cell of a row is which column."""

    keys: tuple[str | None, ...]
    titles: tuple[str, ...]  # as in the file
    ignored: tuple[str, ...]  # headers nobody knows

    def cells(self, row: Sequence[object]) -> dict[str, object]:
        """The cells that hold something."""
        return {
            key: cell
            for key, cell in zip(self.keys, row, strict=False)
            if key is not None and cell is not None and cell != ""
        }


def recognise(rows: Sequence[Sequence[object]]) -> tuple[int, Header]:
    """(index of the header row, its meaning) among the first rows of a file.

    Raises BadInput when no row has 姓名 and something to tell people apart by.
    """
    for index, row in enumerate(rows[:HEADER_WITHIN_ROWS]):
        keys = {column.key for cell in row if (column := _BY_NAME.get(normalise(cell)))}
        if "name" in keys and keys & {"id_card", "phone"}:
            return index, _meaning(row)
    raise BadInput(
        f"文件前 {HEADER_WITHIN_ROWS} 行里没有找到表头：至少要有“姓名”，以及“公民身份号码”或“联系电话”。"
        "可用 xunfang ledger template 生成模板"
    )


def _meaning(row: Sequence[object]) -> Header:
    keys: list[str | None] = []
    ignored: list[str] = []
    last_contact = ""
    for cell in row:
        name = normalise(cell)
        column = _BY_NAME.get(name)
        key = column.key if column else None
        if key == "phone" and last_contact:
            # The official form writes 紧急联系人 | 联系电话 side by side.
            key = f"{last_contact}.phone"
        last_contact = key.removesuffix(".name") if key and re.fullmatch(r"contact\d\.name", key) else ""
        if key is not None and key in keys:
            raise BadInput(f"表头“{cell}”与另一列重复（都是“{title_of(key)}”），请只保留一列")
        if key is None and name and name not in _IGNORED_QUIETLY:
            ignored.append(str(cell).strip())
        keys.append(key)
    return Header(tuple(keys), tuple("" if cell is None else str(cell) for cell in row), tuple(ignored))
