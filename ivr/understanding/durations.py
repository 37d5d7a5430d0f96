"""How long, or how long ago: spoken lengths and points of time read into days (时长与时间点). Pure.

三天没吃, 半个月没人来, 两三天, 一个来月, 十来天, 个把礼拜, 二十多天, 大前天, 昨儿后半夜, 半年前. The numeral
itself is read by cn2an; what people put around it (多, 来, 把, 几, 两三, 半) makes it a range. Never
raises for any text: what cannot be read is no length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import inf

from cn2an import cn2an

# What happened longer ago than this was before the last visit (每月一访, and a visit may be late): past.
RECENT_DAYS = 62.0
YEAR_DAYS = 365.0
MONTH_DAYS = 30.0
DAY_HOURS = 24.0
MEALS_A_DAY = 3.0

_UNIT_DAYS = {
    "天": 1.0, "日": 1.0, "宿": 1.0, "夜": 1.0, "晚": 1.0, "晚上": 1.0, "昼夜": 1.0,
    "周": 7.0, "礼拜": 7.0, "星期": 7.0, "月": MONTH_DAYS, "年": YEAR_DAYS, "载": YEAR_DAYS,
    "小时": 1 / DAY_HOURS, "钟头": 1 / DAY_HOURS, "分钟": 1 / DAY_HOURS / 60, "顿": 1 / MEALS_A_DAY,
}  # fmt: skip
# What a supervisor reads a length in, by the greatest it may be.
_SHOWN_IN = (("年", YEAR_DAYS), ("天", 1.0), ("小时", 1 / DAY_HOURS), ("分钟", 1 / DAY_HOURS / 60))
# 半天 is not twelve hours but "a long while": some hours.
_LONG_WHILE = (0.1, 0.5)
# 来 and 把: about so many, rather a little more than less.
_ABOUT_MORE = 0.3
_FEW = (2.0, 9.0)  # 几
_QUITE_A_FEW = (4.0, 9.0)  # 好几

_DIGITS = "一二两三四五六七八九"
_NUMERAL = "[零〇一二两三四五六七八九十百千万俩仨0-9]"
# Not a length: 有一天, 第三天, 每天, 半夜 (the middle of the night), 三月 (March).
_LENGTH = (
    r"(?<![第每哪有那初零〇一二两三四五六七八九十百千万0-9])"
    rf"(?:大半|小半|半|好几|几十|十好?几|几|好些|个把|{_NUMERAL}+几?)"
    r"(?:多|来)?(?:个(?:多|来|把|半)?)?整?"
    r"(?:天|晚上|宿|昼夜|周|礼拜|星期|年|载|小时|钟头|分钟|顿|(?<!半)夜|(?<=[个多来把半俩仨两])月)"
    rf"(?:半(?![天夜宿月拉个])|多(?!少))?(?:[{_DIGITS}]夜)?"
)
# For patterns of the lexicon: the sign # stands for any spoken length of time.
LENGTH_PATTERN = f"(?:{_LENGTH})"

_PARTS = re.compile(
    rf"(?P<number>大半|小半|半|好几|好些|几十|十好?几|几|个把|{_NUMERAL}+几?)"
    r"(?P<more>多|来)?(?:个(?P<after>多|来|把|半)?)?整?"
    r"(?P<unit>天|晚上|宿|昼夜|周|礼拜|星期|年|载|小时|钟头|分钟|顿|夜|月)(?P<half>半(?![天夜宿月拉个])|多(?!少))?"
)
_AGO = r"(?:以|之)?前(?!天|年|院|面|边|头)|了?头里"
_SPOKEN = re.compile(
    r"(?P<year>(?:[一二][零〇九]|(?!一二|二三|三四|四五|三五))(?:[零〇一二三四五六七八九]{2}|[三四五六七八九零]几)年(?![了多来半前以之]))"
    rf"|(?P<lead>(?<![以从之])前|(?<!从)头)?(?P<length>{_LENGTH})(?P<ago>{_AGO})?"
    r"|(?P<point>大前[天儿年]|(?<!以)前[天儿晚夜年]|昨[天儿晚夜日个]|夜个|夜来|去年|今[天儿早晚夜]"
    r"|上+个?(?:礼拜|星期|周|月))"
)
_POINT_DAYS = {"今": 0.0, "昨": 1.0, "夜": 1.0, "前": 2.0, "大": 3.0}
_POINT_YEARS = {"去": 1, "前": 2, "大": 3}
# Without one of these there is no length and no point of time.
TIME_WORDS = (
    "天", "宿", "夜", "晚上", "周", "礼拜", "星期", "月", "年", "载", "小时", "钟头", "分钟", "顿",
    "昨", "今儿", "今早", "今晚", "前儿", "前晚",
)  # fmt: skip
_MAYBE = re.compile("|".join(TIME_WORDS))
_TWO_NUMBERS = re.compile(rf"(?P<head>.*?)(?P<low>[{_DIGITS}])(?P<high>[{_DIGITS}])(?P<tail>[十百千万]?)")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A length of time (三天), or a point so long ago (三天前, 昨天), at `start:end` of the text."""

    start: int
    end: int
    least: float  # days
    most: float
    ago: bool
    words: str

    def chinese(self) -> str:
        """For a supervisor: 三天（3 天）, 两三天（2–3 天）, 半年前（182.5 天前）."""
        if self.most == inf:
            return self.words
        name, unit = next((each for each in _SHOWN_IN if self.most >= each[1]), _SHOWN_IN[-1])
        low, high = (f"{days / unit:.1f}".removesuffix(".0") for days in (self.least, self.most))
        figure = low if low == high else f"{low}–{high}"
        return f"{self.words}（{figure} {name}{'前' if self.ago else ''}）"


