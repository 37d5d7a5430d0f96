"""One cell -> one value (numbers: numbers.py). Pure. A wrong cell raises Wrong: a clerk reads it.

The texts never repeat a whole number; the row number leads back to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from itertools import combinations
from typing import Any, TypeVar, cast

from scheduler import hours
from scheduler.hours import EVERY_DAY, Window
from xunfang.ledger.columns import RELATIONS
from xunfang.ledger.weekdays import leading_days
from xunfang.vocabulary import Cadence, Category, VisitMode, zh

MAX_NAME = 50
MAX_TEXT = 500
OLDEST_YEARS = 125
CLEAR = "清空"  # empties a field that a blank cell would leave as it is

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_INNER_BLANK = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
_NOT_IN_NAMES = re.compile(r"[0-9０-９*]")
_QUOTED = frozenset("=+-@'")
_SEPARATORS = re.compile(r"[、,;/|\n和及]+")


Meaning = TypeVar("Meaning")
Reader = TypeVar("Reader", bound=Callable[..., Any])


class Wrong(ValueError):
    pass


def text(cell: object) -> str:
    """Whatever a spreadsheet holds, as the person sees it: 13812340001.0 is 13812340001."""
    if isinstance(cell, str):
        # Zero-width and control characters come with copied text, and are seen by nobody.
        shown = (cell if cell.isprintable() else _CONTROL.sub("", cell)).strip()
        # What export put before a text that a spreadsheet would take for a formula.
        return shown[1:] if shown[:1] == "'" and shown[1:2] in _QUOTED else shown
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def plain(cell: object) -> str:
    """Full width to half width, without blanks."""
    shown = text(cell)
    if not shown.isascii():
        shown = unicodedata.normalize("NFKC", shown)
    return "".join(shown.split())


def _listed(cell: object) -> str:
    """`plain`, with the lines of a cell kept apart."""
    return plain(text(cell).replace("\n", "、"))


def remembered(read: Reader) -> Reader:
    """For columns with few different values: a county writes 是 a million times."""
    return cast(Reader, lru_cache(maxsize=4096, typed=True)(read))


def person(cell: object) -> str:
    name = _INNER_BLANK.sub("", text(cell))
    if len(name) > MAX_NAME:
        raise Wrong(f"超过 {MAX_NAME} 个字")
    if _NOT_IN_NAMES.search(name):
        raise Wrong("姓名里不应有数字或 *")
    return name


def free_text(cell: object) -> str:
    found = text(cell)
    if len(found) > MAX_TEXT:
        raise Wrong(f"超过 {MAX_TEXT} 个字")
    return found


@remembered
def day(cell: object, today: date, oldest_years: int = OLDEST_YEARS) -> date:
    """Not in the future. 1949-12-31, 1949/12/31, 1949.12.31, 1949年12月31日, 19491231 or a date cell."""
    if isinstance(cell, datetime):
        found = cell.date()
    elif isinstance(cell, date):
        found = cell
    else:
        written = plain(cell)
        match = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", written) or re.fullmatch(
            r"(\d{4})(\d\d)(\d\d)", written
        )
        if match is None:
            raise Wrong("不是日期，请写成 1949-12-31 的样子")
        try:
            found = date(*(int(part) for part in match.groups()))
        except ValueError:
            raise Wrong("这一天不存在") from None
    if found > today:
        raise Wrong("在今天之后")
    if found.year < today.year - oldest_years:
        raise Wrong(f"在 {oldest_years} 年以前")
    return found


_SEX = {"男": "M", "男性": "M", "M": "M", "女": "F", "女性": "F", "F": "F"}


@remembered
def sex(cell: object) -> str:
    return _one_of(_SEX, plain(cell), "请填 男 或 女")


_YES = [
    "是",
    "有",
    "能",
    "能够",
    "可",
    "可以",
    "同意",
    "良好",
    "好",
    "健康",
    "较好",
    "Y",
    "YES",
    "TRUE",
    "1",
    "√",
    "✓",
    "☑",
    "对",
]
_NO = [
    "否",
    "无",
    "不",
    "没有",
    "不能",
    "不可",
    "不可以",
    "不同意",
    "差",
    "较差",
    "欠佳",
    "一般",
    "不好",
    "N",
    "NO",
    "FALSE",
    "0",
    "×",
    "✗",
    "X",
]
_YES_NO = dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)
_SELF_CARING = (
    _YES_NO
    | dict.fromkeys(["能自理", "自理", "完全自理", "可自理", "生活自理", "能够自理", "基本自理"], True)
    | dict.fromkeys(["不能自理", "部分自理", "半自理", "半失能", "失能", "全失能", "失智", "不自理"], False)
)


@remembered
def yes_no(cell: object) -> bool:
    return _one_of(_YES_NO, plain(cell).upper(), "请填 是 或 否")


@remembered
def self_caring(cell: object) -> bool:
    return _one_of(_SELF_CARING, plain(cell).upper(), "请填 能 或 否")


_CATEGORIES = {zh(category): category for category in Category} | {
    "失能": Category.DISABLED,
    "失智": Category.DISABLED,
    "失能失智": Category.DISABLED,
    "失能(含失智)": Category.DISABLED,
    "重度残疾": Category.SEVERELY_DISABLED,
    "重残": Category.SEVERELY_DISABLED,
    "特困人员": Category.DESTITUTE,
    "五保": Category.DESTITUTE,
    "计划生育特殊家庭": Category.FAMILY_PLANNING_SPECIAL,
    "计生特殊": Category.FAMILY_PLANNING_SPECIAL,
    "失独": Category.FAMILY_PLANNING_SPECIAL,
    "独居老人": Category.LIVING_ALONE,
    "空巢老人": Category.EMPTY_NEST,
    "留守老人": Category.LEFT_BEHIND,
    "高龄老人": Category.ADVANCED_AGE,
}
_NO_CATEGORY = frozenset({"无", "其他", "普通", "普通对象"})


@remembered
def categories(cell: object) -> frozenset[Category]:
    """独居、高龄. 无 says that there is none."""
    found = set()
    for part in filter(None, _SEPARATORS.split(_listed(cell))):
        if part in _NO_CATEGORY:
            continue
        if part not in _CATEGORIES:
            raise Wrong(f"“{part[:10]}”不在类别之中，可填：" + "、".join(zh(one) for one in Category))
        found.add(_CATEGORIES[part])
    return frozenset(found)


_MODES = {zh(mode): mode for mode in VisitMode} | {
    "电话": VisitMode.PHONE,
    "电话问候": VisitMode.PHONE,
    "电话探访": VisitMode.PHONE,
    "线上": VisitMode.ONLINE,
    "视频": VisitMode.ONLINE,
    "互联网音(视)频探访": VisitMode.ONLINE,
    "上门": VisitMode.ON_SITE,
    "现场": VisitMode.ON_SITE,
    "现场巡访": VisitMode.ON_SITE,
    "上门探访": VisitMode.ON_SITE,
    "入户": VisitMode.ON_SITE,
}


@remembered
def mode(cell: object) -> VisitMode:
    return _one_of(_MODES, plain(cell), "请填 " + "、".join(zh(one) for one in VisitMode))


_CADENCES = {zh(cadence): cadence for cadence in Cadence} | {
    "周": Cadence.WEEKLY,
    "每周": Cadence.WEEKLY,
    "每周一次": Cadence.WEEKLY,
    "月": Cadence.MONTHLY,
    "每月": Cadence.MONTHLY,
    "每月一次": Cadence.MONTHLY,
    "季": Cadence.QUARTERLY,
    "每季": Cadence.QUARTERLY,
    "每季度": Cadence.QUARTERLY,
    "每季度一次": Cadence.QUARTERLY,
}


@remembered
def cadence(cell: object) -> Cadence:
    return _one_of(_CADENCES, plain(cell), "请填 " + "、".join(zh(one) for one in Cadence))


_WINDOW = re.compile(r"(\d{1,2}):?(\d\d)?(?:-|~|至|到|—|–)+(\d{1,2}):?(\d\d)?")


@remembered
def windows(cell: object) -> tuple[str, ...]:
    """("09:00-11:00", "mon-fri 15:00-17:00"), in order, none overlapping another on one day.

    Days stand before the times they hold for: 周一至周五 09:00-11:00、15:00-17:00 is five days for both.
    """
    found: list[Window] = []
    days: frozenset[int] = frozenset()
    named = False  # the last part was only days: 周一、三、五
    written = re.sub(r"点(\d\d)分?", r":\1", _listed(cell).replace("点半", ":30")).replace("点", ":00")
    for part in filter(None, re.split(r"[、,;|和及]+", written)):
        try:
            own, span = leading_days(part, after_days=named)
        except ValueError:
            raise Wrong("星期写得不清楚，请写成 周一至周五 09:00-11:00 的样子") from None
        if own:
            days = days | own if named else own
        named = bool(own) and not span
        if not named:
            found.append(_window(span, days or EVERY_DAY))
    if named:
        raise Wrong("只写了星期，没有写时段")
    found.sort(key=lambda each: (each.start, each.end, sorted(each.days)))
    for earlier, later in combinations(found, 2):
        if later.start < earlier.end and later.days & earlier.days:
            raise Wrong("时段互相重叠")
    return tuple(hours.written(each) for each in found)


def _window(span: str, days: frozenset[int]) -> Window:
    match = _WINDOW.fullmatch(span)
    if match is None:
        raise Wrong("请写成 09:00-11:00、15:00-17:00 的样子，前面可写星期：周一至周五 09:00-11:00")
    hour, minute, until, until_minute = (int(number or 0) for number in match.groups())
    try:
        start, end = time(hour, minute), time(until, until_minute)
    except ValueError:
        raise Wrong("有不存在的时刻") from None
    if start >= end:
        raise Wrong("时段的结束早于开始")
    return Window(start.hour * 60 + start.minute, end.hour * 60 + end.minute, days)


_RELATIONS = {word: relation for relation, word in RELATIONS.items()} | {
    word: relation
    for relation, words in {
        "child": "儿子 女儿 子 女 长子 次子 三子 长女 次女 三女 大儿子 小儿子 二儿子 大女儿 二女儿 小女儿 "
        "儿女 之子 之女 养子 养女 继子 继女",
        "relative": "亲戚 配偶 老伴 丈夫 妻子 夫 妻 兄弟 姐妹 兄 弟 姐 妹 哥哥 弟弟 姐姐 妹妹 孙子 孙女 外孙 "
        "外孙女 儿媳 女婿 侄子 侄女 外甥 外甥女 家属 家人",
        "guardian": "法定监护人",
        "neighbour": "邻里 邻居好友 朋友 好友",
        "village": "村(居)委会 村委会 居委会 村 社区 村干部 网格员 村级巡访员 村(居)干部 村巡访员",
        "volunteer": "志愿人士 社工 义工 党员",
    }.items()
    for word in words.split()
}


@remembered
def relation(cell: object) -> str:
    return _one_of(_RELATIONS, plain(cell), "请填 " + "、".join(RELATIONS.values()))


def _one_of(words: Mapping[str, Meaning], word: str, hint: str) -> Meaning:
    try:
        return words[word]
    except KeyError:
        raise Wrong(f"“{word[:10]}”无法识别，{hint}") from None
