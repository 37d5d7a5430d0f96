"""`xunfang understand` and `xunfang lexicon`: what was meant, as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from xunfang.errors import BadInput


def rows_of(lines: Iterator[str], source: str) -> Iterator[dict[str, Any]]:
    """JSON lines -> rows; a broken line is named by its number and stops nothing before it."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadInput(f"{source}, line {number}: not JSON ({error.msg})") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise BadInput(f'{source}, line {number}: need an object with "text" (and "id", "question")')
        yield row
