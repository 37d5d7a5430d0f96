"""One Jinja environment: escaping always on, undefined names are errors, filters for times and words."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from web import texts
from xunfang.log import mask
from xunfang.vocabulary import zh

STATIC = Path(__file__).parent / "static"


@cache
def static(path: str) -> str:
    """URL of a file of web/static with the hash of its content, so that it may be kept for ever."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


@cache
def environment() -> Environment:
    env = Environment(
        loader=PackageLoader("web", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["static"] = static
    env.filters |= {"zh": zh, "tone": texts.tone, "masked": mask}
    return env
