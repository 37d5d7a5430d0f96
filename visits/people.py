"""How an elder is named when the full name is not needed: surname + 奶奶 / 爷爷."""

from __future__ import annotations

COMPOUND_SURNAMES: frozenset[str] = frozenset(
    """
    欧阳 司马 上官 诸葛 司徒 东方 皇甫 尉迟 公孙 慕容 令狐 宇文 长孙 夏侯 轩辕 端木 百里 南宫 独孤 完颜
    叶赫 那拉 赫连 呼延 澹台 公冶 宗政 濮阳 淳于 单于 太史 申屠 钟离 闻人 万俟 拓跋 纳兰 西门 东郭 左丘
    """.split()  # noqa: SIM905  # forty quoted strings read worse
)
_HONORIFIC = {"F": "奶奶", "M": "爷爷"}


def surname(name: str) -> str:
    """Empty when the name is not built surname first (少数民族 names with a middle dot, Latin letters)."""
    name = name.strip()
    if len(name) < 2 or "·" in name or not all("\u4e00" <= letter <= "\u9fff" for letter in name):
        return ""
    if len(name) > 2 and name[:2] in COMPOUND_SURNAMES:
        return name[:2]
    return name[0]


def title(name: str, sex: str) -> str:
    """王奶奶; empty when no natural form of address follows from the ledger."""
    family, honorific = surname(name), _HONORIFIC.get(sex, "")
    return family + honorific if family and honorific else ""
