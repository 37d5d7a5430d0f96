"""Where danger and health events and pleas are spoken of: spans of text, before any judgement."""

from __future__ import annotations

import re

from ivr.understanding.lexicon import Entry, Lexicon
from ivr.understanding.model import Event, Question
from ivr.understanding.patterns import Hit, PatternSet, longest_only
from ivr.understanding.phonetic import Repaired
from ivr.understanding.slot_model import Found

# An idiom masks what it covers at least this much of.
MASK_SHARE = 0.5
# An idiom this long is never the accident of a misheard word.
MIN_KEPT_IDIOM_CHARS = 3
_KINDS = ("event", "plea", "idiom")


class EventFinder:
    def __init__(self, lexicon: Lexicon) -> None:
        entries, patterns = lexicon.patterns(*_KINDS)
        self._entries = entries
        self._patterns: PatternSet = patterns

    def find(
        self, repaired: Repaired, question: Question
    ) -> tuple[list[Found], list[tuple[int, int, str]], list[Hit]]:
        """Events in order of place, the spans of pleas with their entry ids, and the idioms."""
        hits = self._patterns.find(repaired.text)
        if not hits:
            return [], [], []
        hits = [h for h in hits if self._in_scope(h, question, repaired.text)]
        idioms = [h for h in hits if self._entries[h.owner].kind == "idiom"]
        live = [h for h in hits if self._entries[h.owner].kind != "idiom" and not _masked(h, idioms)]
        pleas = [h for h in live if self._entries[h.owner].kind == "plea"]
        events = [h for h in live if self._entries[h.owner].kind == "event"]
        found: list[Found] = []
        by_event: dict[str, list[Hit]] = {}
        for hit in events:
            by_event.setdefault(self._entries[hit.owner].get("event"), []).append(hit)
        for name, same in by_event.items():
            for hit in _without_overlap(same, self._entries):
                entry = self._entries[hit.owner]
                found.append(
                    Found(
                        event=Event(name),
                        start=hit.start,
                        end=hit.end,
                        entry=entry.id,
                        level=entry.get("level", "review"),
                        polarity=entry.get("polarity"),
                        time=entry.get("time"),
                        subject=entry.get("subject"),
                        gap=hit.gap,
                        cost=round(repaired.cost(hit.start, hit.end), 2),
                    )
                )
        found = _widest(_swindlers_gone(_fracture_beats_fall(found)))
        found.sort(key=lambda f: (f.start, f.end))
        return found, [(h.start, h.end, self._entries[h.owner].id) for h in longest_only(pleas)], idioms

    def idiom_spans(self, text: str) -> list[tuple[int, int]]:
        """Idioms in words as heard: 愁死我 must not be repaired into 抽死我."""
        return [
            (h.start, h.end)
            for h in self._patterns.find(text)
            if self._entries[h.owner].kind == "idiom" and h.end - h.start >= MIN_KEPT_IDIOM_CHARS
        ]

    def _in_scope(self, hit: Hit, question: Question, text: str) -> bool:
        """Words that mean danger only when asked about it (漏 to the gas question), or only beside others."""
        entry = self._entries[hit.owner]
        if question in entry.get("except").split():
            return False
        if not entry.told_in(text, hit.start, hit.end):
            return False
        if not entry.questions and "near" not in entry.fields:
            return True
        if question in entry.questions:
            return True
        near = entry.get("near")
        return bool(near) and re.search(near, text) is not None


def _fracture_beats_fall(found: list[Found]) -> list[Found]:
    """腿摔断了 is one event: the broken leg."""
    broken = [f for f in found if f.event is Event.SEVERE_PAIN]
    return [
        f
        for f in found
        if f.event is not Event.FALL or all(f.end <= b.start or f.start >= b.end for b in broken)
    ]


def _swindlers_gone(found: list[Found]) -> list[Found]:
    """钱让人骗光了，人都找不着了: it is the swindler who is not to be found."""
    if not any(f.event is Event.FRAUD for f in found):
        return found
    return [f for f in found if f.event is not Event.LOST]


def _widest(found: list[Found]) -> list[Found]:
    """An event inside the words of another says nothing of its own (胸闷 in 胸闷气短)."""
    return [
        f
        for f in found
        if not any(
            o.event is not f.event
            and o.start <= f.start
            and f.end <= o.end
            and o.end - o.start > f.end - f.start
            for o in found
        )
    ]


def _masked(hit: Hit, idioms: list[Hit]) -> bool:
    length = hit.end - hit.start
    for idiom in idioms:
        overlap = min(hit.end, idiom.end) - max(hit.start, idiom.start)
        if overlap == length or (overlap >= MASK_SHARE * length and idiom.end > hit.end):
            return True
    return False


def _without_overlap(hits: list[Hit], entries: list[Entry]) -> list[Hit]:
    """Of overlapping hits of one event the longest speaks, or a graver one that begins no later."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda h: (h.start - h.end, h.start)):
        rivals = [k for k in kept if hit.start < k.end and k.start < hit.end]
        if not rivals:
            kept.append(hit)
        elif (
            len(rivals) == 1
            and hit.start <= rivals[0].start
            and _graver(entries[hit.owner], entries[rivals[0].owner])
        ):
            kept[kept.index(rivals[0])] = hit
    return sorted(kept, key=lambda h: h.start)


def _graver(one: Entry, other: Entry) -> bool:
    return one.get("level") == "urgent" and other.get("level") != "urgent" and not other.get("polarity")


def event_finder(lexicon: Lexicon) -> EventFinder:
    slot = "event_finder"
    if slot not in lexicon.compiled:
        lexicon.compiled[slot] = EventFinder(lexicon)
    made: EventFinder = lexicon.compiled[slot]
    return made
