"""Which pictures there are: an office screen (1366×768) and a telephone (390×844), light and dark."""

from __future__ import annotations

from dataclasses import dataclass

from xunfang.screens.stage import ADMIN, DESK, VISITOR

PLATE_OPENED = "plate"  # a picture after the visitor has opened the door's plate and signed in there


@dataclass(frozen=True, slots=True)
class Shot:
    """`ready`: a selector of what must be there first; `at`: what is scrolled to the top."""

    name: str
    login: str
    path: str
    zh: str
    en: str
    phone: bool = False
    dark: bool = False
    ready: str = "main"
    at: str = ""
    before: str = ""


SHOTS = (
    Shot("queue", DESK, "/queue", "待复核：紧急在先，再按期限", "review queue, urgent first"),
    Shot(
        "call",
        DESK,
        "/calls/{call}",
        "一通电话：录音、原话、为什么报警、一键处理",
        "a call: waveform, words, why it was flagged, one key to decide",
        ready="[data-drawn]",
    ),
    Shot("call-dark", DESK, "/calls/{call}", "同上，深色", "dark", dark=True, ready="[data-drawn]"),
    Shot(
        "wall",
        DESK,
        "/wall",
        "实时：通话、通道、今日覆盖",
        "what goes on now",
        ready="[data-live-call], main",
    ),
    Shot("wall-dark", DESK, "/wall?view=screen", "大屏，三米外看得清", "the wall, read from afar", dark=True),
    Shot(
        "duty-dark",
        DESK,
        "/duty",
        "值班：紧急求助响到有人接警",
        "the duty screen",
        dark=True,
    ),
    Shot("cases", DESK, "/cases", "上门队列", "visit queue"),
    Shot("villages", DESK, "/cases/villages", "上门队列，按村", "visit queue by village"),
    Shot(
        "case",
        DESK,
        "/cases/{case}",
        "一件案件：做了什么、没做什么",
        "a case: what was done, and what was not",
    ),
    Shot("case-dark", DESK, "/cases/{case}", "同上，深色", "the same, dark", dark=True),
    Shot("elders", ADMIN, "/elders", "老人台账", "the ledger"),
    Shot("elder", ADMIN, "/elders/{elder}", "一位老人：台账、经过、风险走势", "an elder", ready="canvas"),
    Shot(
        "reports",
        ADMIN,
        "/reports",
        "报表：月探访率等指标",
        "indicators of a month",
        ready="canvas, main",
    ),
    Shot("home", DESK, "/", "首页：今天的情况", "the day at a glance"),
    Shot("queue-phone", DESK, "/queue", "待复核，手机", "review queue on a telephone", phone=True),
    Shot(
        "call-phone-dark",
        DESK,
        "/calls/{call}",
        "一通电话，手机，深色",
        "a call on a telephone",
        phone=True,
        dark=True,
        ready="[data-drawn]",
    ),
    Shot("visit-phone", VISITOR, "/visit", "巡访员：我的任务", "the visitor's cases", phone=True),
    Shot(
        "door-phone",
        VISITOR,
        "/visit/cases/{case}",
        "上门前：电话、导航、签到",
        "before the door",
        phone=True,
    ),
    Shot(
        "form-phone",
        VISITOR,
        "/visit/cases/{case}",
        "扫门牌后：电话里问过的已填好",
        "after the plate: what the call knows is filled in",
        phone=True,
        ready="[data-form][data-ready]",
        at="#form",
        before=PLATE_OPENED,
    ),
    Shot(
        "form-phone-dark",
        VISITOR,
        "/visit/cases/{case}",
        "签字和处置情况，深色",
        "signatures and what was done, dark",
        phone=True,
        dark=True,
        ready="[data-form][data-ready]",
        at="[data-photo-note]",
        before=PLATE_OPENED,
    ),
)
