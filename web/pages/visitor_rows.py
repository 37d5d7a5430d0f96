"""The rows of the official form as the telephone shows them, opened or not yet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

from records import model as form
from records import on_site
from records.on_site import Row


def blank() -> tuple[Row, ...]:
    """Before the record is opened: every row to be filled in, nothing of the call."""
    return on_site.rows({}, {})


def to_seal(rows: Iterable[Row]) -> dict[str, str]:
    return {
        each.key: json.dumps(
            {
                "value": each.value,
                "open": each.open,
                "last": each.last,
                "first": form.FIRST in each.choices,
            },
            ensure_ascii=False,
        )
        for each in rows
    }


def groups(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    return [(name, list(each)) for name, each in groupby(rows, key=lambda row: row.field.group)]
