"""Everything that can be typed, read from the commands themselves: for docs/commands.md and its test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class Command(Protocol):
    """What is needed of a command of typer."""

    help: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    path: str  # ledger import
    command: Command

    @property
    def meaning(self) -> str:
        """The first line of its help."""
        return (self.command.help or "").strip().partition("\n")[0]

    @property
    def examples(self) -> list[str]:
        return re.findall(r"Example: (.*)", self.command.help or "")


def entries(root: Command) -> Iterator[Entry]:
    """In the order of --help; a group only where it does something by itself."""

    def walk(command: Command, path: tuple[str, ...]) -> Iterator[Entry]:
        inner: dict[str, Command] = getattr(command, "commands", {})
        if path and (not inner or getattr(command, "invoke_without_command", False)):
            yield Entry(" ".join(path), command)
        for name, each in inner.items():
            yield from walk(each, (*path, name))

    return walk(root, ())
