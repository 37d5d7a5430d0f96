"""Does a carrier or an answering machine speak? Judged by its own words, never by length or silence.

A person may say 关机 or 停机 too (前几天欠费停机了); the carrier's frame (您拨打的电话, 请稍后再拨,
the number you have dialed) is what a person never says about himself.
"""

from __future__ import annotations

from dataclasses import dataclass

from ivr.understanding.lexicon import Lexicon

_MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Announcement:
    answer: str  # carrier_announcement or machine
    disposition: str  # CallDisposition value
    start: int
    end: int


def find_announcement(text: str, lexicon: Lexicon) -> Announcement | None:
    entries, patterns = lexicon.patterns("announcement")
    hits = patterns.find(text)
    if not hits:
        return None
    machines = [h for h in hits if entries[h.owner].get("class") == _MACHINE]
    causes = [h for h in hits if entries[h.owner].get("weight") != "frame"]
    chosen = (machines or causes or hits)[0]
    # A cause that names the state of the line beats the polite frame around it.
    if not machines:
        chosen = max(causes or hits, key=lambda h: h.end - h.start)
    entry = entries[chosen.owner]
    return Announcement(entry.get("class"), entry.get("announcement"), chosen.start, chosen.end)
