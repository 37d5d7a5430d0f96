"""Durations as people write them in YAML: 30s, 20m, 4h, 3d."""

from __future__ import annotations

import re
from datetime import timedelta

from xunfang.errors import BadSettings

_FORM = re.compile(r"(\d+)\s*([smhd])")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: object, where: str) -> timedelta:
    """`where` names the file and key, for the message of BadSettings."""
    match = _FORM.fullmatch(str(text).strip())
    if match is None:
        raise BadSettings(f"{where}: {text!r} is no duration; write 30s, 20m, 4h or 3d")
    return timedelta(**{_UNIT[match[2]]: int(match[1])})
