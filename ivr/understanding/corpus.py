"""Which files of a corpus may be learned from (tests/corpus/README.md): the others only measure."""

from __future__ import annotations

from pathlib import Path

KEPT_BACK = ("heldout", "damaged")  # beginnings of the names of files that nothing is tuned on


def learnable(folder: Path) -> list[Path]:
    """In the order of their names."""
    return [file for file in sorted(folder.glob("*.jsonl")) if not file.name.startswith(KEPT_BACK)]
