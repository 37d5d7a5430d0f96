"""Days of the week as a village writes them: 周一至周五, 星期二、四, 工作日, 周末, 每天. Pure."""

from __future__ import annotations

import re

from scheduler.hours import EVERY_DAY, Window, days_written, parse_windows
from xunfang.errors import BadSettings

NAMES = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_NUMBER = {digit: day for day, digit in enumerate("一二三四五六日")} | {"天": 6, "七": 6}
_WORDS = {
    "每天": EVERY_DAY,
    "每日": EVERY_DAY,
    "天天": EVERY_DAY,
    "工作日": frozenset(range(5)),
    "周末": frozenset({5, 6}),
    "双休日": frozenset({5, 6}),
}
_DAY = r"(?:周|星期|礼拜)?([一二三四五六七日天])"
_TO = r"[-~至到—–]"
_ONE = re.compile(rf"{_DAY}(?:{_TO}{_DAY})?")
_LEADING = re.compile(rf"(?:{'|'.join(_WORDS)}|(?:周|星期|礼拜)?[一二三四五六七日天]{_TO}?)+")


def leading_days(text: str, after_days: bool = False) -> tuple[frozenset[int], str]:
    """(days, what follows them) of 周一至周五09:00-11:00; no days where none are named.

    `after_days`: a bare number counts, as in 周一、三、五. ValueError when the days make no sense.
    """
    match = _LEADING.match(text)
    if match is None or not (after_days or re.match(rf"周|星期|礼拜|{'|'.join(_WORDS)}", text)):
        return frozenset(), text
    named, rest = match[0], text[match.end() :]
    days: set[int] = set()
    for word, meant in _WORDS.items():
        if word in named:
            days |= meant
            named = named.replace(word, "")
    at = 0
    while at < len(named):
        one = _ONE.match(named, at)
        if one is None:
            raise ValueError(text)
        first, last = _NUMBER[one[1]], _NUMBER[one[2] or one[1]]
        if last < first:
            raise ValueError(text)
        days.update(range(first, last + 1))
        at = one.end()
    return frozenset(days), rest


def shown(windows: tuple[str, ...]) -> str:
    """An elder's windows in one cell. Where one is bound to days all say theirs, so that reading the
    cell again gives the same."""
    try:
        parsed = parse_windows(windows)
    except BadSettings:  # shown as it is; dialling refuses it, and the ledger is where it is put right
        return "、".join(windows)
    if all(each.days == EVERY_DAY for each in parsed):
        return "、".join(windows)
    return "、".join(f"{_days(each)} {_span(each)}" for each in parsed)


def _days(window: Window) -> str:
    return days_written(window.days, NAMES, to="至", sep="") or "每天"


def _span(window: Window) -> str:
    return "-".join(f"{each // 60:02d}:{each % 60:02d}" for each in (window.start, window.end))
