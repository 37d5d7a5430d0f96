"""Retention and the rights of the person whose data are kept (保存期限、查阅复制、删除)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LegalHold:
    """`case_id` None: everything of the elder; else what lies between `covers_from` and `covers_until`."""

    id: int
    elder_id: int
    case_id: int | None
    covers_from: datetime | None
    covers_until: datetime | None
    why: str = field(repr=False)
    by: str
    placed_at: datetime
    released_at: datetime | None = None
    released_by: str = ""


@dataclass(frozen=True, slots=True)
class HeldTable:
    """All rows of one table that are held on a person."""

    name: str
    title: str
    rows: tuple[dict[str, Any], ...] = field(repr=False)
