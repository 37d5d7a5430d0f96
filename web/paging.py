"""Paging by key. A cursor is the key of the last row shown, opaque and signed, so that nobody pages by
guessing and a link stays right while rows come and go. Keys must hold no personal data."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from storage import Store
from storage.model import Case, Review
from xunfang.errors import BadInput
from xunfang.vocabulary import Priority

PAGE_ROWS = 50
_SIGNATURE_CHARS = 16  # 64 bits: enough for what only turns pages
Key = int | str | datetime | None
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: Sequence[Row]
    next: str  # cursor; empty on the last page


class Pager:
    """For one list: `name` is part of the signature, so a cursor of another list is refused."""

    def __init__(self, store: Store, name: str) -> None:
        self._vault = store.vault
        self._purpose = f"cursor {name}"

    def cursor(self, *key: Key) -> str:
        plain = json.dumps([_plain(part) for part in key], ensure_ascii=False)
        body = base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")
        return f"{body}.{self._vault.sign(self._purpose, body)[:_SIGNATURE_CHARS]}"

    def key(self, cursor: str) -> tuple[Key, ...] | None:
        """None for the first page. Raises BadInput for a cursor that is not ours."""
        if not cursor:
            return None
        body, _, signature = cursor.partition(".")
        if not self._vault.is_signed(self._purpose, body, signature, _SIGNATURE_CHARS):
            raise BadInput("翻页位置无效，请从第一页重新开始")
        parts = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return tuple(_key(part) for part in parts)

    def page(self, rows: Sequence[Row], limit: int, key_of: Callable[[Row], Sequence[Key]]) -> Page[Row]:
        """`rows`: one more than `limit` was asked for, to know whether there is a next page;
        `key_of`: where the list goes on after a row."""
        more = len(rows) > limit
        return Page(rows[:limit], self.cursor(*key_of(rows[limit - 1])) if more else "")


def case_key(case: Case) -> tuple[Key, ...]:
    """Where the visit queue 上门队列 goes on: worst first, then by deadline."""
    return (case.priority.value, case.deadline, case.id)


def review_key(review: Review) -> tuple[Key, ...]:
    """The same of the review queue 待复核."""
    return (review.priority.value, review.deadline, review.call_id)


def urgency_of(key: Sequence[Key] | None) -> tuple[Priority, datetime, int] | None:
    """A key of either queue as the storage takes it."""
    if key is None:
        return None
    priority, deadline, id = key
    assert isinstance(deadline, datetime)
    assert isinstance(id, int)
    return Priority(str(priority)), deadline, id


def _plain(part: Key) -> object:
    return {"at": part.isoformat()} if isinstance(part, datetime) else part


def _key(part: object) -> Key:
    if isinstance(part, dict):
        return datetime.fromisoformat(part["at"])
    assert part is None or isinstance(part, int | str)
    return part
