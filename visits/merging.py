"""A further reason for an open case: what it adds to the evidence and to the summary. Pure.

A summary has one line for each reason: KIND：said；said。advice。advice。 A call that goes on after its first
alert is told of again as a whole, and so is the next call that fails: each sentence stands there once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from storage.model import Case
from visits.model import CaseDraft
from xunfang.vocabulary import CaseKind, zh

_HEADS = tuple(f"{zh(kind)}：" for kind in CaseKind)


def new_evidence(case: Case, draft: CaseDraft) -> tuple[dict[str, Any], ...]:
    """What the draft adds to an open case. The same words of the same call count once."""
    return tuple(new for new in draft.evidence if not any(_same(new, held) for held in case.evidence))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The words of an alert may be cut differently while the call lives and afterwards: the same
    seconds of the same call are the same evidence."""
    if any((one.get(key) or None) != (other.get(key) or None) for key in ("kind", "call_id", "period")):
        return False
    if one.get("text") == other.get("text"):
        return True
    start, end, other_start, other_end = (
        each.get(key) for each in (one, other) for key in ("start_s", "end_s")
    )
    if start is None or end is None or other_start is None or other_end is None:
        return False
    return bool(start < other_end and other_start < end)


# ---- the summary ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """`head` empty: not of our making, never taken apart."""

    head: str
    said: tuple[str, ...]
    advice: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.head:
            return self.said[0]
        return self.head + "；".join(self.said) + "。" + "".join(f"{each}。" for each in self.advice)


def new_lines(case: Case, draft: CaseDraft) -> str:
    """The open case's summary with what the draft adds to it."""
    lines = [_parse(line) for line in case.summary.splitlines()]
    for line in map(_parse, draft.summary.splitlines()):
        at = next((at for at, held in enumerate(lines) if line.head and held.head == line.head), None)
        if at is not None:
            held = lines[at]
            said, advice = _joined(held.said, line.said), _joined(held.advice, line.advice)
            lines[at] = replace(held, said=said, advice=advice)
        elif line not in lines:
            lines.append(line)
    return "\n".join(map(str, lines))


def _parse(line: str) -> _Line:
    head = next((each for each in _HEADS if line.startswith(each)), "")
    sentences = _split(line.removeprefix(head), "。")
    if not head or sentences is None or sentences[-1] or len(sentences) < 2:
        return _Line("", (line,))
    said = _split(sentences[0], "；") or [sentences[0]]
    return _Line(head, tuple(said), tuple(sentences[1:-1]))


def _split(text: str, mark: str) -> list[str] | None:
    """At each mark that does not stand inside “…”: those are somebody's words. None: quotes do not match."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "“") - (letter == "”")
        if depth < 0:
            return None
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return None if depth else parts


def _joined(held: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    """Of two that say the same, one longer than the other, the longer stays, in the place of the first."""
    found = list(held)
    for each in new:
        if any(_core(each) in known for known in found):
            continue
        shorter = [at for at, known in enumerate(found) if _core(known) in each]
        if shorter:
            found[shorter[0]] = each
            found = [known for at, known in enumerate(found) if at not in shorter[1:]]
        else:
            found.append(each)
    return tuple(found)


def _core(text: str) -> str:
    return text.removesuffix("”")
