"""Which village a row means: by its 12-digit code or by the names of 县、乡镇、村. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from storage.model import Area
from xunfang.ledger.values import Wrong

COUNTY, TOWNSHIP, VILLAGE = "county", "township", "village"
_LEVELS = (COUNTY, TOWNSHIP, VILLAGE)
_LEVEL_ZH = {COUNTY: "县", TOWNSHIP: "乡镇", VILLAGE: "村"}
# Digits of the statistical code that name an area of this level; the rest are zeros.
_CODE_DIGITS = {COUNTY: 6, TOWNSHIP: 9, VILLAGE: 12}
# Left out by some and written by others: 幸福 = 幸福村 = 幸福村民委员会.
_SUFFIX = re.compile(
    r"(?:(?:村民|居民)委员会|村委会|居委会|街道办事处|自治县|社区|街道|办事处|村|居|镇|乡|县|市|区|旗)$"
)


@dataclass(frozen=True, slots=True)
class Place:
    """What a row says about where somebody lives; empty where it says nothing."""

    code: str = ""
    county: str = ""
    township: str = ""
    village: str = ""

    @property
    def names(self) -> tuple[str, str, str]:
        return self.county, self.township, self.village

    @property
    def given(self) -> bool:
        return bool(self.code or any(self.names))


def short(name: str) -> str:
    stem = _SUFFIX.sub("", name)
    return stem if len(stem) >= 2 else name


class AreaBook:
    """All areas, and those that this file adds (ids below zero until they are stored)."""

    def __init__(self, areas: Iterable[Area], may_create: bool = False) -> None:
        self._may_create = may_create
        self._by_id: dict[int, Area] = {}
        self._by_code: dict[str, Area] = {}
        self._by_name: dict[tuple[str, str], list[Area]] = defaultdict(list)
        self._answers: dict[Place, int | Wrong] = {}
        self.created: list[Area] = []  # in an order in which each parent comes before its children
        for area in areas:
            self._enter(area)

    def find(self, place: Place) -> int:
        """The id of the lowest area named. Raises Wrong, with what to do."""
        answer = self._answers.get(place)
        if answer is None:
            try:
                answer = self._look_up(place)
            except Wrong as wrong:
                answer = wrong
            self._answers[place] = answer
        if isinstance(answer, Wrong):
            raise Wrong(str(answer))
        return answer

    def path(self, area_id: int | None) -> dict[str, Area]:
        """level -> area, from this one up."""
        found: dict[str, Area] = {}
        while area_id is not None and (area := self._by_id.get(area_id)) is not None:
            found[area.level] = area
            area_id = area.parent_id
        return found

    def describe(self, area_id: int | None) -> str:
        path = self.path(area_id)
        return "".join(path[level].name for level in _LEVELS if level in path)

    def code(self, area_id: int | None) -> str:
        return self._by_id[area_id].code if area_id in self._by_id else ""

    def stored(self, real: Mapping[int, int]) -> None:
        """The areas that accepted rows needed have their ids now: id below zero -> id.

        Those that only refused rows spoke of are forgotten.
        """
        areas = [
            replace(
                area,
                id=real.get(area.id, area.id),
                parent_id=real.get(area.parent_id, area.parent_id) if area.parent_id else None,
            )
            for area in self._by_id.values()
            if area.id > 0 or area.id in real
        ]
        self._by_id, self._by_code, self._answers = {}, {}, {}
        self._by_name = defaultdict(list)
        self.created = []
        for area in areas:
            self._enter(area)

    def _enter(self, area: Area) -> None:
        self._by_id[area.id] = area
        self._by_code[area.code] = area
        self._by_name[area.level, short(area.name)].append(area)

    def _look_up(self, place: Place) -> int:
        if place.code:
            known = self._by_code.get(place.code)
            if known is not None:
                self._compare(known, place)
                return known.id
            if self._may_create:
                return self._create(place)
            raise Wrong(
                "台账中没有这个行政区划代码；确为新增区划时，请填全县、乡镇、村，并用 --create-areas 导入"
            )
        if not place.village:
            raise Wrong("没有填写村（居）")
        return self._by_names(place).id

    def _compare(self, area: Area, place: Place) -> None:
        path = self.path(area.id)
        for level, name in zip(_LEVELS, place.names, strict=True):
            if name and level in path and short(path[level].name) != short(name):
                raise Wrong(
                    f"行政区划代码与{_LEVEL_ZH[level]}名不符：代码指{self.describe(area.id)}，填写的是{name}"
                )

    def _by_names(self, place: Place) -> Area:
        parents: list[Area] | None = None  # None: any
        found: list[Area] = []
        for level, name in zip(_LEVELS, place.names, strict=True):
            if not name:
                continue
            alike = self._by_name.get((level, short(name)), [])
            found = [area for area in alike if parents is None or self._below(area, parents)]
            exact = [area for area in found if area.name == name]
            found = exact or found
            if not found:
                where = "、".join(sorted({area.name for area in parents or ()})[:3])
                raise Wrong(
                    f"台账中{where and where + '下'}没有“{name}”这个{_LEVEL_ZH[level]}，请核对名称；"
                    "如为新增区划，请另填行政区划代码并用 --create-areas 导入"
                )
            parents = found
        if len(found) > 1:
            listed = "、".join(self.describe(area.id) for area in found[:3])
            raise Wrong(f"叫这个名字的村不止一个（{listed}），请填全县、乡镇，或填行政区划代码")
        return found[0]

    def _below(self, area: Area, parents: list[Area]) -> bool:
        above = {each.id for each in self.path(area.id).values()}
        return any(parent.id in above for parent in parents)

    def _create(self, place: Place) -> int:
        if not all(place.names):
            raise Wrong("新增区划需要填全县、乡镇、村三级名称")
        if place.code.endswith("000"):
            raise Wrong("不是村（居）一级的代码：末三位不应为 000")
        wanted = []
        for level, name in zip(_LEVELS, place.names, strict=True):
            digits = _CODE_DIGITS[level]
            code = place.code[:digits].ljust(12, "0")
            known = self._by_code.get(code)
            if known is not None:
                self._compare(known, Place(county=place.county, township=place.township))
            wanted.append((code, name, level, known))
        parent: int | None = None
        for code, name, level, known in wanted:
            if known is None:
                known = Area(id=-len(self._by_id) - 1, code=code, name=name, level=level, parent_id=parent)
                self.created.append(known)
                self._enter(known)
            parent = known.id
        assert parent is not None
        # A name that was unknown, or known once, may mean something else from now on.
        self._answers.clear()
        return parent
