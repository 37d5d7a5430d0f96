"""Damage held-out sentences as a recogniser would: one repairable fault a line, labels unchanged.

Usage: python tests/corpus/damage.py        (rewrites damaged.jsonl beside this file)

Taken: every urgent line of heldout.jsonl and BENIGN_LINES lines without alert, except lines
that were written damaged (their `why` says so) and lines too short to lose anything. Each
loses its punctuation (a recogniser writes none) and gets exactly one fault: a near-homophone,
a lost particle or a doubled syllable. The choice depends on the line's id only, so the file is
reproducible.

The pairs in CONFUSIONS were chosen by hand so that a listener would still repair them from the
sentence; pypinyin proves that each is a near-homophone (tone-blind; n/l, z/zh, c/ch, s/sh,
in/ing, en/eng, h/f). Negators and numbers are never touched: losing 没 changes the meaning.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from pypinyin import Style, pinyin

HERE = Path(__file__).parent
BENIGN_LINES = 60
MIN_SYLLABLES = 4  # shorter sentences have no context left to repair a fault from
ALREADY_DAMAGED = re.compile("misheard|doubled|[了呢的地得吧] lost")
PUNCTUATION = re.compile(r"[，。？！、…,.?!\s]+")
PARTICLES = "了呢啊呀吧的"  # swallowed first; not 着, which may be the result (找着) or burning (着了)
KINDS = ("homophone", "homophone", "homophone", "particle", "doubled")

# fmt: off
CONFUSIONS: dict[str, str] = {
    "摔": "甩帅", "跌": "叠碟", "疼": "腾藤", "痛": "通同", "胸": "凶熊", "口": "扣寇", "喘": "船传",
    "气": "器弃", "起": "启奇", "床": "窗创", "地": "弟第", "血": "雪学", "流": "留刘", "火": "货活",
    "烟": "盐颜", "煤": "美每", "漏": "露楼", "味": "喂卫", "救": "就旧", "命": "名明", "来": "赖莱",
    "人": "仁忍", "快": "块筷", "活": "货或", "想": "响向", "跳": "条挑", "药": "要腰", "喝": "和何",
    "农": "浓弄", "毒": "读独", "晕": "云运", "昏": "婚混", "醒": "行型", "应": "硬英", "嘴": "最罪",
    "歪": "外", "手": "首守", "半": "伴办", "身": "深生", "舌": "蛇设", "头": "投偷", "肚": "度渡",
    "打": "大达", "刀": "到道", "棍": "滚", "掐": "恰", "骗": "片偏", "钱": "前浅", "饭": "反犯",
    "吃": "迟持", "饿": "鹅额", "水": "谁睡", "家": "加佳", "路": "陆录", "找": "照早", "倒": "到道",
    "躺": "趟汤", "站": "战占", "坐": "做座", "爬": "怕", "趴": "啪", "动": "洞冻", "腿": "退推",
    "骨": "古鼓", "护": "户互", "车": "扯", "伴": "办半", "爸": "吧霸", "门": "们", "屋": "五无",
    "电": "店垫", "插": "差茶", "厨": "出除", "厕": "测策", "心": "新星", "抽": "臭丑", "脸": "连练",
    "汗": "汉喊", "绳": "声生", "吊": "掉", "瓶": "平凭", "砸": "杂", "呛": "枪强", "臭": "抽丑",
    "响": "想向", "阀": "法罚", "关": "官管", "冒": "帽毛", "烧": "稍少", "苗": "秒描", "裤": "哭苦",
    "柴": "才财", "锅": "国果", "灶": "早造", "喊": "汉罕", "桥": "瞧",
    "绑": "帮", "瘫": "滩贪", "病": "并冰", "力": "利立", "麻": "马妈", "吐": "土图", "闻": "文问",
    "修": "休秀", "赔": "陪", "够": "购", "走": "奏", "事": "是试", "缺": "却", "饱": "保", "存": "村",
}

_FOLDS: tuple[tuple[str, str], ...] = (
    (r"^zh", "z"), (r"^ch", "c"), (r"^sh", "s"), (r"^n", "l"), (r"^hu(?=.)", "f"), (r"^h", "f"),
    (r"ng$", "n"),
)
# fmt: on


def folded(char: str) -> set[str]:
    """The readings of one character, without tones and without what a recogniser confuses."""
    readings = set()
    for reading in pinyin(char, style=Style.NORMAL, heteronym=True)[0]:
        for pattern, plain in _FOLDS:
            reading = re.sub(pattern, plain, reading)
        readings.add(reading)
    return readings


def check_confusions() -> None:
    """Raise ValueError for a pair that does not sound alike: such a fault would not be fair."""
    for char, others in CONFUSIONS.items():
        for other in others:
            if char == other or not folded(char) & folded(other):
                raise ValueError(f"{char} and {other} are not near-homophones: remove the pair")


def damage(text: str, key: str) -> str:
    """One fault in `text`, chosen by `key`. Raises ValueError when the text offers no place for one."""
    draw = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    kind = KINDS[draw % len(KINDS)]
    plain = PUNCTUATION.sub(" ", text).strip()
    weak = [i for i, c in enumerate(plain) if c in PARTICLES and i > 0]
    strong = [i for i, c in enumerate(plain) if c in CONFUSIONS]
    if kind == "particle" and weak:
        i = weak[draw // 7 % len(weak)]
        return plain[:i] + plain[i + 1 :]
    if not strong:
        raise ValueError(f"no place for a fault in line {key}: leave it out")
    i = strong[draw // 7 % len(strong)]
    if kind == "doubled":
        return plain[:i] + plain[i] + plain[i:]
    others = CONFUSIONS[plain[i]]
    return plain[:i] + others[draw // 11 % len(others)] + plain[i + 1 :]


def can_be_damaged(row: dict[str, str]) -> bool:
    syllables = PUNCTUATION.sub("", row["text"])
    return (
        not ALREADY_DAMAGED.search(row["why"])
        and len(syllables) >= MIN_SYLLABLES
        and row["answer"] not in {"carrier_announcement", "machine", "silence_noise"}
        and any(c in CONFUSIONS for c in syllables)
    )


def chosen(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Every usable urgent line; benign ones evenly over the file, two in three with an event."""
    usable = [row for row in rows if can_be_damaged(row)]
    calm = [row for row in usable if row["alert"] == "none"]
    with_event = [row for row in calm if row["event"]]
    without = [row for row in calm if not row["event"]]
    share = BENIGN_LINES * 2 // 3
    picked = spread(with_event, share) + spread(without, BENIGN_LINES - share)
    ids = {row["id"] for row in picked} | {row["id"] for row in usable if row["alert"] == "urgent"}
    return [row for row in rows if row["id"] in ids]


def spread(rows: list[dict[str, str]], count: int) -> list[dict[str, str]]:
    """`count` rows at equal distances."""
    return [rows[i * len(rows) // count] for i in range(count)]


def main() -> None:
    check_confusions()
    rows = [json.loads(line) for line in (HERE / "heldout.jsonl").read_text("utf-8").splitlines()]
    with (HERE / "damaged.jsonl").open("w", encoding="utf-8") as out:
        for row in chosen(rows):
            broken = row | {"id": row["id"] + "d", "text": damage(row["text"], row["id"])}
            out.write(json.dumps(broken, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