@lru_cache(maxsize=4096)
def number(words: str) -> tuple[float, float] | None:
    """Least and most of a spoken number: 三 (3, 3), 两三 (2, 3), 十几 (11, 19); None for what is none."""
    if words in ("半", "大半", "小半"):
        return 0.5, 0.5
    if words in ("好几", "好些"):
        return _QUITE_A_FEW
    if words == "几":
        return _FEW
    if words == "个把":
        return 1.0, 2.0
    if words == "几十":
        return 20.0, 90.0
    if words == "十好几":
        return 14.0, 19.0
    if words.endswith("几"):
        base = _plain(words[:-1])
        return None if base is None else (base + 1, base + 9)
    pair = _TWO_NUMBERS.fullmatch(words.replace("俩", "两").replace("仨", "三"))
    if pair:
        low, high = (_plain(pair["head"] + pair[end] + pair["tail"]) for end in ("low", "high"))
        if low is not None and high is not None and low < high:
            return low, high
    plain = _plain(words)
    return None if plain is None else (plain, plain)


def _plain(words: str) -> float | None:
    """One number by cn2an, which refuses what is no number."""
    try:
        return float(cn2an(words.replace("俩", "二").replace("仨", "三").replace("〇", "零"), "smart"))
    except (ValueError, TypeError, KeyError, IndexError):
        return None


@lru_cache(maxsize=4096)
def length(words: str) -> tuple[float, float] | None:
    """Least and most days of one spoken length; None when it is none."""
    parts = _PARTS.match(words)
    if parts is None:
        return None
    if parts["number"] in ("半", "大半", "小半") and parts["unit"] == "天":
        return _LONG_WHILE
    bounds = number(parts["number"])
    if bounds is None:
        return None
    low, high = bounds
    if parts["more"] == "多":
        high = low + _step(low)
    elif parts["more"] == "来":
        high = low + _ABOUT_MORE * _step(low)
    if parts["after"] in ("多", "把") or parts["half"] == "多":
        high = max(high, low + 1)
    elif parts["after"] == "来":
        high = max(high, low + _ABOUT_MORE)
    elif parts["after"] == "半" or parts["half"] == "半":
        low, high = low + 0.5, high + 0.5
    unit = _UNIT_DAYS[parts["unit"]]
    return low * unit, high * unit


def _step(value: float) -> float:
    """What 多 may add at most: 二十多 is up to 30, 一百多 up to 200."""
    step = 1.0
    while step * 10 <= value:
        step *= 10
    return step


@lru_cache(maxsize=4096)
def spoken_times(clause: str) -> tuple[Spoken, ...]:
    """Every length and point of time that a clause speaks of, in order.

    Cached by clause: the slots of several events look at the same few words.
    """
    if not _MAYBE.search(clause):
        return ()
    found: list[Spoken] = []
    for match in _SPOKEN.finditer(clause):
        bounds, ago, start, end = None, True, match.start(), match.end()
        if match["point"]:
            bounds = _point(match["point"])
        elif match["year"]:
            bounds = (YEAR_DAYS, inf)  # 五八年: which century only a calendar knows, but not lately
        elif match["length"]:
            ago = match["lead"] is not None or match["ago"] is not None
            bounds = length(match["length"])
        if bounds is not None:
            found.append(Spoken(start, end, bounds[0], bounds[1], ago, match.group()))
    return tuple(found)


def _point(words: str) -> tuple[float, float]:
    if words.startswith("上"):
        unit = 7.0 if words[-1] in "拜期周" else MONTH_DAYS
        times = len(words) - len(words.lstrip("上"))
        return (times - 1) * unit + 1, (times + 1) * unit - 1
    days = _POINT_YEARS[words[0]] * YEAR_DAYS if words[-1] == "年" else _POINT_DAYS[words[0]]
    return days, days


def days_within(text: str, start: int, end: int) -> float:
    """The longest length of time (least days) told at `start:end`; 0 without one."""
    return max((each.least for each in spoken_times(text[start:end]) if not each.ago), default=0.0)


def lasts_years(clause: str) -> bool:
    """三年了, 十来年了: a trouble this old is known."""
    return any(
        not each.ago and each.least >= YEAR_DAYS and clause.startswith("了", each.end)
        for each in spoken_times(clause)
    )
