"""Structured logs in which personal data cannot appear.

Log an event name and fields: `log.info("call.ended", call_id=7, disposition="busy")`.
Fields whose name starts with `pii_` are masked; every other string that looks like a phone or
ID-card number is masked too, so that a slip does not become a leak.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_NUMBER = re.compile(r"(?<![\d.:-])(?:\+?86)?(1\d{10}|0\d{9,11}|\d{17}[\dXx])(?![\d.])")


def mask(number: str) -> str:
    """13812340001 -> 138****0001; shorter numbers keep their last two digits."""
    if len(number) >= 8:
        return f"{number[:3]}****{number[-4:]}"
    return "*" * max(0, len(number) - 2) + number[-2:]


def _mask_pii(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key.startswith("pii_"):
            event[key] = mask(str(value))
        elif isinstance(value, str):
            event[key] = _NUMBER.sub(lambda m: mask(m.group(0)), value)
    return event


def configure(level: str = "INFO", as_json: bool = False) -> None:
    """Send masked log lines to stderr (stdout belongs to results)."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not as_json:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask_pii,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # Looked up at each line: whoever replaced stderr (a test, a supervisor) may have closed the old one.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(room: str) -> Any:
    return structlog.get_logger(room=room)
