"""The command `xunfang`: one sub-command a verb, each with an example in its --help."""

from __future__ import annotations

import sys

from xunfang.cli.app import app
from xunfang.errors import XunfangError


def main() -> None:
    """Run the command; an error of ours becomes one clear line and its own exit code."""
    try:
        app()
    except XunfangError as error:
        print(f"xunfang: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
