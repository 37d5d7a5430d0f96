"""YAML files that people edit: read with one kind of error for all of them.

A file that cannot be read, is no YAML or is no mapping says so with its name and what to do; what
the keys mean is checked by whoever reads it.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from xunfang.errors import BadSettings, XunfangError


def read_mapping(
    file: Path, hint: str = "", what: str = "a mapping", error: type[XunfangError] = BadSettings
) -> dict[str, Any]:
    """`hint`: what to do when there is no such file; `what` the file should hold instead.

    Raises `error` (BadSettings unless another is asked for).
    """
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise error(f"{file}: no such file{'; ' if hint else ''}{hint}") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise error(f"{file.name}: cannot be read as UTF-8 text ({type(problem).__name__})") from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise error(f"{file.name}: not valid YAML{where}: check indentation and quotes") from None
    if not isinstance(data, dict):
        raise error(f"{file.name}: must be {what}")
    return data


def exact_keys(
    data: object, keys: Collection[str], where: str, error: type[XunfangError] = BadSettings
) -> dict[str, Any]:
    """`data` as a mapping with exactly these keys; `where` names file and place."""
    if not isinstance(data, dict) or set(data) != set(keys):
        raise error(f"{where}: needs exactly the keys {', '.join(keys)}")
    return data
